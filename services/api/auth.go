package api

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/internal/web"
)

const tokenKey = "clamor.token"

// needs lets through who has the role, before the body or the thing is looked
// at.
func (s *Service) needs(role audience.Role) gin.HandlerFunc {
	return func(c *gin.Context) {
		token, err := s.bearer(c)
		if err == nil && !token.Role.Includes(role) {
			err = fault.New(fault.Forbidden, "this needs the role %s; the token's is %s", role, token.Role)
		}
		if err != nil {
			web.Fail(c, err)
			return
		}
		c.Set(tokenKey, token)
	}
}

// bearer is the API token that the request brings.
func (s *Service) bearer(c *gin.Context) (*control.Token, error) {
	header := c.GetHeader("Authorization")
	if header == "" {
		return nil, fault.New(fault.TokenRequired, "send an API token: Authorization: Bearer …")
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, fault.New(fault.TokenInvalid, "send the API token as a Bearer token")
	}
	token, ok := s.deps.Control.State().TokenByHash(keys.HashToken(strings.TrimSpace(secret)))
	switch {
	case !ok:
		return nil, fault.New(fault.TokenInvalid, "the API token is unknown or revoked")
	case token.ExpiresAt != 0 && token.ExpiresAt <= s.now():
		return nil, fault.New(fault.TokenInvalid, "the API token expired at %s", token.ExpiresAt)
	}
	return token, nil
}

func tokenOf(c *gin.Context) *control.Token {
	t, _ := c.Get(tokenKey)
	token, _ := t.(*control.Token)
	if token == nil {
		token = &control.Token{}
	}
	return token
}

// actor names the token in the audit.
func actor(c *gin.Context) string {
	t := tokenOf(c)
	if t.Name == "" {
		return t.ID
	}
	return t.Name + " (" + t.ID + ")"
}

// reaches says whether the token may touch a show's things.
func reaches(c *gin.Context, show string) bool {
	only := tokenOf(c).Show
	return only == "" || only == show
}

// named finds what the path names, for the token: what is of a show out of its
// reach is not told from what is not there.
func named[T any](c *gin.Context, what string, find func(id string) (*T, bool), show func(*T) string) (*T, error) {
	id := c.Param(what)
	v, ok := find(id)
	if !ok || !reaches(c, show(v)) {
		return nil, fault.New(fault.NotFound, "there is no %s %q", what, id)
	}
	return v, nil
}

func (s *Service) now() audience.Millis { return audience.MillisOf(s.deps.Now()) }
