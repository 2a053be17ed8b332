// Package viewstest is what every views.Store must do, as tests.
package viewstest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// Test runs the suite. open gives the same store, empty at first, each time it
// is called within one test.
func Test(t *testing.T, open func(t *testing.T) func() views.Store) {
	for name, test := range map[string]func(t *testing.T, open func() views.Store){
		"an empty store says so":           empty,
		"a generation comes back":          comesBack,
		"a sealed round comes back":        sealedComesBack,
		"one number, one publisher":        onePublisher,
		"readers see one generation whole": neverAMix,
		"generations expire":               expires,
		"runs are kept":                    runs,
		"large rounds fit":                 large,
		"pieces come back":                 piecesComeBack,
		"pieces in bulk":                   piecesInBulk,
		"pieces expire with generations":   piecesExpire,
		"no sweep hinders a run under way": sweepAndPublish,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var (
	final1 = audience.RoundKey{Poll: "final", Round: 1}
	final2 = audience.RoundKey{Poll: "final", Round: 2}
	semi   = audience.RoundKey{Poll: "semi", Round: 1}
	same   = cmp.Options{cmpopts.EquateEmpty()}
)

func generation(n uint64, votes int64) *views.Generation {
	return &views.Generation{
		Number: n, CreatedAt: 1764547200123, Run: fmt.Sprintf("batch-%d", n),
		Offsets: map[int32]int64{0: 10, 1: 12}, FloorEpoch: n - 1, Floors: map[int32]int64{0: 3, 1: 0},
		Rows: 99, Agreed: views.AgreedNo, Differences: []string{"final/1 in partition 0"},
		Rounds: tally.View{
			final1: {Votes: []int64{votes, 0, 2}, Sums: []int64{7}, Voters: 3, Late: 1, Duplicates: 2, Limit: 3, Revoked: 4, Superseded: 5,
				Series: map[int64][]int64{176454720: {votes, 0, 2}, 176454729: {0, 1}}},
			semi: {Votes: []int64{votes}},
		},
		LateAfterSeal: map[audience.RoundKey]int64{final2: 6},
		Seals:         []audience.RoundKey{final1},
		Topics:        []views.TopicRef{{Topic: "goal", Revision: 7, Fingerprint: "f7", Manifest: views.IDOf([]byte("goal")), Complete: true}},
		Build:         "models 3, rules 9", PostOffsets: map[int32]int64{0: 5, 1: 0}, PostRows: 44, Unheard: n - 1, Searched: n - 1,
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

func wantCurrent(t *testing.T, s views.Store, want uint64) {
	t.Helper()
	got, err := s.Current(t.Context())
	if err != nil || got != want {
		t.Fatalf("current is %d, %v; want %d", got, err, want)
	}
}

func empty(t *testing.T, open func() views.Store) {
	s := open()
	wantCurrent(t, s, 0)
	_, err := s.Generation(t.Context(), 1)
	wantError(t, err, views.ErrNotFound)
	_, err = s.Sealed(t.Context(), semi)
	wantError(t, err, views.ErrNotFound)
	_, err = s.Run(t.Context(), "none")
	wantError(t, err, views.ErrNotFound)
	gs, err := s.Generations(t.Context(), 9)
	must(t, err)
	rs, err := s.Runs(t.Context(), 9)
	must(t, err)
	if len(gs)+len(rs) != 0 {
		t.Fatal(gs, rs)
	}
	must(t, s.Expire(t.Context(), 5))
}

func comesBack(t *testing.T, open func() views.Store) {
	want := generation(7, 40)
	must(t, open().Publish(t.Context(), want, nil))
	s := open()
	wantCurrent(t, s, 7)
	got, err := s.Generation(t.Context(), 7)
	must(t, err)
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Fatal(diff)
	}
	list, err := s.Generations(t.Context(), 9)
	must(t, err)
	head := *want
	head.Rounds = nil
	if diff := cmp.Diff([]views.Generation{head}, list, same); diff != "" {
		t.Fatal(diff)
	}
}

func sealedComesBack(t *testing.T, open func() views.Store) {
	s := open()
	g := generation(3, 1)
	want := views.SealedRound{Key: final1, Generation: 3, SealedAt: 1764547200456, Round: g.Rounds[final1], Certificate: []byte(`{"a":1}`)}
	must(t, s.Publish(t.Context(), g, []views.SealedRound{want, {Key: final2, Generation: 3, Round: &tally.Round{}}}))
	later := want
	later.Generation, later.Certificate = 4, []byte(`{"a":2}`)
	must(t, s.Publish(t.Context(), generation(4, 1), []views.SealedRound{later}))
	must(t, s.Publish(t.Context(), generation(5, 1), nil))
	must(t, s.Expire(t.Context(), 5))
	got, err := open().Sealed(t.Context(), final1)
	must(t, err)
	if diff := cmp.Diff(&want, got, same); diff != "" {
		t.Fatal(diff)
	}
	_, err = s.Sealed(t.Context(), semi)
	wantError(t, err, views.ErrNotFound)
}

func onePublisher(t *testing.T, open func() views.Store) {
	s := open()
	must(t, s.Publish(t.Context(), generation(2, 1), nil))
	wantError(t, s.Publish(t.Context(), generation(2, 9), []views.SealedRound{{Key: semi, Round: &tally.Round{}}}), views.ErrPublished)
	wantError(t, s.Publish(t.Context(), generation(1, 9), nil), views.ErrPublished)
	_, err := s.Sealed(t.Context(), semi)
	wantError(t, err, views.ErrNotFound)

	var won, winner atomic.Int64
	var wg sync.WaitGroup
	for i := range int64(4) {
		wg.Go(func() {
			err := s.Publish(t.Context(), generation(3, 100+i), []views.SealedRound{{Key: semi, Generation: 3, Round: &tally.Round{Votes: []int64{100 + i}}}})
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(100 + i)
			case !errors.Is(err, views.ErrPublished):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d of 4 published generation 3", won.Load())
	}
	for range 2 { // and again without what the losers left
		g, err := s.Generation(t.Context(), 3)
		must(t, err)
		r, err := s.Sealed(t.Context(), semi)
		must(t, err)
		if g.Rounds[semi].Votes[0] != winner.Load() || r.Round.Votes[0] != winner.Load() {
			t.Fatalf("%d and %d are not the winner's %d", g.Rounds[semi].Votes[0], r.Round.Votes[0], winner.Load())
		}
		must(t, s.Expire(t.Context(), 2))
	}
}

func neverAMix(t *testing.T, open func() views.Store) {
	writer, reader := open(), open()
	const last = 12
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := uint64(1); n <= last; n++ {
			if err := writer.Publish(t.Context(), generation(n, int64(n)), nil); err != nil {
				t.Error(err)
				return
			}
			if err := writer.Expire(t.Context(), n-1); err != nil {
				t.Error(err)
				return
			}
		}
	})
	seen := uint64(0)
	for seen < last && !t.Failed() {
		n, err := reader.Current(t.Context())
		must(t, err)
		if n < seen {
			t.Fatalf("current went from %d to %d", seen, n)
		}
		if seen = n; n == 0 {
			continue
		}
		g, err := reader.Generation(t.Context(), n)
		if errors.Is(err, views.ErrNotFound) {
			continue // it expired meanwhile
		}
		must(t, err)
		if diff := cmp.Diff(generation(n, int64(n)), g, same); diff != "" {
			t.Fatal(diff)
		}
	}
	wg.Wait()
}

func expires(t *testing.T, open func() views.Store) {
	s := open()
	for n := uint64(1); n <= 4; n++ {
		must(t, s.Publish(t.Context(), generation(n, 1), nil))
	}
	must(t, s.Expire(t.Context(), 3))
	must(t, s.Expire(t.Context(), 3))
	for n, want := range map[uint64]error{1: views.ErrNotFound, 2: views.ErrNotFound, 3: nil, 4: nil} {
		_, err := s.Generation(t.Context(), n)
		wantError(t, err, want)
	}
	list, err := s.Generations(t.Context(), 1)
	must(t, err)
	if len(list) != 1 || list[0].Number != 4 {
		t.Fatal(list)
	}
	must(t, s.Expire(t.Context(), 99))
	_, err = s.Generation(t.Context(), 4)
	must(t, err)
	wantError(t, s.Publish(t.Context(), generation(2, 1), nil), views.ErrPublished)
}

func runs(t *testing.T, open func() views.Store) {
	s := open()
	var want []views.Run
	for i := range 5 {
		run := views.Run{ID: fmt.Sprintf("r%d", i), State: views.Running, StartedAt: audience.Millis(1000 + i)}
		must(t, s.SaveRun(t.Context(), run))
		run.State, run.FinishedAt, run.Generation, run.Agreed = views.Done, audience.Millis(2000+i), uint64(i), views.AgreedYes
		run.Steps = []views.Step{{Name: "cut", State: views.Done, StartedAt: 1, FinishedAt: 2, Done: 3, Total: 3, Unit: "partitions"}}
		run.Warnings = []string{"a segment was damaged"}
		must(t, s.SaveRun(t.Context(), run))
		want = append([]views.Run{run}, want...)
	}
	got, err := open().Runs(t.Context(), 3)
	must(t, err)
	if diff := cmp.Diff(want[:3], got, same); diff != "" {
		t.Fatal(diff)
	}
	one, err := s.Run(t.Context(), "r2")
	must(t, err)
	if diff := cmp.Diff(want[2], one, same); diff != "" {
		t.Fatal(diff)
	}
}

// large is a poll of 100 options that was open for ten days: 17 MB.
func large(t *testing.T, open func() views.Store) {
	if testing.Short() {
		t.Skip("short")
	}
	s := open()
	g := generation(1, 1)
	series := make(map[int64][]int64)
	for b := range int64(10 * 24 * 360) {
		votes := make([]int64, 100)
		for i := range votes {
			votes[i] = b*int64(i)%8000 + 64
		}
		series[176454720+b] = votes
	}
	g.Rounds[final2] = &tally.Round{Votes: []int64{1}, Series: series}
	for i := range 200 {
		g.Rounds[audience.RoundKey{Poll: "p" + strings.Repeat("x", i%40), Round: uint32(i)}] = &tally.Round{Votes: []int64{int64(i)}}
	}
	must(t, s.Publish(t.Context(), g, []views.SealedRound{{Key: final2, Generation: 1, Round: g.Rounds[final2]}}))
	got, err := s.Generation(t.Context(), 1)
	must(t, err)
	sealed, err := s.Sealed(t.Context(), final2)
	must(t, err)
	if !got.Rounds.Equal(g.Rounds) || !sealed.Round.Equal(g.Rounds[final2]) {
		t.Fatal("a large round came back otherwise")
	}
}
