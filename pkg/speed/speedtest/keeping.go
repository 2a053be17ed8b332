package speedtest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/google/go-cmp/cmp"
)

// entries is the journal of the final, as a worker restores it.
func (b bench) entries(t *testing.T) []string {
	t.Helper()
	var entries []string
	err := b.store.Journals(t.Context(), b.topic, b.partition, func(k audience.RoundKey, blob []byte) error {
		if k == final {
			entries = append(entries, string(blob))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// since reads the journal of the final to its end from an index on.
func (b bench) since(t *testing.T, index, incarnation int64) (entries []string, next int64, err error) {
	t.Helper()
	for next = index; ; {
		blobs, after, err := b.store.JournalSince(t.Context(), b.topic, b.partition, final, next, incarnation)
		if err != nil || len(blobs) == 0 {
			return entries, after, err
		}
		for _, blob := range blobs {
			entries = append(entries, string(blob))
		}
		next = after
	}
}

func epochs(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Epoch: 4, Keep: 4})
	pos = b.must(t, speed.Step{Expect: pos, Next: 10, Epoch: 4, Delta: votes(1)})
	pos = b.must(t, speed.Step{Expect: pos, Next: 20, Epoch: 5, Delta: votes(2)})
	pos = b.must(t, speed.Step{Expect: pos, Next: 30, Epoch: 9})
	all := map[uint64]tally.View{4: votes(1), 5: votes(2), 9: {}}
	b.expect(t, 4, all)
	delete(all, 4)
	b.expect(t, 5, all)
	b.expect(t, 10, map[uint64]tally.View{})
	_, err := b.store.Read(t.Context(), b.topic, b.partition, 3)
	wantErr(t, err, speed.ErrExpired)

	for range 2 {
		if err := b.store.Expire(t.Context(), b.topic, b.partition, 5); err != nil {
			t.Fatal(err)
		}
	}
	pos.Keep = 5
	b.at(t, pos)
	b.expect(t, 5, all)
	_, err = b.store.Read(t.Context(), b.topic, b.partition, 4)
	wantErr(t, err, speed.ErrExpired)
	// What was forgotten does not come back.
	if err := b.store.Expire(t.Context(), b.topic, b.partition, 2); err != nil {
		t.Fatal(err)
	}
	b.at(t, pos)
}

func lagging(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Epoch: 1, Keep: 1})
	pos = b.must(t, speed.Step{Expect: pos, Next: 10, Epoch: 1, Delta: votes(1)})
	if err := b.store.Expire(t.Context(), b.topic, b.partition, 3); err != nil {
		t.Fatal(err)
	}
	// The worker has not seen the expiry yet.
	for epoch := uint64(1); epoch < 4; epoch++ {
		step := speed.Step{Expect: pos, Next: pos.Next + 5, Epoch: epoch, Delta: votes(1)}
		if err := b.advance(t.Context(), step); err != nil {
			t.Fatal(err)
		}
		pos = step.After()
	}
	b.expect(t, 3, map[uint64]tally.View{3: votes(1)})
}

func journals(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	other := audience.RoundKey{Poll: "other", Round: 2}
	var want []string
	for i := range 700 {
		entry := fmt.Sprintf("%d|", i)
		if i%100 == 50 { // large ones are stored apart
			entry += string(bytes.Repeat([]byte{0, 0xff, '\r', '\n'}, 40_000))
		}
		want = append(want, entry)
		step := speed.Step{Expect: pos, Next: pos.Next + 1, Journal: map[audience.RoundKey][]byte{
			final: []byte(entry), other: []byte("x"), {Poll: "quiet", Round: 1}: nil,
		}}
		if err := b.advance(t.Context(), step); err != nil {
			t.Fatal(err)
		}
		pos = step.After()
	}
	if diff := cmp.Diff(want, b.entries(t)); diff != "" {
		t.Fatalf("journal (-want +got):\n%s", diff)
	}
	got, next, err := b.since(t, 0, pos.Incarnation)
	if diff := cmp.Diff(want, got); diff != "" || err != nil || next != 700 {
		t.Fatalf("journal from the beginning, index %d, error %v (-want +got):\n%s", next, err, diff)
	}
	got, next, err = b.since(t, 698, pos.Incarnation)
	if diff := cmp.Diff(want[698:], got); diff != "" || err != nil || next != 700 {
		t.Fatalf("journal from 698, index %d, error %v (-want +got):\n%s", next, err, diff)
	}
	_, _, err = b.since(t, 701, pos.Incarnation) // redis went back
	wantFenced(t, err, pos)
	_, _, err = b.since(t, 0, pos.Incarnation+1)
	wantFenced(t, err, pos)
}

