package batch

import (
	"time"

	"github.com/clamor-live/clamor/pkg/control"
)

type urgency int

const (
	notDue urgency = iota
	ifNew
	atOnce
)

// schedule says when the next run is due. Its methods are pure but for its own
// memory of the last runs.
type schedule struct {
	cfg     Config
	started time.Time // of the last run that succeeded
	next    time.Time // not before: after a failure, or a look in vain
	retry   bool      // next is after a failure: nothing hurries it
}

func newSchedule(cfg Config) *schedule { return &schedule{cfg: cfg} }

func (c *schedule) due(at time.Time, state *control.State) urgency {
	if c.retry && at.Before(c.next) {
		return notDue
	}
	if _, waits := state.PendingRun(); waits || unfinished(state) {
		return atOnce
	}
	if c.cfg.Interval == 0 || at.Before(c.next) || at.Before(c.started.Add(c.cfg.Interval)) {
		return notDue
	}
	return ifNew
}

// unfinished says whether a cut was decided and not published.
func unfinished(state *control.State) bool {
	last, ok := state.LastCut()
	published, _ := state.Published()
	return ok && last.Number > published.Generation
}

func (c *schedule) succeeded(started time.Time) {
	c.started, c.next, c.retry = started, time.Time{}, false
}

func (c *schedule) failed(at time.Time) { c.next, c.retry = at.Add(c.cfg.RetryDelay), true }

// looked in vain: looking again soon is cheap, but not free.
func (c *schedule) looked(at time.Time) {
	c.next, c.retry = at.Add(max(c.cfg.Interval/12, 50*time.Millisecond)), false
}

// wait is how long until due may say something else, changes of control aside.
func (c *schedule) wait(at time.Time) time.Duration {
	until := c.next
	if by := c.started.Add(c.cfg.Interval); !c.retry && c.cfg.Interval > 0 && by.After(until) {
		until = by
	}
	const idle = time.Minute
	if !c.retry && c.cfg.Interval == 0 {
		return idle
	}
	return min(max(until.Sub(at), time.Millisecond), idle)
}
