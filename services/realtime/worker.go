package realtime

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/prometheus/client_golang/prometheus"
)

// worker folds one partition of one log. Its life is a row of sessions; each
// begins with what the store holds and ends when that turns out to be another's.
type worker struct {
	cfg       Config
	deps      Deps
	metrics   *metrics
	log       *slog.Logger
	topic     string
	partition int32

	fold    folder
	maxFold time.Duration // spent gathering a step
	pace    time.Duration // between two steps
	records Records
	// whole is the end of the log as the session found it: a refill is over when
	// it gets there.
	whole int64
	// reached is the furthest that the partition has been known to be: before that
	// a refill is not over either, or totals would go down.
	reached int64
	// ahead is since when the log has ended before what was folded of it.
	ahead time.Time
	// broken asks the next session to begin anew whatever the store holds.
	broken     bool
	written    time.Time // of the last step
	complained time.Time
	refilling  time.Time // since when, while it is

	lag, epoch, whole01 prometheus.Gauge
	status              status
}

// folder is what a worker does not know: what the records of its log are, and
// what they do to the speed view. It gathers them into steps and does no I/O but
// what it is asked for.
type folder interface {
	// origin says where a refill begins; see Origin.
	origin(ctx context.Context, oldest int64) (speed.Start, error)
	// load takes up the state that the store has at a position. It belongs to the
	// position for certain only once a step from there is in: until then another
	// may have moved on.
	load(ctx context.Context, pos speed.Position) error
	// take gathers records that stand at next or behind it.
	take(ctx context.Context, entries []eventlog.Entry) error
	// recall gathers those of a segment of the archive from an offset on, and
	// gives the offset behind the segment.
	recall(ctx context.Context, s archive.Segment, from int64) (next int64, err error)
	// pass moves on to an offset over records that count nothing.
	pass(next int64)
	// at is where the store stands, next the offset behind the last record
	// gathered, full whether that is enough for one step.
	at() speed.Position
	next() int64
	full() bool
	// step is what was gathered. whole is the offset from which on the partition
	// holds all that it should.
	step(whole int64) step
	// stay is a step that goes nowhere: it fails when the store is not at at.
	stay(ctx context.Context) error
}

// step moves the store; once it is in, the next one is gathered behind it.
type step struct {
	after   speed.Position
	advance func(ctx context.Context) error
	applied func()
}

func (s *Service) newWorker(topic string, partition int32, m *metrics) *worker {
	label := strconv.Itoa(int(partition))
	return &worker{
		cfg: s.cfg, deps: s.deps, metrics: m, maxFold: s.cfg.MaxFold, pace: s.cfg.Pace,
		log:   s.deps.Logger.With("topic", topic, "partition", partition),
		topic: topic, partition: partition,
		lag:     m.lag.WithLabelValues(label),
		epoch:   m.epoch.WithLabelValues(label),
		whole01: m.ready.WithLabelValues(label),
		status:  status{err: errors.New("starting"), bound: s.cfg.ReadyLag},
	}
}

// run works until ctx ends.
func (w *worker) run(ctx context.Context) {
	pause := w.backoff()
	for ctx.Err() == nil {
		began := time.Now()
		err := w.session(ctx)
		if ctx.Err() != nil {
			return
		}
		w.ended(err)
		if time.Since(began) > w.cfg.RetryMax {
			pause = w.backoff()
		}
		pause.wait(ctx)
	}
}

// ended says why a session did, and what the next one does about it.
func (w *worker) ended(err error) {
	var fenced *speed.Fenced
	switch {
	case errors.As(err, &fenced):
		w.metrics.fenced.Inc()
		w.log.Info("fenced: going on from what redis holds", "stored", fenced.Stored.String())
		return
	case errors.Is(err, speed.ErrEmpty):
		w.log.Warn("redis was emptied: refilling")
		return
	case errors.Is(err, speed.ErrDamaged):
		w.broken = true
	}
	w.failed("session", err)
	if time.Since(w.complained) > complaints {
		w.complained = time.Now()
		w.log.Error("folding stopped: starting again", "error", err)
	}
}

// complaints are this far apart when one trouble lasts.
const complaints = 30 * time.Second

func (w *worker) session(ctx context.Context) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	defer w.close()
	for {
		if err := w.turn(ctx); err != nil {
			return err
		}
	}
}

func (w *worker) close() {
	if w.records == nil {
		return
	}
	if err := w.records.Close(); err != nil {
		w.log.Warn("closing a reader of the log", "error", err)
	}
	w.records = nil
}

// turn takes what the log has, at least a record, and writes it in one step; a
// cut makes it two. Without a record for a while it looks whether the store
// still stands where it should.
func (w *worker) turn(ctx context.Context) error {
	entries, err := w.next(ctx, w.cfg.Heartbeat)
	if err != nil {
		return err
	}
	if entries == nil {
		return w.heartbeat(ctx)
	}
	began := time.Now()
	for len(entries) > 0 {
		if err := w.fold.take(ctx, entries); err != nil {
			return err
		}
		left := w.maxFold - time.Since(began)
		if w.caughtUp() || w.fold.full() || left <= 0 {
			break
		}
		if entries, err = w.next(ctx, left); err != nil {
			return err
		}
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	w.rest(ctx)
	return nil
}

// next gives entries, or none when there were none for a time.
func (w *worker) next(ctx context.Context, patience time.Duration) ([]eventlog.Entry, error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	entries, err := w.records.Next(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return entries, err
}

func (w *worker) caughtUp() bool { return w.fold.next() >= w.records.End() }

// rest keeps steps apart while the partition keeps up, so that records that come
// close together share one.
func (w *worker) rest(ctx context.Context) {
	left := w.pace - time.Since(w.written)
	if left <= 0 || !w.caughtUp() {
		return
	}
	_ = sleep.For(ctx, left)
}

// reject counts a record that cannot be folded and keeps it for people to look
// at. It stands in the log all the same, so a failure to keep it is no reason to
// stop.
func (w *worker) reject(ctx context.Context, e *eventlog.Entry, reason string) {
	w.metrics.rejected.WithLabelValues(reason).Inc()
	if e.Err != nil {
		return // the reader has kept it
	}
	if err := w.deps.Log.Reject(ctx, *e, reason); err != nil {
		w.log.Warn("a record that cannot be folded is not in the dead letters", "offset", e.Offset, "reason", reason, "error", err)
	}
}

// status is what others may ask while the worker works.
type status struct {
	mu    sync.Mutex
	err   error
	lag   int64
	whole bool
	bound int64
}
