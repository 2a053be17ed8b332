package youtube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConnector(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newAPI(t) })
}

func TestSettings(t *testing.T) {
	env := connecttest.Env(t)
	for _, good := range []map[string]any{{"key": "k", "video": "v"}, {"token": "t", "live_chat": "c", "units_per_call": 1.0, "interval": 2.5}} {
		if _, err := New(good, env); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range []map[string]any{
		{}, {"key": "k"}, {"video": "v"}, {"key": "k", "token": "t", "video": "v"}, {"key": "k", "video": "v", "live_chat": "c"},
		{"key": "k", "video": "v", "interval": 0.0}, {"key": "k", "video": "v", "units_per_call": -1.0},
	} {
		if _, err := New(bad, env); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// outlet keeps what it gets, and calls back.
type outlet struct {
	posts []audience.Post
	place connect.Place
	spent int64
	then  func(*outlet)
}

func (o *outlet) Deliver(_ context.Context, b connect.Batch) error {
	o.posts, o.place = append(o.posts, b.Posts...), b.Behind
	if o.then != nil {
		o.then(o)
	}
	return nil
}
func (*outlet) Streaming() {}
func (o *outlet) Spend(ctx context.Context, units int64) error {
	o.spent += units
	return ctx.Err()
}

// run runs a connector until some number of posts came.
func run(t *testing.T, a *api, settings map[string]any, from connect.Place, posts int) (*outlet, error) {
	t.Helper()
	c, err := a.of(connecttest.Env(t), settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := &outlet{then: func(o *outlet) {
		if len(o.posts) >= posts {
			cancel()
		}
	}}
	return o, c.Run(ctx, from, o)
}

func TestTheBudgetPays(t *testing.T) {
	a := newAPI(t)
	a.Say("1")
	o, err := run(t, a, map[string]any{"token": "secret", "video": "v1", "units_per_call": 3.0}, "", 1)
	if err != nil || o.spent != videoUnits+3 || o.place != "T1" {
		t.Error(err, o.spent, o.place)
	}
	if o, err = run(t, a, map[string]any{"key": "secret", "live_chat": "chat"}, "", 1); err != nil || o.spent != 5 {
		t.Error(err, o.spent)
	}
	for _, call := range a.calls {
		if strings.Contains(call, "secret") {
			t.Error("the key is in an address", call)
		}
	}
}

func TestVideos(t *testing.T) {
	settings := func() map[string]any { return map[string]any{"key": "secret", "video": "v1"} }
	a := newAPI(t)
	a.details = `{"actualEndTime":"2026-05-01T21:00:00Z"}`
	if _, err := run(t, a, settings(), "", 1); err != nil {
		t.Error(err)
	}
	a.details = `{"scheduledStartTime":"2026-05-01T21:00:00Z"}`
	var slow *connect.Slow
	if _, err := run(t, a, settings(), "", 1); !errors.As(err, &slow) {
		t.Error(err)
	}
	a.details = ""
	var refused *connect.Refused
	if _, err := run(t, a, settings(), "", 1); !errors.As(err, &refused) {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status                      int
		reason                      string
		ended, wait, slow, rejected bool
	}{
		{status: 403, reason: "liveChatEnded", ended: true},
		{status: 403, reason: "quotaExceeded", wait: true},
		{status: 403, reason: "dailyLimitExceeded", wait: true},
		{status: 403, reason: "rateLimitExceeded", slow: true},
		{status: 429, reason: "userRequestsExceedRateLimit", slow: true},
		{status: 429, reason: "another", slow: true},
		{status: 403, reason: "forbidden", rejected: true},
		{status: 403, reason: "liveChatDisabled", rejected: true},
		{status: 404, reason: "liveChatNotFound", rejected: true},
		{status: 401, reason: "authError", rejected: true},
		{status: 400, reason: "badRequest", rejected: true},
		{status: 500, reason: "backendError"},
	} {
		a := newAPI(t)
		a.status, a.reason = c.status, c.reason
		_, err := run(t, a, map[string]any{"key": "secret", "live_chat": "chat"}, "", 1)
		var wait *connect.Wait
		var slow *connect.Slow
		var refused *connect.Refused
		if (err == nil) != c.ended || errors.As(err, &wait) != c.wait || errors.As(err, &slow) != c.slow || errors.As(err, &refused) != c.rejected {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestThePace: YouTube names when to look again, and is believed up to a minute;
// a source may look less often than that.
func TestThePace(t *testing.T) {
	for _, c := range []struct {
		named    string
		interval float64
		want     time.Duration
	}{
		{"2500", 1, 2500 * time.Millisecond}, {"10", 1, time.Second}, {"600000", 1, time.Minute}, {"-5", 1, time.Second}, {"2500", 30, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var at []time.Time
			ctx, cancel := context.WithCancel(t.Context())
			env := connecttest.Env(t)
			env.HTTP = &http.Client{Transport: answers(func(*http.Request) string {
				if at = append(at, time.Now()); len(at) == 3 {
					cancel()
				}
				return `{"items":[],"nextPageToken":"T","pollingIntervalMillis":` + c.named + `}`
			})}
			conn, err := New(map[string]any{"key": "k", "live_chat": "c", "interval": c.interval}, env)
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Run(ctx, "", &outlet{}); err != nil {
				t.Fatal(err)
			}
			if len(at) != 3 || at[1].Sub(at[0]) != c.want || at[2].Sub(at[1]) != c.want {
				t.Errorf("%+v: looked at %v", c, at)
			}
		})
	}
}

// answers is a transport without a network.
type answers func(*http.Request) string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a(r)))}, nil
}

func TestMidnight(t *testing.T) {
	for now, want := range map[string]string{
		"2026-01-15T07:59:59Z": "2026-01-15T08:00:00Z",
		"2026-01-15T08:00:00Z": "2026-01-16T08:00:00Z",
		"2026-07-15T12:00:00Z": "2026-07-16T07:00:00Z",
		"2026-03-08T09:00:00Z": "2026-03-09T07:00:00Z", // the day has 23 hours
	} {
		at, err := time.Parse(time.RFC3339, now)
		if got := midnight(at).UTC().Format(time.RFC3339); err != nil || got != want {
			t.Errorf("after %s: %s, want %s", now, got, want)
		}
	}
}

func TestAForgottenTokenBeginsAnew(t *testing.T) {
	a := newAPI(t)
	a.Say("1", "2")
	a.forgets = true
	o, err := run(t, a, map[string]any{"key": "secret", "live_chat": "chat"}, "T2", 2)
	if err != nil || len(o.posts) != 2 || o.spent != 10 {
		t.Error(err, o.posts, o.spent)
	}
}

func TestALongTokenIsNoPlace(t *testing.T) {
	a := newAPI(t)
	a.long = true
	a.Say("1")
	o, err := run(t, a, map[string]any{"key": "secret", "live_chat": "chat"}, "", 1)
	if err != nil || o.place != "" {
		t.Error(err, o.place)
	}
}

func TestTheEnd(t *testing.T) {
	a := newAPI(t)
	a.Say("1")
	a.offline = true
	if o, err := run(t, a, map[string]any{"key": "secret", "live_chat": "chat"}, "", 100); err != nil || len(o.posts) != 1 {
		t.Error(err, o.posts)
	}
	a = newAPI(t)
	a.Say("1")
	a.add(item("e", "chatEndedEvent", "none", nil))
	if o, err := run(t, a, map[string]any{"key": "secret", "live_chat": "chat"}, "", 100); err != nil || len(o.posts) != 1 {
		t.Error(err, o.posts)
	}
}

func TestHugeAnswersAreBounded(t *testing.T) {
	a := newAPI(t)
	a.Say(strings.Repeat("x", maxAnswer))
	if o, err := run(t, a, map[string]any{"key": "secret", "live_chat": "chat"}, "", 1); err == nil || len(o.posts) != 0 {
		t.Error(err, len(o.posts))
	}
}

func TestNullsAreNotPosts(t *testing.T) {
	c := &Connector{env: connecttest.Env(t)}
	var p page
	if err := decode([]byte(`{"items":[null,{}],"nextPageToken":null}`), &p); err != nil {
		t.Fatal(err)
	}
	if b, ended := c.batch(&p); b.Malformed != 2 || ended {
		t.Error(cmp.Diff(connect.Batch{}, b))
	}
}
