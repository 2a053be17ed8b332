// Package run starts the parts of a process in order and stops them in reverse.
// It is the only place that ends a process.
package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Runner is a part of a process. Run blocks until ctx is cancelled, drains, and
// returns nil on a clean stop.
type Runner interface {
	Run(ctx context.Context) error
}

// Func is a Runner of one function.
type Func func(ctx context.Context) error

// Run calls f.
func (f Func) Run(ctx context.Context) error { return f(ctx) }

// readier is a Runner that says when it is of use: the group waits for it
// before it starts the next part.
type readier interface {
	Ready() <-chan struct{}
}

// DefaultStopTimeout is how long a group waits for its parts to stop.
const DefaultStopTimeout = 25 * time.Second

// Group runs parts together. The zero Group is ready to use; a Group runs once.
type Group struct {
	// StopTimeout bounds the whole stop; 0 means DefaultStopTimeout. Parts that
	// need longer are named in the error and left behind.
	StopTimeout time.Duration

	parts []*part
}

type part struct {
	name   string
	runner Runner
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Add puts r behind the parts added before. It is not called after Run.
func (g *Group) Add(name string, r Runner) {
	g.parts = append(g.parts, &part{name: name, runner: r})
}

// Run starts the parts in order, each once the one before it is ready (a part
// without a Ready channel is so at once). When ctx ends or a part fails it stops
// them in reverse, each only when the one behind it has stopped. A part that
// returns nil by itself has simply finished. It returns the failures.
func (g *Group) Run(ctx context.Context) error {
	events := make(chan *part, len(g.parts))
	started := g.start(ctx, events)
	g.watch(ctx, started, events)
	return g.stop(started)
}

// start returns the parts it got to.
func (g *Group) start(ctx context.Context, events chan *part) []*part {
	for i, p := range g.parts {
		// The parts' contexts do not end with ctx: the group ends them, in order.
		var own context.Context
		own, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
		p.done = make(chan struct{})
		go func() {
			p.err = p.runner.Run(own)
			close(p.done)
			events <- p
		}()
		if !p.ready(ctx, g.parts[:i]) {
			return g.parts[:i+1]
		}
	}
	return g.parts
}

// ready waits until p is of use; false when the group should stop instead.
func (p *part) ready(ctx context.Context, before []*part) bool {
	r, ok := p.runner.(readier)
	if !ok {
		return ctx.Err() == nil
	}
	const recheck = 50 * time.Millisecond
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		select {
		case <-r.Ready():
			return true
		case <-p.done:
			return p.err == nil
		case <-ctx.Done():
			return false
		case <-tick.C:
			if anyFailed(before) {
				return false
			}
		}
	}
}

func anyFailed(parts []*part) bool {
	for _, p := range parts {
		select {
		case <-p.done:
			if p.err != nil {
				return true
			}
		default:
		}
	}
	return false
}

// watch returns when ctx ends, a part fails, or all have finished.
func (g *Group) watch(ctx context.Context, started []*part, events <-chan *part) {
	if len(started) < len(g.parts) {
		return
	}
	for range started {
		select {
		case <-ctx.Done():
			return
		case p := <-events:
			if p.err != nil {
				return
			}
		}
	}
}

func (g *Group) stop(started []*part) error {
	limit := g.StopTimeout
	if limit <= 0 {
		limit = DefaultStopTimeout
	}
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	var errs []error
	for i := len(started) - 1; i >= 0; i-- {
		p := started[i]
		p.cancel()
		select {
		case <-p.done:
			if p.err != nil && !errors.Is(p.err, context.Canceled) {
				errs = append(errs, fmt.Errorf("%s: %w", p.name, p.err))
			}
		case <-deadline.C:
			for _, q := range started[:i] {
				q.cancel()
			}
			errs = append(errs, fmt.Errorf("stop within %v: still running: %s", limit, names(started[:i+1])))
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}

func names(parts []*part) string {
	var running []string
	for _, p := range parts {
		select {
		case <-p.done:
		default:
			running = append(running, p.name)
		}
	}
	return strings.Join(running, ", ")
}
