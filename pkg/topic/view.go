package topic

import (
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
)

// View is what was counted, by subject. A nil View is empty and may be read, not
// added to.
type View map[Subject]Minutes

// Minutes are a subject's counts by Unix minute of capture's clock (received_at):
// platforms' clocks lie.
type Minutes map[int64]*Minute

const minuteMillis = 60_000

// MinuteOf is the minute of an instant.
func MinuteOf(at audience.Millis) int64 { return max(0, int64(at)) / minuteMillis }

// StartOf is the instant at which a minute begins.
func StartOf(minute int64) audience.Millis { return audience.Millis(minute * minuteMillis) }

// Of is a subject's minutes, made when missing.
func (v View) Of(s Subject) Minutes {
	m := v[s]
	if m == nil {
		m = Minutes{}
		v[s] = m
	}
	return m
}

// Add sums o into v; o stays as it is and shares nothing with v.
func (v View) Add(o View) {
	for s, m := range o {
		v.Of(s).Add(m)
	}
}

// Of is one minute, made when missing.
func (m Minutes) Of(minute int64) *Minute {
	x := m[minute]
	if x == nil {
		x = NewMinute()
		m[minute] = x
	}
	return x
}

// Add sums o into m; o stays as it is and shares nothing with m.
func (m Minutes) Add(o Minutes) {
	for _, minute := range o.Sorted() { // in order: tops are sums of ordered parts
		m.Of(minute).Add(o[minute])
	}
}

// Sorted are the minutes that exist, rising.
func (m Minutes) Sorted() []int64 { return slices.Sorted(maps.Keys(m)) }

// Sum adds up the minutes from first (inclusive) to last (exclusive).
func (m Minutes) Sum(first, last int64) *Minute {
	sum := NewSum()
	for _, minute := range m.Sorted() {
		if minute >= first && minute < last {
			sum.Add(m[minute])
		}
	}
	return sum
}

// Equal says whether both hold the same exact counts; absent and zero are the
// same. See Minute.Equal.
func (v View) Equal(o View) bool { return v.within(o) && o.within(v) }

func (v View) within(o View) bool {
	for s, m := range v {
		if !m.within(o[s]) {
			return false
		}
	}
	return true
}

// Equal says whether both hold the same exact counts; absent and zero are the
// same.
func (m Minutes) Equal(o Minutes) bool { return m.within(o) && o.within(m) }

func (m Minutes) within(o Minutes) bool {
	for minute, x := range m {
		if !x.Equal(o[minute]) {
			return false
		}
	}
	return true
}
