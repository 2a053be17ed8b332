package listen

import (
	"bytes"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
)

// beyond is what leads from a picture to the minutes before those it holds.
type beyond struct {
	// manifest is the generation's of the subject; nil when it has none.
	manifest  *views.PieceID
	additions additions
	// lost says that there are more additions than are held.
	lost bool
}

// additions are the encoded minutes, by minute, that the speed view has of the
// time before what is held: posts that were taken out long after they came, and
// all that came since a batch run that is long ago. They are shared and not to be
// changed.
type additions map[int64][][]byte

func (a additions) equal(o additions) bool {
	return maps.EqualFunc(a, o, func(x, y [][]byte) bool { return slices.EqualFunc(x, y, bytes.Equal) })
}

// between are the minutes, rising, from first (inclusive) to end (exclusive).
func (a additions) between(first, end int64) (at []int64) {
	for minute := range a {
		if minute >= first && minute < end {
			at = append(at, minute)
		}
	}
	slices.Sort(at)
	return at
}

// gap is what the speed view has and is not held any more: minutes before one,
// written in epochs up to one. It is closed by a generation that has them.
type gap struct {
	before int64
	epoch  uint64
}

// shed lets all additions go when there are too many: batch has not run for so
// long that there is no room for more.
func (f *fetcher) shed() {
	if f.gap.epoch < f.generation.PostCut() {
		f.gap = gap{}
	}
	held := 0
	for p := range f.parts {
		held += f.parts[p].older(f.from)
	}
	if held <= f.cfg.Minutes {
		return
	}
	f.gap.before = max(f.gap.before, f.from)
	for p := range f.parts {
		f.gap.epoch = max(f.gap.epoch, f.parts[p].shed(f.from))
	}
	f.deps.Log.Warn("the past is not held until batch has run", "minutes", held, "at_most", f.cfg.Minutes)
}

// first is the first minute that is held of a subject.
func (f *fetcher) first(s topic.Subject) int64 {
	first := max(f.from, f.gap.before)
	if shelf := f.shelves[s]; shelf != nil {
		first = max(first, shelf.first)
	}
	return first
}

// additions gathers what the speed view has before the first minutes held.
func (f *fetcher) additions() map[topic.Subject]additions {
	out := map[topic.Subject]additions{}
	for p := range f.parts {
		for _, minutes := range f.parts[p].epochs {
			for key := range minutes {
				if s := subjectOf(key); key.Minute < f.first(s) {
					f.add(out, s, key)
				}
			}
		}
	}
	return out
}

func (f *fetcher) add(to map[topic.Subject]additions, s topic.Subject, key speed.MinuteKey) {
	if to[s] == nil {
		to[s] = additions{}
	}
	if to[s][key.Minute] != nil {
		return
	}
	for p := range f.parts {
		to[s][key.Minute] = f.parts[p].blobs(key, to[s][key.Minute])
	}
}

// beyond is what leads to the minutes before those held of a subject.
func (f *fetcher) beyond(s topic.Subject, a additions) beyond {
	b := beyond{additions: a, lost: f.gap.before > 0}
	if manifest, ok := f.manifests[s]; ok {
		b.manifest = &manifest
	}
	return b
}
