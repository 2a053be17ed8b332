// Package listen keeps a picture of every topic, merged from the batch view and
// the speed view, and replaces it when something changed.
//
// Its one trick is the trick of the polls' board: a generation is taken up first,
// then each partition's speed minutes of the epochs from that generation's cut on,
// so that every post is in exactly one of the two. Minutes are read once and
// kept; a look at the stores brings only those that changed. Those from before the
// horizon are read when somebody asks, from the generation of the picture at hand.
package listen

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/api/internal/latest"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// Control is the registry.
type Control interface {
	State() *control.State
	Changed() <-chan struct{}
}

// Speed is the speed view of posts.
type Speed interface {
	ReadMinutes(ctx context.Context, log string, partition int32, fromEpoch uint64, since speed.Position) (speed.Minutes, error)
	Recent(ctx context.Context, log string, partition int32, topic string, limit int) ([]speed.RecentPost, error)
}

// Views is what batch published.
type Views interface {
	Generation(ctx context.Context, number uint64) (*views.Generation, error)
	Pieces(ctx context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error)
}

// Deps are what a Hub reads.
type Deps struct {
	Control    Control
	Speed      Speed
	Views      Views
	Partitions int // of posts
	// End is the next offset to be written to a partition of posts.
	End func(ctx context.Context, partition int32) (int64, error)
	// Archived are the newest posts of a topic, of those that a generation has; nil:
	// none can be found. It may be slow, and it may fail.
	Archived func(ctx context.Context, topic string, generation uint64, most int) ([]speed.RecentPost, error)
	Now      func() time.Time
	Log      *slog.Logger
}

// Config says how often a Hub reads and how much it holds.
type Config struct {
	Refresh     time.Duration
	ReadTimeout time.Duration
	// Horizon is how far back minutes are held.
	Horizon time.Duration
	// Minutes bounds how many are held of all topics together; beyond it the
	// horizon is nearer.
	Minutes int
	// PastBytes is how much is kept of what was read from before the horizon, and
	// PastTimeout how long one answer may take to read it.
	PastBytes   int
	PastTimeout time.Duration
	// ShownFor is how long posts that somebody looked at are remembered, and
	// ShownBytes how much memory they may take.
	ShownFor   time.Duration
	ShownBytes int
}

// ErrNotYet says that no picture of the topic can be had: a store has never
// answered.
var ErrNotYet = errors.New("the views of this topic could not be read yet")

// Hub is the pictures. Its methods may be called from any goroutine.
type Hub struct {
	cfg    Config
	deps   Deps
	ready  chan struct{}
	rooms  sync.Map // topic id → *room
	health atomic.Pointer[Health]
	lists  lists
	shown  shown
	past   readers
}

// New makes an empty hub; Run fills it.
func New(cfg Config, deps Deps) *Hub {
	h := &Hub{cfg: cfg, deps: deps, ready: make(chan struct{})}
	h.lists.byTopic, h.lists.sieves = map[string]*list{}, map[string]*sieve{}
	h.past = readers{pieces: newPieces(deps.Views, cfg.ReadTimeout, cfg.PastBytes), turns: make(chan struct{}, pastAtOnce)}
	h.health.Store(&Health{})
	return h
}

// Health is how the views of posts stand.
type Health struct {
	Generation uint64
	// WholeAt is when all parts were last there; 0: never.
	WholeAt   audience.Millis
	Positions []speed.Position
	// SpeedErr and ViewsErr say what is missing.
	SpeedErr, ViewsErr error
	// Minutes is how many are held of all topics.
	Minutes int
}

// Health is the latest look at the stores.
func (h *Hub) Health() Health { return *h.health.Load() }

// Ready is closed when every topic has its first picture.
func (h *Hub) Ready() <-chan struct{} { return h.ready }

// Picture is a topic's current one; that of a topic made just now is blank.
func (h *Hub) Picture(topic string) (*Picture, bool) {
	if r := h.room(topic); r != nil {
		if p := r.Get(); p != nil {
			return p, true
		}
	}
	return h.blank(topic)
}

// Watch is the current picture and a channel that is closed when there is
// another.
func (h *Hub) Watch(topic string) (*Picture, <-chan struct{}, bool) {
	if r := h.room(topic); r != nil {
		if p, changed := r.Watch(); p != nil {
			return p, changed, true
		}
	}
	p, ok := h.blank(topic)
	return p, h.deps.Control.Changed(), ok
}

// blank is the picture of a topic that nobody has looked at yet.
func (h *Hub) blank(id string) (*Picture, bool) {
	state, now := h.deps.Control.State(), audience.MillisOf(h.deps.Now())
	t, ok := state.Topic(id)
	if !ok {
		return nil, false
	}
	p := &Picture{
		Stamp: live.NewStamp(1000*(h.reach()+state.Offset())+int64(now)/60, now), Topic: t, Now: topic.MinuteOf(now),
		From: topic.MinuteOf(now) - int64(h.cfg.Horizon/time.Minute) + 1, Stale: true, Partial: true, Control: state.Offset(),
		Offsets: map[int32]int64{}, sums: &sums{},
	}
	if show, ok := state.Show(t.Show); ok {
		p.Show = show.Show
	}
	return p, true
}

func (h *Hub) room(topic string) *room {
	if r, ok := h.rooms.Load(topic); ok {
		return r.(*room)
	}
	return nil
}

// room is where a topic's picture hangs.
type room = latest.Value[Picture]
