package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/listen"
)

// Posts stand still while a segment of theirs can neither be read nor be written
// again: votes are not to wait for what was said. A generation then has the posts
// of the one before, and says up to which cut; what came behind it stays in the
// speed view, so that both together are exact as ever. Every run tries again. It
// goes on when somebody has restored the file, or has removed it and so decided
// to count without it.

// stuck says whether posts are lost to this run and to the next: not for a store
// that stumbled, nor for one that does not answer.
func stuck(err error) bool {
	return unreadable(err) || errors.Is(err, eventlog.ErrOffsetGone) || errors.Is(err, listen.ErrBroken)
}

// givenUp says whether a segment is neither in the archive nor in the log.
func givenUp(err error) bool {
	return errors.Is(err, archive.ErrNotFound) && errors.Is(err, eventlog.ErrOffsetGone) && !errors.Is(err, archive.ErrCorrupt)
}

func (s *Service) standStill(w *work, cause error) {
	w.heard = nil
	cut := uint64(0)
	if w.before != nil {
		cut = w.before.PostCut()
	}
	s.d.Logger.Error("posts stand still, ballots go on", "generation", w.number(), "posts_up_to_cut", cut, "error", cause)
	w.warn(fmt.Sprintf("posts stand still at cut %d: %v; restore the file, or remove it to count posts without it, and ask for a run", cut, cause))
}

// stand gives a generation the posts of the one before.
func (w *work) stand(g *views.Generation) {
	g.Unheard = g.Number
	if b := w.before; b != nil {
		g.Unheard = g.Number - b.PostCut()
		g.Topics, g.Build, g.PostOffsets, g.Searched = b.Topics, b.Build, b.PostOffsets, b.Searched
	}
}

// postsBelow is the first epoch of posts that somebody still needs: whoever reads
// this generation, or the one before.
func (s *Service) postsBelow(ctx context.Context, w *work) (uint64, error) {
	below := min(w.number()-1, w.generation.PostCut())
	before := w.before
	if before == nil {
		var err error
		before, err = s.d.Views.Generation(ctx, w.number()-1)
		if errors.Is(err, views.ErrNotFound) {
			return below, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return min(below, before.PostCut()), nil
}

// publishedTo is where a segment of posts begins, if the published generation ends
// there.
func (s *Service) publishedTo(segment archive.Segment) (next int64, ok bool) {
	published, ok := s.d.Control.State().Published()
	if !ok || published.PostCut() != segment.Epoch {
		return 0, false
	}
	next, ok = published.PostOffsets[segment.Partition]
	return next, ok
}
