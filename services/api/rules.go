package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/internal/explain"
)

// explainForm asks why a post belongs to a topic, or to a rule that is being
// written. The post is one that was captured, or words to try.
type explainForm struct {
	Rule    string                 `json:"rule"`
	Filters *audience.TopicFilters `json:"filters"`
	Topic   string                 `json:"topic"`
	// Show gives a rule its languages.
	Show string `json:"show"`

	Post string `json:"post"`

	Text     string          `json:"text"`
	Language string          `json:"language"`
	Source   string          `json:"source"`
	Author   audience.Author `json:"author"`
}

type explainReply struct {
	Topic string `json:"topic,omitempty"`
	Post  string `json:"post,omitempty"`
	explain.Answer
}

func (s *Service) explainRule(c *gin.Context) error {
	var form explainForm
	if err := body(c, &form); err != nil {
		return err
	}
	t, languages, err := s.explained(c, &form)
	if err != nil {
		return err
	}
	post, err := s.posted(c, &form)
	if err != nil {
		return err
	}
	answer, err := explain.Post(t, languages, post)
	if err != nil {
		return err
	}
	return reply(c, http.StatusOK, explainReply{form.Topic, form.Post, *answer})
}

// explained is the topic that is asked about, and its show's languages.
func (s *Service) explained(c *gin.Context, form *explainForm) (t audience.Topic, languages []string, err error) {
	switch {
	case (form.Rule == "") == (form.Topic == ""):
		return t, nil, fault.Invalid(fault.Field{Pointer: "/rule", Detail: "give a rule or a topic, one of them"})
	case form.Topic != "":
		known, ok := s.deps.Control.State().Topic(form.Topic)
		if !ok || !reaches(c, known.Show) {
			return t, nil, fault.New(fault.NotFound, "there is no topic %q", form.Topic)
		}
		t = known.Topic
	default:
		t = audience.Topic{ID: "rule", Show: form.Show, Title: "rule", Rule: form.Rule, Filters: form.Filters}
		if err := judged(t); err != nil {
			return t, nil, err
		}
	}
	show, ok := s.deps.Control.State().Show(t.Show)
	switch {
	case ok && reaches(c, show.ID):
		languages = show.Languages
	case t.Show != "":
		return t, nil, fault.New(fault.NotFound, "there is no show %q", t.Show)
	}
	return t, languages, nil
}

// judged says what is wrong with a rule that is being written, of a show or of
// none.
func judged(t audience.Topic) error {
	if t.Show == "" {
		t.Show = t.ID
	}
	if err := control.ValidateTopic(&t); err != nil {
		return err
	}
	return listens(&t)
}

// posted is the post that is asked about.
func (s *Service) posted(c *gin.Context, form *explainForm) (*clamorv1.Post, error) {
	if (form.Post == "") == (form.Text == "") {
		return nil, fault.Invalid(fault.Field{Pointer: "/text", Detail: "give the name of a post or a text, one of them"})
	}
	if form.Post == "" {
		post := eventlog.PostOf(&audience.Post{ID: "text", Author: form.Author, Text: form.Text, Language: form.Language})
		post.Source, post.ReceivedAt = form.Source, int64(s.now())
		return post, nil
	}
	f, err := s.postNamed(c, form.Post)
	switch {
	case err != nil:
		return nil, err
	case f.captured != nil:
		return f.captured, nil
	}
	p := &f.RecentPost // too large to be kept as captured: what is known of it
	post := eventlog.PostOf(&audience.Post{ID: p.ID, Platform: p.Platform, Author: p.Author, Text: p.Text, Language: p.Language})
	post.Source, post.ReceivedAt = p.Source, int64(p.ReceivedAt)
	return post, nil
}
