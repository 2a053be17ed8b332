package live

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/views"
)

// fetcher reads the views. One goroutine uses it.
type fetcher struct {
	deps    Deps
	timeout time.Duration

	generation *views.Generation
	parts      []part
	last       *merged
	// viewsErr is why the published generation is not the one at hand.
	viewsErr error
	// ends are where the log ended when the first merge was tried, and until is
	// how long that waits for the speed view to get there: after a restart no
	// figure may be lower than one served before it.
	ends  Ends
	until time.Time
}

// patience is how long the first answers wait for a speed view that lags or a
// seal that is missing. It is bounded, because some figures are better than none.
const patience = 5 * time.Second

// part is one partition's last good slice, and what hinders a newer one.
type part struct {
	slice speed.Slice
	seen  speed.Position
	err   error
}

func newFetcher(deps Deps, timeout time.Duration) *fetcher {
	n := deps.Partitions
	f := &fetcher{deps: deps, timeout: timeout, generation: &views.Generation{}, parts: make([]part, n)}
	for p := range f.parts {
		f.parts[p].err = speed.ErrEmpty
	}
	return f
}

// fetch looks at both views and says whether anything is new. The result is nil
// until every part was there once.
func (f *fetcher) fetch(ctx context.Context, now audience.Millis) (*merged, bool) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	fresh := f.turn(ctx)
	if f.read(ctx) {
		fresh = true
	}
	whole := f.missing() == nil
	if f.last == nil && (!whole || f.viewsErr != nil || f.behind(ctx)) {
		return nil, false
	}
	if !fresh && f.last != nil && f.last.stale == !whole {
		return f.still(now, whole), false
	}
	slices := make([]speed.Slice, len(f.parts))
	for p := range f.parts {
		slices[p] = f.parts[p].slice
	}
	m := merge(f.generation, slices)
	m.at, m.stale = now, !whole
	if !whole {
		m.at = f.last.at
	}
	f.last = m
	return m, true
}

// behind says whether the first merge is to wait for the speed view.
func (f *fetcher) behind(ctx context.Context) bool {
	if f.until.IsZero() {
		f.until = time.Now().Add(patience)
	}
	if time.Now().After(f.until) {
		return false
	}
	return f.ends.Behind(ctx, len(f.parts), f.deps.End, func(p int) int64 { return f.parts[p].slice.Next })
}

// still is the last merge, known to be good until now.
func (f *fetcher) still(now audience.Millis, whole bool) *merged {
	if whole {
		m := *f.last
		m.at = now
		f.last = &m
	}
	return f.last
}

// turn takes up a newly published generation. If it cannot be read, the one at
// hand still gives exact results for as long as its epochs are kept.
func (f *fetcher) turn(ctx context.Context) bool {
	published, ok := f.deps.Control.State().Published()
	if !ok || published.Generation <= f.generation.Number {
		f.viewsErr = nil
		return false
	}
	g, err := f.deps.Views.Generation(ctx, published.Generation)
	if err != nil {
		f.viewsErr = fmt.Errorf("read generation %d: %w", published.Generation, err)
		return false
	}
	f.generation, f.viewsErr = g, nil
	return true
}

// read looks at every partition's position, and reads those that moved.
func (f *fetcher) read(ctx context.Context) (fresh bool) {
	moved := make([]bool, len(f.parts))
	var wg sync.WaitGroup
	for p := range f.parts {
		wg.Go(func() { moved[p] = f.parts[p].read(ctx, f.deps.Speed, int32(p), f.generation.Number) })
	}
	wg.Wait()
	for _, m := range moved {
		fresh = fresh || m
	}
	return fresh
}

func (t *part) read(ctx context.Context, s Speed, p int32, from uint64) (moved bool) {
	pos, err := s.Position(ctx, eventlog.Ballots, p)
	if err != nil {
		t.err = err
		return false
	}
	if t.err == nil && pos == t.seen {
		return false
	}
	if t.err = Follows(t.slice.Next, pos); t.err != nil {
		return false
	}
	slice, err := s.Read(ctx, eventlog.Ballots, p, from)
	if err == nil {
		err = Follows(t.slice.Next, slice.Position)
	}
	if t.err = err; err != nil {
		return false
	}
	t.slice, t.seen = slice, slice.Position
	return true
}

// missing says which part is not as good as it should be.
func (f *fetcher) missing() error { return Missing(f.parts, func(t *part) error { return t.err }) }
