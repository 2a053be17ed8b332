package speed

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

//go:embed scripts/advance.lua
var advanceSource string

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

// After is the position behind the step.
func (st *Step) After() Position {
	after := st.Expect
	after.Next, after.Epoch = st.Next, st.Epoch
	if st.Ready != nil {
		after.Ready = *st.Ready
	}
	return after
}

// validate refuses what a retry would apply twice, or a script only half.
func (st *Step) validate() error {
	switch {
	case st.Expect.Incarnation == 0:
		return fmt.Errorf("%w: from nowhere", ErrInvalid)
	case st.Next < st.Expect.Next:
		return fmt.Errorf("%w: back from offset %d to %d", ErrInvalid, st.Expect.Next, st.Next)
	case st.Epoch < st.Expect.Epoch:
		return fmt.Errorf("%w: back from epoch %d to %d", ErrInvalid, st.Expect.Epoch, st.Epoch)
	case st.Next == st.Expect.Next && (len(st.Delta)+len(st.Journal)+len(st.Rewrite) > 0 || st.Epoch != st.Expect.Epoch):
		return fmt.Errorf("%w: it stays at offset %d and counts", ErrInvalid, st.Next)
	}
	return nil
}

// Advance applies a step whole or not at all. It may be called again with the
// same step after an error: one that was applied is then found to be. *Fenced
// and ErrEmpty say that the partition does not stand at Expect; ErrDamaged that
// only a reset helps; other errors are Redis' or the network's. A step that goes
// nowhere tells whether all is as it was.
func (s *Store) Advance(ctx context.Context, topic string, partition int32, step Step) error {
	if err := step.validate(); err != nil {
		return fmt.Errorf("advance %s/%d: %w", topic, partition, err)
	}
	keys, args := step.encode(s.keys(topic, partition))
	reply, err := s.scripts.advance.Run(ctx, s.client, keys, args...).Result()
	if err := verdict(reply, err); err != nil {
		return fmt.Errorf("advance %s/%d from %d to %d: %w", topic, partition, step.Expect.Next, step.Next, err)
	}
	return nil
}

// encode lays the step out as scripts/advance.lua reads it.
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
	args = append(make([]any, 0, 10+len(counters)+len(series)+len(blobs)),
		decimal(st.Expect.Incarnation), decimal(st.Expect.Next), decimal(st.Next),
		strconv.FormatUint(st.Epoch, 10), st.readiness(),
		len(counters)/2, len(series)/2, pushes, len(st.Rewrite), len(st.Drop))
	args = append(args, counters...)
	args = append(args, series...)
	return names, append(args, blobs...)
}

func (st *Step) readiness() string {
	switch {
	case st.Ready == nil:
		return ""
	case *st.Ready:
		return "1"
	}
	return "0"
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
