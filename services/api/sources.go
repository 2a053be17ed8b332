package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/keys"
)

// sourceForm is a source as a producer writes it; it is enabled unless it says
// otherwise.
type sourceForm struct {
	ID        string           `json:"id"`
	Show      string           `json:"show"`
	Connector string           `json:"connector"`
	Settings  map[string]any   `json:"settings"`
	Polls     []string         `json:"polls"`
	Topics    []string         `json:"topics"`
	Budget    *audience.Budget `json:"budget"`
	Enabled   *bool            `json:"enabled"`
}

func (f *sourceForm) source() audience.Source {
	return audience.Source{
		ID: f.ID, Show: f.Show, Connector: f.Connector, Settings: f.Settings, Polls: f.Polls,
		Topics: f.Topics, Budget: f.Budget, Enabled: f.Enabled == nil || *f.Enabled,
	}
}

// sourceReply is a source without what is secret, but for the key that was made
// just now, and how it fares.
type sourceReply struct {
	control.Source

	Key    string                 `json:"key,omitempty"`
	Status *audience.SourceStatus `json:"status,omitempty"`
}

func publicSource(v *control.Source, status *audience.SourceStatus) sourceReply {
	r := sourceReply{Source: *v, Status: status}
	r.KeyHash = ""
	r.Settings = masked(v.Connector, v.Settings)
	return r
}

func (s *Service) listSources(c *gin.Context) error {
	show := c.Query("show")
	all := only(s.deps.Control.State().Sources(), func(v *control.Source) bool {
		return reaches(c, v.Show) && (show == "" || show == v.Show)
	})
	told, err := s.pageStatuses(c, all)
	if err != nil {
		return err
	}
	return list(c, all, func(v *control.Source) string { return v.ID }, func(v *control.Source) any { return publicSource(v, statusOf(v, told)) })
}

func (s *Service) createSource(c *gin.Context) error {
	var form sourceForm
	if err := body(c, &form); err != nil {
		return err
	}
	src := form.source()
	if err := s.ownShow(c, src.Show); err != nil {
		return err
	}
	if src.ID == "" {
		src.ID = newID("source")
	}
	key := ""
	if src.Connector == audience.ConnectorGateway || src.Connector == audience.ConnectorPush {
		key = keys.NewToken("ck_")
		src.KeyHash = keys.HashToken(key)
	}
	if err := s.seal(&src, nil); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindSourcePut, src.ID, 0, src)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/sources/"+src.ID)
	r := publicSource(&control.Source{Source: src, Revision: v.Revision}, nil)
	r.Key = key
	return replyRevised(c, http.StatusCreated, v.Revision, r)
}

func (s *Service) sourceOf(c *gin.Context) (*control.Source, error) {
	return named(c, "source", s.deps.Control.State().Source, func(v *control.Source) string { return v.Show })
}

func (s *Service) getSource(c *gin.Context) error {
	v, err := s.sourceOf(c)
	if err != nil {
		return err
	}
	return replyRevised(c, http.StatusOK, v.Revision, publicSource(v, statusOf(v, s.statuses(c, []string{v.ID}))))
}

func (s *Service) putSource(c *gin.Context) error {
	was, err := s.sourceOf(c)
	if err != nil {
		return err
	}
	var form sourceForm
	base, err := amendment(c, was.Revision, was.ID, &form, &form.ID)
	if err != nil {
		return err
	}
	src := form.source()
	if err := s.ownShow(c, src.Show); err != nil {
		return err
	}
	if err := s.seal(&src, was.Settings); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindSourcePut, src.ID, base, src) // no key in it: the key stays
	if err != nil {
		return replaced(err)
	}
	return replyRevised(c, http.StatusOK, v.Revision, publicSource(&control.Source{Source: src, Revision: v.Revision}, nil))
}

func (s *Service) deleteSource(c *gin.Context) error {
	v, err := s.sourceOf(c)
	if err != nil {
		return err
	}
	return s.remove(c, control.KindSourceDelete, v.ID)
}

// remove deletes a thing, whatever its revision.
func (s *Service) remove(c *gin.Context, kind, id string) error {
	if _, err := s.submit(c, kind, id, control.Current, nil); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
