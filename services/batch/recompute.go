package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// Local folds in this process, a goroutine a partition.
type Local struct {
	// Parallel is how many partitions at a time; 0: one a processor.
	Parallel int
}

var _ Runner = Local{}

// Recompute folds every partition.
func (l Local) Recompute(ctx context.Context, a *archive.Archive, job fold.Job, partitions int, done func(*fold.Part)) ([]*fold.Part, error) {
	var mu sync.Mutex
	parts := make([]*fold.Part, partitions)
	g, ctx := errgroup.WithContext(ctx)
	if g.SetLimit(l.Parallel); l.Parallel == 0 {
		g.SetLimit(runtime.GOMAXPROCS(0))
	}
	for p := range partitions {
		g.Go(func() error {
			part, err := fold.Fold(ctx, a, job, int32(p))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			parts[p] = part
			done(part)
			return nil
		})
	}
	return parts, g.Wait()
}

func (s *Service) recompute(ctx context.Context, w *work) error {
	if err := s.pass("recompute"); err != nil {
		return err
	}
	partitions := s.d.Log.Partitions(eventlog.Ballots)
	w.expect(int64(partitions), "partitions")
	began := s.d.Now()
	parts, err := s.fold(ctx, w, partitions)
	if err != nil {
		return way(err)
	}
	slices.SortFunc(parts, func(a, b *fold.Part) int { return int(a.Partition - b.Partition) })
	w.parts = parts
	if w.sum, err = fold.Sum(parts, partitions); err != nil {
		return err
	}
	s.metrics.recomputed.Add(float64(w.sum.Ballots))
	s.metrics.recomputing.Add(s.d.Now().Sub(began).Seconds())
	if err := w.checkRows(); err != nil {
		return err
	}
	return s.listen(ctx, w)
}

// fold asks the runner, a second time when segments turned out to be missing or
// damaged and the log still had them.
func (s *Service) fold(ctx context.Context, w *work, partitions int) ([]*fold.Part, error) {
	again := func() ([]*fold.Part, error) {
		w.step.Done = 0
		return s.d.Runner.Recompute(ctx, s.d.Archive, w.job, partitions, func(*fold.Part) { w.did(ctx, 1) })
	}
	parts, err := again()
	if err == nil || ctx.Err() != nil {
		return parts, err
	}
	// A cluster's errors are texts: ask the archive itself, and do not read all of
	// it because a cluster was away.
	look := s.d.Archive.Stat
	if errors.Is(err, archive.ErrCorrupt) || strings.Contains(err.Error(), archive.ErrCorrupt.Error()) {
		look = s.d.Archive.Check
	}
	mended, mendErr := s.mend(ctx, w.progress, look, archive.Ballots, w.job.From, w.job.To)
	if mendErr != nil {
		return nil, fmt.Errorf("%w; %w", err, mendErr)
	}
	if mended == 0 {
		return nil, err
	}
	return again()
}

// checkRows compares what was read with what was archived.
func (w *work) checkRows() error {
	for _, part := range w.parts {
		want, got := w.files[part.Partition], part.Files[len(part.Files)-1]
		if got.Rows != want.Rows || got.Ballots != want.Ballots || got.First != want.First || got.Next != want.Next {
			return fmt.Errorf("check %s: read %d rows from offset %d to %d, archived %d from %d to %d: %w", want.Path,
				got.Rows, got.First, got.Next, want.Rows, want.First, want.Next, fold.ErrBroken)
		}
	}
	return nil
}
