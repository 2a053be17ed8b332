package run_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// diary notes what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.lines); diff != "" {
		t.Error(diff)
	}
}

// obedient runs until it is stopped, and takes a while to stop.
func (d *diary) obedient(name string, stopTakes time.Duration) run.Runner {
	return run.Func(func(ctx context.Context) error {
		d.note("%s starts", name)
		<-ctx.Done()
		time.Sleep(stopTakes)
		d.note("%s stopped", name)
		return nil
	})
}

// slowStarter is ready after a while.
type slowStarter struct {
	run.Runner
	ready chan struct{}
}

func (s slowStarter) Ready() <-chan struct{} { return s.ready }

func (d *diary) slow(name string, readyAfter time.Duration, fails error) run.Runner {
	ready := make(chan struct{})
	return slowStarter{ready: ready, Runner: run.Func(func(ctx context.Context) error {
		d.note("%s starts", name)
		select {
		case <-time.After(readyAfter):
			if fails != nil {
				return fails
			}
			d.note("%s ready", name)
			close(ready)
		case <-ctx.Done():
		}
		<-ctx.Done()
		d.note("%s stopped", name)
		return nil
	})}
}

func TestStartsInOrderAndStopsInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var g run.Group
		g.Add("control", d.slow("control", 3*time.Second, nil))
		g.Add("worker", d.slow("worker", time.Second, nil))
		g.Add("http", d.obedient("http", 2*time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
		d.expect(t, "control starts", "control ready", "worker starts", "worker ready", "http starts",
			"http stopped", "worker stopped", "control stopped")
	})
}

func TestTheFirstFailureStopsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var g run.Group
		broke := errors.New("disk full")
		g.Add("a", d.slow("a", time.Second, nil))
		g.Add("b", run.Func(func(context.Context) error {
			time.Sleep(5 * time.Second)
			return broke
		}))
		g.Add("c", d.slow("c", time.Second, nil))
		err := g.Run(t.Context())
		if !errors.Is(err, broke) || err.Error() != "b: disk full" {
			t.Errorf("%v", err)
		}
		d.expect(t, "a starts", "a ready", "c starts", "c ready", "c stopped", "a stopped")
	})
}

func TestAPartThatFailsBeforeItIsReadyKeepsTheRestFromStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var g run.Group
		broke := errors.New("no broker")
		g.Add("a", d.slow("a", 0, nil))
		g.Add("b", d.slow("b", time.Second, broke))
		g.Add("c", d.obedient("c", 0))
		if err := g.Run(t.Context()); !errors.Is(err, broke) {
			t.Errorf("%v", err)
		}
		d.expect(t, "a starts", "a ready", "b starts", "a stopped")
	})
}

func TestAnEarlierPartFailsWhileALaterOneIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var g run.Group
		broke := errors.New("gone")
		g.Add("a", run.Func(func(context.Context) error { time.Sleep(time.Second); return broke }))
		g.Add("b", d.slow("b", time.Hour, nil))
		if err := g.Run(t.Context()); !errors.Is(err, broke) {
			t.Errorf("%v", err)
		}
		d.expect(t, "b starts", "b stopped")
	})
}

func TestStoppedWhileStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var g run.Group
		g.Add("a", d.slow("a", time.Hour, nil))
		g.Add("b", d.obedient("b", 0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
		d.expect(t, "a starts", "a stopped")
	})
}

func TestAPartMayFinishByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var g run.Group
		g.Add("once", run.Func(func(context.Context) error { d.note("once"); return nil }))
		g.Add("b", d.obedient("b", 0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := g.Run(ctx); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestAPartThatDoesNotStopIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		g := run.Group{StopTimeout: 3 * time.Second}
		release := make(chan struct{})
		g.Add("good", d.obedient("good", 0))
		g.Add("stuck", run.Func(func(context.Context) error { <-release; return nil }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := g.Run(ctx)
		if err == nil || !strings.Contains(err.Error(), "stuck") {
			t.Errorf("%v", err)
		}
		close(release)
	})
}

func TestCode(t *testing.T) {
	cases := []struct {
		err  error
		code int
		says string
	}{
		{nil, 0, ""},
		{errors.New("open log: refused"), 1, "error: open log: refused\n"},
		{fmt.Errorf("x: %w", &run.Exit{Code: 3}), 3, ""},
		{&run.Exit{Code: 2, Cause: errors.New("usage")}, 2, "usage\n"},
	}
	for _, c := range cases {
		var out bytes.Buffer
		if code := run.Code(c.err, &out); code != c.code || out.String() != c.says {
			t.Errorf("%v: %d %q", c.err, code, out.String())
		}
	}
}
