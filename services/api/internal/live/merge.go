package live

import (
	"maps"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// merged is the two views put together at one place of the log: batch view n
// and, of every partition, the speed epochs from n on. It is immutable.
type merged struct {
	generation *views.Generation
	speed      tally.View
	// offsets are, by partition, the first offset that is not in it.
	offsets map[int32]int64
	// at is when all parts were last there and whole.
	at audience.Millis
	// stale says that a part is missing since then; its last good one stands in.
	stale bool
}

// merge puts the views together. Every slice holds the epochs from
// generation.Number on, or is of a time before that cut and so is contained in
// the generation.
func merge(generation *views.Generation, slices []speed.Slice) *merged {
	m := &merged{generation: generation, speed: tally.View{}, offsets: make(map[int32]int64, len(slices))}
	maps.Copy(m.offsets, generation.Offsets)
	for p, slice := range slices {
		partition := int32(p)
		m.offsets[partition] = max(m.offsets[partition], slice.Next)
		for epoch, view := range slice.Epochs {
			if epoch >= generation.Number {
				m.speed.Add(view)
			}
		}
	}
	return m
}

// reach is the sum of the offsets: it grows with every record counted.
func (m *merged) reach() int64 {
	var sum int64
	for _, next := range m.offsets {
		sum += next
	}
	return sum
}

// counts are a round's in both views. sealed is nil before its seal. ok is false
// when the round was sealed before this generation and its seal is not at hand.
func (m *merged) counts(key audience.RoundKey, sealed *views.SealedRound, sealedBy uint64) (c Counts, ok bool) {
	c.Speed = m.speed[key].Clone()
	c.Speed.Series = nil
	batch, held := m.generation.Rounds[key]
	switch {
	case sealed != nil && sealed.Generation <= m.generation.Number:
		c.Batch = sealed.Round.Clone()
		c.Batch.Late += m.generation.LateAfterSeal[key]
		c.Sealed = true
	case sealedBy != 0 && sealedBy <= m.generation.Number && !held:
		return Counts{}, false
	default:
		c.Batch = batch.Clone()
	}
	c.Batch.Series = nil
	return c, true
}

// Counts are one round's: the result is the sum of both.
type Counts struct {
	Batch, Speed *tally.Round
	// Sealed says that Batch is the round's seal and nothing can change any more
	// but Late.
	Sealed bool
}

// Sum is the result.
func (c Counts) Sum() *tally.Round {
	sum := c.Batch.Clone()
	sum.Add(c.Speed)
	return sum
}
