package commit

import (
	"context"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
)

// item is ballots that one caller waits for.
type item struct {
	ballots []audience.Ballot
	weight  int
	ticket  *ticket
}

// lane is the queue and the committer of one partition.
type lane struct {
	log       Log
	cfg       *Config
	partition int32
	turns     chan struct{} // has a token for each record in flight, of all lanes
	wake      chan struct{} // holds a token once the committer should look

	mu     sync.Mutex
	open   bool
	queued int // ballots queued or reserved
	queue  []item
	held   int // ballots in the queue
	need   int // how many of them wake the committer
	// pending is putters that have reserved and not yet put.
	pending int

	// Owned by the committer.
	taken   []item
	ballots []audience.Ballot
	value   []byte
	last    int // ballots in the last record
	begun   time.Time
}

func newLane(log Log, cfg *Config, partition int32, turns chan struct{}) *lane {
	return &lane{log: log, cfg: cfg, partition: partition, turns: turns, wake: make(chan struct{}, 1), need: 1}
}

func (l *lane) start() {
	l.mu.Lock()
	l.open = true
	l.mu.Unlock()
}

// stop refuses newcomers.
func (l *lane) stop() {
	l.mu.Lock()
	l.open = false
	l.mu.Unlock()
	l.signal()
}

func (l *lane) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

func (l *lane) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queued
}

// put queues an item, or refuses it at once.
func (l *lane) put(it item) error {
	n := len(it.ballots)
	l.mu.Lock()
	if err := l.room(n); err != nil {
		l.mu.Unlock()
		return err
	}
	l.queued += n
	l.queue = append(l.queue, it)
	l.held += n
	enough := l.held >= l.need
	l.mu.Unlock()
	if enough {
		l.signal()
	}
	return nil
}

func (l *lane) room(n int) error {
	switch {
	case !l.open:
		return ErrStopped
	case l.queued+n > l.cfg.Queue:
		return ErrFull
	}
	return nil
}

func (l *lane) reserve(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.room(n); err != nil {
		return err
	}
	l.queued += n
	l.pending++
	return nil
}

func (l *lane) release(n int) {
	l.mu.Lock()
	l.queued -= n
	l.pending--
	l.mu.Unlock()
	l.signal()
}

func (l *lane) putReserved(items []item) {
	l.mu.Lock()
	for i := range items {
		l.held += len(items[i].ballots)
	}
	l.queue = append(l.queue, items...)
	l.pending--
	l.mu.Unlock()
	l.signal()
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run commits until ctx ends; then it refuses newcomers and commits the rest.
func (l *lane) run(ctx context.Context) {
	defer context.AfterFunc(ctx, l.stop)()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		switch wait, done := l.ready(); {
		case done:
			return
		case wait == 0:
			l.turns <- struct{}{} // what comes until then goes too
			l.take()
			l.flush(context.WithoutCancel(ctx))
			<-l.turns
		default:
			timer.Reset(wait)
			select {
			case <-l.wake:
			case <-timer.C:
			}
		}
	}
}

// idle is how long the committer of an empty queue sleeps if nobody wakes it.
const idle = time.Hour

// ready says whether to write a record now, or how long to wait for company:
// until as many ballots are there as went last time, but not longer than Delay
// after the last record began. So a ballot that comes after a pause goes at once,
// and under load records do not shrink to one ballot each, which costs the log
// ten times what the ballots cost.
func (l *lane) ready() (wait time.Duration, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait = l.cfg.Delay - time.Since(l.begun)
	switch {
	case l.held == 0 && !l.open && l.pending == 0:
		return 0, true
	case l.held >= max(l.last, 1), l.held > 0 && (wait <= 0 || !l.open):
		l.need = l.cfg.Queue + 1 // nobody need wake a committer at work
		return 0, false
	case wait > 0:
		l.need = max(l.last, 1)
		return wait, false
	}
	l.need = 1
	return idle, false
}

// take moves the next record's items out of the queue, which is not empty.
func (l *lane) take() {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, weight := 0, 0
	l.last, l.begun = 0, time.Now()
	for n < len(l.queue) {
		it := &l.queue[n]
		if n > 0 && (l.last+len(it.ballots) > l.cfg.Ballots || weight+it.weight > l.cfg.Bytes) {
			break
		}
		n, l.last, weight = n+1, l.last+len(it.ballots), weight+it.weight
	}
	l.taken = append(l.taken[:0], l.queue[:n]...)
	rest := copy(l.queue, l.queue[n:])
	clear(l.queue[rest:])
	l.queue = l.queue[:rest]
	l.held -= l.last
}

// flush writes the taken items as one record and wakes those who wait.
func (l *lane) flush(ctx context.Context) {
	if ballots := l.gather(); len(ballots) > 0 {
		err := l.append(ctx, ballots)
		for i := range l.taken {
			l.taken[i].ticket.finish(err)
		}
	}
	clear(l.taken)
	clear(l.ballots)
}

// gather puts the ballots of the taken items into one slice, and turns away
// those that have waited too long already: they are surely not recorded.
func (l *lane) gather() []audience.Ballot {
	now := l.cfg.Now()
	kept := l.taken[:0]
	l.ballots = l.ballots[:0]
	freed := 0
	for _, it := range l.taken {
		freed += len(it.ballots)
		if now.Sub(it.ballots[0].ReceivedAt.Time()) > l.cfg.AckDeadline {
			it.ticket.finish(ErrLate)
			continue
		}
		kept = append(kept, it)
	}
	l.taken = kept
	l.mu.Lock()
	l.queued -= freed
	l.mu.Unlock()
	if len(kept) == 1 {
		return kept[0].ballots
	}
	for _, it := range kept {
		l.ballots = append(l.ballots, it.ballots...)
	}
	return l.ballots
}

func (l *lane) append(ctx context.Context, ballots []audience.Ballot) error {
	begun := l.cfg.Now()
	l.value = eventlog.EncodeBallots(l.value[:0], ballots)
	_, err := l.log.AppendRaw(ctx, l.cfg.Topic, l.partition, l.value)
	if err != nil {
		l.value = nil // the log may still be sending it
	}
	if l.cfg.Flushed != nil {
		l.cfg.Flushed(len(ballots), l.cfg.Now().Sub(begun), err)
	}
	return err
}
