// Package trend scores what people suddenly talk about.
package trend

import "math"

// Burst scores how far the count of a window lies above what the time before
// lets expect, in standard deviations of a Poisson count. before is the count of
// the earlier time, parts how many windows that time held. What was never seen
// before is expected half a time, so that one mention is no burst.
func Burst(now, before int64, parts float64) float64 {
	if parts <= 0 {
		return 0
	}
	expected := (float64(max(0, before)) + 0.5) / parts
	return (float64(now) - expected) / math.Sqrt(expected+1)
}
