package mastodon

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConnector(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newServer(t) })
}

func TestSettings(t *testing.T) {
	env := connecttest.Env(t)
	for _, good := range []map[string]any{
		{"url": "https://m.test"}, {"url": "https://m.test", "stream": "hashtag", "hashtag": "#brasil"}, {"url": "https://m.test", "stream": "user", "token": "t"},
		{"url": "https://m.test", "stream": "local", "streaming_url": "https://s.m.test"},
	} {
		if _, err := New(good, env); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range []map[string]any{
		{}, {"url": "m.test"}, {"url": "https://m.test", "stream": "hashtag"}, {"url": "https://m.test", "stream": "user"},
		{"url": "https://m.test", "hashtag": "x"}, {"url": "https://m.test", "stream": "list"}, {"url": "https://m.test", "streaming_url": "wss://m.test"},
	} {
		if _, err := New(bad, env); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// outlet keeps the texts that it gets, and calls back.
type outlet struct {
	texts     []string
	malformed int
	places    []connect.Place
	then      func(*outlet)
}

func (o *outlet) Deliver(_ context.Context, b connect.Batch) error {
	for _, p := range b.Posts {
		o.texts = append(o.texts, p.Text)
	}
	o.malformed += b.Malformed
	o.places = append(o.places, b.Behind)
	o.then(o)
	return nil
}
func (*outlet) Streaming()                         {}
func (*outlet) Spend(context.Context, int64) error { return nil }

// run runs a connector until its outlet has some number of texts.
func run(t *testing.T, s *server, settings map[string]any, from connect.Place, texts int) *outlet {
	t.Helper()
	c, err := s.of(connecttest.Env(t), settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	o := &outlet{then: func(o *outlet) {
		if len(o.texts) >= texts {
			cancel()
		}
	}}
	if err := c.Run(ctx, from, o); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestAGapIsClosedInOrder: page by page, the oldest first, and the place follows.
func TestAGapIsClosedInOrder(t *testing.T) {
	s := newServer(t)
	s.Say("before")
	from := connect.Place(strconv.FormatInt(s.clock+rewind.Milliseconds()<<16, 10))
	for n := range 100 {
		s.Say(fmt.Sprint(n))
	}
	o := run(t, s, map[string]any{}, from, 100)
	if len(o.texts) != 100 || s.called("/api/v1/timelines/public?limit=40") != 3 {
		t.Fatalf("%d posts: %v in %d calls", len(o.texts), o.texts, s.called("timelines"))
	}
	if !strings.Contains(strings.Join(o.texts[:40], " "), "39") || o.texts[99] != "80" {
		t.Error(o.texts) // pages are oldest first; within one, the API begins with the newest
	}
	for i := 1; i < len(o.places); i++ {
		if newer(string(o.places[i-1]), string(o.places[i])) {
			t.Error("the place goes back", o.places)
		}
	}
}

// TestAServerThatCannotGoForward gives its newest page, and that ends.
func TestAServerThatCannotGoForward(t *testing.T) {
	s := newServer(t)
	s.old = true
	from := connect.Place(strconv.FormatInt(s.clock, 10))
	for n := range 100 {
		s.Say(fmt.Sprint(n))
	}
	if o := run(t, s, map[string]any{}, from, 40); len(o.texts) != 40 || o.texts[0] != "99" {
		t.Error(o.texts)
	}
}

// TestOneBadStatusLeavesItsPage: the others are read.
func TestOneBadStatusLeavesItsPage(t *testing.T) {
	s := newServer(t)
	from := connect.Place(strconv.FormatInt(s.clock, 10))
	s.Say("1")
	s.publish(status(s.next(), "x", map[string]any{"account": "gone"}))
	s.publish(status(s.next(), "x", map[string]any{"created_at": "soon"}))
	s.publish(status(s.next(), "2", map[string]any{"replies_count": "many", "application": 7}))
	if o := run(t, s, map[string]any{}, from, 2); o.malformed != 2 || strings.Join(o.texts, " ") != "2 1" {
		t.Error(o.malformed, o.texts)
	}
}

func TestStreams(t *testing.T) {
	for want, settings := range map[string]map[string]any{
		"/api/v1/streaming/public ":                   {},
		"/api/v1/streaming/public Bearer secret":      {"token": "secret"},
		"/api/v1/streaming/public/local ":             {"stream": "local"},
		"/api/v1/streaming/hashtag?tag=S%C3%A3oPaulo": {"stream": "hashtag", "hashtag": "SãoPaulo"},
		"/api/v1/streaming/user Bearer secret":        {"stream": "user", "token": "secret"},
	} {
		s := newServer(t)
		from := connect.Place(strconv.FormatInt(s.clock, 10))
		s.Say("hi")
		run(t, s, settings, from, 1)
		if s.called(want) != 1 {
			t.Errorf("%v calls %q", settings, s.calls)
		}
	}
}

func TestAStreamingServer(t *testing.T) {
	s, other := newServer(t), newServer(t)
	from := connect.Place(strconv.FormatInt(s.clock, 10))
	s.Say("hi")
	run(t, s, map[string]any{"streaming_url": other.http.URL}, from, 1)
	if other.called("/api/v1/streaming/public") != 1 || s.called("streaming") != 0 || s.called("instance") != 0 {
		t.Error(s.calls, other.calls)
	}
}
