package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// script is a connector that does one thing after the other, a Run each.
type script struct {
	begun []time.Time
	from  []Place
	runs  []func(context.Context, Outlet) error
}

func (s *script) Run(ctx context.Context, from Place, out Outlet) error {
	s.begun, s.from = append(s.begun, time.Now()), append(s.from, from)
	if len(s.begun) > len(s.runs) {
		<-ctx.Done()
		return nil
	}
	return s.runs[len(s.begun)-1](ctx, out)
}

func (s *script) pauses() (all []time.Duration) {
	for i := 1; i < len(s.begun); i++ {
		all = append(all, s.begun[i].Sub(s.begun[i-1]))
	}
	return all
}

func fails(err error) func(context.Context, Outlet) error {
	return func(context.Context, Outlet) error { return err }
}

// supervised runs a script for a day.
func supervised(t *testing.T, secrets []string, runs ...func(context.Context, Outlet) error) (*script, *Supervisor, string) {
	t.Helper()
	s := &script{runs: runs}
	var logged bytes.Buffer
	place := Place("begin")
	sup := &Supervisor{
		Account: NewAccount(time.Now, secrets),
		Make:    func() (Connector, error) { return s, nil },
		Place:   func() Place { return place },
		Outlet: into(func(_ context.Context, b Batch) error {
			place = b.Behind
			return nil
		}),
		Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	sup.Run(ctx)
	return s, sup, logged.String()
}

func TestPausesGrowWithFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var firsts []time.Duration
		for range 30 {
			broken := slices.Repeat([]func(context.Context, Outlet) error{fails(errors.New("no"))}, 9)
			s, _, _ := supervised(t, nil, broken...)
			most := 2 * firstPause
			for i, p := range s.pauses() {
				if p > min(most, 2*maxPause) {
					t.Errorf("pause %d is %v, at most %v", i, p, most)
				}
				most *= 2
			}
			firsts = append(firsts, s.pauses()[0])
		}
		slices.Sort(firsts)
		if firsts[0] == firsts[len(firsts)-1] || firsts[len(firsts)-1]-firsts[0] < firstPause {
			t.Errorf("thirty sources come back together: %v", firsts)
		}
	})
}

// TestRefusedSourcesComeBackApartAndLater: a wrong password is not tried by all
// at once, nor every minute for ever.
func TestRefusedSourcesComeBackApartAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var firsts, lasts []time.Duration
		for range 20 {
			no := slices.Repeat([]func(context.Context, Outlet) error{fails(&Refused{errors.New("no")})}, 9)
			s, _, _ := supervised(t, nil, no...)
			p := s.pauses()
			firsts, lasts = append(firsts, p[0]), append(lasts, p[8])
			if slices.Min(p) < restRefused || slices.Max(p) > restRefused+2*maxRefused {
				t.Errorf("pauses of %v", p)
			}
		}
		if slices.Max(firsts)-slices.Min(firsts) < firstRefused || slices.Max(firsts) > restRefused+2*firstRefused {
			t.Errorf("at first %v", firsts)
		}
		if slices.Max(lasts) < maxRefused {
			t.Errorf("at last %v", lasts)
		}
	})
}

// TestAnAnswerThatLastsEndsTheBackOff: a platform that opens each connection and
// closes it at once is not asked every second for ever.
func TestAnAnswerThatLastsEndsTheBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no := fails(errors.New("no"))
		answers := func(d time.Duration) func(context.Context, Outlet) error {
			return func(_ context.Context, out Outlet) error {
				out.Streaming()
				time.Sleep(d)
				out.Streaming()
				return errors.New("broken off")
			}
		}
		s, _, _ := supervised(t, nil, no, no, no, no, no, no, no, no, answers(steady))
		if p := s.pauses(); p[8]-steady > 2*firstPause {
			t.Errorf("after an answer the pause is %v", p[8]-steady)
		}
		var longest time.Duration
		for range 20 {
			s, _, _ = supervised(t, nil, slices.Repeat([]func(context.Context, Outlet) error{answers(0)}, 12)...)
			longest = max(longest, slices.Max(s.pauses()))
		}
		if longest < maxPause {
			t.Errorf("a platform that closes at once is asked again after %v at most", longest)
		}
	})
}

func TestNamedTimesAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := func(d time.Duration) func(context.Context, Outlet) error {
			return func(context.Context, Outlet) error { return &Wait{time.Now().Add(d), errors.New("limited")} }
		}
		s, _, _ := supervised(t, nil, wait(15*time.Minute), wait(-time.Hour), wait(1000*time.Hour), fails(&Slow{errors.New("calm")}), fails(&Refused{errors.New("no")}))
		p := s.pauses()
		for i, bounds := range [][2]time.Duration{
			{15 * time.Minute, 16 * time.Minute}, {0, 5 * time.Second}, {maxWait, maxWait + 2*time.Minute}, {firstSlow, 3 * firstSlow}, {restRefused, restRefused + 2*firstRefused},
		} {
			if p[i] < bounds[0] || p[i] > bounds[1] {
				t.Errorf("pause %d is %v, not in %v", i, p[i], bounds)
			}
		}
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sup *Supervisor
		var seen []audience.SourceStatus
		look := func(next func(context.Context, Outlet) error) func(context.Context, Outlet) error {
			return func(ctx context.Context, out Outlet) error {
				err := next(ctx, out)
				seen = append(seen, sup.Status())
				return err
			}
		}
		post := func(created time.Time) audience.Post { return audience.Post{CreatedAt: audience.MillisOf(created)} }
		streams := func(ctx context.Context, out Outlet) error {
			out.Streaming()
			time.Sleep(time.Minute)
			for range 6 {
				if err := out.Deliver(ctx, Batch{Posts: []audience.Post{post(time.Now()), post(time.Now().Add(-time.Second))}, Malformed: 1, Lost: 3, Behind: "on"}); err != nil {
					return err
				}
			}
			return errors.New("broken off")
		}
		s := &script{runs: []func(context.Context, Outlet) error{
			look(fails(&Refused{errors.New("not valid")})), look(streams), look(func(context.Context, Outlet) error { return nil }),
		}}
		place := Place("")
		sup = &Supervisor{
			Account: NewAccount(time.Now, nil), Make: func() (Connector, error) { return s, nil }, Place: func() Place { return place },
			Outlet: into(func(_ context.Context, b Batch) error { place = b.Behind; return nil }), Logger: slog.New(slog.DiscardHandler),
		}
		sup.Run(t.Context())
		if seen[0].State != audience.SourceStarting || seen[1].State != audience.SourceStreaming || seen[2].State != audience.SourceWaiting {
			t.Errorf("%v", seen)
		}
		got := seen[1]
		if got.Posts != 12 || got.PerMinute != 12 || got.Malformed != 6 || got.Lost != 18 || got.LagMillis != 1000 {
			t.Errorf("%+v", got)
		}
		if !slices.Equal(s.from, []Place{"", "", "on"}) {
			t.Errorf("it went on from %q", s.from)
		}
		if end := sup.Status(); end.State != audience.SourceDone || end.PerMinute == 0 {
			t.Errorf("%+v", end)
		}
		time.Sleep(2 * time.Minute)
		if end := sup.Status(); end.PerMinute != 0 || end.Posts != 12 {
			t.Errorf("%+v", end)
		}
	})
}

// TestABudgetThatIsWaitedForIsTold, and nobody takes the end of the wait for an
// answer of the platform.
func TestABudgetThatIsWaitedForIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAccount(time.Now, nil)
		for _, before := range []audience.SourceState{audience.SourceStarting, audience.SourceStreaming} {
			resume := a.Hold("the budget is spent", time.Hour)
			if s := a.Status(); s.State != audience.SourceWaiting || s.Detail != "the budget is spent" || s.Until != audience.MillisOf(time.Now().Add(time.Hour)) {
				t.Errorf("%+v", s)
			}
			resume()
			if s := a.Status(); s.State != before || s.Detail != "" || s.Until != 0 {
				t.Errorf("%+v, want %s", s, before)
			}
			a.streaming()
		}
	})
}

func TestSecretsAreNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := "123:abc/d e"
		err := fmt.Errorf("get %q: %s", "https://x/bot"+url.PathEscape(secret)+"?key="+url.QueryEscape(secret), secret+strings.Repeat("é", 400))
		_, sup, logged := supervised(t, []string{secret}, fails(err))
		detail := sup.Status().Detail
		for _, text := range []string{detail, logged} {
			if strings.Contains(text, "abc") || !strings.Contains(text, "***") {
				t.Error(text)
			}
		}
		if len(detail) > maxDetail+4 {
			t.Error(len(detail))
		}
	})
}

func TestLoggersHideSecrets(t *testing.T) {
	var logged bytes.Buffer
	log := NewAccount(time.Now, []string{"s3cret/token"}).Logger(slog.New(slog.NewTextHandler(&logged, nil)))
	log = log.With("url", "https://x/s3cret%2Ftoken").WithGroup("g")
	log.Warn("failed", "error", errors.New("get s3cret/token"), slog.Group("in", "v", "s3cret/token"), "n", 5, "plain", []string{"a"})
	if text := logged.String(); strings.Contains(text, "s3cret") || strings.Count(text, "***") != 3 || !strings.Contains(text, "g.n=5") || !strings.Contains(text, "g.plain=[a]") {
		t.Error(text)
	}
}

func TestSettingsThatAreWrongAreAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := &Supervisor{
			Account: NewAccount(time.Now, nil), Logger: slog.New(slog.DiscardHandler),
			Make: func() (Connector, error) { return nil, errors.New("settings.file is missing") },
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); sup.Run(ctx) }()
		synctest.Wait()
		if s := sup.Status(); s.State != audience.SourceFailed || s.Detail != "settings.file is missing" {
			t.Errorf("%+v", s)
		}
		cancel()
		<-done
	})
}
