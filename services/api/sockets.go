package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/fault"
)

// resumeQuery names the last event that a WebSocket's client has: browsers let it
// set no headers.
const resumeQuery = "last_event_id"

// sockets are the WebSockets that are open. An HTTP server neither stops nor awaits
// connections that it handed over, so the service does.
type sockets struct {
	mu       sync.Mutex
	stopped  bool
	open     sync.WaitGroup
	stopping chan struct{}
}

func newSockets() *sockets { return &sockets{stopping: make(chan struct{})} }

// add lets one be opened, unless the service has stopped.
func (s *sockets) add() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.open.Add(1)
	}
	return !s.stopped
}

// stop says goodbye to all of them and waits until they are closed.
func (s *sockets) stop() {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stopping)
	}
	s.mu.Unlock()
	s.open.Wait()
}

// socket sends a stream over a WebSocket. It is read only: a client that sends data
// is sent away.
func (s *Service) socket(c *gin.Context, src source) error {
	if err := upgrades(c.Request); err != nil {
		return err
	}
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	if !s.sockets.add() {
		return fault.New(fault.Unavailable, "the server is stopping: connect again").After(time.Second)
	}
	defer s.sockets.open.Done()
	t := &talk{now: s.deps.Now}
	t.seen, _ = strconv.ParseInt(c.Query(resumeQuery), 10, 64)
	if last := c.GetHeader("Last-Event-ID"); last != "" {
		t.seen, _ = strconv.ParseInt(last, 10, 64)
	}
	// Feeds are for everybody who has the address, whatever page shows them.
	conn, err := websocket.Accept(c.Writer, c.Request, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return nil // Accept has answered
	}
	// The request's context ends with the server, before goodbye is said.
	ctx, client := hear(context.WithoutCancel(c.Request.Context()), conn)
	defer client.wait()
	defer func() { _ = conn.CloseNow() }() // if it is not closed yet
	t.out = &socketWriter{ctx, conn}
	why := s.follow(ctx, t, src)
	code, reason := goodbye(why, client.spoke())
	_ = conn.Close(code, reason) // who has gone hears nothing
	return nil
}

// goodbye is what a client is told at the end.
func goodbye(why ending, spoke bool) (websocket.StatusCode, string) {
	switch {
	case spoke:
		return websocket.StatusPolicyViolation, "nothing is to be sent here"
	case why == over:
		return websocket.StatusPolicyViolation, "there is no such feed any more"
	case why == stopping:
		return websocket.StatusGoingAway, "the server is stopping: connect again"
	}
	return websocket.StatusGoingAway, "nobody takes what is sent"
}

// upgrades says what hinders a handshake, as a problem like any other.
func upgrades(r *http.Request) error {
	has := func(key, want string) bool {
		return slices.ContainsFunc(strings.Split(strings.Join(r.Header.Values(key), ","), ","), func(token string) bool {
			return strings.EqualFold(strings.TrimSpace(token), want)
		})
	}
	switch {
	case !r.ProtoAtLeast(1, 1), !has("Connection", "upgrade"), !has("Upgrade", "websocket"):
		return fault.New(fault.BadRequest, "this is the address of a WebSocket: connect to it with ws:// or wss://")
	case !has("Sec-WebSocket-Version", "13"):
		return fault.New(fault.BadRequest, "only version 13 of WebSocket is spoken")
	}
	nonce, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	if err != nil || len(nonce) != 16 || len(r.Header.Values("Sec-WebSocket-Key")) > 1 {
		return fault.New(fault.BadRequest, "the handshake needs one Sec-WebSocket-Key of 16 bytes in base64")
	}
	return nil
}

// ears listen to a client: its pongs and its goodbye are heard only while somebody
// reads.
type ears struct {
	done   chan struct{}
	silent bool // written before done is closed
}

// hear listens until the client goes or sends data, and then ends the context.
func hear(ctx context.Context, conn *websocket.Conn) (context.Context, *ears) {
	ctx, cancel := context.WithCancel(ctx)
	e := &ears{done: make(chan struct{})}
	go func() {
		defer cancel()
		defer close(e.done)
		_, _, err := conn.Reader(context.WithoutCancel(ctx)) // Close ends it
		e.silent = err != nil
	}()
	return ctx, e
}

// spoke says whether the client has sent data.
func (e *ears) spoke() bool {
	select {
	case <-e.done:
		return !e.silent
	default:
		return false
	}
}

func (e *ears) wait() { <-e.done }

// socketWriter writes events as text messages of JSON.
type socketWriter struct {
	ctx  context.Context // ends when the client goes, or speaks
	conn *websocket.Conn
}

func (w *socketWriter) event(name string, id int64, data []byte) bool {
	return w.write(fmt.Appendf(nil, `{"event":%q,"id":%d,"data":%s}`, name, id, data))
}

// ping is a message, for those whose library keeps the protocol's pings to itself,
// and the protocol's own, which is to be answered.
func (w *socketWriter) ping(data []byte) bool {
	if !w.write(fmt.Appendf(nil, `{"event":"ping","data":%s}`, data)) {
		return false
	}
	ctx, cancel := context.WithTimeout(w.ctx, writeTimeout)
	defer cancel()
	return w.conn.Ping(ctx) == nil
}

func (w *socketWriter) write(message []byte) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), writeTimeout) // or goodbye could not be said
	defer cancel()
	return w.conn.Write(ctx, websocket.MessageText, message) == nil
}
