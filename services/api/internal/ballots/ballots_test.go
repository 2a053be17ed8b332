package ballots_test

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/services/api/internal/ballots"
)

// journals are those of one worker: what its fold wrote, in memory.
type journals struct {
	fold        *tally.Partition
	entries     map[audience.RoundKey][][]byte
	incarnation int64
	err         error
	calls       int
}

func (j *journals) JournalSince(_ context.Context, _ string, _ int32, k audience.RoundKey, index, incarnation int64) ([][]byte, int64, error) {
	j.calls++
	switch {
	case j.err != nil:
		return nil, index, j.err
	case incarnation != j.incarnation:
		return nil, index, &speed.Fenced{Stored: speed.Position{Incarnation: j.incarnation}}
	}
	rest := j.entries[k][index:]
	rest = rest[:min(len(rest), 2)] // a few at a time
	return rest, index + int64(len(rest)), nil
}

func (j *journals) cast(poll string, n int) (audience.RoundKey, uint64) {
	b := audience.Ballot{
		Poll: poll, Round: 1, Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Replace,
		ReceivedAt: 1000, Choices: []audience.Choice{{Slot: 1}},
	}
	binary.BigEndian.PutUint64(b.ID[8:], uint64(n))
	j.fold.Ballot(&b, tally.View{})
	for k, blob := range j.fold.TakeJournal() {
		j.entries[k] = append(j.entries[k], blob)
	}
	return b.Key(), tally.Mark(b.Voter, b.ID)
}

func newJournals() *journals {
	return &journals{fold: tally.NewPartition(), entries: map[audience.RoundKey][][]byte{}, incarnation: 1}
}

func TestABookFollowsTheJournal(t *testing.T) {
	j := newJournals()
	book := ballots.New(j, 4)
	want := func(key audience.RoundKey, mark uint64, outcome tally.Outcome, known bool) {
		t.Helper()
		got, ok, err := book.Outcome(t.Context(), key, 0, mark)
		if err != nil || ok != known || got != outcome {
			t.Fatalf("%s, %t, %v", got, ok, err)
		}
	}
	key, first := j.cast("final", 1)
	want(key, first, tally.Counted, true)
	want(key, 12345, 0, false)
	var last uint64
	for n := 2; n < 9; n++ {
		_, last = j.cast("final", n)
	}
	want(key, first, tally.Superseded, true)
	want(key, last, tally.Counted, true)

	j.incarnation = 2 // Redis was refilled: the journal is another one
	j.fold, j.entries = tally.NewPartition(), map[audience.RoundKey][][]byte{}
	want(key, last, 0, false)
	_, again := j.cast("final", 8)
	want(key, again, tally.Counted, true)
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	j := newJournals()
	book := ballots.New(j, 4)
	key, mark := j.cast("final", 1)
	for _, err := range []error{errors.New("away"), speed.ErrSealed} {
		j.err = err
		if _, _, got := book.Outcome(t.Context(), key, 0, mark); !errors.Is(got, err) {
			t.Fatalf("%v, want %v", got, err)
		}
	}
	j.err = nil
	j.entries[key] = [][]byte{{0xff, 0xff, 0xff}}
	if _, _, err := book.Outcome(t.Context(), key, 0, mark); err == nil {
		t.Fatal("a damaged journal went through")
	}
	j.err = speed.ErrEmpty
	if _, ok, err := book.Outcome(t.Context(), key, 0, mark); ok || err != nil {
		t.Fatalf("an empty Redis knows of no ballot yet: %v", err)
	}
}

func TestABookIsBounded(t *testing.T) {
	j := newJournals()
	book := ballots.New(j, 2)
	key, mark := j.cast("p1", 1)
	for range 3 {
		for _, poll := range []string{"p1", "p2", "p3"} {
			if poll != "p1" {
				j.cast(poll, 1)
			}
			if _, _, err := book.Outcome(t.Context(), audience.RoundKey{Poll: poll, Round: 1}, 0, mark); err != nil {
				t.Fatal(err)
			}
		}
	}
	if o, ok, err := book.Outcome(t.Context(), key, 0, mark); o != tally.Counted || !ok || err != nil {
		t.Fatalf("%s %t %v: forgotten pages are read again", o, ok, err)
	}
}
