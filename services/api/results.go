package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// roundOf is the round that the query asks for, by default the current one.
func (s *Service) roundOf(c *gin.Context, p *control.Poll) (uint32, error) {
	current := p.At(s.now()).Round
	text := c.Query("round")
	if text == "" {
		return current, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fault.New(fault.InvalidRequest, "round is a whole number from 1")
	}
	if n == 0 || uint32(n) > current {
		return 0, fault.New(fault.RoundNotFound, "the poll is in round %d", current)
	}
	return uint32(n), nil
}

func (s *Service) results(c *gin.Context) error {
	p, err := s.pollOf(c)
	if err != nil {
		return err
	}
	face, err := faceOf(c.Query("audience"))
	if err != nil {
		return err
	}
	round, err := s.roundOf(c, p)
	if err != nil {
		return err
	}
	a, err := s.board.Round(c.Request.Context(), p, round, face)
	if err != nil {
		return s.notMerged(err)
	}
	s.send(c, s.form(&a.Stamp, live.Form{Name: "result"}, func() ([]byte, string) { return resultBody(a), jsonType }), &a.Stamp)
	return nil
}

func faceOf(name string) (live.Face, error) {
	switch audience.Audience(name) {
	case "", audience.Producer:
		return live.Producer, nil
	case audience.OnAir:
		return live.OnAir, nil
	case audience.Public:
		return live.Public, nil
	}
	return 0, fault.New(fault.InvalidRequest, "audience is producer, onair or public")
}

func (s *Service) notMerged(err error) error {
	switch {
	case errors.Is(err, views.ErrNotFound):
		return fault.New(fault.RoundNotFound, "the poll has no such round")
	case errors.Is(err, live.ErrNotYet):
		return fault.New(fault.Unavailable, "the views of this round cannot be read yet: try again in a moment").After(time.Second)
	}
	return storeDown(err)
}

func (s *Service) series(c *gin.Context) error {
	p, err := s.pollOf(c)
	if err != nil {
		return err
	}
	round, err := s.roundOf(c, p)
	if err != nil {
		return err
	}
	step, name, err := stepOf(c.Query("step"))
	if err != nil {
		return err
	}
	from, err := instantOf(c, "from")
	if err != nil {
		return err
	}
	to, err := instantOf(c, "to")
	if err != nil {
		return err
	}
	definition, _ := p.DefinitionOf(round)
	curve, err := s.board.Curve(c.Request.Context(), audience.RoundKey{Poll: definition.ID, Round: round})
	if err != nil {
		return s.notMerged(err)
	}
	steps, err := curve.Steps(step, from, to, len(definition.Options))
	if err != nil {
		return fault.New(fault.InvalidRequest, "a series has at most %d points: ask for a shorter time or a longer step", tally.MaxSteps)
	}
	return reply(c, http.StatusOK, seriesOf(&definition, round, name, steps))
}

func stepOf(name string) (audience.Millis, string, error) {
	switch name {
	case "", "1m", "60s", "minute":
		return 60_000, "1m", nil
	case "10s":
		return 10_000, "10s", nil
	}
	return 0, "", fault.New(fault.InvalidRequest, "step is 10s or 1m")
}

func instantOf(c *gin.Context, name string) (audience.Millis, error) {
	text := c.Query(name)
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	at := audience.MillisOf(t)
	if err != nil || !at.Written() {
		return 0, fault.New(fault.InvalidRequest, "%s is a time like %s", name, audience.TimeLayout)
	}
	return max(at, 1), nil // 0 is none, and nothing was before 1970
}

type seriesReply struct {
	Poll    string        `json:"poll"`
	Round   uint32        `json:"round"`
	Step    string        `json:"step"`
	Options []string      `json:"options"`
	Points  []seriesPoint `json:"points"`
}

type seriesPoint struct {
	At    audience.Millis `json:"at"`
	Votes []int64         `json:"votes"`
	Total int64           `json:"total"`
}

func seriesOf(d *audience.Poll, round uint32, step string, steps []tally.Step) seriesReply {
	r := seriesReply{Poll: d.ID, Round: round, Step: step, Options: []string{}, Points: []seriesPoint{}}
	for i := range d.Options {
		r.Options = append(r.Options, d.Options[i].ID)
	}
	for _, st := range steps {
		point := seriesPoint{At: st.At, Votes: st.Votes}
		for _, n := range st.Votes {
			point.Total += n
		}
		r.Points = append(r.Points, point)
	}
	return r
}

func (s *Service) certificate(c *gin.Context) error {
	p, err := s.pollOf(c)
	if err != nil {
		return err
	}
	round, err := s.roundOf(c, p)
	if err != nil {
		return err
	}
	doc, err := s.certificateOf(c.Request.Context(), audience.RoundKey{Poll: p.Definition.ID, Round: round})
	switch {
	case errors.Is(err, archive.ErrNotFound), errors.Is(err, views.ErrNotFound):
		return fault.New(fault.NotSealed, "round %d has no certificate yet: it is made by the batch run after the close", round)
	case err != nil:
		return storeDown(err)
	}
	c.Header("Cache-Control", "no-cache")
	tagged(c, jsonType, doc)
	return nil
}

// certificateOf reads the statement as it was signed.
func (s *Service) certificateOf(ctx context.Context, key audience.RoundKey) ([]byte, error) {
	if _, ok := s.deps.Control.State().SealedAt(key); !ok {
		return nil, archive.ErrNotFound
	}
	if sealed, err := s.deps.Views.Sealed(ctx, key); err != nil {
		return nil, err
	} else if len(sealed.Certificate) > 0 {
		return sealed.Certificate, nil
	}
	return s.deps.Archive.Certificate(ctx, key)
}
