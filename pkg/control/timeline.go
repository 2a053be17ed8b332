package control

import (
	"slices"
	"sort"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

const (
	// Margin is how far ahead of its sender's clock a command takes effect, so
	// that every capture instance knows it before it applies.
	Margin audience.Millis = 250
	// skew is how far clocks of senders may differ while immediate commands still
	// take effect in the order of the log.
	skew audience.Millis = 2_000
	// settling is how long a moment stays open to entries from senders whose
	// clocks are behind.
	settling audience.Millis = 10_000
)

// entry is an accepted change to a poll's course, and when it takes effect.
type entry struct {
	effective audience.Millis
	offset    int64
	act       act
	command   audience.Command
	actor     string
	// define: what a changed definition says.
	mode        audience.RevealMode
	closesAt    audience.Millis
	setsClosing bool
	// verify: the round sealed.
	round uint32
}

type act uint8

const (
	actCommand act = iota
	actDefine
	actVerify
)

// stretch is a time through which a poll's standing does not change.
type stretch struct {
	from   audience.Millis
	status status
}

// note is something that happened by itself: a close at the closing time, a
// verification, or a scheduled command that no longer fitted.
type note struct {
	at     audience.Millis
	kind   string
	offset int64 // of the command that was skipped or of the seal; 0: none
	actor  string
	verb   *audience.Command
	reason string
	before status
	after  status
	round  uint32
}

// timeline is the course of a poll: what has settled, which only grows, and
// what may still be overtaken by entries with an earlier time. Values are
// immutable; slices of settled things share their arrays with older timelines.
type timeline struct {
	settled []stretch
	notes   []note
	// horizon: nothing takes effect at or before it any more.
	horizon audience.Millis
	// last is the greatest effective time of an immediate entry.
	last    audience.Millis
	pending []entry
	// ahead and aheadNotes are what pending entries and the closing time lead
	// to, reckoned from the last settled stretch.
	ahead      []stretch
	aheadNotes []note
}

func newTimeline(mode audience.RevealMode, closesAt audience.Millis) timeline {
	first := status{round: 1, phase: audience.Standby, mode: mode, closesAt: closesAt}
	return timeline{settled: []stretch{{status: first}}}
}

// soonest is when an immediate change sent at that instant takes effect: a
// margin ahead, and after the immediate ones before it in the log.
func (t *timeline) soonest(at audience.Millis) audience.Millis {
	effective := max(at+Margin, t.horizon+1)
	if t.last >= effective && t.last < effective+skew {
		effective = t.last + 1
	}
	return effective
}

// at is the status in force at an instant.
func (t *timeline) at(now audience.Millis) status { return t.stretch(t.index(now)).status }

// index is the number of the stretch that holds an instant.
func (t *timeline) index(now audience.Millis) int {
	if n := before(t.ahead, now); n > 0 {
		return len(t.settled) + n - 1
	}
	return max(before(t.settled, now)-1, 0)
}

func before(s []stretch, now audience.Millis) int {
	return sort.Search(len(s), func(i int) bool { return s[i].from > now })
}

func (t *timeline) len() int { return len(t.settled) + len(t.ahead) }

func (t *timeline) stretch(i int) *stretch {
	if i < len(t.settled) {
		return &t.settled[i]
	}
	return &t.ahead[i-len(t.settled)]
}

// add puts an entry in its place by effective time, behind those before it in
// the log.
func (t *timeline) add(e entry, immediate bool) {
	if immediate {
		t.last = e.effective
	}
	i := sort.Search(len(t.pending), func(i int) bool { return t.pending[i].effective > e.effective })
	if i == len(t.pending) {
		t.pending = append(t.pending, e)
		t.goOn(e)
		return
	}
	t.pending = slices.Insert(slices.Clip(t.pending), i, e)
	t.foresee()
}

// settle fixes what took effect up to the horizon.
func (t *timeline) settle(horizon audience.Millis) {
	n := before(t.ahead, horizon)
	t.settled = append(t.settled, t.ahead[:n]...)
	t.ahead = t.ahead[n:]
	n = sort.Search(len(t.aheadNotes), func(i int) bool { return t.aheadNotes[i].at > horizon })
	t.notes = append(t.notes, t.aheadNotes[:n]...)
	t.aheadNotes = t.aheadNotes[n:]
	n = sort.Search(len(t.pending), func(i int) bool { return t.pending[i].effective > horizon })
	if n > 0 {
		t.horizon = max(t.horizon, t.pending[n-1].effective)
		t.pending = t.pending[n:]
	}
	t.horizon = max(t.horizon, t.settled[len(t.settled)-1].from)
}

// goOn reckons what is ahead behind an entry that is the last of all: what was
// ahead up to then stays.
func (t *timeline) goOn(e entry) {
	n := before(t.ahead, e.effective)
	run := course{now: t.at(e.effective), stretches: t.ahead, notes: t.aheadNotes}
	if n < len(t.ahead) { // the close by itself, which may now come otherwise
		run.stretches = slices.Clone(t.ahead[:n])
		m := sort.Search(len(t.aheadNotes), func(i int) bool { return t.aheadNotes[i].at > e.effective })
		run.notes = slices.Clone(t.aheadNotes[:m])
	}
	run.take(e)
	run.closing(forever)
	t.ahead, t.aheadNotes = run.stretches, run.notes
}

// foresee reckons all that is ahead, if nothing else is written.
func (t *timeline) foresee() {
	run := course{
		now:       t.settled[len(t.settled)-1].status,
		stretches: make([]stretch, 0, len(t.pending)+1),
	}
	for _, e := range t.pending {
		run.take(e)
	}
	run.closing(forever)
	t.ahead, t.aheadNotes = run.stretches, run.notes
}

const forever = audience.Millis(1<<63 - 1)

// course walks through entries in the order of their effect.
type course struct {
	now       status
	stretches []stretch
	notes     []note
}

func (c *course) to(at audience.Millis, next status) {
	c.now = next
	c.stretches = append(c.stretches, stretch{from: at, status: next})
}

// closing closes by itself what has its closing time up to then.
func (c *course) closing(until audience.Millis) {
	if !c.now.live() || c.now.closesAt == 0 || c.now.closesAt > until {
		return
	}
	was, at := c.now, c.now.closesAt
	c.to(at, was.closed(at))
	c.notes = append(c.notes, note{at: at, kind: AuditClosed, round: was.round, before: was, after: c.now})
}

func (c *course) take(e entry) {
	c.closing(e.effective)
	was := c.now
	next, err := was.take(e)
	if err != nil {
		c.skip(e, err)
		return
	}
	if next != was {
		c.to(e.effective, next)
	}
	if e.act == actVerify {
		c.notes = append(c.notes, note{
			at: e.effective, kind: AuditVerified, round: e.round, offset: e.offset, actor: e.actor, before: was, after: next,
		})
	}
}

func (c *course) skip(e entry, err *fault.Error) {
	if e.act != actCommand {
		return
	}
	command := e.command
	c.notes = append(c.notes, note{
		at: e.effective, kind: AuditSkipped, round: c.now.round, offset: e.offset, actor: e.actor, verb: &command,
		reason: err.Detail, before: c.now, after: c.now,
	})
}
