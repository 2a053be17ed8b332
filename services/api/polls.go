package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
)

// pollReply is a definition as producers see it.
type pollReply struct {
	audience.Poll

	Revision uint64         `json:"revision"`
	Phase    audience.Phase `json:"phase"`
	Round    uint32         `json:"round"`
}

func (s *Service) pollReply(p *control.Poll) pollReply {
	standing := p.At(s.now())
	return pollReply{Poll: listed(p.Definition), Revision: p.Revision, Phase: standing.Phase, Round: standing.Round}
}

// listed makes sure that lists are lists.
func listed(p audience.Poll) audience.Poll {
	if p.Options == nil {
		p.Options = []audience.Option{}
	}
	return p
}

func (s *Service) listPolls(c *gin.Context) error {
	polls := only(s.deps.Control.State().Polls(c.Query("show")), func(p *control.Poll) bool {
		return reaches(c, p.Definition.Show)
	})
	return list(c, polls, func(p *control.Poll) string { return p.Definition.ID }, func(p *control.Poll) any { return s.pollReply(p) })
}

func (s *Service) createPoll(c *gin.Context) error {
	var form control.PollForm
	if err := body(c, &form); err != nil {
		return err
	}
	poll := form.Poll()
	if poll.ID == "" {
		poll.ID = newID("poll")
	}
	if err := s.ownShow(c, poll.Show); err != nil {
		return err
	}
	if _, err := s.submit(c, control.KindPollPut, poll.ID, 0, poll); err != nil {
		return err
	}
	c.Header("Location", "/v1/polls/"+poll.ID)
	return s.replyPoll(c, http.StatusCreated, poll.ID)
}

// ownShow refuses to put things into a show that the token may not touch, as if
// the show did not exist.
func (s *Service) ownShow(c *gin.Context, show string) error {
	if show == "" || reaches(c, show) {
		return nil
	}
	return fault.New(fault.NotFound, "there is no show %q", show)
}

// replyPoll answers with a poll as it stands.
func (s *Service) replyPoll(c *gin.Context, status int, id string) error {
	p, ok := s.deps.Control.State().Poll(id)
	if !ok {
		return noPoll(id)
	}
	return replyRevised(c, status, p.Revision, s.pollReply(p))
}

func noPoll(id string) error { return fault.New(fault.PollNotFound, "there is no poll %q", id) }

// pollOf finds the poll of the path, for the token.
func (s *Service) pollOf(c *gin.Context) (*control.Poll, error) {
	id := c.Param("poll")
	p, ok := s.deps.Control.State().Poll(id)
	if !ok || !reaches(c, p.Definition.Show) {
		return nil, noPoll(id)
	}
	return p, nil
}

func (s *Service) putPoll(c *gin.Context) error {
	was, err := s.pollOf(c)
	if err != nil {
		return err
	}
	id := was.Definition.ID
	var form control.PollForm
	base, err := amendment(c, was.Revision, id, &form, &form.ID)
	if err != nil {
		return err
	}
	poll := form.Poll()
	if err := s.ownShow(c, poll.Show); err != nil {
		return err
	}
	if _, err := s.submit(c, control.KindPollPut, id, base, poll); err != nil {
		return replaced(err)
	}
	return s.replyPoll(c, http.StatusOK, id)
}

func (s *Service) command(c *gin.Context) error {
	p, err := s.pollOf(c)
	if err != nil {
		return err
	}
	var command audience.Command
	if err := body(c, &command); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindPollCommand, p.Definition.ID, command.Revision, command)
	if err != nil {
		return err
	}
	return replyRevised(c, http.StatusOK, v.Revision, struct {
		Poll        string          `json:"poll"`
		Revision    uint64          `json:"revision"`
		Phase       audience.Phase  `json:"phase"`
		EffectiveAt audience.Millis `json:"effective_at"`
	}{p.Definition.ID, v.Revision, v.Phase, v.EffectiveAt})
}

func (s *Service) audit(c *gin.Context) error {
	p, err := s.pollOf(c)
	if err != nil {
		return err
	}
	return indexed(c, s.deps.Control.State().Audit(p.Definition.ID, s.now()))
}
