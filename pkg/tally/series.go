package tally

import (
	"errors"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Step is the votes received in one stretch of time, by slot.
type Step struct {
	At    audience.Millis
	Votes []int64
}

// MaxSteps bounds one answer of Steps: a day by 10 seconds.
const MaxSteps = 8640

// ErrSteps asks for a series that is too long, or whose step is no multiple of a
// bucket.
var ErrSteps = errors.New("a step is a multiple of 10 s, and a series has at most 8,640 steps")

// Steps gives the series from one instant to another (exclusive), in steps that
// begin at multiples of step, with zeros where nothing came. Zero instants stand
// for the first and the last vote.
func (r *Round) Steps(step, from, to audience.Millis, slots int) ([]Step, error) {
	if step <= 0 || step%(BucketSeconds*1000) != 0 {
		return nil, ErrSteps
	}
	first, last, ok := r.span()
	if from == 0 {
		from = first
	}
	if to == 0 {
		to = last
	}
	if !ok && (from == 0 || to == 0) || to <= from {
		return []Step{}, nil
	}
	from -= from % step
	n := (to - from + step - 1) / step
	if n > MaxSteps {
		return nil, ErrSteps
	}
	steps := make([]Step, n)
	for i := range steps {
		steps[i] = Step{At: from + audience.Millis(i)*step, Votes: make([]int64, slots)}
	}
	if r != nil {
		r.fill(steps, step)
	}
	return steps, nil
}

func (r *Round) fill(steps []Step, step audience.Millis) {
	for bucket, votes := range r.Series {
		i := (startOf(bucket) - steps[0].At) / step
		if startOf(bucket) < steps[0].At || int(i) >= len(steps) {
			continue
		}
		steps[i].Votes = addSlots(steps[i].Votes, votes, 1)
	}
}

func startOf(bucket int64) audience.Millis {
	return audience.Millis(bucket * BucketSeconds * 1000)
}

// span is from the first bucket's start to the last one's end.
func (r *Round) span() (from, to audience.Millis, ok bool) {
	if r == nil {
		return 0, 0, false
	}
	for bucket, votes := range r.Series {
		if allZero(votes) {
			continue
		}
		start := startOf(bucket)
		if !ok || start < from {
			from = start
		}
		to, ok = max(to, start+BucketSeconds*1000), true
	}
	return from, to, ok
}

// PerMinute is the votes by slot of the last full minute before now.
func (r *Round) PerMinute(now audience.Millis, slots int) []int64 {
	const minute = 60_000
	end := now - now%minute
	votes := make([]int64, slots)
	if r == nil {
		return votes
	}
	for b := BucketOf(end - minute); b < BucketOf(end); b++ {
		votes = addSlots(votes, r.Series[b], 1)
	}
	return slices.Clip(votes)
}
