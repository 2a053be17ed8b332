package realtime

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/prometheus/client_golang/prometheus"
)

// worker folds one partition. Its life is a row of sessions; each begins with
// what the store holds and ends when that turns out to be another's.
type worker struct {
	cfg       Config
	deps      Deps
	metrics   *metrics
	log       *slog.Logger
	topic     string
	partition int32

	decoder eventlog.Decoder
	fold    *fold
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

	lag, epoch, whole01 prometheus.Gauge
	status              status
}

func newWorker(s *Service, partition int32) *worker {
	label := strconv.Itoa(int(partition))
	return &worker{
		cfg: s.cfg, deps: s.deps, metrics: s.metrics,
		log:   s.deps.Logger.With("topic", eventlog.Ballots, "partition", partition),
		topic: eventlog.Ballots, partition: partition,
		lag:     s.metrics.lag.WithLabelValues(label),
		epoch:   s.metrics.epoch.WithLabelValues(label),
		whole01: s.metrics.ready.WithLabelValues(label),
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
		if err := w.take(ctx, entries); err != nil {
			return err
		}
		left := w.cfg.MaxFold - time.Since(began)
		if w.caughtUp() || w.fold.ballots >= w.cfg.MaxBatch || left <= 0 {
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

func (w *worker) caughtUp() bool { return w.fold.next >= w.records.End() }

// rest keeps steps apart while the partition keeps up, so that ballots that come
// close together share one.
func (w *worker) rest(ctx context.Context) {
	left := w.cfg.Pace - time.Since(w.written)
	if left <= 0 || !w.caughtUp() {
		return
	}
	sleep(ctx, left)
}

func (w *worker) take(ctx context.Context, entries []eventlog.Entry) error {
	for i := range entries {
		if err := w.record(ctx, &entries[i]); err != nil {
			return err
		}
		if w.fold.ballots >= w.cfg.MaxBatch {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *worker) record(ctx context.Context, e *eventlog.Entry) error {
	if e.Offset < w.fold.next {
		return nil
	}
	body, err := w.decoder.Decode(e.Raw)
	switch {
	case err != nil:
		w.reject(ctx, e, "unreadable")
		w.fold.pass(e.Offset)
	case body.Cut != nil:
		return w.cut(ctx, e.Offset, *body.Cut)
	case body.Revocation != nil:
		w.fold.revoke(e.Offset, body.Revocation)
	case body.Ballots != nil:
		for i := range body.Ballots {
			w.fold.ballot(e.Offset, &body.Ballots[i])
		}
		w.fold.pass(e.Offset)
	default:
		w.reject(ctx, e, "misplaced")
		w.fold.pass(e.Offset)
	}
	return nil
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
