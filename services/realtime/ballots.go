package realtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
)

// ballots folds a partition of the ballots log.
type ballots struct {
	*fold

	w       *worker
	decoder eventlog.Decoder
}

var _ folder = (*ballots)(nil)

func newWorker(s *Service, partition int32) *worker {
	w := s.newWorker(eventlog.Ballots, partition, s.ballots)
	w.fold = &ballots{w: w}
	return w
}

func (b *ballots) origin(ctx context.Context, oldest int64) (speed.Start, error) {
	return b.w.deps.Origin.Origin(ctx, b.w.partition, oldest)
}

// load restores the voters' state.
func (b *ballots) load(ctx context.Context, pos speed.Position) error {
	b.fold = nil // before another takes its room
	f := newFold(pos, b.w.cfg.RewriteBytes)
	sealed, err := b.w.deps.Store.Sealed(ctx, b.w.topic, b.w.partition)
	if err != nil {
		return err
	}
	for _, round := range sealed {
		f.state.Seal(round)
	}
	err = b.w.deps.Store.Journals(ctx, b.w.topic, b.w.partition, f.restore)
	if errors.Is(err, tally.ErrJournal) {
		return fmt.Errorf("%w: %w", speed.ErrDamaged, err)
	}
	b.fold = f
	return err
}

func (b *ballots) full() bool { return b.ballots >= b.w.cfg.MaxBatch }

func (b *ballots) take(ctx context.Context, entries []eventlog.Entry) error {
	for i := range entries {
		if err := b.record(ctx, &entries[i]); err != nil {
			return err
		}
		if b.full() {
			if err := b.w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *ballots) record(ctx context.Context, e *eventlog.Entry) error {
	if e.Offset < b.behind {
		return nil
	}
	body, err := b.decoder.Decode(e.Raw)
	switch {
	case err != nil:
		b.w.reject(ctx, e, "unreadable")
	case body.Cut != nil:
		return b.cutAt(ctx, e.Offset, *body.Cut)
	case body.Revocation != nil:
		b.revoke(e.Offset, body.Revocation)
	case body.Ballots != nil:
		for i := range body.Ballots {
			b.ballot(e.Offset, &body.Ballots[i])
		}
	default:
		b.w.reject(ctx, e, "misplaced")
	}
	b.pass(e.Offset + 1)
	return nil
}

// cutAt writes what came before a new epoch and begins it.
func (b *ballots) cutAt(ctx context.Context, offset int64, c audience.Cut) error {
	if b.opens(c) {
		if err := b.w.flush(ctx); err != nil {
			return err
		}
	}
	b.cut(offset, c)
	b.w.metrics.cut(c.At)
	return nil
}

func (b *ballots) recall(ctx context.Context, s archive.Segment, from int64) (int64, error) {
	file, err := b.w.deps.Past.ReadBallots(ctx, s, func(rows []archive.Row) error {
		return b.rows(ctx, from, rows)
	})
	return file.Next, err
}

// rows folds a part of a segment. The rows of one record share an offset, and
// no step ends between them.
func (b *ballots) rows(ctx context.Context, from int64, rows []archive.Row) error {
	for i := range rows {
		r := &rows[i]
		if r.Offset < from {
			continue
		}
		if r.Offset >= b.behind && b.full() {
			if err := b.w.flush(ctx); err != nil {
				return err
			}
		}
		switch r.Type {
		case archive.RowBallot:
			b.ballot(r.Offset, &r.Ballot)
		case archive.RowRevocation:
			b.revoke(r.Offset, &r.Revocation)
		case archive.RowCut:
			if err := b.cutAt(ctx, r.Offset, r.Cut); err != nil {
				return err
			}
		default:
			b.pass(r.Offset + 1)
		}
	}
	return nil
}

// step is what was gathered.
func (b *ballots) step(whole int64) step {
	s, gathered := b.fold.step(whole), b.ballots
	return step{
		after: s.After(),
		advance: func(ctx context.Context) error {
			return b.w.deps.Store.Advance(ctx, b.w.topic, b.w.partition, s)
		},
		applied: func() {
			b.applied(s)
			b.w.metrics.records.Add(float64(gathered))
			b.w.metrics.rewrites.Add(float64(len(s.Rewrite)))
		},
	}
}

func (b *ballots) stay(ctx context.Context) error {
	pos := b.at()
	step := speed.Step{Expect: pos, Next: pos.Next, Epoch: pos.Epoch, Ready: &pos.Ready}
	return b.w.deps.Store.Advance(ctx, b.w.topic, b.w.partition, step)
}
