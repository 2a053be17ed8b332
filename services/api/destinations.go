package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/keys"
)

// destinationForm is a destination as a producer writes it.
type destinationForm struct {
	ID        string              `json:"id"`
	Show      string              `json:"show"`
	Name      string              `json:"name"`
	Audience  audience.Audience   `json:"audience"`
	Aliases   map[string]string   `json:"aliases"`
	Slots     int                 `json:"slots"`
	Locale    string              `json:"locale"`
	Editorial map[string][]string `json:"editorial"`
	Allow     []string            `json:"allow"`
}

func (f *destinationForm) destination() audience.Destination {
	d := audience.Destination{
		ID: f.ID, Show: f.Show, Name: f.Name, Audience: f.Audience, Aliases: f.Aliases,
		Slots: f.Slots, Locale: f.Locale, Editorial: f.Editorial, Allow: f.Allow,
	}
	if d.Audience == "" {
		d.Audience = audience.OnAir
	}
	return d
}

// destinationReply is a destination without its secret, but for the one that
// was made just now and the URLs with it.
type destinationReply struct {
	control.Destination

	Token string    `json:"token,omitempty"`
	URLs  *feedURLs `json:"urls,omitempty"`
}

func publicDestination(v *control.Destination) destinationReply {
	r := destinationReply{Destination: *v}
	r.TokenHash = ""
	return r
}

func (s *Service) listDestinations(c *gin.Context) error {
	show := c.Query("show")
	all := only(s.deps.Control.State().Destinations(), func(v *control.Destination) bool {
		return reaches(c, v.Show) && (show == "" || show == v.Show)
	})
	return list(c, all, func(v *control.Destination) string { return v.ID },
		func(v *control.Destination) any { return publicDestination(v) })
}

func (s *Service) createDestination(c *gin.Context) error {
	var form destinationForm
	if err := body(c, &form); err != nil {
		return err
	}
	d := form.destination()
	if err := s.ownShow(c, d.Show); err != nil {
		return err
	}
	if d.ID == "" {
		d.ID = newID("feed")
	}
	token := keys.NewToken("cf_")
	d.TokenHash = keys.HashToken(token)
	v, err := s.submit(c, control.KindDestinationPut, d.ID, 0, d)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/destinations/"+d.ID)
	made := control.Destination{Destination: d, Revision: v.Revision}
	r := publicDestination(&made)
	r.Token, r.URLs = token, s.feedURLs(c, token, &made)
	return replyRevised(c, http.StatusCreated, v.Revision, r)
}

func (s *Service) destinationOf(c *gin.Context) (*control.Destination, error) {
	return named(c, "destination", s.deps.Control.State().Destination, func(v *control.Destination) string { return v.Show })
}

func (s *Service) getDestination(c *gin.Context) error {
	v, err := s.destinationOf(c)
	if err != nil {
		return err
	}
	return replyRevised(c, http.StatusOK, v.Revision, publicDestination(v))
}

func (s *Service) putDestination(c *gin.Context) error {
	was, err := s.destinationOf(c)
	if err != nil {
		return err
	}
	var form destinationForm
	base, err := amendment(c, was.Revision, was.ID, &form, &form.ID)
	if err != nil {
		return err
	}
	d := form.destination()
	if err := s.ownShow(c, d.Show); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindDestinationPut, d.ID, base, d) // no token in it: the token stays
	if err != nil {
		return replaced(err)
	}
	return replyRevised(c, http.StatusOK, v.Revision, publicDestination(&control.Destination{Destination: d, Revision: v.Revision}))
}

func (s *Service) deleteDestination(c *gin.Context) error {
	v, err := s.destinationOf(c)
	if err != nil {
		return err
	}
	return s.remove(c, control.KindDestinationDelete, v.ID)
}
