package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/services/batch/certificate"
)

// The log is the truth and a segment a copy of it, the same bytes whoever writes
// them. So one that is missing or damaged is written again from the log, as long
// as that lasts. What was damaged is kept aside, and a file that certificates
// name is held against them.

// unreadable says whether a segment is missing or damaged.
func unreadable(err error) bool {
	return errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrCorrupt)
}

// restore mends the segments before one, back to the last of which the end can be
// read: a segment begins where the one before it ends.
func (s *Service) restore(ctx context.Context, w *progress, before archive.Segment) error {
	var broken []archive.Segment
	var causes []error
	for segment := before; segment.Epoch > 0; {
		segment.Epoch--
		_, err := s.d.Archive.Stat(ctx, segment)
		if err == nil {
			break
		}
		if !unreadable(err) {
			return err
		}
		broken, causes = append(broken, segment), append(causes, err)
	}
	for i, segment := range slices.Backward(broken) {
		if err := s.rewrite(ctx, w, segment, causes[i]); err != nil {
			return err
		}
	}
	return nil
}

// look is a way of finding out whether a segment can be read: at its footer, or
// whole.
type look func(context.Context, archive.Segment) (archive.File, error)

// mend looks at a topic's segments of the epochs [from, to) and mends those that
// cannot be read. It says how many these were.
func (s *Service) mend(ctx context.Context, w *progress, look look, topic string, from, to uint64) (int64, error) {
	var mended atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallel())
	for p := range int32(s.d.Log.Partitions(topic)) {
		g.Go(func() error {
			for epoch := from; epoch < to; epoch++ {
				segment := archive.Segment{Topic: topic, Epoch: epoch, Partition: p}
				_, err := look(ctx, segment)
				if err == nil {
					continue
				}
				if !unreadable(err) {
					return err
				}
				if err := s.restore(ctx, w, segment); err != nil {
					return err
				}
				if err := s.rewrite(ctx, w, segment, err); err != nil {
					return err
				}
				mended.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	return mended.Load(), err
}

// rewrite writes one segment again from the log, for the cause that was found.
// Until the log has given all of it nothing is touched.
func (s *Service) rewrite(ctx context.Context, w *progress, segment archive.Segment, cause error) error {
	path, aside := segment.Path(), ""
	s.d.Logger.Warn("a segment of the archive cannot be read: writing it again from the log", "path", path, "error", cause)
	_, err := s.archiveSegment(ctx, segment, func(file archive.File) error {
		if err := s.certified(ctx, w, file); err != nil || errors.Is(cause, archive.ErrNotFound) {
			return err
		}
		// A store that stumbled is not a file that is damaged.
		if sha, _, err := s.d.Archive.Hash(ctx, path); err == nil && sha == file.SHA256 {
			return nil
		}
		place, err := s.d.Archive.SetAside(ctx, segment)
		if errors.Is(err, archive.ErrNotFound) {
			return nil // it was removed meanwhile
		}
		if err != nil {
			return err
		}
		aside = place
		return s.pass("mend " + path)
	})
	if errors.Is(err, eventlog.ErrOffsetGone) {
		return fmt.Errorf("mend %s: %w; %w", path, cause, err)
	}
	if err != nil {
		return fmt.Errorf("mend %s: %v; %w", path, cause, err) // the next run may do better
	}
	text := path + " was missing and was written again from the log"
	if !errors.Is(cause, archive.ErrNotFound) {
		text = path + " was damaged and was written again from the log"
	}
	if aside != "" {
		text += "; the damaged file is kept as " + aside
	}
	s.d.Logger.Warn("a segment of the archive was mended", "path", path, "aside", aside)
	s.metrics.mended.WithLabelValues(segment.Topic).Inc()
	w.warn(text)
	return nil
}

// errUncertified says that the log does not give what was certified.
var errUncertified = errors.New("the log gives other records than were certified: restore the file from a copy of the archive")

// certified holds a file that is to be written again against the certificates
// that name it. Other records are refused. The same records in other bytes, as
// another version of the format would give, are taken and told of: a recount will
// find that the file has changed.
func (s *Service) certified(ctx context.Context, w *progress, file archive.File) error {
	paths, err := s.d.Archive.Certificates(ctx)
	if err != nil {
		return err
	}
	for _, path := range paths {
		doc, err := s.d.Archive.Get(ctx, path)
		if err != nil {
			return err
		}
		statement, _, err := certificate.Open(doc, nil)
		if err != nil {
			return fmt.Errorf("hold %s against %s: %w", file.Path, path, err)
		}
		for _, was := range statement.Files {
			switch {
			case was.Path != file.Path || was.SHA256 == file.SHA256:
			case was.Rows != file.Rows || was.Ballots != file.Ballots || was.First != file.First || was.Next != file.Next:
				return fmt.Errorf("%s names %d rows and %d ballots from offset %d to %d, the log has %d and %d from %d to %d: %w", path,
					was.Rows, was.Ballots, was.First, was.Next, file.Rows, file.Ballots, file.First, file.Next, errUncertified)
			default:
				s.d.Logger.Error("a mended segment is not the file that was certified", "path", file.Path, "certificate", path,
					"certified", was.SHA256, "written", file.SHA256)
				w.warn(fmt.Sprintf("%s has SHA-256 %s, %s names %s: restore the file from a copy of the archive", file.Path, file.SHA256, path, was.SHA256))
			}
		}
	}
	return nil
}
