package realtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/speed"
)

// open begins a session: the state that the store's journals give, and a reader
// of the log from the store's offset on.
func (w *worker) open(ctx context.Context) error {
	oldest, end, err := w.deps.Log.Bounds(ctx, w.topic, w.partition)
	if err != nil {
		return fmt.Errorf("look at the log: %w", err)
	}
	pos, err := w.place(ctx, oldest, end)
	if err != nil {
		return err
	}
	if err := w.fold.load(ctx, pos); err != nil {
		return err
	}
	w.broken, w.whole = false, max(end, w.reached)
	if pos.Next < oldest {
		if err := w.recall(ctx, oldest); err != nil {
			return err
		}
	}
	if w.records, err = w.deps.Log.Read(ctx, w.topic, w.partition, w.fold.next()); err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	if err := w.flush(ctx); err != nil { // an empty log is whole at once
		w.close()
		return err
	}
	w.moved()
	return nil
}

// place is where to go on, or to begin anew.
func (w *worker) place(ctx context.Context, oldest, end int64) (speed.Position, error) {
	pos, err := w.deps.Store.Position(ctx, w.topic, w.partition)
	if err := w.outwait(pos, end); err != nil {
		return pos, err
	}
	var why string
	switch {
	case errors.Is(err, speed.ErrEmpty):
		why = "redis holds nothing"
	case errors.Is(err, speed.ErrDamaged):
		why = err.Error()
	case err != nil:
		return pos, err
	case w.broken:
		why = "what redis holds is damaged"
	case pos.Next > end:
		why = fmt.Sprintf("redis is at offset %d of a log that ends at %d", pos.Next, end)
	case pos.Next < oldest:
		why = fmt.Sprintf("redis is at offset %d of a log that begins at %d", pos.Next, oldest)
	default:
		return pos, nil
	}
	start, err := w.fold.origin(ctx, oldest)
	if err != nil {
		return pos, fmt.Errorf("where a refill begins: %w", err)
	}
	if pos.Incarnation != 0 && pos.Next < oldest && !w.broken && (start.Keep == 0 || start.Next <= pos.Next) {
		// No generation stands in for what is between; the archive leads there.
		return pos, w.recallable(pos.Next, oldest)
	}
	if err := w.recallable(start.Next, oldest); err != nil {
		return pos, err
	}
	return w.refill(ctx, pos, start, why)
}

// recallable says whether there is anywhere to read from an offset on.
func (w *worker) recallable(from, oldest int64) error {
	if from < oldest && w.deps.Past == nil {
		return fmt.Errorf("records %d to %d are needed, the log has let them go and no archive is set", from, oldest-1)
	}
	return nil
}

// outwait is an error for as long as a log that ends before what is known of it
// may still be the same log.
func (w *worker) outwait(pos speed.Position, end int64) error {
	known := max(pos.Next, w.reached)
	if known <= end {
		w.ahead = time.Time{}
		return nil
	}
	if w.ahead.IsZero() {
		w.ahead = time.Now()
	}
	if time.Since(w.ahead) < w.cfg.AheadPatience {
		return fmt.Errorf("the log ends at %d and was folded up to %d already", end, known)
	}
	w.reached, w.ahead = 0, time.Time{}
	return nil
}

// refill begins a partition anew.
func (w *worker) refill(ctx context.Context, seen speed.Position, start speed.Start, why string) (speed.Position, error) {
	pos, err := w.deps.Store.Reset(ctx, w.topic, w.partition, seen, start)
	if err != nil {
		return speed.Position{}, err
	}
	w.metrics.refills.Inc()
	w.refilling = time.Now()
	w.log.Info("refilling the speed view", "why", why, "from", start.Next, "epoch", start.Epoch,
		"counting_from_epoch", start.Keep)
	return pos, nil
}

// recall folds from the archive what the log has forgotten.
func (w *worker) recall(ctx context.Context, oldest int64) error {
	for w.fold.next() < oldest {
		from := w.fold.next()
		segment := archive.Segment{Topic: w.topic, Epoch: w.fold.at().Epoch, Partition: w.partition}
		w.log.Info("folding from the archive", "segment", segment.Path(), "from", from)
		next, err := w.fold.recall(ctx, segment, from)
		if err != nil {
			return fmt.Errorf("recall offsets %d to %d: %w", from, oldest, err)
		}
		w.fold.pass(next)
		if w.fold.next() == from {
			return fmt.Errorf("recall offsets %d to %d: %s ends at %d", from, oldest, segment.Path(), next)
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}
