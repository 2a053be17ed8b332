package realtime

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/google/go-cmp/cmp"
)

// An unlimited round remembers ids for minutes only; so its journal must not
// grow with the length of the show.
func TestJournalsOfUnlimitedRoundsStayShort(t *testing.T) {
	const rewriteBytes, perSecond, seconds = 4 << 10, 5, 2 * 3600
	f := newFold(speed.Position{Incarnation: 1}, rewriteBytes)
	stored := map[audience.RoundKey][][]byte{}
	rewrites, longest, n := 0, 0, 0
	for second := range seconds {
		for range perSecond {
			n++
			f.ballot(int64(n), cheer(n, second))
		}
		s := f.step(0)
		for k, entry := range s.Journal {
			stored[k] = append(stored[k], entry)
		}
		for k, short := range s.Rewrite {
			rewrites++
			stored[k] = [][]byte{short}
		}
		longest = max(longest, f.journals[cheer(0, 0).Key()].bytes)
		f.applied(s)
	}
	// Five minutes of ballots, the voters, and as much again before a rewrite.
	if most := 2*(300*perSecond*(ballotBytes+4)+100*12) + rewriteBytes; longest > most {
		t.Errorf("the journal grew to %d bytes, at most %d are expected", longest, most)
	}
	if rewrites < 5 || rewrites > 200 {
		t.Errorf("%d rewrites", rewrites)
	}
	again := newFold(f.pos, rewriteBytes)
	for k, entries := range stored {
		for _, entry := range entries {
			if err := again.restore(k, entry); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := n - 400; i < n+400; i++ { // what is known, and what is not
		f.ballot(int64(n), cheer(i, seconds))
		again.ballot(int64(n), cheer(i, seconds))
	}
	if !f.delta.Equal(again.delta) || f.delta[cheer(0, 0).Key()].Duplicates == 0 {
		t.Errorf("restored: %+v, was %+v", show(again.delta), show(f.delta))
	}
}

func cheer(n, second int) *audience.Ballot {
	b := polls[3]
	b.ReceivedAt = audience.Millis(1_764_000_000_000 + 1000*second)
	b.Choices = []audience.Choice{{Slot: 1}}
	b.Voter[0] = byte(n % 100)
	binary.LittleEndian.PutUint64(b.ID[:], uint64(n)+1)
	return &b
}

// A journal that cannot be shorter is not walked over again and again.
func TestLimitedRoundsAreNotRewritten(t *testing.T) {
	f := newFold(speed.Position{Incarnation: 1}, 1000)
	for n := range 5_000 {
		b := polls[0]
		binary.LittleEndian.PutUint64(b.Voter[:], uint64(n))
		binary.LittleEndian.PutUint64(b.ID[:], uint64(n))
		b.Choices = []audience.Choice{{Slot: 1}}
		f.ballot(int64(n), &b)
		s := f.step(0)
		if len(s.Rewrite) > 0 {
			t.Fatal("rewritten")
		}
		f.applied(s)
	}
	if e := f.journals[polls[0].Key()]; e.shortest != 0 {
		t.Errorf("a shorter form of %d bytes was tried: %+v", e.bytes, e)
	}
}

// A log that ends before Redis does is given time, and then believed.
func TestRedisAheadOfTheLog(t *testing.T) {
	store := speedtest.Open(t, "redis://"+miniredis.RunT(t).Addr())
	pos, err := store.Reset(t.Context(), "ballots", 0, speed.Position{}, speed.Start{Next: 50})
	if err != nil {
		t.Fatal(err)
	}
	ready := true
	err = store.Advance(t.Context(), "ballots", 0, speed.Step{Expect: pos, Next: 60, Ready: &ready, Delta: tally.View{polls[0].Key(): {Voters: 9}}})
	if err != nil {
		t.Fatal(err)
	}
	log := newMemoryLog()
	log.ballots(*cheer(1, 0))
	cfg := quickConfig()
	cfg.AheadPatience = time.Hour
	w := newWorker(newService(t, cfg, Deps{Log: log, Store: store, Origin: &fixedOrigin{}}), 0)
	if err := w.open(t.Context()); err == nil || !strings.Contains(err.Error(), "the log ends at 1 and was folded up to 60") {
		t.Fatalf("error %v", err)
	}
	w.cfg.AheadPatience = 0
	if err := w.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.turn(t.Context()); err != nil {
		t.Fatal(err)
	}
	slice, err := store.Read(t.Context(), "ballots", 0, 0)
	if err != nil || slice.Next != 1 || !slice.Ready || slice.Sum()[polls[0].Key()] != nil {
		t.Errorf("stands at %v, error %v", slice, err)
	}
}

// Without an archive a refill cannot reach below what the log keeps, and says so.
func TestNothingIsCountedFromAHole(t *testing.T) {
	store := speedtest.Open(t, "redis://"+miniredis.RunT(t).Addr())
	log := newMemoryLog()
	for n := range 10 {
		log.ballots(*cheer(n, 0))
	}
	log.forget(5)
	origin := &fixedOrigin{start: &speed.Start{Next: 3, Epoch: 1}}
	w := newWorker(newService(t, quickConfig(), Deps{Log: log, Store: store, Origin: origin}), 0)
	if err := w.open(t.Context()); err == nil || !strings.Contains(err.Error(), "records 3 to 4 are needed") {
		t.Fatalf("error %v", err)
	}
	if _, err := store.Position(t.Context(), "ballots", 0); err == nil {
		t.Error("the partition was begun all the same")
	}
	// Nor is what Redis has given up for a log without its beginning.
	origin.start = nil
	pos, err := store.Reset(t.Context(), "ballots", 0, speed.Position{}, speed.Start{Next: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.open(t.Context()); err == nil || !strings.Contains(err.Error(), "records 2 to 4 are needed") {
		t.Fatalf("error %v", err)
	}
	if got, err := store.Position(t.Context(), "ballots", 0); err != nil || got != pos {
		t.Errorf("stands at %v, error %v", got, err)
	}
	// A generation that holds them is another matter.
	origin.start = &speed.Start{Next: 6, Epoch: 2, Keep: 2}
	if err := w.open(t.Context()); err != nil || w.fold.at().Next != 6 {
		t.Errorf("goes on at %v, error %v", w.fold.at(), err)
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	err := Config{Pace: -1}.Validate()
	for _, name := range []string{"max_batch", "max_fold", "pace", "heartbeat", "retry_min", "rewrite_bytes"} {
		if err == nil || !strings.Contains(err.Error(), "realtime."+name) {
			t.Errorf("error %v, want one that names %s", err, name)
		}
	}
}

func TestOriginOfARefill(t *testing.T) {
	round := func(poll string) []audience.RoundKey { return []audience.RoundKey{{Poll: poll, Round: 1}} }
	cuts := []control.CutDecision{{Number: 1, Seals: round("a")}, {Number: 2, Seals: round("b")}, {Number: 3, Seals: round("c")}}
	pub := control.Published{Generation: 3, Cut: 3, FloorEpoch: 2, Floors: map[int32]int64{0: 70}}
	got, err := originOf(pub, cuts, 0)
	want := speed.Start{Next: 70, Epoch: 2, Keep: 3, Sealed: append(round("a"), round("b")...)}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	if _, err := originOf(pub, cuts, 1); err == nil {
		t.Error("a partition without a floor has an origin")
	}
}
