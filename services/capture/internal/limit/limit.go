// Package limit bounds how often voters and networks may ask.
//
// Its one trick is the generic cell rate algorithm (ITU-T I.371): all that is
// kept of somebody is one instant, and nothing once that instant has passed. The
// keys are hashes under a seed of this process, so no address or voter is kept.
package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

const shards = 64

// Limiter allows each key a steady rate with bursts.
type Limiter struct {
	seed     maphash.Seed
	interval int64 // nanoseconds a request
	slack    int64 // nanoseconds that a burst may run ahead
	bound    int   // keys a shard
	shard    [shards]shard
}

type shard struct {
	mu sync.Mutex
	// due is when a key has paid for all that it asked, in nanoseconds. A key
	// that is not there has paid.
	due map[uint64]int64
	_   [48]byte // its own cache line
}

// New allows rate requests a second and bursts of burst, and remembers at most
// tracked keys. A rate of 0 allows everything.
func New(rate float64, burst, tracked int) *Limiter {
	l := &Limiter{seed: maphash.MakeSeed(), bound: max(tracked/shards, 16)}
	if rate > 0 {
		l.interval = max(1, int64(float64(time.Second)/rate))
		l.slack = int64(burst-1) * l.interval
	}
	for i := range l.shard {
		l.shard[i].due = map[uint64]int64{}
	}
	return l
}

// Bytes is Allow for a key in a buffer.
func (l *Limiter) Bytes(key []byte, now int64) time.Duration {
	return l.allow(maphash.Bytes(l.seed, key), now)
}

// String spends one request of the key at now (nanoseconds of any clock that
// does not go back). The result is 0, or how long to wait before trying again:
// then nothing was spent.
func (l *Limiter) String(key string, now int64) time.Duration {
	return l.allow(maphash.String(l.seed, key), now)
}

func (l *Limiter) allow(key uint64, now int64) time.Duration {
	if l.interval == 0 {
		return 0
	}
	s := &l.shard[key%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	due, known := s.due[key]
	if due < now {
		due = now
	}
	if wait := due - now - l.slack; wait > 0 {
		return time.Duration(wait)
	}
	if !known && len(s.due) >= l.bound {
		s.makeRoom(now, l.bound)
	}
	s.due[key] = due + l.interval
	return 0
}

// makeRoom forgets those who have paid; and if all others are still in debt,
// some of them, in no order: rather too lenient than out of memory.
func (s *shard) makeRoom(now int64, bound int) {
	for key, due := range s.due {
		if due <= now {
			delete(s.due, key)
		}
	}
	excess := len(s.due) - bound*3/4
	for key := range s.due {
		if excess <= 0 {
			return
		}
		delete(s.due, key)
		excess--
	}
}
