package api

import (
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// resultReply is the merged result of a round, as the contract has it.
type resultReply struct {
	Poll       string           `json:"poll"`
	Round      uint32           `json:"round"`
	Phase      audience.Phase   `json:"phase"`
	Status     string           `json:"status"`
	Seq        int64            `json:"seq"`
	AsOf       audience.Millis  `json:"as_of"`
	Stale      bool             `json:"stale"`
	Revealed   bool             `json:"revealed"`
	Correction bool             `json:"correction,omitempty"`
	Rehearsal  bool             `json:"rehearsal,omitempty"`
	Generation uint64           `json:"generation"`
	Offsets    map[string]int64 `json:"as_of_offsets"`
	Totals     totalsReply      `json:"totals"`
	Options    []optionReply    `json:"options"`
}

type totalsReply struct {
	Votes      int64         `json:"votes"`
	Voters     int64         `json:"voters"`
	VotesBatch int64         `json:"votes_batch"`
	VotesSpeed int64         `json:"votes_speed"`
	Late       int64         `json:"late"`
	Duplicates int64         `json:"duplicates"`
	Rejected   rejectedReply `json:"rejected"`
}

type rejectedReply struct {
	Limit   int64 `json:"limit"`
	Revoked int64 `json:"revoked"`
}

type optionReply struct {
	ID         string   `json:"id"`
	Label      string   `json:"label"`
	Slot       int      `json:"slot"`
	Votes      int64    `json:"votes"`
	VotesBatch int64    `json:"votes_batch"`
	VotesSpeed int64    `json:"votes_speed"`
	Sum        *int64   `json:"sum,omitempty"`
	Mean       *float64 `json:"mean,omitempty"`
	Pct        float64  `json:"pct"`
	PctInt     int      `json:"pct_int"`
	PctText    string   `json:"pct_text"`
	Rank       int      `json:"rank"`
	UniqueRank int      `json:"unique_rank"`
	TieCount   int      `json:"tie_count"`
}

func resultOf(a *live.Answer) resultReply {
	batch, speed := a.Totals()
	r := resultReply{
		Poll: a.Definition.ID, Round: a.Round, Phase: a.Phase, Status: a.Status, Seq: a.Seq, AsOf: a.AsOf,
		Stale: a.Stale, Revealed: a.Shown, Correction: a.Correction, Rehearsal: a.Show.Rehearsal,
		Generation: a.Generation, Offsets: offsets(a.Offsets),
		Totals: totalsReply{
			Votes: a.Figures.Votes, Voters: a.Figures.Voters, VotesBatch: batch, VotesSpeed: speed,
			Late: a.Late, Duplicates: a.Duplicates, Rejected: rejectedReply{Limit: a.Limit, Revoked: a.Revoked},
		},
		Options: []optionReply{},
	}
	for i := range a.Figures.Options {
		r.Options = append(r.Options, optionOf(a, i))
	}
	return r
}

func optionOf(a *live.Answer, i int) optionReply {
	f, o := &a.Figures.Options[i], &a.Definition.Options[i]
	r := optionReply{
		ID: o.ID, Label: o.Label, Slot: f.Slot, Votes: f.Votes, VotesBatch: a.Batch[i], VotesSpeed: a.Speed[i],
		Pct: f.PctFloat(), PctInt: f.PctInt, PctText: pctText(f, a.Definition.Kind),
		Rank: f.Rank, UniqueRank: f.UniqueRank, TieCount: f.TieCount,
	}
	if a.Definition.Kind == audience.Score {
		r.Sum, r.Mean = &f.Sum, &f.Mean
	}
	return r
}

// pctText is the whole percentage; what has votes, or a mean above the lowest
// score, is never called 0%.
func pctText(f *tally.OptionFigures, kind audience.Kind) string {
	some := f.Votes > 0
	if kind == audience.Score {
		some = f.Pct > 0
	}
	if some && f.PctInt == 0 {
		return "<1%"
	}
	return strconv.Itoa(f.PctInt) + "%"
}

func resultBody(a *live.Answer) []byte {
	body, err := marshal(resultOf(a))
	if err != nil {
		panic(err) // numbers and strings only
	}
	return body
}
