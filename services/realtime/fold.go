package realtime

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
)

// fold gathers records into the next step of a partition. It does no I/O: the
// same records from the same position give the same state, in whatever steps.
type fold struct {
	state  *tally.Partition
	pos    speed.Position // where the store stands
	behind int64          // the last record gathered

	delta   tally.View
	drop    []audience.RoundKey
	ballots int

	journals     map[audience.RoundKey]extent
	rewriteBytes int
}

// extent is how long a round's journal is in the store, and how long its
// shortest form was when last tried.
type extent struct{ bytes, shortest int }

func newFold(pos speed.Position, rewriteBytes int) *fold {
	f := &fold{
		state: tally.NewPartition(), pos: pos, behind: pos.Next,
		delta: tally.View{}, journals: make(map[audience.RoundKey]extent), rewriteBytes: rewriteBytes,
	}
	f.state.SetEpoch(pos.Epoch)
	return f
}

// restore takes one entry of a journal out of the store.
func (f *fold) restore(round audience.RoundKey, entry []byte) error {
	e := f.journals[round]
	e.bytes += len(entry)
	f.journals[round] = e
	return f.state.Restore(round, entry)
}

func (f *fold) ballot(offset int64, b *audience.Ballot) {
	f.state.Ballot(b, f.delta)
	f.ballots++
	f.behind = offset + 1
}

func (f *fold) revoke(offset int64, r *audience.Revocation) {
	f.state.Revoke(r, f.delta)
	f.behind = offset + 1
}

// pass moves on over records that count nothing.
func (f *fold) pass(next int64) { f.behind = max(f.behind, next) }

func (f *fold) at() speed.Position { return f.pos }

func (f *fold) next() int64 { return f.behind }

// opens says whether a cut begins an epoch. Then what was gathered before it is
// to be written first: a step lies within one epoch.
func (f *fold) opens(c audience.Cut) bool { return c.Number > f.state.Epoch() }

func (f *fold) cut(offset int64, c audience.Cut) {
	if f.state.Cut(c) {
		f.drop = slices.Clone(c.Seals)
		for _, round := range c.Seals {
			delete(f.journals, round)
		}
	}
	f.behind = offset + 1
}

// step is what was gathered. whole is the offset from which on the partition
// holds all that it should.
func (f *fold) step(whole int64) speed.Step {
	// It is said in every step: Redis may have lost the one that said it first.
	ready := f.pos.Ready || f.behind >= whole
	s := speed.Step{
		Expect: f.pos, Next: f.behind, Epoch: f.state.Epoch(), Ready: &ready,
		Delta: f.delta, Journal: f.state.TakeJournal(), Drop: f.drop,
	}
	for round, entry := range s.Journal {
		e := f.journals[round]
		e.bytes += len(entry)
		if short := f.shorten(round, &e); short != nil {
			if s.Rewrite == nil {
				s.Rewrite = make(map[audience.RoundKey][]byte)
			}
			s.Rewrite[round] = short
		}
		f.journals[round] = e
	}
	return s
}

// ballotBytes is about what a ballot takes in a journal.
const ballotBytes = 20

// shorten gives the round's journal anew when that halves it, which it does
// where ids are remembered for minutes only. Trying costs a walk over the round,
// so it is tried only when the ballots remembered explain less than half of the
// journal, and again only when that has doubled.
func (f *fold) shorten(round audience.RoundKey, e *extent) []byte {
	if e.bytes < f.rewriteBytes || e.bytes < 2*e.shortest || e.bytes < 2*ballotBytes*f.state.Ballots(round) {
		return nil
	}
	short := f.state.Snapshot(round)
	e.shortest = len(short)
	if 2*len(short) > e.bytes {
		return nil
	}
	e.bytes = len(short)
	return short
}

// applied starts the next step where the last one ended.
func (f *fold) applied(s speed.Step) {
	f.pos = s.After()
	f.delta, f.drop, f.ballots = tally.View{}, nil, 0
}
