package realtime

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/pkg/speed"
)

// flush writes the step gathered. Redis may be away for long: the step waits,
// and is tried again until it is in, or another's.
func (w *worker) flush(ctx context.Context) error {
	pos := w.fold.at()
	waiting := !pos.Ready && w.fold.next() >= w.whole
	if w.fold.next() == pos.Next && !waiting {
		return nil
	}
	step := w.fold.step(w.whole)
	err := w.insist(ctx, "advance", func() error {
		began := time.Now()
		defer func() { w.metrics.advance.Observe(time.Since(began).Seconds()) }()
		return step.advance(ctx)
	})
	if err != nil {
		return err
	}
	w.written = time.Now()
	if waiting {
		w.log.Info("the speed view is whole", "next", step.after.Next, "epoch", step.after.Epoch)
		w.refilled()
	}
	step.applied()
	w.metrics.steps.Inc()
	w.moved()
	return nil
}

// refilled notes how long a refill took, if this worker saw its beginning.
func (w *worker) refilled() {
	if !w.refilling.IsZero() {
		w.metrics.refilled.Set(time.Since(w.refilling).Seconds())
		w.refilling = time.Time{}
	}
}

// heartbeat looks at the store when there is nothing to write, by a step that
// goes nowhere.
func (w *worker) heartbeat(ctx context.Context) error {
	err := w.insist(ctx, "heartbeat", func() error { return w.fold.stay(ctx) })
	if err == nil {
		w.moved()
	}
	return err
}

// insist repeats an act that failed for a reason that passes: the store or the
// way to it is down. What says that the partition stands elsewhere is returned.
func (w *worker) insist(ctx context.Context, what string, act func() error) error {
	pause := w.backoff()
	for first := true; ; first = false {
		err := act()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !passes(err) {
			return fmt.Errorf("%s: %w", what, err)
		}
		w.failed(what, err)
		if first {
			w.log.Warn("redis failed: trying on", "act", what, "error", err)
		}
		pause.wait(ctx)
		w.look(ctx)
	}
}

func passes(err error) bool {
	var fenced *speed.Fenced
	return !errors.As(err, &fenced) && !errors.Is(err, speed.ErrEmpty) &&
		!errors.Is(err, speed.ErrDamaged) && !errors.Is(err, speed.ErrInvalid)
}

// failed makes a failure visible until something moves again.
func (w *worker) failed(what string, err error) {
	w.metrics.failures.WithLabelValues(what).Inc()
	w.status.mu.Lock()
	defer w.status.mu.Unlock()
	w.status.err = err
}

// moved notes where the partition is.
func (w *worker) moved() {
	next := w.fold.at().Next
	w.reached = max(w.reached, next)
	lag := int64(0)
	if w.records != nil {
		lag = max(0, w.records.End()-next)
	}
	w.show(lag, nil)
}

// look measures the lag while nothing moves.
func (w *worker) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.RetryMax)
	defer cancel()
	_, end, err := w.deps.Log.Bounds(ctx, w.topic, w.partition)
	if err != nil {
		return
	}
	w.status.mu.Lock()
	defer w.status.mu.Unlock()
	w.status.lag = max(0, end-w.fold.at().Next)
	w.lag.Set(float64(w.status.lag))
}

func (w *worker) show(lag int64, err error) {
	pos := w.fold.at()
	w.lag.Set(float64(lag))
	w.epoch.Set(float64(pos.Epoch))
	w.whole01.Set(map[bool]float64{true: 1}[pos.Ready])
	w.status.mu.Lock()
	defer w.status.mu.Unlock()
	w.status.err, w.status.lag, w.status.whole = err, lag, pos.Ready
}

// ready says why the partition is of no use, or nil.
func (w *worker) ready() error {
	w.status.mu.Lock()
	defer w.status.mu.Unlock()
	s := &w.status
	switch {
	case s.err != nil:
		return s.err
	case !s.whole:
		return fmt.Errorf("refilling redis: %d records to go", s.lag)
	case s.lag > s.bound:
		return fmt.Errorf("%d records behind the log", s.lag)
	}
	return nil
}

// backoff is a pause that doubles, each time somewhat at random so that workers
// do not come back together.
type backoff struct{ least, most, now time.Duration }

func (w *worker) backoff() *backoff {
	return &backoff{least: w.cfg.RetryMin, most: w.cfg.RetryMax, now: w.cfg.RetryMin}
}

func (b *backoff) wait(ctx context.Context) {
	_ = sleep.For(ctx, b.now/2+rand.N(b.now/2+1))
	b.now = min(b.most, 2*b.now)
}
