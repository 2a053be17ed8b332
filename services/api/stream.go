package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// writeTimeout is how long one event may take to a client before it is given up.
const writeTimeout = 10 * time.Second

// source is what a stream shows.
type source struct {
	// watch is the current answer and a channel that is closed at the next;
	// false when the client may not see it any more.
	watch func() (*live.Answer, <-chan struct{}, bool)
	// render is the answer as an event's data: one line of JSON.
	render func(*live.Answer) []byte
	// recheck is closed when the right to watch is to be looked at again.
	recheck func() <-chan struct{}
}

// stream sends a snapshot and then every change until the client goes, the
// server stops or the right to see it ends. Changes that come faster than
// Coalesce are sent as one: each event is whole.
func (s *Service) stream(c *gin.Context, src source) error {
	if s.streams.Add(1) > int64(s.cfg.Streams) {
		s.streams.Add(-1)
		return fault.New(fault.Overloaded, "too many event streams are open: poll instead, or try again later").After(5 * time.Second)
	}
	defer s.streams.Add(-1)
	h := c.Writer.Header()
	h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	h["Cache-Control"] = noCache
	h["Access-Control-Allow-Origin"] = anyOrigin
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	c.Writer.WriteHeader(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return nil
	}
	t := &talk{w: c.Writer, rc: http.NewResponseController(c.Writer), now: s.deps.Now}
	t.seen, _ = strconv.ParseInt(c.GetHeader("Last-Event-ID"), 10, 64)
	s.follow(c.Request.Context(), t, src)
	return nil
}

func (s *Service) follow(ctx context.Context, t *talk, src source) {
	heartbeat := time.NewTicker(s.cfg.Heartbeat)
	defer heartbeat.Stop()
	for {
		recheck := src.recheck()
		a, changed, ok := src.watch()
		if !ok {
			return
		}
		if !t.tell(a, src) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-run.Draining(ctx):
			return
		case <-heartbeat.C:
			if !t.ping() {
				return
			}
		case <-recheck:
		case <-changed:
			if !pause(ctx, s.cfg.Coalesce) {
				return
			}
		}
	}
}

// pause waits, unless the client goes.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// talk is one client's stream.
type talk struct {
	w    gin.ResponseWriter
	rc   *http.ResponseController
	now  func() time.Time
	seen int64 // seq the client has, from an earlier connection or this one
	last *live.Answer
}

// tell sends the answer if the client does not have it. The first event of a
// connection is the snapshot; who comes back with the current one gets a ping.
func (t *talk) tell(a *live.Answer, src source) bool {
	if t.last == a {
		return true
	}
	first := t.last == nil
	was := t.last
	t.last = a
	switch {
	case first && t.seen == a.Seq:
		return t.ping()
	case first:
		return t.event("snapshot", a, src)
	case phased(was, a):
		return t.event("phase", a, src)
	}
	return t.event("results", a, src)
}

// phased says whether more changed than figures, words and times.
func phased(a, b *live.Answer) bool {
	return a.Phase != b.Phase || a.Round != b.Round || a.Shown != b.Shown
}

func (t *talk) event(name string, a *live.Answer, src source) bool {
	t.seen = a.Seq
	return t.write(fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", a.Seq, name, src.render(a)))
}

func (t *talk) ping() bool {
	now := audience.MillisOf(t.now())
	return t.write(fmt.Appendf(nil, "event: ping\ndata: {\"seq\":%d,\"server_time\":%q}\n\n", t.last.Seq, now.String()))
}

func (t *talk) write(frame []byte) bool {
	_ = t.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // a writer without deadlines still writes
	if _, err := t.w.Write(frame); err != nil {
		return false
	}
	return t.rc.Flush() == nil
}

func (s *Service) pollEvents(c *gin.Context) error {
	id, face := c.Param("poll"), s.viewer(c)
	if _, ok := s.board.Answer(id, face); !ok {
		return s.noAnswer(id)
	}
	return s.stream(c, source{
		watch: func() (*live.Answer, <-chan struct{}, bool) { return s.board.Watch(id, face) },
		render: func(a *live.Answer) []byte {
			r := s.form(&a.Stamp, live.Form{Name: "public"}, func() ([]byte, string) { return publicBody(a), jsonType })
			return timed(r.Body, s.now())
		},
		recheck: func() <-chan struct{} { return nil },
	})
}
