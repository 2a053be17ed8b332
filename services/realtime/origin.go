package realtime

import (
	"context"
	"fmt"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
)

// Control is what is known of generations and cuts.
type Control interface {
	Ready() <-chan struct{}
	State() *control.State
}

// Published begins a partition where the published generation needs it: at the
// first epoch with a record of an unsealed round, for its voters' history, with
// counts from the generation's cut on.
type Published struct{ Control Control }

var _ Origin = Published{}

// Origin waits until the control log is replayed.
func (p Published) Origin(ctx context.Context, partition int32, oldest int64) (speed.Start, error) {
	select {
	case <-p.Control.Ready():
	case <-ctx.Done():
		return speed.Start{}, ctx.Err()
	}
	state := p.Control.State()
	pub, ok := state.Published()
	if !ok {
		return speed.Start{Next: oldest}, nil
	}
	return originOf(pub, state.Cuts(), partition)
}

func originOf(pub control.Published, cuts []control.CutDecision, partition int32) (speed.Start, error) {
	floor, ok := pub.Floors[partition]
	if !ok {
		return speed.Start{}, fmt.Errorf("generation %d names no floor for partition %d", pub.Generation, partition)
	}
	// The epoch before the cut cannot be counted again from here: the rounds that
	// the cut sealed have voters from before the floor.
	start := speed.Start{Next: floor, Epoch: pub.FloorEpoch, Keep: pub.Cut}
	for _, cut := range cuts {
		if cut.Number <= pub.FloorEpoch {
			start.Sealed = append(start.Sealed, cut.Seals...)
		}
	}
	return start, nil
}
