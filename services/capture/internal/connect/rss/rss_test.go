package rss

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConnector(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newSite(t) })
}

func TestSettings(t *testing.T) {
	env := connecttest.Env(t)
	if c, err := open(map[string]any{"url": "https://site.test/feed", "interval": 60.0}, env); err != nil || c.interval != time.Minute {
		t.Error(c, err)
	}
	for _, bad := range []map[string]any{{}, {"url": "site.test"}, {"url": "file:///etc/passwd"}, {"url": "https://x", "interval": 1.0}, {"url": "https://x", "every": 1.0}} {
		if _, err := New(bad, env); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// outlet keeps what it gets, and calls back.
type outlet struct {
	texts     []string
	batches   []int
	malformed int
	places    []connect.Place
	then      func(*outlet) error
}

func (o *outlet) Deliver(_ context.Context, b connect.Batch) error {
	for _, p := range b.Posts {
		o.texts = append(o.texts, p.Text)
	}
	o.batches, o.malformed, o.places = append(o.batches, len(b.Posts)), o.malformed+b.Malformed, append(o.places, b.Behind)
	return o.then(o)
}
func (*outlet) Streaming()                         {}
func (*outlet) Spend(context.Context, int64) error { return nil }

// run runs a connector until its outlet says so.
func run(t *testing.T, s *site, path string, from connect.Place, enough func(*outlet) bool) *outlet {
	t.Helper()
	c, err := s.of(connecttest.Env(t), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := &outlet{then: func(o *outlet) error {
		if enough(o) {
			cancel()
		}
		return nil
	}}
	if err := c.Run(ctx, from, o); err != nil {
		t.Fatal(err)
	}
	return o
}

func some(n int) func(*outlet) bool { return func(o *outlet) bool { return len(o.texts) >= n } }

func TestOldestFirstAndOnce(t *testing.T) {
	s := newSite(t)
	s.Say("1", "2", "3")
	o := run(t, s, "/old", "", func(o *outlet) bool {
		switch len(o.texts) {
		case 3:
			s.Say("4")
		case 4:
			return true
		}
		return false
	})
	if want := []string{"1", "2", "3", "4"}; !slices.Equal(o.texts, want) {
		t.Errorf("%q, want %q", o.texts, want)
	}
}

// TestAFeedThatDidNotChangeIsNotRead, across a resume too.
func TestAFeedThatDidNotChangeIsNotRead(t *testing.T) {
	for _, header := range []http.Header{{}, {"Last-Modified": {"Fri, 01 May 2026 20:00:00 GMT"}}} {
		s := newSite(t)
		s.header = header
		s.Say("1", "2")
		o := run(t, s, "/feed", "", some(2))
		c, err := s.of(connecttest.Env(t), "/feed")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s.answers = cancel
		err = c.Run(ctx, o.places[len(o.places)-1], &outlet{then: func(o *outlet) error { return fmt.Errorf("delivered %q", o.texts) }})
		cancel()
		if err != nil || s.answered(http.StatusOK) != 1 || s.answered(http.StatusNotModified) == 0 {
			t.Error(header, err, s.statuses)
		}
	}
}

// TestAResumeKnowsTheLastItems: only what is new or may be late comes.
func TestAResumeKnowsTheLastItems(t *testing.T) {
	s := newSite(t)
	s.clock = s.clock.Add(-100 * time.Hour)
	for n := range 100 {
		s.clock = s.clock.Add(time.Hour)
		s.Say(fmt.Sprint("old", n))
	}
	o := run(t, s, "/feed", "", some(100))
	s.Say("new")
	s.Late("late")
	o = run(t, s, "/feed", o.places[len(o.places)-1], some(2))
	if want := []string{"late", "new"}; !slices.Equal(o.texts, want) {
		t.Errorf("%q, want %q", o.texts, want)
	}
}

// TestLargeFeedsTravelInParts: and the place moves behind all of them only.
func TestLargeFeedsTravelInParts(t *testing.T) {
	s := newSite(t)
	for n := range maxPosts + 10 {
		s.Say(fmt.Sprint(n))
	}
	o := run(t, s, "/feed", "", some(maxPosts+10))
	if !slices.Equal(o.batches, []int{maxPosts, 10}) || o.places[0] != "" || o.places[1] == "" {
		t.Error(o.batches, o.places)
	}
}

// TestAFeedThatCannotBeReadIsCounted, and read when it can be.
func TestAFeedThatCannotBeReadIsCounted(t *testing.T) {
	for name, body := range map[string]string{"no XML": "<rss><channel><item>", "a page": "<!DOCTYPE html><html><body>Hi", "huge": "<rss>" + strings.Repeat(" ", maxFeed)} {
		s := newSite(t)
		s.body = body
		o := run(t, s, "/feed", "", func(o *outlet) bool {
			if o.malformed == 1 {
				s.mu.Lock()
				s.body = ""
				s.mu.Unlock()
				s.Say("mended")
			}
			return len(o.texts) > 0
		})
		if o.malformed == 0 || o.texts[0] != "mended" {
			t.Error(name, o)
		}
	}
}

// TestThePace: a fetch an interval, or later if the feed says so.
func TestThePace(t *testing.T) {
	for _, c := range []struct {
		cache, age string
		want       time.Duration
	}{
		{"", "", 5 * time.Minute}, {"no-cache", "", 5 * time.Minute}, {"public, max-age=60", "", 5 * time.Minute}, {"max-age=3600, public", "", time.Hour},
		{`Max-Age="600"`, "", 10 * time.Minute}, {"max-age=999999999", "", 24 * time.Hour}, {"max-age=-1", "", 5 * time.Minute},
		{"max-age=3600", "3000", 10 * time.Minute}, {"max-age=600", "3000", 5 * time.Minute}, {"max-age=600", "old", 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			var at []time.Time
			ctx, cancel := context.WithCancel(t.Context())
			env := connecttest.Env(t)
			env.HTTP = &http.Client{Transport: answers(func(*http.Request) *http.Response {
				if at = append(at, time.Now()); len(at) == 3 {
					cancel()
				}
				return &http.Response{StatusCode: http.StatusNotModified, Header: http.Header{"Cache-Control": {c.cache}, "Age": {c.age}}, Body: http.NoBody}
			})}
			conn, err := New(map[string]any{"url": "https://site.test/feed"}, env)
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Run(ctx, "", &outlet{}); err != nil {
				t.Fatal(err)
			}
			if at[1].Sub(at[0]) != c.want || at[2].Sub(at[1]) != c.want {
				t.Errorf("%q, %q: fetched at %v", c.cache, c.age, at)
			}
		})
	}
}

// TestAFeedThatIsGone: somebody has to take the source away, or name another
// address.
func TestAFeedThatIsGone(t *testing.T) {
	env := connecttest.Env(t)
	env.HTTP = &http.Client{Transport: answers(func(*http.Request) *http.Response {
		return &http.Response{StatusCode: http.StatusGone, Header: http.Header{}, Body: http.NoBody}
	})}
	c, err := New(map[string]any{"url": "https://site.test/feed"}, env)
	if err != nil {
		t.Fatal(err)
	}
	var no *connect.Refused
	if err := c.Run(t.Context(), "", &outlet{}); !errors.As(err, &no) || !strings.Contains(err.Error(), "410 Gone") {
		t.Error(err)
	}
}

// answers is a transport without a network.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }
