package live

import (
	"errors"
	"fmt"

	"github.com/clamor-live/clamor/pkg/speed"
)

var (
	errNotReady = errors.New("the partition is being refilled")
	errBehind   = errors.New("the speed view went back and has not caught up yet")
)

// Follows says whether a partition's position may follow the last good one,
// which was at next. A total must not go down because a store lost its newest
// writes.
func Follows(next int64, pos speed.Position) error {
	switch {
	case !pos.Ready:
		return errNotReady
	case pos.Next < next:
		return fmt.Errorf("%w: at %d, was at %d", errBehind, pos.Next, next)
	}
	return nil
}

// Missing says which partitions are not as good as they should be.
func Missing[P any](parts []P, hinders func(*P) error) error {
	var errs []error
	for p := range parts {
		if err := hinders(&parts[p]); err != nil {
			errs = append(errs, fmt.Errorf("partition %d: %w", p, err))
		}
	}
	return errors.Join(errs...)
}
