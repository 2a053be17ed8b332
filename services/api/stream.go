package api

import (
	"context"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// writeTimeout is how long one message may take to a client before it is given up.
const writeTimeout = 10 * time.Second

// source is what a stream shows.
type source struct {
	// watch is what there is to show and a channel that is closed when there is
	// something else; false when the client may not see it any more.
	watch func() (scene, <-chan struct{}, bool)
	// change names the events of changed figures.
	change string
	// recheck is closed when the right to watch is to be looked at again.
	recheck func() <-chan struct{}
}

// scene is one state of what a stream shows.
type scene struct {
	// of is the same as long as nothing changed.
	of  any
	seq int64
	// setting is what else than figures, words and times there is: where it
	// changes, the event is a phase.
	setting any
	// data is the event's: one line of JSON.
	data func() []byte
}

// setting is a poll's.
type setting struct {
	phase audience.Phase
	round uint32
	shown bool
}

// sceneOf shows a poll's answer.
func sceneOf(a *live.Answer, render func(*live.Answer) []byte) scene {
	return scene{
		of: a, seq: a.Seq, setting: setting{a.Phase, a.Round, a.Shown},
		data: func() []byte { return render(a) },
	}
}

// outlet is the connection of a stream's client. Its methods say whether the client
// is still there; a slow one holds them up, and is then told the newest.
type outlet interface {
	event(name string, id int64, data []byte) bool
	ping(data []byte) bool
}

// ending is why a stream ended.
type ending int

const (
	// gone: the client left, or takes nothing any more.
	gone ending = iota
	// over: the client may not watch any more.
	over
	// stopping: the server stops.
	stopping
)

// enter lets a stream begin, of whatever kind; leave ends it.
func (s *Service) enter() (leave func(), err error) {
	if s.streams.Add(1) > int64(s.cfg.Streams) {
		s.streams.Add(-1)
		return nil, fault.New(fault.Overloaded, "too many event streams are open: poll instead, or try again later").After(5 * time.Second)
	}
	return func() { s.streams.Add(-1) }, nil
}

// follow sends a snapshot and then every change until the client goes, the server
// stops or the right to see it ends. Changes that come faster than Coalesce are
// sent as one: each event is whole.
func (s *Service) follow(ctx context.Context, t *talk, src source) ending {
	heartbeat := time.NewTicker(s.cfg.Heartbeat)
	defer heartbeat.Stop()
	for {
		recheck := src.recheck()
		now, changed, ok := src.watch()
		if !ok {
			return over
		}
		if !t.tell(now, src.change) {
			return gone
		}
		select {
		case <-ctx.Done():
			return gone
		case <-run.Draining(ctx):
			return stopping
		case <-s.sockets.stopping:
			return stopping
		case <-heartbeat.C:
			if !t.ping() {
				return gone
			}
		case <-recheck:
		case <-changed:
			if sleep.For(ctx, s.cfg.Coalesce) != nil {
				return gone
			}
		}
	}
}

// talk is what one client is told.
type talk struct {
	out  outlet
	now  func() time.Time
	seen int64 // seq the client has, from an earlier connection or this one
	last scene
}

// tell sends a scene if the client does not have it. The first event of a
// connection is the snapshot; who comes back with the current one gets a ping.
func (t *talk) tell(now scene, change string) bool {
	was := t.last
	if was.of == now.of {
		return true
	}
	t.last = now
	switch {
	case was.of == nil && t.seen == now.seq:
		return t.ping()
	case was.of == nil:
		return t.event("snapshot", now)
	case was.setting != now.setting:
		return t.event("phase", now)
	}
	return t.event(change, now)
}

func (t *talk) event(name string, now scene) bool {
	t.seen = now.seq
	return t.out.event(name, now.seq, now.data())
}

func (t *talk) ping() bool {
	now := audience.MillisOf(t.now())
	return t.out.ping(fmt.Appendf(nil, "{\"seq\":%d,\"server_time\":%q}", t.last.seq, now.String()))
}

func (s *Service) pollEvents(c *gin.Context) error {
	v := s.viewer(c)
	if _, _, ok := s.watch(v); !ok {
		return s.noAnswer(v.poll)
	}
	render := func(a *live.Answer) []byte {
		r := s.form(&a.Stamp, live.Form{Name: "public"}, func() ([]byte, string) { return publicBody(a), jsonType })
		return timed(r.Body, s.now())
	}
	return s.events(c, source{
		change: "results",
		watch: func() (scene, <-chan struct{}, bool) {
			a, changed, ok := s.watch(v)
			if !ok {
				return scene{}, nil, false
			}
			return sceneOf(a, render), changed, true
		},
		recheck: func() <-chan struct{} { return nil },
	})
}
