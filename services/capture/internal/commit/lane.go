package commit

import (
	"context"
	"sync"

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
	wake      chan struct{} // holds a token while the queue may have something

	mu     sync.Mutex
	open   bool
	queued int // ballots queued or reserved
	queue  []item
	// pending is putters that have reserved and not yet put.
	pending int

	// Owned by the committer.
	taken   []item
	ballots []audience.Ballot
	value   []byte
}

func newLane(log Log, cfg *Config, partition int32) *lane {
	return &lane{log: log, cfg: cfg, partition: partition, wake: make(chan struct{}, 1)}
}

func (l *lane) start() {
	l.mu.Lock()
	l.open = true
	l.mu.Unlock()
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

// put queues an item of n ballots, or refuses it at once.
func (l *lane) put(n int, it item) error {
	l.mu.Lock()
	if err := l.room(n); err != nil {
		l.mu.Unlock()
		return err
	}
	l.queued += n
	l.queue = append(l.queue, it)
	l.mu.Unlock()
	l.signal()
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
	for done := ctx.Done(); ; {
		select {
		case <-done:
			l.mu.Lock()
			l.open = false
			l.mu.Unlock()
			done = nil
			l.signal()
		case <-l.wake:
			for l.take() {
				l.flush(context.WithoutCancel(ctx))
			}
			if done == nil && l.drained() {
				return
			}
		}
	}
}

func (l *lane) drained() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) == 0 && l.pending == 0
}

// take moves the next record's items out of the queue.
func (l *lane) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ballots, weight := 0, 0, 0
	for n < len(l.queue) {
		it := &l.queue[n]
		if n > 0 && (ballots+len(it.ballots) > l.cfg.Ballots || weight+it.weight > l.cfg.Bytes) {
			break
		}
		n, ballots, weight = n+1, ballots+len(it.ballots), weight+it.weight
	}
	l.taken = append(l.taken[:0], l.queue[:n]...)
	rest := copy(l.queue, l.queue[n:])
	clear(l.queue[rest:])
	l.queue = l.queue[:rest]
	return n > 0
}

// flush writes the taken items as one record and wakes those who wait.
func (l *lane) flush(ctx context.Context) {
	ballots := l.gather()
	if len(ballots) > 0 {
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
