package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/google/uuid"
)

// Log is what a Client needs of the log; *eventlog.Log satisfies it with R
// being *eventlog.Reader.
type Log[R Reader] interface {
	// Append returns when the record is durable. After ErrUnavailable it may be
	// or become so.
	Append(ctx context.Context, topic string, partition int32, rec *clamorv1.Record) (int64, error)
	// Bounds are the oldest offset kept and the next one to be written.
	Bounds(ctx context.Context, topic string, partition int32) (oldest, next int64, err error)
	// Read begins at an offset; ErrOffsetGone when that is no longer kept.
	Read(ctx context.Context, topic string, partition int32, from int64) (R, error)
}

// Reader reads on from where Log.Read began.
type Reader interface {
	// Next blocks until there is at least one entry.
	Next(ctx context.Context) ([]eventlog.Entry, error)
	Close() error
}

var _ Log[*eventlog.Reader] = (*eventlog.Log)(nil)

// Client follows the control log and writes to it. Its methods may be called
// from any goroutine.
type Client struct {
	log Log[Reader]
	cfg Config
	now func() time.Time
	l   *slog.Logger

	ready     chan struct{}
	readyOnce sync.Once

	machine *Machine // Run's own

	mu      sync.Mutex
	state   *State
	changed chan struct{}
	waiting map[string]chan Verdict
}

// New makes a client; Run brings it to life. now is the clock that stamps what
// is submitted.
func New[R Reader](log Log[R], cfg Config, now func() time.Time, l *slog.Logger) *Client {
	m := NewMachine()
	return &Client{
		log: anyReader[R]{log}, cfg: cfg, now: now, l: l,
		ready: make(chan struct{}), machine: m, state: m.State(),
		changed: make(chan struct{}), waiting: map[string]chan Verdict{},
	}
}

// anyReader forgets the type of the log's readers.
type anyReader[R Reader] struct{ Log[R] }

func (a anyReader[R]) Read(ctx context.Context, topic string, partition int32, from int64) (Reader, error) {
	return a.Log.Read(ctx, topic, partition, from)
}

// Ready is closed once everything that stood in the log when Run began is
// applied.
func (c *Client) Ready() <-chan struct{} { return c.ready }

// State is the registry as far as the log was read.
func (c *Client) State() *State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Changed is closed at the next change of State. Ask for it before State, or a
// change in between is missed.
func (c *Client) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Wait returns the first state that holds the record at that offset.
func (c *Client) Wait(ctx context.Context, offset int64) (*State, error) {
	for {
		changed := c.Changed()
		if s := c.State(); s.Offset() > offset {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Submit appends an event and returns what became of it, once it has come back
// out of the log: from then on State shows it. The error is a *fault.Error: the
// verdict's own when the event was refused, log-unavailable when the outcome is
// not known, in which case the event may yet turn up. Run must be running.
func (c *Client) Submit(ctx context.Context, e Event) (Verdict, error) {
	if e.ID == "" {
		e.ID = uuid.NewString()
	}
	if e.At == 0 {
		e.At = audience.MillisOf(c.now())
	}
	if err := Check(&e); err != nil {
		return refused(err), err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.SubmitTimeout)
	defer cancel()
	verdict, forget := c.expect(e.ID)
	defer forget()
	_, err := c.log.Append(ctx, eventlog.Control, 0, e.Record())
	if err != nil && !errors.Is(err, eventlog.ErrUnavailable) {
		return Verdict{}, unwritten(err)
	}
	return await(ctx, verdict, err)
}

// unwritten is the fault of an append that surely wrote nothing.
func unwritten(err error) error {
	cause := fmt.Errorf("append to the control log: %w", err)
	switch {
	case errors.Is(err, eventlog.ErrOverloaded):
		return fault.New(fault.Overloaded, "too much is on its way to the log: try again").After(time.Second).Because(cause)
	case errors.Is(err, eventlog.ErrTooLarge):
		return fault.New(fault.BodyTooLarge, "the definition is larger than the log takes").Because(cause)
	}
	return unknown(cause)
}

func unknown(cause error) error {
	return fault.New(fault.LogUnavailable, "the log did not answer in time: look at the current state before trying again").
		After(time.Second).Because(cause)
}

// await waits for the verdict even where the append was not acknowledged: the
// record may be in the log all the same.
func await(ctx context.Context, verdict <-chan Verdict, appended error) (Verdict, error) {
	select {
	case v := <-verdict:
		if v.Err != nil {
			return v, v.Err
		}
		return v, nil
	case <-ctx.Done():
		return Verdict{}, unknown(errors.Join(appended, ctx.Err()))
	}
}

func (c *Client) expect(id string) (<-chan Verdict, func()) {
	verdict := make(chan Verdict, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting[id] = verdict
	return verdict, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, id)
	}
}