func rewritten(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	push := func(text string) map[audience.RoundKey][]byte {
		return map[audience.RoundKey][]byte{final: []byte(text)}
	}
	pos = b.must(t, speed.Step{Expect: pos, Next: 1, Journal: push("one")})
	pos = b.must(t, speed.Step{Expect: pos, Next: 2, Journal: push("two")})
	pos = b.must(t, speed.Step{Expect: pos, Next: 3, Journal: push("three"), Rewrite: push("all three")})
	pos = b.must(t, speed.Step{Expect: pos, Next: 4, Journal: push("four")})
	want := []string{"all three", "four"}
	if diff := cmp.Diff(want, b.entries(t)); diff != "" {
		t.Fatalf("journal (-want +got):\n%s", diff)
	}
	_, _, err := b.since(t, 1, pos.Incarnation)
	wantFenced(t, err, pos)
	got, next, err := b.since(t, 0, pos.Incarnation)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("journal, error %v (-want +got):\n%s", err, diff)
	}
	b.must(t, speed.Step{Expect: pos, Next: 5, Journal: push("five")})
	got, _, err = b.since(t, next, pos.Incarnation)
	if diff := cmp.Diff([]string{"five"}, got); diff != "" || err != nil {
		t.Fatalf("journal from %d, error %v (-want +got):\n%s", next, err, diff)
	}
}

func sealing(t *testing.T, b bench) {
	before := audience.RoundKey{Poll: "before", Round: 3}
	pos := b.start(t, speed.Start{Sealed: []audience.RoundKey{before}})
	blob := map[audience.RoundKey][]byte{final: []byte("abc")}
	pos = b.must(t, speed.Step{Expect: pos, Next: 5, Delta: votes(2), Journal: blob})
	pos = b.must(t, speed.Step{Expect: pos, Next: 6, Epoch: 1, Drop: []audience.RoundKey{final}})
	if got := b.entries(t); len(got) != 0 {
		t.Fatalf("journal %q, want none", got)
	}
	_, _, err := b.since(t, 0, pos.Incarnation)
	wantErr(t, err, speed.ErrSealed)
	rounds, err := b.store.Sealed(t.Context(), b.topic, b.partition)
	if err != nil || len(rounds) != 2 {
		t.Fatalf("sealed %v, error %v, want both", rounds, err)
	}
	b.expect(t, 0, map[uint64]tally.View{0: votes(2), 1: {}})
	wantErr(t, b.advance(t.Context(), speed.Step{Expect: pos, Next: 7, Epoch: 1, Journal: blob}), speed.ErrDamaged)
	b.at(t, pos)
}

func reset(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Sealed: []audience.RoundKey{{Poll: "before", Round: 3}}})
	blob := map[audience.RoundKey][]byte{final: []byte("abc")}
	pos = b.must(t, speed.Step{Expect: pos, Next: 5, Delta: votes(2), Journal: blob})
	pos = b.must(t, speed.Step{Expect: pos, Next: 6, Epoch: 1, Delta: votes(2)})
	again, err := b.store.Reset(t.Context(), b.topic, b.partition, pos, speed.Start{})
	if err != nil || again.Incarnation == pos.Incarnation {
		t.Fatalf("reset gave %v, error %v", again, err)
	}
	b.at(t, again)
	b.expect(t, 0, map[uint64]tally.View{})
	if got := b.entries(t); len(got) != 0 {
		t.Fatalf("journal %q, want none", got)
	}
	if rounds, err := b.store.Sealed(t.Context(), b.topic, b.partition); err != nil || len(rounds) != 0 {
		t.Fatalf("sealed %v, error %v, want none", rounds, err)
	}
	b.must(t, speed.Step{Expect: again, Next: 3, Delta: votes(1)})
	b.expect(t, 0, map[uint64]tally.View{0: votes(1)})
}

func large(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	delta, blobs := tally.View{}, map[audience.RoundKey][]byte{}
	var drop []audience.RoundKey
	for round := range uint32(300) {
		key := audience.RoundKey{Poll: "many", Round: round + 1}
		r := delta.Of(key)
		for slot := range int64(40) {
			r.Votes = append(r.Votes, slot+1)
		}
		blobs[key] = bytes.Repeat([]byte{byte(round)}, 5_000)
		drop = append(drop, key)
	}
	pos = b.must(t, speed.Step{Expect: pos, Next: 5, Delta: delta, Journal: blobs})
	b.expect(t, 0, map[uint64]tally.View{0: delta})
	b.must(t, speed.Step{Expect: pos, Next: 6, Epoch: 1, Drop: drop})
}
