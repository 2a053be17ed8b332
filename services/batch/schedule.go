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
	// filled is the generation up to which the search engine is known to be filled,
	// fillNext the time before which it is not tried again.
	filled   uint64
	fillNext time.Time
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

// mayFill says whether there may be something to fill the search engine with.
func (c *schedule) mayFill(at time.Time, generation uint64) bool {
	return generation > c.filled && !at.Before(c.fillNext)
}

// fillLater is after a failure: an engine that is away stays so for a while.
func (c *schedule) fillLater(at time.Time) { c.fillNext = at.Add(max(5*c.cfg.RetryDelay, time.Second)) }

// wait is how long until due may say something else, changes of control aside.
func (c *schedule) wait(at time.Time) time.Duration {
	until := c.next
	if by := c.started.Add(c.cfg.Interval); !c.retry && c.cfg.Interval > 0 && by.After(until) {
		until = by
	}
	idle := time.Minute
	if c.fillNext.After(at) {
		idle = min(idle, c.fillNext.Sub(at))
	}
	if !c.retry && c.cfg.Interval == 0 {
		return idle
	}
	return min(max(until.Sub(at), time.Millisecond), idle)
}
