package topic

import (
	"errors"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Window is a stretch of whole minutes, [From, To).
type Window struct{ From, To int64 }

// MaxSteps bounds a series: a day by the minute.
const MaxSteps = 1440

// ErrSteps asks for a series that is too long, or whose step is no whole minute.
var ErrSteps = errors.New("a step is a whole number of minutes, and a series has at most 1,440 steps")

// Last is the window of the given number of minutes that ends with the minute of
// now, which is still running.
func Last(now audience.Millis, minutes int64) Window {
	to := MinuteOf(now) + 1
	return Window{to - max(minutes, 1), to}
}

// Len is the number of minutes, 0 for a window that ends before it begins.
func (w Window) Len() int64 { return max(0, w.To-w.From) }

// Before is the window of equal length that ends where w begins.
func (w Window) Before() Window { return Window{w.From - w.Len(), w.From} }

// In adds up the minutes of a window.
func (m Minutes) In(w Window) *Minute { return m.Sum(w.From, w.To) }

// Step is the sum of one stretch of a series.
type Step struct {
	At  audience.Millis
	Sum *Minute
}

// Series cuts a window into steps of so many minutes, with empty sums where
// nothing came. The last step may be shorter.
func (m Minutes) Series(w Window, step int64) ([]Step, error) {
	if step <= 0 || w.Len() > MaxSteps*step {
		return nil, ErrSteps
	}
	steps := make([]Step, (w.Len()+step-1)/step)
	for i := range steps {
		steps[i] = Step{StartOf(w.From + int64(i)*step), NewSum()}
	}
	for _, minute := range m.Sorted() {
		if minute >= w.From && minute < w.To {
			steps[(minute-w.From)/step].Sum.Add(m[minute])
		}
	}
	return steps, nil
}
