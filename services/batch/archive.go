package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// topics of the log and the folders of the archive have the same names.
var archived = []string{eventlog.Ballots, eventlog.Posts, eventlog.Control}

// archive writes the epoch that the cut ended, in every partition.
func (s *Service) archive(ctx context.Context, w *work) error {
	if err := s.lookBack(ctx, w); err != nil {
		return err
	}
	w.files, w.postFiles = map[int32]archive.File{}, map[int32]archive.File{}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallel())
	w.expect(0, "rows")
	for _, topic := range archived {
		for p := range int32(s.d.Log.Partitions(topic)) {
			g.Go(func() error {
				file, err := s.archivePartition(ctx, w, topic, p)
				mu.Lock()
				defer mu.Unlock()
				switch topic {
				case eventlog.Ballots:
					w.files[p] = file
				case eventlog.Posts:
					if stuck(err) {
						w.lost, err = err, nil
					}
					w.postFiles[p] = file
				}
				w.did(ctx, file.Rows)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return s.pass("archive")
}

func (s *Service) parallel() int {
	if s.cfg.Parallel > 0 {
		return s.cfg.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

// lookBack decides from which epoch to count: from the first that holds an
// unsealed round, or from the beginning when the generation before is gone.
func (s *Service) lookBack(ctx context.Context, w *work) error {
	w.job = fold.Job{To: w.number(), Seals: w.decision.Seals}
	published, ok := w.state.Published()
	if !ok {
		return nil
	}
	before, err := s.d.Views.Generation(ctx, published.Generation)
	if errors.Is(err, views.ErrNotFound) {
		s.d.Logger.Warn("the views store has no generation to go on from: counting from the first epoch on", "generation", published.Generation)
		return nil
	}
	if err != nil {
		return err
	}
	w.before = before
	w.job.From = published.FloorEpoch
	w.job.Sealed = sealedBy(w.state, published.FloorEpoch)
	return nil
}

// archivePartition gives the segment that the cut ended.
func (s *Service) archivePartition(ctx context.Context, w *work, topic string, p int32) (archive.File, error) {
	segment := archive.Segment{Topic: topic, Epoch: w.number() - 1, Partition: p}
	err := s.restore(ctx, w.progress, segment)
	if topic == eventlog.Posts && stuck(err) {
		w.warn(err.Error())
		err = nil // where this one begins may be known all the same
	}
	if err != nil {
		return archive.File{}, err
	}
	return s.archiveSegment(ctx, segment, func(archive.File) error { return nil })
}

// archiveSegment copies a segment out of the log. seen is asked before the file
// takes its place.
func (s *Service) archiveSegment(ctx context.Context, segment archive.Segment, seen func(archive.File) error) (archive.File, error) {
	from, err := s.archivedTo(ctx, segment)
	if unreadable(err) && segment.Topic == eventlog.Posts {
		if next, ok := s.publishedTo(segment); ok {
			from, err = next, nil
		}
	}
	if err != nil {
		return archive.File{}, way(err)
	}
	if err := s.pass("archive " + segment.Path()); err != nil {
		return archive.File{}, err
	}
	file, err := s.copySegment(ctx, segment, from, seen)
	if errors.Is(err, eventlog.ErrOffsetGone) {
		return file, fmt.Errorf("archive %s: the log no longer has offset %d: restore the file from a copy of the archive: %w", segment.Path(), from, err)
	}
	if err == nil {
		s.metrics.archived.WithLabelValues(segment.Topic).Add(float64(file.Rows))
	}
	return file, err
}

// way tells the way out of a damaged archive.
func way(err error) error {
	if errors.Is(err, archive.ErrCorrupt) && !errors.Is(err, eventlog.ErrOffsetGone) {
		return fmt.Errorf("%w; restore it from a copy of the archive", err)
	}
	return err
}

// copySegment reads the log from an offset to the cut that ends the segment's
// epoch.
func (s *Service) copySegment(ctx context.Context, segment archive.Segment, from int64, seen func(archive.File) error) (archive.File, error) {
	reader, err := s.d.Log.ReadRaw(ctx, segment.Topic, segment.Partition, from)
	if err != nil {
		return archive.File{}, err
	}
	defer func() { _ = reader.Close() }()
	out, err := s.d.Archive.Create(ctx, segment, from)
	if err != nil {
		return archive.File{}, err
	}
	defer out.Abort()
	c := copier{segment: segment, out: out}
	for !c.done {
		entries, err := reader.Next(ctx)
		if err != nil {
			return archive.File{}, fmt.Errorf("archive %s: %w", segment.Path(), err)
		}
		for i := range entries {
			if err := c.take(&entries[i]); err != nil {
				return archive.File{}, err
			}
			if c.done {
				break
			}
			if i%courtesy == courtesy-1 {
				runtime.Gosched()
			}
		}
	}
	file, err := out.End(c.next)
	if err != nil {
		return archive.File{}, err
	}
	if err := seen(file); err != nil {
		return archive.File{}, err
	}
	return out.Commit(c.next)
}

// courtesy is after how many records a copy lets others go first: on a small
// machine the doors answer from the same processors, and a ballot must not wait
// for the archive.
const courtesy = 16

// copier writes one segment's records as they come.
type copier struct {
	segment archive.Segment
	out     *archive.Writer
	decoder eventlog.Decoder
	next    int64
	done    bool
}

func (c *copier) take(e *eventlog.Entry) error {
	c.next = e.Offset + 1
	body, err := c.decoder.Decode(e.Raw)
	switch {
	case err != nil:
		return c.out.Unreadable(e.Offset) // the workers dead-letter it
	case body.Cut != nil:
		if body.Cut.Number > c.segment.Epoch+1 {
			return fmt.Errorf("archive %s: cut %d before cut %d: the log is not this installation's", c.segment.Path(), body.Cut.Number, c.segment.Epoch+1)
		}
		c.done = body.Cut.Number == c.segment.Epoch+1
		return c.out.Cut(e.Offset, *body.Cut)
	case body.Ballots != nil && c.segment.Topic == eventlog.Ballots:
		return c.out.Ballots(e.Offset, body.Ballots)
	case body.Revocation != nil && c.segment.Topic == eventlog.Ballots:
		return c.out.Revocation(e.Offset, body.Revocation)
	case body.Post != nil && c.segment.Topic == eventlog.Posts:
		return c.out.Post(e.Offset, body.Post)
	case body.Moderation != nil && c.segment.Topic == eventlog.Posts:
		return c.out.Moderation(e.Offset, body.Moderation)
	case body.Control != nil && c.segment.Topic == eventlog.Control:
		return c.out.Control(e.Offset, body.Control)
	}
	return c.out.Unreadable(e.Offset) // a record of another topic
}
