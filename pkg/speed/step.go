package speed

import (
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// Step moves a partition from one position to the next, with all that was
// counted on the way. A step lies within one epoch: a cut begins a new one.
type Step struct {
	Expect Position
	Next   int64
	// Epoch is the one the step's records are in; above Expect.Epoch when the
	// first of them is a cut.
	Epoch uint64
	// Delta is what the records changed. It is left out when the epoch is below
	// the first to be kept.
	Delta tally.View
	// Journal is appended to the rounds' journals.
	Journal map[audience.RoundKey][]byte
	// Rewrite replaces journals, those of Journal included, by shorter ones that
	// restore the state as of Next.
	Rewrite map[audience.RoundKey][]byte
	// Drop are rounds that a cut sealed; their journals go.
	Drop []audience.RoundKey
	// Ready is set when non-nil.
	Ready *bool
}

func (st *Step) move() move {
	return move{from: st.Expect, next: st.Next, epoch: st.Epoch, ready: st.Ready}
}

// After is the position behind the step.
func (st *Step) After() Position { return st.move().after() }

func (st *Step) validate() error {
	return st.move().validate(len(st.Delta)+len(st.Journal)+len(st.Rewrite) > 0)
}

// encode lays the step out as scripts/compare.lua and scripts/advance.lua read it.
func (st *Step) encode(k keys) (names []string, args []any) {
	names = []string{k.meta(), k.rounds(), k.counters(st.Epoch), k.series(st.Epoch)}
	var blobs []any
	pushes := 0
	for round, blob := range st.Journal {
		if _, rewritten := st.Rewrite[round]; rewritten || len(blob) == 0 {
			continue
		}
		names, blobs = append(names, k.journal(roundName(round))), append(blobs, roundName(round), blob)
		pushes++
	}
	for round, blob := range st.Rewrite {
		names, blobs = append(names, k.journal(roundName(round))), append(blobs, roundName(round), blob)
	}
	for _, round := range st.Drop {
		names, blobs = append(names, k.journal(roundName(round))), append(blobs, roundName(round))
	}
	counters, series := st.counts()
	args = append(st.move().args(5+len(counters)+len(series)+len(blobs)),
		len(counters)/2, len(series)/2, pushes, len(st.Rewrite), len(st.Drop))
	args = append(args, counters...)
	args = append(args, series...)
	return names, append(args, blobs...)
}

// counts are the fields and amounts of the delta; none when they are not kept.
func (st *Step) counts() (counters, series []any) {
	if st.Epoch < st.Expect.Keep {
		return nil, nil
	}
	var c, s amounts
	for key, r := range st.Delta {
		name := roundName(key) + ":"
		c.slots(name+"v", r.Votes)
		c.slots(name+"s", r.Sums)
		for _, what := range []string{
			fieldVoters, fieldLate, fieldDuplicates, fieldLimit, fieldRevoked, fieldSuperseded,
		} {
			c.add(name+what, *named(r, what))
		}
		for bucket, votes := range r.Series {
			s.slots(name+strconv.FormatInt(bucket, 10)+":", votes)
		}
	}
	return c, s
}

// amounts are fields and what to add to them, in turn; zeros are left out.
type amounts []any

func (a *amounts) add(field string, n int64) {
	if n != 0 {
		*a = append(*a, field, n)
	}
}

func (a *amounts) slots(prefix string, counts []int64) {
	for i, n := range counts {
		if n != 0 {
			*a = append(*a, prefix+strconv.Itoa(i+1), n)
		}
	}
}
