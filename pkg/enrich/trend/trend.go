// Package trend finds what people suddenly talk about: the most frequent terms
// of each minute in bounded space, and how far above the hour before they are.
package trend

import (
	"cmp"
	"math"
	"slices"
)

// Counter keeps the most frequent keys of a stream in fixed space (space-saving;
// Metwally, Agrawal and El Abbadi 2005): a new key takes the place of the
// rarest and inherits its count as a possible error. It belongs to one
// goroutine.
type Counter struct {
	heap  []Count // rarest first
	place map[uint64]int
	cap   int
}

// Count is a key with its count; the true one lies between N-Error and N.
type Count struct {
	Key   uint64
	N     uint64
	Error uint64
}

// NewCounter returns a counter of at most size keys.
func NewCounter(size int) *Counter {
	size = max(size, 1)
	return &Counter{heap: make([]Count, 0, size), place: make(map[uint64]int, size), cap: size}
}

// Add counts n more of a key.
func (c *Counter) Add(key, n uint64) {
	if at, ok := c.place[key]; ok {
		c.heap[at].N += n
		c.down(at)
		return
	}
	if len(c.heap) < c.cap {
		c.heap = append(c.heap, Count{Key: key, N: n})
		c.place[key] = len(c.heap) - 1
		c.up(len(c.heap) - 1)
		return
	}
	rarest := c.heap[0]
	delete(c.place, rarest.Key)
	c.heap[0] = Count{Key: key, N: rarest.N + n, Error: rarest.N}
	c.place[key] = 0
	c.down(0)
}

// Merge adds another counter's keys: what two workers saw is what one would
// have seen, with the errors added.
func (c *Counter) Merge(o *Counter) {
	for _, x := range o.Top(len(o.heap)) {
		c.Add(x.Key, x.N)
		if at, ok := c.place[x.Key]; ok {
			c.heap[at].Error += x.Error
		}
	}
}

// Top returns the k most frequent keys, most frequent first.
func (c *Counter) Top(k int) []Count {
	out := slices.Clone(c.heap)
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Key, b.Key)) })
	return out[:min(k, len(out))]
}

// N returns the count of a key, 0 when it is not among the kept.
func (c *Counter) N(key uint64) uint64 {
	if at, ok := c.place[key]; ok {
		return c.heap[at].N
	}
	return 0
}

// Reset forgets all and keeps the space.
func (c *Counter) Reset() {
	c.heap = c.heap[:0]
	clear(c.place)
}

func (c *Counter) swap(i, j int) {
	c.heap[i], c.heap[j] = c.heap[j], c.heap[i]
	c.place[c.heap[i].Key], c.place[c.heap[j].Key] = i, j
}

func (c *Counter) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if c.heap[parent].N <= c.heap[i].N {
			return
		}
		c.swap(i, parent)
		i = parent
	}
}

func (c *Counter) down(i int) {
	for {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(c.heap); k++ {
			if c.heap[k].N < c.heap[least].N {
				least = k
			}
		}
		if least == i {
			return
		}
		c.swap(i, least)
		i = least
	}
}

// Burst scores how far the count of a window lies above what the time before
// lets expect, in standard deviations of a Poisson count. before is the count of
// the earlier time, parts how many windows that time held. A key never seen
// before is expected half a time, so that one mention is no burst.
func Burst(now, before uint64, parts float64) float64 {
	if parts <= 0 {
		return 0
	}
	expected := (float64(before) + 0.5) / parts
	return (float64(now) - expected) / math.Sqrt(expected+1)
}

// Rising is a key with its counts and score.
type Rising struct {
	Key    uint64
	Now    uint64
	Before uint64
	Score  float64
}

// Risers returns the k keys of now whose burst is greatest and at least least.
func Risers(now, before *Counter, parts float64, k int, least float64) []Rising {
	var out []Rising
	for _, c := range now.heap {
		r := Rising{Key: c.Key, Now: c.N - c.Error, Before: before.N(c.Key)}
		if r.Score = Burst(r.Now, r.Before, parts); r.Score >= least {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Rising) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Key, b.Key)) })
	return out[:min(k, len(out))]
}
