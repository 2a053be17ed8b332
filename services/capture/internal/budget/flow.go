package budget

import (
	"math"
	"time"
)

// flowOver is how fast a flow forgets, in seconds.
const flowOver = 60.0

// flow estimates how many posts arrive a second: each arrival counts for less
// the longer ago it is. What is not known yet, at the beginning, is not taken for
// silence.
type flow struct {
	begun, last time.Time
	weight      float64
}

func (f *flow) add(n int, now time.Time) {
	if f.begun.IsZero() {
		f.begun, f.last = now, now
	}
	f.weight *= math.Exp(-max(0, now.Sub(f.last).Seconds()) / flowOver)
	f.weight += float64(n)
	f.last = now
}

// perSecond is the flow at the last arrival.
func (f *flow) perSecond() float64 {
	seen := max(1, f.last.Sub(f.begun).Seconds())
	return f.weight / (flowOver * (1 - math.Exp(-seen/flowOver)))
}
