package live

import "context"

// Ends are where the partitions of a log ended when they were first looked at:
// after a restart no figure may be lower than one served before it, so the first
// answers wait until the speed view has got there.
type Ends []int64

// Behind says whether one of n partitions has not got there yet; next is how far
// it is.
func (e *Ends) Behind(ctx context.Context, n int, end func(context.Context, int32) (int64, error), next func(p int) int64) bool {
	for p := len(*e); p < n; p++ {
		at, err := end(ctx, int32(p))
		if err != nil {
			return true
		}
		*e = append(*e, at)
	}
	for p, at := range *e {
		if next(p) < at {
			return true
		}
	}
	return false
}
