package twitch

import (
	"context"
	"errors"
	"fmt"
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
	many := make([]any, maxChannels+1)
	for i := range many {
		many[i] = fmt.Sprint("c", i)
	}
	for _, good := range []map[string]any{
		{"channels": []any{"#Clamor"}}, {"channels": many[1:]}, {"channels": []any{"a"}, "nick": "n", "token": "oauth:t", "url": "irc://localhost:6667"},
	} {
		if _, err := New(good, env); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range []map[string]any{
		{}, {"channels": []any{"a b"}}, {"channels": many}, {"channels": []any{"a"}, "nick": "n"}, {"channels": []any{"a"}, "token": "t"},
		{"channels": []any{"a"}, "nick": "n\r\nx", "token": "t"}, {"channels": []any{"a"}, "nick": "n", "token": "t\r\nQUIT"}, {"channels": []any{"a"}, "url": "https://x"},
	} {
		if _, err := New(bad, env); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// outlet calls back.
type outlet struct {
	streaming func()
	deliver   func(connect.Batch) error
}

func (o *outlet) Deliver(_ context.Context, b connect.Batch) error { return o.deliver(b) }
func (o *outlet) Streaming() {
	if o.streaming != nil {
		o.streaming()
	}
}
func (*outlet) Spend(context.Context, int64) error { return nil }

func TestLogin(t *testing.T) {
	for _, c := range []struct {
		settings map[string]any
		heard    []string
	}{
		{map[string]any{"channels": []any{"a"}}, []string{"PASS oauth:anonymous", "NICK " + anonymous, "JOIN #a", "CAP REQ :twitch.tv/tags twitch.tv/commands"}},
		{map[string]any{"channels": []any{"a", "#B", "c"}, "nick": "Ear", "token": "secret"}, []string{"PASS oauth:secret", "NICK ear", "JOIN #a,#b"}},
	} {
		s := newServer(t)
		conn, err := s.of(connecttest.Env(t), c.settings)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if err := conn.Run(ctx, "", &outlet{streaming: cancel}); err != nil {
			t.Error(err)
		}
		cancel()
		for _, line := range c.heard {
			if !s.has(line) {
				t.Errorf("%v does not say %q", c.settings, line)
			}
		}
	}
}

func TestBarred(t *testing.T) {
	s := newServer(t)
	s.barred = map[string]bool{"#a": true}
	for want, channels := range map[bool][]any{true: {"a"}, false: {"a", "b"}} {
		c, err := s.of(connecttest.Env(t), map[string]any{"channels": channels})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = c.Run(ctx, "", &outlet{streaming: cancel})
		cancel()
		var refused *connect.Refused
		if errors.As(err, &refused) != want {
			t.Errorf("%v: %v", channels, err)
		}
	}
}

// TestJoinsThatAreNotAnsweredAreAskedAgain: those that are, and barred ones, are
// not.
func TestJoinsThatAreNotAnsweredAreAskedAgain(t *testing.T) {
	s := newServer(t)
	s.barred, s.deaf = map[string]bool{"#c": true}, map[string]int{"#b": 2, "#d": 1}
	c, err := s.of(connecttest.Env(t), map[string]any{"channels": []any{"a", "b", "c", "d"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s.answered = func(channel string) {
		if channel == "#b" {
			cancel()
		}
	}
	if err := c.Run(ctx, "", &outlet{}); err != nil {
		t.Error(err)
	}
	for _, line := range []string{"JOIN #a,#b", "JOIN #c,#d", "JOIN #b", "JOIN #d"} {
		if !s.has(line) {
			t.Errorf("%q is not said", line)
		}
	}
	if s.deaf["#b"] != 0 {
		t.Error("#b was not asked for three times")
	}
}

// TestWhatIsSaidMeanwhileIsLost: IRC does not resume, and no place pretends so.
func TestWhatIsSaidMeanwhileIsLost(t *testing.T) {
	s := newServer(t)
	s.Say("before")
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = c.Run(ctx, "an old place", &outlet{streaming: func() { s.Say("after") }, deliver: func(b connect.Batch) error {
		for _, p := range b.Posts {
			got = append(got, p.Text+string(b.Behind))
		}
		cancel()
		return nil
	}})
	if err != nil || strings.Join(got, " ") != "after" {
		t.Error(err, got)
	}
}

func TestReconnectAndPing(t *testing.T) {
	s := newServer(t)
	s.quiet = time.Minute
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	posts := 0
	err = c.Run(t.Context(), "", &outlet{streaming: func() {
		s.Publish("PING :tmi.twitch.tv")
		s.Say("1")
	}, deliver: func(b connect.Batch) error {
		if pong := <-s.pongs; pong != ":tmi.twitch.tv" {
			t.Errorf("the pong says %q", pong)
		}
		posts += len(b.Posts)
		s.Publish(":tmi.twitch.tv RECONNECT")
		s.Say("2")
		return nil
	}})
	if !errors.Is(err, errReconnect) || posts != 1 {
		t.Error(err, posts)
	}
}

// TestHugeMessagesAreBounded: one is counted, and the stream goes on behind it.
func TestHugeMessagesAreBounded(t *testing.T) {
	s := newServer(t)
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	malformed, posts := 0, 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = c.Run(ctx, "", &outlet{streaming: func() { s.Say(strings.Repeat("x", 1<<20), "after it") }, deliver: func(b connect.Batch) error {
		if malformed, posts = malformed+b.Malformed, posts+len(b.Posts); posts > 0 {
			cancel()
		}
		return nil
	}})
	if err != nil || malformed != 1 || posts != 1 {
		t.Error(err, malformed, posts)
	}
}
