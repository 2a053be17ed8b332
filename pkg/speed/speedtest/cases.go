package speedtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/google/go-cmp/cmp"
)

// bench is a store and the partition that a case works on.
type bench struct {
	store     *speed.Store
	topic     string
	partition int32
}

var final = audience.RoundKey{Poll: "final", Round: 1}

func votes(n ...int64) tally.View { return tally.View{final: {Votes: n}} }

func (b bench) start(t *testing.T, s speed.Start) speed.Position {
	t.Helper()
	pos, err := b.store.Reset(t.Context(), b.topic, b.partition, speed.Position{}, s)
	if err != nil {
		t.Fatal(err)
	}
	return pos
}

func (b bench) advance(ctx context.Context, s speed.Step) error {
	return b.store.Advance(ctx, b.topic, b.partition, s)
}

// must applies a step and gives the position behind it.
func (b bench) must(t *testing.T, s speed.Step) speed.Position {
	t.Helper()
	if err := b.advance(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	b.at(t, s.After())
	return s.After()
}

func (b bench) at(t *testing.T, want speed.Position) {
	t.Helper()
	got, err := b.store.Position(t.Context(), b.topic, b.partition)
	if err != nil || got != want {
		t.Fatalf("stands at %v (%v), want %v", got, err, want)
	}
}

func (b bench) read(t *testing.T, from uint64) map[uint64]tally.View {
	t.Helper()
	slice, err := b.store.Read(t.Context(), b.topic, b.partition, from)
	if err != nil {
		t.Fatal(err)
	}
	return slice.Epochs
}

func (b bench) expect(t *testing.T, from uint64, want map[uint64]tally.View) {
	t.Helper()
	got := b.read(t, from)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("read from epoch %d (-want +got):\n%s", from, diff)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

func wantFenced(t *testing.T, err error, at speed.Position) {
	t.Helper()
	var fenced *speed.Fenced
	if !errors.As(err, &fenced) || fenced.Stored != at {
		t.Fatalf("error %v, want a fence at %v", err, at)
	}
}

func empty(t *testing.T, b bench) {
	_, err := b.store.Position(t.Context(), b.topic, b.partition)
	wantErr(t, err, speed.ErrEmpty)
	_, err = b.store.Read(t.Context(), b.topic, b.partition, 0)
	wantErr(t, err, speed.ErrEmpty)
	_, _, err = b.store.JournalSince(t.Context(), b.topic, b.partition, final, 0, 7)
	wantErr(t, err, speed.ErrEmpty)
	err = b.advance(t.Context(), speed.Step{Expect: speed.Position{Incarnation: 7}, Next: 1, Delta: votes(1)})
	wantErr(t, err, speed.ErrEmpty)
	if err := b.store.Expire(t.Context(), b.topic, b.partition, 3); err != nil {
		t.Fatal(err)
	}
	_, err = b.store.Position(t.Context(), b.topic, b.partition)
	wantErr(t, err, speed.ErrEmpty)
}

func steps(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Next: 40})
	whole := tally.View{
		final: {
			Votes: []int64{3, 0, 5}, Sums: []int64{-30, 0, 12}, Voters: 8, Late: 1, Duplicates: 2,
			Limit: 3, Revoked: 4, Superseded: 5, Series: map[int64][]int64{176: {3}, 177: {0, 0, 5}},
		},
		{Poll: "0-best.of", Round: 12}: {Votes: []int64{1}},
	}
	ready := true
	pos = b.must(t, speed.Step{
		Expect: pos, Next: 50, Delta: whole, Ready: &ready,
		Journal: map[audience.RoundKey][]byte{final: []byte("abc")},
	})
	pos = b.must(t, speed.Step{Expect: pos, Next: 53, Delta: tally.View{final: {
		Votes: []int64{-1, 2}, Voters: 1, Series: map[int64][]int64{177: {-1, 2}},
	}}})
	want := whole.Clone()
	want.Add(votes(-1, 2))
	want[final].Voters++
	series := tally.View{final: {Series: map[int64][]int64{176: {3}, 177: {-1, 2, 5}}}}
	want[final].Series = nil
	b.expect(t, 0, map[uint64]tally.View{0: want})

	slice, err := b.store.ReadSeries(t.Context(), b.topic, b.partition, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(speed.Slice{Position: pos, Epochs: map[uint64]tally.View{0: series}}, slice); diff != "" {
		t.Fatalf("series (-want +got):\n%s", diff)
	}
}

func retried(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	step := speed.Step{
		Expect: pos, Next: 10, Delta: votes(4),
		Journal: map[audience.RoundKey][]byte{final: []byte("abc")},
	}
	pos = b.must(t, step)
	for range 3 {
		if err := b.advance(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	b.at(t, pos)
	b.expect(t, 0, map[uint64]tally.View{0: votes(4)})
	if got := b.entries(t); len(got) != 1 {
		t.Fatalf("%d entries in the journal, want 1", len(got))
	}
	b.must(t, speed.Step{Expect: pos, Next: 12, Delta: votes(1)})
	wantFenced(t, b.advance(t.Context(), step), speed.Position{Incarnation: pos.Incarnation, Next: 12})
}

func fenced(t *testing.T, b bench) {
	first := b.start(t, speed.Start{})
	pos := b.must(t, speed.Step{Expect: first, Next: 10, Delta: votes(4)})
	wantFenced(t, b.advance(t.Context(), speed.Step{Expect: first, Next: 7, Delta: votes(2)}), pos)
	// A new incarnation fences whoever knew the old one, at the same offset too.
	again, err := b.store.Reset(t.Context(), b.topic, b.partition, pos, speed.Start{Next: 10})
	if err != nil {
		t.Fatal(err)
	}
	wantFenced(t, b.advance(t.Context(), speed.Step{Expect: pos, Next: 11, Delta: votes(1)}), again)
	_, err = b.store.Reset(t.Context(), b.topic, b.partition, pos, speed.Start{})
	wantFenced(t, err, again)
	_, err = b.store.Reset(t.Context(), b.topic, b.partition, speed.Position{}, speed.Start{})
	wantFenced(t, err, again)
}

func contended(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	const rivals, rounds = 8, 20
	for round := range rounds {
		won := make(chan speed.Position, rivals)
		var wg sync.WaitGroup
		for rival := range rivals {
			wg.Go(func() {
				step := speed.Step{Expect: pos, Next: pos.Next + int64(rival) + 1, Delta: votes(1)}
				if b.advance(t.Context(), step) == nil {
					won <- step.After()
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("round %d: %d rivals moved the partition", round, len(won))
		}
		pos = <-won
		b.at(t, pos)
	}
	b.expect(t, 0, map[uint64]tally.View{0: votes(rounds)})
}

func exact(t *testing.T, b bench) {
	const huge = 1<<53 + 1
	pos := b.start(t, speed.Start{Next: huge})
	pos = b.must(t, speed.Step{Expect: pos, Next: huge + 2, Delta: votes(huge)})
	b.must(t, speed.Step{Expect: pos, Next: huge + 5, Delta: votes(2)})
	b.expect(t, 0, map[uint64]tally.View{0: votes(huge + 2)})
}

func invalid(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Next: 5, Epoch: 3})
	blob := map[audience.RoundKey][]byte{final: []byte("abc")}
	for _, step := range []speed.Step{
		{Expect: speed.Position{Next: 5, Epoch: 3}, Next: 6, Epoch: 3},
		{Expect: pos, Next: 4, Epoch: 3},
		{Expect: pos, Next: 6, Epoch: 2},
		{Expect: pos, Next: 5, Epoch: 4},
		{Expect: pos, Next: 5, Epoch: 3, Delta: votes(1)},
		{Expect: pos, Next: 5, Epoch: 3, Journal: blob},
		{Expect: pos, Next: 5, Epoch: 3, Rewrite: blob},
	} {
		wantErr(t, b.advance(t.Context(), step), speed.ErrInvalid)
	}
	b.at(t, pos)
}
