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

func (s *Service) listTopics(c *gin.Context) error {
	all := only(s.deps.Control.State().Topics(c.Query("show")), func(v *control.Topic) bool { return reaches(c, v.Show) })
	return list(c, all, func(v *control.Topic) string { return v.ID }, func(v *control.Topic) any { return v })
}

func (s *Service) createTopic(c *gin.Context) error {
	var t audience.Topic
	if err := body(c, &t); err != nil {
		return err
	}
	if err := s.ownShow(c, t.Show); err != nil {
		return err
	}
	if t.ID == "" {
		t.ID = newID("topic")
	}
	if err := listens(&t); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindTopicPut, t.ID, 0, t)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/topics/"+t.ID)
	return replyRevised(c, http.StatusCreated, v.Revision, control.Topic{Topic: t, Revision: v.Revision})
}

// listens refuses a topic that could not be listened to. What is wrong with its
// grammar is said with everything else that is wrong with it.
func listens(t *audience.Topic) error {
	if valid := control.ValidateTopic(t) == nil; !valid {
		return nil
	}
	return flawed(topic.Check(t))
}

// flawed is a flaw of a topic as a problem.
func flawed(err error) error {
	var flaw *topic.Flaw
	if errors.As(err, &flaw) {
		return fault.Invalid(fault.Field{Pointer: flaw.Pointer, Detail: flaw.Err.Error()})
	}
	return err
}

func (s *Service) topicOf(c *gin.Context) (*control.Topic, error) {
	return named(c, "topic", s.deps.Control.State().Topic, func(v *control.Topic) string { return v.Show })
}

func (s *Service) getTopic(c *gin.Context) error {
	v, err := s.topicOf(c)
	if err != nil {
		return err
	}
	return replyRevised(c, http.StatusOK, v.Revision, v)
}

func (s *Service) putTopic(c *gin.Context) error {
	was, err := s.topicOf(c)
	if err != nil {
		return err
	}
	var t audience.Topic
	base, err := amendment(c, was.Revision, was.ID, &t, &t.ID)
	if err != nil {
		return err
	}
	if err := s.ownShow(c, t.Show); err != nil {
		return err
	}
	if err := listens(&t); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindTopicPut, t.ID, base, t)
	if err != nil {
		return replaced(err)
	}
	return replyRevised(c, http.StatusOK, v.Revision, control.Topic{Topic: t, Revision: v.Revision})
}

func (s *Service) deleteTopic(c *gin.Context) error {
	v, err := s.topicOf(c)
	if err != nil {
		return err
	}
	return s.remove(c, control.KindTopicDelete, v.ID)
}
