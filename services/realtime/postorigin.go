package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/speed"
)

// PublishedPosts begins a partition of posts where the published generation
// ends for posts, with the fold's state that the batch run kept there. Where it kept none
// the partition is folded from its first record, and counted from the same place.
type PublishedPosts struct {
	Control Control
	States  PostStates
	Logger  *slog.Logger
}

var _ Origin = PublishedPosts{}

// Origin waits until the control log is replayed.
func (p PublishedPosts) Origin(ctx context.Context, partition int32, oldest int64) (speed.Start, error) {
	select {
	case <-p.Control.Ready():
	case <-ctx.Done():
		return speed.Start{}, ctx.Err()
	}
	pub, ok := p.Control.State().Published()
	if !ok {
		return speed.Start{Next: oldest}, nil
	}
	cut := pub.PostCut()
	all := speed.Start{Keep: cut}
	next, ok := pub.PostOffsets[partition]
	if !ok {
		return all, nil // a generation of polls alone
	}
	state, err := p.States.PostState(ctx, cut, partition)
	switch {
	case errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrCorrupt):
		p.Logger.Warn("no state of posts to go on from: folding them from the first", "partition", partition, "cut", cut, "error", err)
		return all, nil
	case err != nil:
		return speed.Start{}, fmt.Errorf("state of posts at cut %d: %w", cut, err)
	}
	return speed.Start{Next: next, Epoch: cut, Keep: cut, State: state}, nil
}
