package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Pace is an open-loop schedule: request i is meant to leave at start + i/rate,
// whether or not the ones before it have been answered. A rate of 0 means as
// fast as the connections go (a closed loop).
type Pace struct {
	Rate     float64
	Requests int64 // how many in all; 0: until Duration has passed
	Duration time.Duration
	Workers  int
}

// Latencies are in microseconds, from the intended send time.
type Latencies = hdrhistogram.Histogram

// NewLatencies covers 1 µs to 2 minutes with three digits.
func NewLatencies() *Latencies { return hdrhistogram.New(1, 120_000_000, 3) }

// Record notes one latency, cut to the range.
func Record(h *Latencies, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), 120_000_000)) // in range
}

// Run calls do for every request until the schedule ends or ctx does. Each
// worker gets its own do from prepare. It returns how long it took.
func (p Pace) Run(ctx context.Context, prepare func(worker int) func(i int64, intended time.Time)) time.Duration {
	start := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range p.Workers {
		wg.Go(func() {
			do := prepare(w)
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				intended, ok := p.intended(start, i)
				if !ok || sleep.For(ctx, time.Until(intended)) != nil {
					return
				}
				do(i, intended)
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

func (p Pace) intended(start time.Time, i int64) (time.Time, bool) {
	if p.Requests > 0 && i >= p.Requests {
		return time.Time{}, false
	}
	at := time.Now()
	if p.Rate > 0 {
		at = start.Add(time.Duration(float64(i) / p.Rate * float64(time.Second)))
	}
	return at, p.Duration <= 0 || at.Sub(start) < p.Duration
}
