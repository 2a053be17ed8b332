package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/services/api"
)

// socket is a client of a WebSocket.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
}

// dial opens a WebSocket; it ends with the test.
func dial(t testing.TB, address string, o *websocket.DialOptions) *socket {
	t.Helper()
	conn, res, err := websocket.Dial(t.Context(), address, o)
	must(t, err)
	if res.Header.Get("X-Request-Id") == "" {
		t.Errorf("%v", res.Header)
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{t, conn}
}

func (r *rig) socketURL(path string) string {
	return "ws" + strings.TrimPrefix(r.server.URL, "http") + path
}

func (r *rig) dial(path string) *socket {
	r.t.Helper()
	return dial(r.t, r.socketURL(path), nil)
}

type message struct {
	Event string         `json:"event"`
	ID    *int64         `json:"id"`
	Data  map[string]any `json:"data"`
}

// read gives the next message, or why there is none.
func (s *socket) read() (message, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	kind, body, err := s.conn.Read(ctx)
	if err != nil {
		return message{}, err
	}
	var m message
	must(s.t, json.Unmarshal(body, &m))
	if kind != websocket.MessageText || m.Data == nil || (m.ID == nil) != (m.Event == "ping") {
		s.t.Errorf("%v %s", kind, body)
	}
	return m, nil
}

// next is the next message with one of the names.
func (s *socket) next(names ...string) message {
	s.t.Helper()
	for {
		m, err := s.read()
		if err != nil {
			s.t.Fatalf("no %v: %v", names, err)
		}
		for _, name := range names {
			if m.Event == name {
				return m
			}
		}
	}
}

// closes holds the code that the socket is closed with.
func (s *socket) closes(want websocket.StatusCode) {
	s.t.Helper()
	for {
		if _, err := s.read(); err != nil {
			if got := websocket.CloseStatus(err); got != want {
				s.t.Fatalf("closed with %v: %v", got, err)
			}
			return
		}
	}
}

func TestAPollsSocket(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	token := r.feed(map[string]any{"id": "gfx", "aliases": map[string]string{"votes": "f_votes"}})
	s := r.dial("/feeds/" + token + "/polls/p7/ws")
	plain := dial(t, r.socketURL("/feeds/-/polls/p7/ws?plain=1"), &websocket.DialOptions{HTTPHeader: http.Header{
		"Authorization": {"Bearer " + token}, "Origin": {"https://graphics.example"},
	}})
	if m := s.next("snapshot"); m.Data["poll_id"] != "p7" || len(m.Data["options"].([]any)) != 3 || m.Data["phase"] != "standby" {
		t.Fatalf("%v", m)
	}
	if m := plain.next("snapshot"); m.Data["options"].([]any)[0].(map[string]any)["votes"] != 0.0 {
		t.Fatalf("%v", m)
	}
	r.order("p7", "open")
	if m := s.next("phase"); m.Data["phase"] != "open" {
		t.Fatalf("%v", m)
	}
	r.cast("p7", 1, 1)
	m := s.next("results")
	for m.Data["total_votes"] != 1.0 {
		m = s.next("results")
	}
	if int64(m.Data["seq"].(float64)) != *m.ID {
		t.Fatalf("%v", m)
	}
	path := "/feeds/" + token + "/polls/p7/ws?last_event_id="
	if first, err := r.dial(path + fmt.Sprint(*m.ID)).read(); err != nil || first.Event != "ping" {
		t.Fatalf("it has what is current: %v %v", first, err)
	}
	if first, err := r.dial(path + "1").read(); err != nil || first.Event != "snapshot" || *first.ID != *m.ID {
		t.Fatalf("%v %v", first, err)
	}
}

func TestATopicsSocket(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	token := r.feed(nil)
	r.until("/v1/topics/goal/stats", posts(0))
	path := "/feeds/" + token + "/topics/goal/ws?window=10m&by=word"
	s := r.dial(path)
	if m := s.next("snapshot"); m.Data["topic_id"] != "goal" || m.Data["posts"] != 0.0 || m.Data["minutes"] != 10.0 {
		t.Fatalf("%v", m)
	}
	r.say("1", author(1), "what a goal")
	m := s.next("stats")
	if m.Data["posts"] != 1.0 {
		t.Fatalf("%v", m)
	}
	if first, err := r.dial(path + "&last_event_id=" + fmt.Sprint(*m.ID)).read(); err != nil || first.Event != "ping" {
		t.Fatalf("%v %v", first, err)
	}
}

func TestSocketsAreListed(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.about("goal", "goal", nil)
	token := r.feed(nil)
	r.until("/v1/topics/goal/stats", posts(0))
	list := r.get("/feeds/"+token, anonymous).is(200, "")
	for path, want := range map[string]string{"polls.0.urls.ws": "/polls/p7/ws", "topics.0.urls.ws": "/topics/goal/ws"} {
		url := list.text(path)
		if url != r.socketURL("/feeds/"+token+want) {
			t.Fatalf("%s: %q", path, url)
		}
		dial(t, url, nil).next("snapshot")
	}
	if a := r.get("/feeds/"+token, anonymous, header("X-Forwarded-Proto", "https")); !strings.HasPrefix(a.text("topics.0.urls.ws"), "ws://") {
		t.Fatal("whoever is no trusted proxy says nothing of the scheme")
	}
}

func TestWhoMayNotOpenASocket(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.Streams = 1 })
	r.stage("p7", nil)
	token := r.feed(nil)
	path := "/feeds/" + token + "/polls/p7/ws"
	handshake := func(change map[string]string) []option {
		options := []option{anonymous}
		for key, value := range map[string]string{
			"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			if other, ok := change[key]; ok {
				value = other
			}
			options = append(options, header(key, value))
		}
		return options
	}
	r.get("/feeds/wrong/polls/p7/ws", handshake(nil)...).is(404, "not-found")
	r.get("/feeds/"+token+"/polls/none/ws", handshake(nil)...).is(404, "not-found")
	r.get("/feeds/"+token+"/topics/none/ws", handshake(nil)...).is(404, "not-found")
	r.get(path, anonymous).is(400, "bad-request")
	r.get(path, handshake(map[string]string{"Sec-WebSocket-Version": "8"})...).is(400, "bad-request")
	r.get(path, handshake(map[string]string{"Upgrade": "h2c"})...).is(400, "bad-request")
	r.get(path, handshake(map[string]string{"Sec-WebSocket-Key": "short"})...).is(400, "bad-request")
	s := r.dial(path)
	s.next("snapshot")
	r.get(path, handshake(nil)...).is(503, "overloaded")
	r.get("/feeds/"+token+"/polls/p7/events", anonymous).is(503, "overloaded") // one bound for both
	must(t, s.conn.Close(websocket.StatusNormalClosure, ""))
	again := time.After(5 * time.Second)
	for {
		conn, _, err := websocket.Dial(t.Context(), r.socketURL(path), nil)
		if err == nil {
			_ = conn.CloseNow()
			return
		}
		select {
		case <-again:
			t.Fatal(err)
		case <-time.After(3 * time.Millisecond):
		}
	}
}

