// Package live keeps one answer for each audience of every poll, merged from the
// batch view and the speed view, and replaces it when something changed.
//
// Its one trick is the order of reading: a generation is taken up first, then
// each partition's speed epochs from that generation's number on. Every ballot
// is in exactly one of the two, whatever is published or counted in between. A
// part that cannot be read keeps its last good value and the answer says so.
package live

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
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/api/internal/latest"
)

// Control is the registry.
type Control interface {
	State() *control.State
	Changed() <-chan struct{}
}

// Speed is the speed view.
type Speed interface {
	Position(ctx context.Context, topic string, partition int32) (speed.Position, error)
	Read(ctx context.Context, topic string, partition int32, fromEpoch uint64) (speed.Slice, error)
	ReadSeries(ctx context.Context, topic string, partition int32, fromEpoch uint64) (speed.Slice, error)
}

// Views is what batch published.
type Views interface {
	Generation(ctx context.Context, number uint64) (*views.Generation, error)
	Sealed(ctx context.Context, key audience.RoundKey) (*views.SealedRound, error)
}

// Deps are what a Board reads.
type Deps struct {
	Control    Control
	Speed      Speed
	Views      Views
	Partitions int // of ballots
	// End is the next offset to be written to a partition of ballots.
	End func(ctx context.Context, partition int32) (int64, error)
	Now func() time.Time
	Log *slog.Logger
}

// Config says how often a Board reads.
type Config struct {
	Refresh       time.Duration
	ReadTimeout   time.Duration
	SeriesRefresh time.Duration
}

// ErrNotYet says that an answer cannot be merged: a store has never answered.
var ErrNotYet = errors.New("the views of this round could not be read yet")

// Board is the answers. Its methods may be called from any goroutine.
type Board struct {
	cfg   Config
	deps  Deps
	ready chan struct{}
	// patience is how long a poll without answers holds back the others.
	patience time.Duration

	merged atomic.Pointer[merged]
	curves atomic.Pointer[curves]
	sealed sync.Map // audience.RoundKey → *views.SealedRound
	polls  sync.Map // poll id → *subject
	fresh  chan struct{}
	health atomic.Pointer[Health]

	mu   sync.Mutex // presenting
	past map[pastKey]*Answer
}

type pastKey struct {
	audience.RoundKey

	face Face
}

// New makes an empty board; Run fills it.
func New(cfg Config, deps Deps) *Board {
	b := &Board{
		cfg: cfg, deps: deps, ready: make(chan struct{}), fresh: make(chan struct{}, 1),
		past: map[pastKey]*Answer{}, patience: patience,
	}
	b.curves.Store(&curves{})
	b.health.Store(&Health{})
	return b
}

// Ready is closed when every poll has its first answer.
func (b *Board) Ready() <-chan struct{} { return b.ready }

// Answer is a poll's current one.
func (b *Board) Answer(poll string, face Face) (*Answer, bool) {
	s := b.subject(poll)
	if s == nil {
		return nil, false
	}
	a := s.faces[face].Get()
	return a, a != nil
}

// Watch is the current answer and a channel that is closed when there is
// another.
func (b *Board) Watch(poll string, face Face) (*Answer, <-chan struct{}, bool) {
	s := b.subject(poll)
	if s == nil {
		return nil, nil, false
	}
	a, changed := s.faces[face].Watch()
	return a, changed, a != nil
}

// subject finds a poll's answers; those of a poll made just now are made now.
func (b *Board) subject(poll string) *subject {
	if s, ok := b.polls.Load(poll); ok {
		return s.(*subject)
	}
	state := b.deps.Control.State()
	p, ok := state.Poll(poll)
	if !ok {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.merged.Load(); m != nil {
		b.present(m, state, p, audience.MillisOf(b.deps.Now()))
	}
	if s, ok := b.polls.Load(poll); ok {
		return s.(*subject)
	}
	return nil
}

// Curve is a round's votes by time.
func (b *Board) Curve(ctx context.Context, key audience.RoundKey) (*tally.Round, error) {
	state := b.deps.Control.State()
	if sealed, err := b.seal(ctx, state, key); err != nil {
		return nil, err
	} else if sealed != nil {
		return sealed.Round, nil
	}
	return b.curves.Load().of(key), nil
}

// subject is one poll's answers.
type subject struct {
	faces [faces]latest.Value[Answer]
	// input is what the answers were made from, to see that nothing changed.
	input input
}
