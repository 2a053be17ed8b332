package control

import (
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
)

// PollForm is a poll's definition as a producer writes it: what is left out is
// told from what is zero, so that defaults can be filled in.
type PollForm struct {
	ID                  string               `json:"id"`
	Show                string               `json:"show"`
	Kind                audience.Kind        `json:"kind"`
	Question            string               `json:"question"`
	Options             []audience.Option    `json:"options"`
	Limits              LimitsForm           `json:"limits"`
	Reveal              audience.RevealMode  `json:"reveal"`
	Denominator         audience.Denominator `json:"denominator"`
	ClosesAt            audience.Millis      `json:"closes_at"`
	Regions             []string             `json:"regions"`
	Social              *audience.Social     `json:"social"`
	CountsRejectedPosts bool                 `json:"counts_rejected_posts"`
}

// LimitsForm are limits as a producer writes them.
type LimitsForm struct {
	BallotsPerVoter *uint32            `json:"ballots_per_voter"`
	OnRepeat        *audience.OnRepeat `json:"on_repeat"`
	MinChoices      *int               `json:"min_choices"`
	MaxChoices      *int               `json:"max_choices"`
	ScoreMin        *int32             `json:"score_min"`
	ScoreMax        *int32             `json:"score_max"`
}

// The range of a score poll that gives none.
const (
	DefaultScoreMin = 0
	DefaultScoreMax = 10
)

// Poll fills in the defaults. What is wrong is left for Validate to find.
func (f PollForm) Poll() audience.Poll {
	p := audience.Poll{
		ID: f.ID, Show: f.Show, Kind: f.Kind, Question: f.Question,
		Reveal: or(f.Reveal, audience.RevealManual), Denominator: or(f.Denominator, audience.OfVotes),
		ClosesAt: f.ClosesAt, Regions: f.Regions, CountsRejectedPosts: f.CountsRejectedPosts,
	}
	p.Options = named(f.Options)
	p.Limits = f.Limits.limits(p.Kind)
	if f.Social != nil {
		p.Social = &audience.Social{
			Count: or(f.Social.Count, audience.CountAuthors), Match: or(f.Social.Match, audience.MatchAnywhere),
		}
	}
	return p
}

// limits: one ballot a voter and one choice a ballot, but reactions are free.
func (f LimitsForm) limits(kind audience.Kind) audience.Limits {
	l := audience.Limits{BallotsPerVoter: 1, OnRepeat: audience.Reject, MinChoices: 1, MaxChoices: 1}
	if kind == audience.React {
		l.BallotsPerVoter = 0
	}
	if kind == audience.Score {
		l.ScoreMin, l.ScoreMax = DefaultScoreMin, DefaultScoreMax
	}
	set(&l.BallotsPerVoter, f.BallotsPerVoter)
	if l.BallotsPerVoter == 0 {
		l.OnRepeat = audience.Add
	}
	set(&l.OnRepeat, f.OnRepeat)
	set(&l.MinChoices, f.MinChoices)
	l.MaxChoices = max(l.MaxChoices, l.MinChoices)
	set(&l.MaxChoices, f.MaxChoices)
	set(&l.ScoreMin, f.ScoreMin)
	set(&l.ScoreMax, f.ScoreMax)
	return l
}

// named gives options without an id one by their place.
func named(options []audience.Option) []audience.Option {
	taken := map[string]bool{}
	for _, o := range options {
		taken[o.ID] = true
	}
	out := make([]audience.Option, len(options))
	for i, o := range options {
		for n := i + 1; o.ID == ""; n++ {
			if id := "option-" + strconv.Itoa(n); !taken[id] {
				o.ID, taken[id] = id, true
			}
		}
		out[i] = o
	}
	return out
}

func or[T ~string](v, otherwise T) T {
	if v == "" {
		return otherwise
	}
	return v
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}
