package api

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/topic"
)

// showForm is a show as a producer writes it.
type showForm struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	Timezone  string   `json:"timezone"`
	Locale    string   `json:"locale"`
	Markets   []string `json:"markets"`
	Languages []string `json:"languages"`
	Rehearsal bool     `json:"rehearsal"`

	Moderation *audience.Moderation `json:"moderation"`
}

func (f *showForm) show() audience.Show {
	s := audience.Show{
		ID: f.ID, Title: f.Title, Timezone: f.Timezone, Locale: f.Locale,
		Markets: f.Markets, Languages: f.Languages, Rehearsal: f.Rehearsal, Moderation: f.Moderation,
	}
	if s.Timezone == "" {
		s.Timezone = "UTC"
	}
	if s.Locale == "" {
		s.Locale = "en"
	}
	return s
}

// decides refuses rules of moderation that hold no word to look for; their
// grammar is judged with the rest of the show.
func decides(show *audience.Show) error {
	valid := control.ValidateShow(show) == nil
	if show.Moderation == nil || !valid {
		return nil
	}
	for pointer, rule := range map[string]string{"/moderation/reject": show.Moderation.Reject, "/moderation/approve": show.Moderation.Approve} {
		var flaw *topic.Flaw
		if err := topic.Check(&audience.Topic{Rule: rule}); rule != "" && errors.As(err, &flaw) {
			return fault.Invalid(fault.Field{Pointer: pointer, Detail: flaw.Err.Error()})
		}
	}
	return nil
}

func (s *Service) listShows(c *gin.Context) error {
	shows := only(s.deps.Control.State().Shows(), func(v *control.Show) bool { return reaches(c, v.ID) })
	return list(c, shows, func(v *control.Show) string { return v.ID }, func(v *control.Show) any { return v })
}

func (s *Service) createShow(c *gin.Context) error {
	if tokenOf(c).Show != "" {
		return fault.New(fault.Forbidden, "the token is for one show only")
	}
	var form showForm
	if err := body(c, &form); err != nil {
		return err
	}
	show := form.show()
	if err := decides(&show); err != nil {
		return err
	}
	if show.ID == "" {
		show.ID = newID("show")
	}
	v, err := s.submit(c, control.KindShowPut, show.ID, 0, show)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/shows/"+show.ID)
	return replyRevised(c, http.StatusCreated, v.Revision, control.Show{Show: show, Revision: v.Revision})
}

// showOf finds the show of the path, for the token.
func (s *Service) showOf(c *gin.Context) (*control.Show, error) {
	return named(c, "show", s.deps.Control.State().Show, func(v *control.Show) string { return v.ID })
}

func (s *Service) getShow(c *gin.Context) error {
	show, err := s.showOf(c)
	if err != nil {
		return err
	}
	return replyRevised(c, http.StatusOK, show.Revision, show)
}

func (s *Service) putShow(c *gin.Context) error {
	was, err := s.showOf(c)
	if err != nil {
		return err
	}
	var form showForm
	base, err := amendment(c, was.Revision, was.ID, &form, &form.ID)
	if err != nil {
		return err
	}
	show := form.show()
	if err := decides(&show); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindShowPut, show.ID, base, show)
	if err != nil {
		return replaced(err)
	}
	return replyRevised(c, http.StatusOK, v.Revision, control.Show{Show: show, Revision: v.Revision})
}
