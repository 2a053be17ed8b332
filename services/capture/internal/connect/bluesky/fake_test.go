package bluesky

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
	"github.com/coder/websocket"
)

// jetstream is a fake of a Jetstream server.
type jetstream struct {
	faketest.Air
	faketest.Limit
	faketest.Failure
	faketest.Calm
	server *httptest.Server
	quiet  time.Duration

	mu    sync.Mutex
	clock int64 // time_us
	last  string
	close *websocket.CloseError // what the next connection ends with
	query []string              // of each connection
}

func newJetstream(t *testing.T) *jetstream {
	j := &jetstream{clock: time.Now().UnixMicro(), quiet: 300 * time.Millisecond}
	j.server = httptest.NewServer(http.HandlerFunc(j.serve))
	t.Cleanup(j.server.Close)
	return j
}

func (*jetstream) Resends() {}

func (j *jetstream) settings() map[string]any {
	return map[string]any{"url": "ws" + strings.TrimPrefix(j.server.URL, "http") + "/subscribe"}
}

func (j *jetstream) Connector(env connect.Env) (connect.Connector, error) {
	c, err := open(j.settings(), env)
	c.quiet = j.quiet
	return c, err
}

// event is a message around what is special about it; the format is that of
// Jetstream's documentation.
func (j *jetstream) event(did, kind string, of any) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.clock += 1000
	return eventAt(j.clock, did, kind, of)
}

func eventAt(us int64, did, kind string, of any) string {
	text, err := json.Marshal(map[string]any{"did": did, "time_us": us, "kind": kind, kind: of})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func create(rkey string, record map[string]any) map[string]any {
	record["$type"] = collection
	return map[string]any{
		"rev": "3l3qo2vutsw2b", "operation": "create", "collection": collection, "rkey": rkey, "record": record,
		"cid": "bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi",
	}
}

func (j *jetstream) Say(texts ...string) {
	for _, text := range texts {
		at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		m := j.event("did:plc:eygmaihciaxprqvxpfvl6flk", "commit",
			create(fmt.Sprintf("3l3qo%08x", len(j.Messages())), map[string]any{"text": text, "createdAt": at, "langs": []string{"en"}}))
		j.mu.Lock()
		j.last = m
		j.mu.Unlock()
		j.Publish(m)
	}
}

func (j *jetstream) Duplicate() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Publish(j.last)
}

// said is the event of a post by its text.
func (j *jetstream) said(text string) (e event) {
	for _, m := range j.Messages() {
		if strings.Contains(m, text) {
			_ = json.Unmarshal([]byte(m), &e)
		}
	}
	return e
}

func (j *jetstream) Delete(text string) {
	e := j.said(text)
	j.Publish(j.event(e.DID, "commit", map[string]any{"rev": "3l3qo2vutsw2c", "operation": "delete", "collection": collection, "rkey": e.Commit.RKey}))
}

func (j *jetstream) DeleteNothing() {
	j.Publish(j.event("did:plc:x", "commit", map[string]any{"rev": "3l3qo2vutsw2c", "operation": "delete", "collection": collection}))
}

// Late is an event with a time_us before others.
func (j *jetstream) Late(text string) {
	j.mu.Lock()
	us := j.clock - 1500
	j.mu.Unlock()
	j.Publish(eventAt(us, "did:plc:late", "commit", create("late", map[string]any{"text": text, "createdAt": "1970-01-01T00:00:01Z"})))
}

func (j *jetstream) Malformed() {
	j.Publish(`{"did":"did:plc:x","time_us":17`, j.event("did:plc:x", "commit", create("1", map[string]any{"text": 7})))
}

// rawConn keeps the connection that a WebSocket took over, to break off within a
// frame.
type rawConn struct {
	http.ResponseWriter
	conn net.Conn
}

func (r *rawConn) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	r.conn = conn
	return conn, rw, err
}

func (j *jetstream) refuse(w http.ResponseWriter) bool {
	if until, ok := j.Until(); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(time.Until(until)/time.Second)))
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	if j.Slowing() {
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	if j.Failing() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	return false
}

// first is the first message that a cursor asks for.
func (j *jetstream) first(cursor string) int {
	us, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || us > time.Now().Add(time.Minute).UnixMicro() {
		return -1
	}
	for i, m := range j.Messages() {
		var e event
		if json.Unmarshal([]byte(m), &e) == nil && e.TimeUS >= us {
			return i
		}
	}
	return -1
}

func (j *jetstream) serve(w http.ResponseWriter, r *http.Request) {
	if j.refuse(w) {
		return
	}
	j.mu.Lock()
	j.query = append(j.query, r.URL.RawQuery)
	end := j.close
	j.close = nil
	j.mu.Unlock()
	line := j.Connect(j.first(r.URL.Query().Get("cursor")))
	raw := &rawConn{ResponseWriter: w}
	conn, err := websocket.Accept(raw, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool { return !line.Silent() },
	})
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	if end != nil {
		_ = conn.Close(end.Code, end.Reason)
		return
	}
	ctx := conn.CloseRead(r.Context())
	for {
		message, ok, broken := line.Next(ctx)
		switch {
		case broken:
			// A text frame of 1024 bytes that ends after ten.
			_, _ = raw.conn.Write(append([]byte{0x81, 126, 4, 0}, `{"did":"di`...))
			return
		case !ok:
			return
		}
		if conn.Write(ctx, websocket.MessageText, []byte(message)) != nil {
			return
		}
	}
}
