package api

import (
	"bytes"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/api/internal/live"
	"github.com/clamor-live/clamor/services/internal/web"
)

// publicReply is a poll as voters see it.
type publicReply struct {
	ID         string          `json:"id"`
	Show       string          `json:"show"`
	Kind       audience.Kind   `json:"kind"`
	Question   string          `json:"question"`
	Options    []publicOption  `json:"options"`
	Phase      audience.Phase  `json:"phase"`
	Round      uint32          `json:"round"`
	OpensAt    audience.Millis `json:"opens_at,omitzero"`
	ClosesAt   audience.Millis `json:"closes_at,omitzero"`
	MinChoices int             `json:"min_choices"`
	MaxChoices int             `json:"max_choices"`
	ScoreMin   *int32          `json:"score_min,omitempty"`
	ScoreMax   *int32          `json:"score_max,omitempty"`
	Rehearsal  bool            `json:"rehearsal,omitempty"`
	Results    *resultReply    `json:"results,omitempty"`
	ServerTime audience.Millis `json:"server_time,omitzero"`
}

type publicOption struct {
	ID         string `json:"id"`
	Label      string `json:"label"`
	LabelShort string `json:"label_short,omitempty"`
	Image      string `json:"image,omitempty"`
	Color      string `json:"color,omitempty"`
}

func publicOf(a *live.Answer) publicReply {
	d := &a.Definition
	r := publicReply{
		ID: d.ID, Show: d.Show, Kind: d.Kind, Question: d.Question, Options: []publicOption{},
		Phase: a.Phase, Round: a.Round, OpensAt: a.OpensAt, ClosesAt: a.ClosesAt,
		MinChoices: d.Limits.MinChoices, MaxChoices: d.Limits.MaxChoices, Rehearsal: a.Show.Rehearsal,
	}
	for i := range d.Options {
		o := &d.Options[i]
		r.Options = append(r.Options, publicOption{o.ID, o.Label, o.LabelShort, o.Image, o.Color})
	}
	if d.Kind == audience.Score {
		r.ScoreMin, r.ScoreMax = &d.Limits.ScoreMin, &d.Limits.ScoreMax
	}
	if a.Shown {
		result := resultOf(a)
		r.Results = &result
	}
	return r
}

// publicBody is the definition without the server's time, which is put in when
// it is sent.
func publicBody(a *live.Answer) []byte {
	body, err := marshal(publicOf(a))
	if err != nil {
		panic(err) // numbers and strings only
	}
	return bytes.TrimRight(body, "\n")
}

// timed puts the server's time into a rendered object.
func timed(object []byte, now audience.Millis) []byte {
	out := make([]byte, 0, len(object)+48)
	out = append(out, object[:len(object)-1]...)
	out = append(out, `,"server_time":"`...)
	out = now.Time().AppendFormat(out, audience.TimeLayout)
	return append(out, '"', '}')
}

// viewer is who looks at a poll as voters do. round is that of the receipt he
// shows; 0 is none.
type viewer struct {
	poll  string
	round uint32
}

func (s *Service) viewer(c *gin.Context) viewer {
	v := viewer{poll: c.Param("poll")}
	if text := c.Query("receipt"); text != "" {
		if receipt, err := s.deps.Receipts.ParseReceipt(text); err == nil && receipt.Poll == v.poll {
			v.round = receipt.Round
		}
	}
	return v
}

// watch is what the viewer may see now: a receipt opens its own round only, and
// the poll may be in the next by the time an answer is looked at.
func (s *Service) watch(v viewer) (*live.Answer, <-chan struct{}, bool) {
	if v.round != 0 {
		if a, changed, ok := s.board.Watch(v.poll, live.Receipt); ok && a.Round == v.round {
			return a, changed, true
		}
	}
	return s.board.Watch(v.poll, live.Public)
}

func (s *Service) getPoll(c *gin.Context) error {
	v := s.viewer(c)
	a, _, ok := s.watch(v)
	if !ok {
		return s.noAnswer(v.poll)
	}
	h := c.Writer.Header()
	h["Cache-Control"] = noCache
	h["Access-Control-Allow-Origin"] = anyOrigin
	r := s.form(&a.Stamp, live.Form{Name: "public"}, func() ([]byte, string) { return publicBody(a), jsonType })
	web.Bytes(c, http.StatusOK, jsonType, timed(r.Body, s.now()))
	return nil
}

// noAnswer says why a poll has no answer.
func (s *Service) noAnswer(id string) error {
	if _, ok := s.deps.Control.State().Poll(id); ok {
		return s.notMerged(live.ErrNotYet)
	}
	return noPoll(id)
}

// stateReply is a poll as producers see it: hidden results too.
type stateReply struct {
	ID          string               `json:"id"`
	Show        string               `json:"show"`
	Kind        audience.Kind        `json:"kind"`
	Question    string               `json:"question"`
	Options     []audience.Option    `json:"options"`
	Phase       audience.Phase       `json:"phase"`
	Round       uint32               `json:"round"`
	OpensAt     audience.Millis      `json:"opens_at,omitzero"`
	ClosesAt    audience.Millis      `json:"closes_at,omitzero"`
	ServerTime  audience.Millis      `json:"server_time"`
	MinChoices  int                  `json:"min_choices"`
	MaxChoices  int                  `json:"max_choices"`
	ScoreMin    *int32               `json:"score_min,omitempty"`
	ScoreMax    *int32               `json:"score_max,omitempty"`
	Rehearsal   bool                 `json:"rehearsal,omitempty"`
	Revision    uint64               `json:"revision"`
	Reveal      audience.RevealMode  `json:"reveal"`
	Revealed    revealedReply        `json:"revealed"`
	Limits      audience.Limits      `json:"limits"`
	Denominator audience.Denominator `json:"denominator"`
	Regions     []string             `json:"regions,omitempty"`
	Social      *audience.Social     `json:"social,omitempty"`
	CountsAll   bool                 `json:"counts_rejected_posts"`
	Results     resultReply          `json:"results"`
}

type revealedReply struct {
	OnAir  bool `json:"onair"`
	Public bool `json:"public"`
}

func (s *Service) state(c *gin.Context) error {
	p, err := s.pollOf(c)
	if err != nil {
		return err
	}
	now := s.now()
	standing := p.At(now)
	a, err := s.board.Round(c.Request.Context(), p, standing.Round, live.Producer)
	if err != nil {
		return s.notMerged(err)
	}
	d := listed(p.DefinitionAt(now))
	r := stateReply{
		ID: d.ID, Show: d.Show, Kind: d.Kind, Question: d.Question, Options: d.Options,
		Phase: standing.Phase, Round: standing.Round, OpensAt: standing.OpensAt, ClosesAt: standing.ClosesAt,
		ServerTime: now, MinChoices: d.Limits.MinChoices, MaxChoices: d.Limits.MaxChoices, Rehearsal: a.Show.Rehearsal,
		Revision: p.Revision, Reveal: d.Reveal, Revealed: revealedReply{standing.OnAir, standing.Public},
		Limits: d.Limits, Denominator: d.Denominator, Regions: d.Regions, Social: d.Social,
		CountsAll: d.CountsRejectedPosts, Results: resultOf(a),
	}
	if d.Kind == audience.Score {
		r.ScoreMin, r.ScoreMax = &d.Limits.ScoreMin, &d.Limits.ScoreMax
	}
	return replyRevised(c, http.StatusOK, p.Revision, r)
}
