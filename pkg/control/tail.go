package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
)

// Run follows the log until ctx ends. Where the log fails it is tried again;
// only a control log whose beginning is gone is beyond help, since the registry
// cannot be rebuilt without it.
func (c *Client) Run(ctx context.Context) error {
	pause := c.cfg.RetryMin
	end := int64(-1)
	for {
		err := c.follow(ctx, &end, func() { pause = c.cfg.RetryMin })
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the tail ends because it was told to
		}
		if errors.Is(err, eventlog.ErrOffsetGone) {
			return fmt.Errorf("replay the control log, which must be kept for ever: %w", err)
		}
		c.l.Warn("control log interrupted", "error", err, "offset", c.State().Offset(), "retry_in", pause)
		_ = sleep.For(ctx, pause) // told to end, the next reading ends at once
		pause = min(2*pause, c.cfg.RetryMax)
	}
}

// follow reads from where the state is until the log fails. end is the log's end
// as of the start, once that is known.
func (c *Client) follow(ctx context.Context, end *int64, progress func()) error {
	if *end < 0 {
		_, next, err := c.log.Bounds(ctx, eventlog.Control, 0)
		if err != nil {
			return fmt.Errorf("ask for the end of the control log: %w", err)
		}
		*end = next
	}
	c.readyAt(*end)
	from := c.State().Offset()
	r, err := c.log.Read(ctx, eventlog.Control, 0, from)
	if err != nil {
		return fmt.Errorf("read the control log from %d: %w", from, err)
	}
	defer r.Close() //nolint:errcheck // nothing was written to it
	for {
		entries, err := r.Next(ctx)
		if err != nil {
			return fmt.Errorf("read the control log on: %w", err)
		}
		progress()
		c.apply(entries)
		c.readyAt(*end)
	}
}

func (c *Client) readyAt(end int64) {
	if c.State().Offset() >= end {
		c.readyOnce.Do(func() { close(c.ready) })
	}
}

type judged struct {
	id string
	v  Verdict
}

// apply takes a batch of entries, and then shows the state behind them all.
func (c *Client) apply(entries []eventlog.Entry) {
	verdicts := make([]judged, 0, len(entries))
	for i := range entries {
		if body := entries[i].Record.GetControl(); entries[i].Err == nil && body != nil {
			e := EventFrom(body)
			v := c.machine.Apply(e, entries[i].Offset)
			c.watch(&e, v)
			verdicts = append(verdicts, judged{e.ID, v})
			continue
		}
		c.machine.Skip(entries[i].Offset)
	}
	c.show(c.machine.State(), verdicts)
}

// watch tells of a command that the log brought too late: between its effect and
// now, this process judged by the standing before it. Either the log was slow or
// clocks differ by more than the margin.
func (c *Client) watch(e *Event, v Verdict) {
	select {
	case <-c.ready:
	default:
		return // replayed, not live
	}
	late := audience.MillisOf(c.now()) - v.EffectiveAt
	if e.Kind == KindPollCommand && v.Err == nil && !v.Repeated && late > 0 {
		c.l.Warn("command came after it took effect", "poll", e.Subject, "offset", v.Offset, "late_ms", int64(late))
	}
}

// show publishes a state and then tells who waits for a verdict in it.
func (c *Client) show(s *State, verdicts []judged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
	close(c.changed)
	c.changed = make(chan struct{})
	for _, j := range verdicts {
		if waiting, ok := c.waiting[j.id]; ok && !j.v.Repeated {
			waiting <- j.v
			delete(c.waiting, j.id)
		}
	}
}
