package x

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// into is an Outlet that keeps the last place.
type into struct {
	place connect.Place
	err   error
}

func (o *into) Deliver(_ context.Context, b connect.Batch) error {
	if o.err == nil {
		o.place = b.Behind
	}
	return o.err
}
func (*into) Streaming()                         {}
func (*into) Spend(context.Context, int64) error { return nil }

// clock is an environment whose time is set by hand.
func clock() (*connect.Env, *time.Time) {
	now := time.Unix(1_777_665_600, 0)
	return &connect.Env{Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)}, &now
}

// TestAGapIsOwedUntilItIsFilled: a refusal with a time is waited for, one without
// is tried again, and the place stays where it is.
func TestAGapIsOwedUntilItIsFilled(t *testing.T) {
	env, now := clock()
	g, out, asked := GapAt("100"), &into{}, 0
	g.Open()
	g.Saw(200)
	fill := func(err error) {
		t.Helper()
		if got := g.Fill(t.Context(), env, out, func() error { asked++; return err }); got != nil {
			t.Error(got)
		}
	}
	fill(&connect.Wait{Until: now.Add(time.Minute), Err: errors.New("limited")})
	*now = now.Add(59 * time.Second)
	fill(nil)
	if asked != 1 || g.Place() != "100" || out.place != "" {
		t.Errorf("%d searches, at %s, delivered %q", asked, g.Place(), out.place)
	}
	*now = now.Add(time.Second)
	fill(errors.New("away"))
	fill(nil)
	*now = now.Add(retry)
	fill(nil)
	if asked != 3 || g.Place() != "200" || out.place != "200" {
		t.Errorf("%d searches, at %s, delivered %q", asked, g.Place(), out.place)
	}
	fill(errors.New("there is no gap"))
	if asked != 3 {
		t.Error("what is filled is searched again")
	}
}

func TestWhatIsNotToBeHadIsGivenUp(t *testing.T) {
	for name, err := range map[string]error{"refused": &connect.Refused{Err: errors.New("no search here")}, "failing": errors.New("away")} {
		env, now := clock()
		g, out, asked := GapAt("100"), &into{}, 0
		g.Open()
		g.Saw(200)
		for range 2 * maxFailures {
			if got := g.Fill(t.Context(), env, out, func() error { asked++; return err }); got != nil {
				t.Error(got)
			}
			*now = now.Add(retry)
		}
		if want := map[string]int{"refused": 1, "failing": maxFailures}[name]; asked != want || out.place != "200" {
			t.Errorf("%s: %d searches, delivered %q", name, asked, out.place)
		}
	}
}

// TestTheOutletsFailureEndsTheRun, and leaves the gap open.
func TestTheOutletsFailureEndsTheRun(t *testing.T) {
	env, _ := clock()
	away := errors.New("the log is away")
	g, out := GapAt("100"), &into{err: away}
	g.Open()
	g.Saw(200)
	if err := g.Fill(t.Context(), env, out, func() error { return &Undelivered{away} }); !errors.Is(err, away) || g.Place() != "100" {
		t.Error(err, g.Place())
	}
	if err := g.Fill(t.Context(), env, out, func() error { return nil }); !errors.Is(err, away) {
		t.Error(err)
	}
}

// TestASearchGoesOnWhereItWas, until the gap is another one.
func TestASearchGoesOnWhereItWas(t *testing.T) {
	g := GapAt("100")
	g.Open()
	g.Found("a", 150, false)
	g.Found("b", 0, true)
	if id, done := g.Searched("a"); id != 150 || done {
		t.Error(id, done)
	}
	if _, done := g.Searched("b"); !done {
		t.Error("b is not done")
	}
	g.Saw(300)
	g.Open() // another connection was lost
	if id, done := g.Searched("a"); id != 0 || done || g.Begins() != 100 {
		t.Error(id, done, g.Begins())
	}
}
