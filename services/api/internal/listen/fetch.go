package listen

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// patience is how long the first pictures wait for a speed view that lags. It is
// bounded, because some figures are better than none.
const patience = 5 * time.Second

// fetcher reads the views and keeps what it read. One goroutine uses it.
type fetcher struct {
	cfg  Config
	deps Deps

	now, from  int64 // Unix minutes: of this look, and the first to be held
	generation *views.Generation
	manifests  map[topic.Subject]views.PieceID // of the generation
	shelves    map[topic.Subject]*shelf
	parts      []part
	gap        gap
	viewsErr   error
	wholeAt    audience.Millis
	// dirty are the minutes to be added up again.
	dirty map[topic.Subject]map[int64]bool
	mu    sync.Mutex // dirty, while partitions are read at the same time

	// ends are where the log ended at the first look, and until is how long that
	// waits for the speed view to get there: after a restart no figure may be lower
	// than one served before it.
	ends  live.Ends
	until time.Time
	begun bool
	// known are the topics that were listened to, by their latest revision. The
	// speed view may know a topic before this process does: what it has of others
	// is kept.
	known map[string]uint64
}

func newFetcher(cfg Config, deps Deps) *fetcher {
	f := &fetcher{
		cfg: cfg, deps: deps, generation: &views.Generation{}, parts: make([]part, deps.Partitions),
		shelves: map[topic.Subject]*shelf{}, dirty: map[topic.Subject]map[int64]bool{},
		known: map[string]uint64{},
	}
	for p := range f.parts {
		f.parts[p].err = speed.ErrEmpty
	}
	return f
}

func (f *fetcher) touch(s topic.Subject, at int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dirty[s] == nil {
		f.dirty[s] = map[int64]bool{}
	}
	f.dirty[s][at] = true
}

// fetch looks at both views. What changed is dirty afterwards.
func (f *fetcher) fetch(ctx context.Context, state *control.State, now audience.Millis, from int64) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.ReadTimeout)
	defer cancel()
	f.now, f.from = topic.MinuteOf(now), from
	wanted := subjects(state)
	f.turn(ctx, wanted)
	var all sync.WaitGroup
	for p := range f.parts {
		all.Go(func() { f.parts[p].read(ctx, f.deps.Speed, int32(p), f.generation.PostCut(), f.touch) })
	}
	all.Wait()
	f.prune(wanted)
	if f.missing() == nil {
		f.wholeAt = now
	}
	if !f.begun {
		f.begun = f.missing() == nil && f.viewsErr == nil && !f.behind(ctx)
	}
}

// subjects are what is listened to now.
func subjects(state *control.State) map[topic.Subject]bool {
	out := map[topic.Subject]bool{}
	for _, t := range state.Topics("") {
		out[topic.Subject{Topic: t.ID, Revision: t.Counted}] = true
	}
	return out
}

// prune forgets what nobody asks for any more.
func (f *fetcher) prune(wanted map[topic.Subject]bool) {
	for s := range wanted {
		f.known[s.Topic] = max(f.known[s.Topic], s.Revision)
	}
	gone := func(s topic.Subject) bool { return !wanted[s] && s.Revision <= f.known[s.Topic] }
	for p := range f.parts {
		f.parts[p].prune(gone)
	}
	f.shed()
	for s, shelf := range f.shelves {
		if !wanted[s] {
			delete(f.shelves, s)
			continue
		}
		shelf.first = max(shelf.first, f.from)
		maps.DeleteFunc(shelf.blobs, func(at int64, _ []byte) bool { return at < f.from })
		maps.DeleteFunc(shelf.ids, func(at int64, _ views.PieceID) bool { return at < f.from })
	}
	maps.DeleteFunc(f.dirty, func(s topic.Subject, _ map[int64]bool) bool { return !wanted[s] })
}

// touchAll marks everything there is of a subject that is new here, or is held
// from an earlier minute on.
func (f *fetcher) touchAll(s topic.Subject, from int64) {
	for p := range f.parts {
		f.parts[p].each(s, from, f.touch)
	}
	if shelf := f.shelves[s]; shelf != nil {
		for at := range shelf.ids {
			f.touch(s, at)
		}
	}
}

// behind says whether the first pictures are to wait for the speed view.
func (f *fetcher) behind(ctx context.Context) bool {
	return f.ends.Behind(ctx, len(f.parts), f.deps.End, func(p int) int64 { return f.parts[p].pos.Next })
}

// impatient says whether the first pictures have waited long enough.
func (f *fetcher) impatient() bool {
	if f.until.IsZero() {
		f.until = time.Now().Add(patience)
	}
	return time.Now().After(f.until)
}

// missing says which part is not as good as it should be.
func (f *fetcher) missing() error { return live.Missing(f.parts, func(t *part) error { return t.err }) }

// minute adds up a subject's minute from both views; nil when there is nothing
// of it. What was read was seen to decode.
func (f *fetcher) minute(s topic.Subject, at int64) (*topic.Minute, error) {
	var blobs [][]byte
	if shelf := f.shelves[s]; shelf != nil && shelf.blobs[at] != nil {
		blobs = append(blobs, shelf.blobs[at])
	}
	key := speed.MinuteKey{Topic: s.Topic, Revision: s.Revision, Minute: at}
	for p := range f.parts {
		blobs = f.parts[p].blobs(key, blobs)
	}
	var sum *topic.Minute
	for i, blob := range blobs {
		m, err := topic.Decode(blob)
		if err != nil {
			return nil, fmt.Errorf("decode minute %d of %s: %w", at, s, err)
		}
		if len(blobs) == 1 {
			return m, nil
		}
		if i == 0 {
			sum = topic.NewSum()
		}
		sum.Add(m)
	}
	return sum, nil
}

// reach is the sum of the offsets: it grows with every record counted.
func (f *fetcher) reach() (sum int64) {
	for _, next := range f.offsets() {
		sum += next
	}
	return sum
}

func (f *fetcher) offsets() map[int32]int64 {
	out := make(map[int32]int64, len(f.parts))
	maps.Copy(out, f.generation.PostOffsets)
	for p := range f.parts {
		out[int32(p)] = max(out[int32(p)], f.parts[p].pos.Next)
	}
	return out
}
