package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/keys"
)

// tokenForm is an API token as an admin asks for it.
type tokenForm struct {
	Name      string          `json:"name"`
	Role      audience.Role   `json:"role"`
	Show      string          `json:"show"`
	ExpiresAt audience.Millis `json:"expires_at"`
}

// tokenReply is a token without its secret, but for the one made just now.
type tokenReply struct {
	audience.Token

	Secret string `json:"token,omitempty"`
}

func publicToken(v *control.Token) tokenReply {
	r := tokenReply{Token: v.Token}
	r.Hash = ""
	return r
}

func (s *Service) listTokens(c *gin.Context) error {
	all := only(s.deps.Control.State().Tokens(), func(v *control.Token) bool { return ownToken(c, v) })
	return list(c, all, func(v *control.Token) string { return v.ID }, func(v *control.Token) any { return publicToken(v) })
}

// ownToken says whether the caller may see a token: an admin of one show sees
// those of that show.
func ownToken(c *gin.Context, v *control.Token) bool {
	mine := tokenOf(c).Show
	return mine == "" || mine == v.Show
}

func (s *Service) createToken(c *gin.Context) error {
	var form tokenForm
	if err := body(c, &form); err != nil {
		return err
	}
	if mine := tokenOf(c).Show; mine != "" {
		if form.Show == "" {
			form.Show = mine // an admin of one show makes tokens for that show only
		}
		if err := s.ownShow(c, form.Show); err != nil {
			return err
		}
	}
	secret := keys.NewToken("ca_")
	t := audience.Token{
		ID: newID("token"), Name: form.Name, Role: form.Role, Show: form.Show,
		CreatedAt: s.now(), ExpiresAt: form.ExpiresAt, Hash: keys.HashToken(secret),
	}
	v, err := s.submit(c, control.KindTokenPut, t.ID, 0, t)
	if err != nil {
		return err
	}
	r := publicToken(&control.Token{Token: t})
	r.Secret = secret
	return replyRevised(c, http.StatusCreated, v.Revision, r)
}

func (s *Service) deleteToken(c *gin.Context) error {
	v, ok := s.deps.Control.State().Token(c.Param("id"))
	if !ok || !ownToken(c, v) {
		return fault.New(fault.NotFound, "there is no token %q", c.Param("id"))
	}
	return s.remove(c, control.KindTokenDelete, v.ID)
}
