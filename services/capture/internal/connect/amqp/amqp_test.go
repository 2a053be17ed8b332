package amqp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConnector(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newFake(t) })
}

// run runs a connector on the fake until it has settled that many messages.
func (f *fake) run(t *testing.T, settled int, out connecttest.Into) error {
	t.Helper()
	c, err := f.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, "", out) }()
	for {
		f.mu.Lock()
		n, news := f.settled+len(f.dead), f.news
		f.mu.Unlock()
		if n >= settled {
			cancel()
			return <-done
		}
		select {
		case err := <-done:
			return err
		case <-news:
		}
	}
}

// TestSettled: a message with a post is acknowledged, one without is rejected,
// wherever it stands.
func TestSettled(t *testing.T) {
	f := newFake(t)
	const good = `{"id":"g","text":"t","created_at":1777665600}`
	f.put(&stored{body: "{"}, &stored{body: good}, &stored{body: ""}, &stored{body: "\xff"}, &stored{body: "{\n" + good + "\nnull\n"}, &stored{body: "[]"})
	posts, malformed := 0, 0
	err := f.run(t, 6, func(b connect.Batch) error {
		posts, malformed = posts+len(b.Posts), malformed+b.Malformed
		return nil
	})
	if err != nil || posts != 2 || malformed != 6 || f.settled != 2 {
		t.Error(posts, malformed, f.settled, err)
	}
	slices.Sort(f.dead)
	if want := []string{"", "[]", "{", "\xff"}; !slices.Equal(f.dead, want) {
		t.Errorf("%q are rejected, want %q", f.dead, want)
	}
}

// TestNothingIsAcknowledgedBeforeItIsDurable: what could not be delivered comes
// again, and with the same ids.
func TestNothingIsAcknowledgedBeforeItIsDurable(t *testing.T) {
	f := newFake(t)
	f.put(&stored{id: "m1", at: 1777665600, body: `{"text":"one"}`}, &stored{body: `{"text":"two"}` + "\n" + `{"text":"three"}`})
	away := errors.New("the log is away")
	var runs [2][]string
	keep := func(run int, err error) connecttest.Into {
		return func(b connect.Batch) error {
			for _, p := range b.Posts {
				runs[run] = append(runs[run], p.ID+" "+p.Text)
			}
			return err
		}
	}
	if err := f.run(t, 2, keep(0, away)); !errors.Is(err, away) || f.settled != 0 {
		t.Fatal(err, f.settled)
	}
	if err := f.run(t, 2, keep(1, nil)); err != nil || f.settled != 2 {
		t.Fatal(err, f.settled)
	}
	first := runs[0]
	if len(runs[1]) != 3 || runs[1][0] != "m1 one" || !slices.Equal(first, runs[1][:len(first)]) || len(first) == 0 {
		t.Errorf("%q and then %q", first, runs[1])
	}
}

func TestManyPostsInAMessage(t *testing.T) {
	f := newFake(t)
	var body strings.Builder
	for n := range 1234 {
		fmt.Fprintf(&body, `{"id":"%d","text":"t","created_at":1777665600}`+"\n", n)
	}
	f.put(&stored{body: body.String()})
	var sizes []int
	if err := f.run(t, 1, func(b connect.Batch) error { sizes = append(sizes, len(b.Posts)); return nil }); err != nil {
		t.Error(err)
	}
	if want := []int{500, 500, 234}; !slices.Equal(sizes, want) {
		t.Errorf("%v, want %v", sizes, want)
	}
}

func TestWhatIsRefused(t *testing.T) {
	f := newFake(t)
	for name, change := range map[string]func(map[string]any){
		"password": func(s map[string]any) { s["url"] = strings.Replace(s["url"].(string), ":secret@", ":wrong-word@", 1) },
		"vhost":    func(s map[string]any) { s["url"] = strings.Replace(s["url"].(string), "/tv", "/radio", 1) },
		"queue":    func(s map[string]any) { s["queue"] = "none" },
	} {
		settings := f.settings()
		change(settings)
		c, err := New(settings, connecttest.Env(t))
		if err != nil {
			t.Fatal(err)
		}
		var no *connect.Refused
		if err := c.Run(t.Context(), "", connecttest.Into(nil)); !errors.As(err, &no) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "wrong-word") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One that goes on working after a while is not.
	for _, code := range []uint16{320, 506, 541} {
		f.refuse(code)
		c, err := f.Connector(connecttest.Env(t))
		if err != nil {
			t.Fatal(err)
		}
		var no *connect.Refused
		if err := c.Run(t.Context(), "", connecttest.Into(nil)); err == nil || errors.As(err, &no) {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	c, err := New(map[string]any{"url": "amqp://u:secret@" + l.Addr().String(), "queue": "q"}, connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	var no *connect.Refused
	if err := c.Run(t.Context(), "", connecttest.Into(nil)); err == nil || errors.As(err, &no) || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// TestABrokerThatSaysNothing does not keep the connector from ending.
func TestABrokerThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := New(map[string]any{"url": "amqp://u:p@" + l.Addr().String(), "queue": "q"}, connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, "", connecttest.Into(nil)) }()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	const fine = "amqps://u:hidden@broker.example.org:5671/tv"
	if _, err := New(map[string]any{"url": fine, "queue": "q", "prefetch": 1.0, "heartbeat": 300.0}, connecttest.Env(t)); err != nil {
		t.Error(err)
	}
	for _, bad := range []map[string]any{
		{}, {"url": fine}, {"queue": "q"}, {"url": "http://u:hidden@b", "queue": "q"}, {"url": fine + "?heartbeat=0", "queue": "q"},
		{"url": fine + "?cacertfile=/etc/passwd", "queue": "q"}, {"url": "amqp://u:hidden@b:port", "queue": "q"}, {"url": fine, "queue": "q", "prefetch": 0.0},
		{"url": fine, "queue": "q", "durable": true},
	} {
		if _, err := New(bad, connecttest.Env(t)); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
