package live

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

var final = audience.RoundKey{Poll: "final", Round: 1}

// world is a log of two partitions with its fold: what each record changed, and
// in which epoch it lies.
type world struct {
	parts []lane
}

type lane struct {
	deltas []tally.View
	epochs []uint64
}

func draw(t *rapid.T) world {
	w := world{parts: make([]lane, 2)}
	for p := range w.parts {
		fold, epoch := tally.NewPartition(), uint64(0)
		for i := range rapid.IntRange(0, 40).Draw(t, "records") {
			delta := tally.View{}
			if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
				epoch++
				fold.Cut(audience.Cut{Number: epoch})
			} else {
				b := audience.Ballot{
					Poll: final.Poll, Round: final.Round, Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Replace,
					ReceivedAt: audience.Millis(1_000_000 + i), Choices: []audience.Choice{{Slot: uint16(rapid.IntRange(1, 3).Draw(t, "slot"))}},
				}
				binary.BigEndian.PutUint64(b.ID[8:], uint64(1000*p+i+1))
				b.Voter[15] = byte(rapid.IntRange(0, 9).Draw(t, "voter"))
				fold.Ballot(&b, delta)
			}
			w.parts[p].deltas = append(w.parts[p].deltas, delta)
			w.parts[p].epochs = append(w.parts[p].epochs, epoch)
		}
	}
	return w
}

// slice is the speed view of a partition that has folded so many records.
func (l *lane) slice(records int, from uint64) speed.Slice {
	s := speed.Slice{Position: speed.Position{Next: int64(records), Ready: true}, Epochs: map[uint64]tally.View{}}
	for i := range records {
		if e := l.epochs[i]; e >= from {
			if s.Epochs[e] == nil {
				s.Epochs[e] = tally.View{}
			}
			s.Epochs[e].Add(l.deltas[i])
		}
	}
	return s
}

// generation is batch view n: all that lies before cut n, if every partition has
// that cut.
func (w world) generation(n uint64) (*views.Generation, bool) {
	g := &views.Generation{Number: n, Rounds: tally.View{}, Offsets: map[int32]int64{}}
	for p := range w.parts {
		l := &w.parts[p]
		at := 0
		for at < len(l.epochs) && l.epochs[at] < n {
			g.Rounds.Add(l.deltas[at])
			at++
		}
		if n > 0 && at == len(l.epochs) {
			return nil, false
		}
		g.Offsets[int32(p)] = int64(at)
	}
	return g, true
}

// TestMergeIsTheFoldAtItsOffsets puts together any generation and slices of any
// age, read with an older generation in mind: the result is the fold of the log
// up to the offsets it names.
func TestMergeIsTheFoldAtItsOffsets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		n := uint64(rapid.IntRange(0, 4).Draw(t, "generation"))
		g, ok := w.generation(n)
		if !ok {
			t.Skip("no such cut")
		}
		var slices []speed.Slice
		for p := range w.parts {
			records := rapid.IntRange(0, len(w.parts[p].deltas)).Draw(t, "folded")
			slices = append(slices, w.parts[p].slice(records, uint64(rapid.IntRange(0, int(n)).Draw(t, "read from"))))
		}
		m := merge(g, slices)
		got, ok := m.counts(final, nil, 0)
		if !ok {
			t.Fatal("no counts")
		}
		want := tally.View{}
		for p := range w.parts {
			for i := range m.offsets[int32(p)] {
				want.Add(w.parts[p].deltas[i])
			}
		}
		if sum := want.Of(final).Clone(); true {
			sum.Series = nil
			if !got.Sum().Equal(sum) {
				t.Fatalf("got %+v, want %+v at %v", got.Sum(), sum, m.offsets)
			}
		}
	})
}

func TestASealIsNotLost(t *testing.T) {
	g := &views.Generation{Number: 3, LateAfterSeal: map[audience.RoundKey]int64{final: 2}}
	m := merge(g, []speed.Slice{{Epochs: map[uint64]tally.View{3: {final: {Late: 1}}}}})
	if _, ok := m.counts(final, nil, 2); ok {
		t.Fatal("a round sealed before the generation has no counts without its seal: not zero")
	}
	seal := &views.SealedRound{Generation: 2, Round: &tally.Round{Votes: []int64{5}, Voters: 5, Late: 4}}
	c, ok := m.counts(final, seal, 2)
	if sum := c.Sum(); !ok || !c.Sealed || sum.TotalVotes() != 5 || sum.Late != 7 {
		t.Fatalf("%+v", c)
	}
}
