package listen

import (
	"cmp"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// Entry is one minute of a topic. The Minute is shared and not to be changed.
type Entry struct {
	At     int64 // Unix minute
	Minute *topic.Minute
}

// Picture is what is known of a topic at one place of the log. It is immutable
// but for the forms rendered from it.
type Picture struct {
	live.Stamp

	Topic *control.Topic
	Show  audience.Show
	// Now is the minute that is being counted; From the first that is held.
	Now, From int64
	// Minutes are those with anything in them, rising.
	Minutes    []Entry
	Generation uint64
	// Complete says that the minutes go back to the first post there is: a topic,
	// or a new rule of it, is complete with the next batch run.
	Complete bool
	// Stale says that a part of the views did not answer, AgeMS for how long.
	Stale bool
	AgeMS int64
	// Partial says that a part has never answered: figures are too low.
	Partial bool
	// Control is where the registry was.
	Control int64
	// Offsets are, by partition of posts, the first offset that is not in it.
	Offsets map[int32]int64

	sums   *sums
	beyond beyond
	past   *past // nil: what is held is all
}

// Between are the minutes from first (inclusive) to end (exclusive).
func (p *Picture) Between(first, end int64) []Entry {
	from, _ := slices.BinarySearchFunc(p.Minutes, first, byMinute)
	to, _ := slices.BinarySearchFunc(p.Minutes, end, byMinute)
	return p.Minutes[from:max(from, to)]
}

func byMinute(e Entry, at int64) int { return cmp.Compare(e.At, at) }

// basis is what a picture is made from besides its minutes, compared before
// anything is made.
type basis struct {
	topic      *control.Topic
	show       *control.Show
	now, from  int64
	generation uint64
	complete   bool
	stale      bool
	age        int64
	partial    bool
	lost       bool
}

// put gives a picture's minutes with some of them replaced; nil removes one. The
// old list stays as it is.
func put(old []Entry, changed map[int64]*topic.Minute, from int64) []Entry {
	out := make([]Entry, 0, len(old)+len(changed))
	for _, e := range old {
		if _, ok := changed[e.At]; !ok && e.At >= from {
			out = append(out, e)
		}
	}
	for at, m := range changed {
		if m != nil && at >= from {
			out = append(out, Entry{at, m})
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Compare(a.At, b.At) })
	return out
}