func TestASocketIsReadOnly(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	token := r.feed(nil)
	for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
		s := r.dial("/feeds/" + token + "/polls/p7/ws")
		s.next("snapshot")
		must(t, s.conn.Write(t.Context(), kind, []byte(strings.Repeat("vote", 20_000))))
		s.closes(websocket.StatusPolicyViolation)
	}
}

func TestARevokedSocketIsClosed(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.about("goal", "goal", nil)
	token := r.feed(map[string]any{"id": "gfx"})
	r.until("/v1/topics/goal/stats", posts(0))
	poll, topic := r.dial("/feeds/"+token+"/polls/p7/ws"), r.dial("/feeds/"+token+"/topics/goal/ws")
	poll.next("snapshot")
	topic.next("snapshot")
	began := time.Now()
	r.do(http.MethodDelete, "/v1/destinations/gfx", nil).is(204, "")
	poll.closes(websocket.StatusPolicyViolation)
	topic.closes(websocket.StatusPolicyViolation)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("after %v", took)
	}
}

func TestSocketsArePinged(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.Heartbeat = time.Second })
	r.stage("p7", nil)
	var pings atomic.Int64
	s := dial(t, r.socketURL("/feeds/"+r.feed(nil)+"/polls/p7/ws"), &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool { pings.Add(1); return true },
	})
	s.next("snapshot")
	if m := s.next("ping"); m.Data["server_time"] == nil || m.Data["seq"] == nil {
		t.Fatalf("%v", m)
	}
	s.next("ping") // so the first was answered
	if pings.Load() == 0 {
		t.Error("no ping of the protocol")
	}
}

// TestASlowSocketIsToldTheNewest: what came while it did not read is left out.
func TestASlowSocketIsToldTheNewest(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: r.api.Handler(), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(narrow{l}) }()
	t.Cleanup(func() { _ = server.Close() })
	s := dial(t, "ws://"+l.Addr().String()+"/feeds/"+r.feed(nil)+"/polls/p7/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: narrowly}},
	})
	s.next("snapshot")
	const most = 100
	for i := range most {
		r.cast("p7", i+1, 1)
		r.until("/v1/polls/p7/results", votes(int64(i+1)))
	}
	told := 0
	for m := s.next("results"); m.Data["total_votes"] != float64(most); m = s.next("results") {
		told++
	}
	if told > most/2 {
		t.Errorf("%d messages for %d ballots", told, most)
	}
}

// narrow is a listener whose connections hold little.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(4096)
	}
	return conn, err
}

func narrowly(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(4096)
	}
	return conn, err
}

// TestSocketsAreToldThatTheServerStops: with 1001, whether it is the HTTP server that
// stops first or the service.
func TestSocketsAreToldThatTheServerStops(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		r := newRig(t)
		r.stage("p7", nil)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		stopped := make(chan error, 1)
		go func() { stopped <- run.HTTP(l, r.api.Handler(), run.DefaultServerConfig()).Run(ctx) }()
		defer cancel()
		s := dial(t, "ws://"+l.Addr().String()+"/feeds/"+r.feed(nil)+"/polls/p7/ws", nil)
		s.next("snapshot")
		cancel()
		s.closes(websocket.StatusGoingAway)
		if err := <-stopped; err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
	t.Run("service", func(t *testing.T) {
		r := newRig(t)
		r.stage("p7", nil)
		s := r.dial("/feeds/" + r.feed(nil) + "/polls/p7/ws")
		s.next("snapshot")
		stopped := make(chan struct{})
		go func() { defer close(stopped); r.stop() }()
		s.closes(websocket.StatusGoingAway)
		wait(t, stopped)
	})
}
