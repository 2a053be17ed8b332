package live

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
)

// Health is how the views stand.
type Health struct {
	Generation  uint64
	GeneratedAt audience.Millis
	// WholeAt is when all parts were last there; 0: never.
	WholeAt   audience.Millis
	Positions []speed.Position
	// SpeedErr and ViewsErr say what is missing.
	SpeedErr, ViewsErr error
}

// Health is the latest look at the stores.
func (b *Board) Health() Health { return *b.health.Load() }

// Run keeps the answers fresh until ctx ends. Reading and presenting go apart:
// a poll is hidden in time even while a store hangs.
func (b *Board) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.fetching(ctx) })
	g.Go(func() error { return b.presenting(ctx) })
	return g.Wait()
}

func (b *Board) fetching(ctx context.Context) error {
	f := newFetcher(b.deps, b.cfg.ReadTimeout)
	s := newSeries(b.deps)
	tick := time.NewTicker(b.cfg.Refresh)
	defer tick.Stop()
	curvesAt, curvesDue := time.Time{}, true
	for said := unmerged; ; {
		m, fresh := f.fetch(ctx, audience.MillisOf(b.deps.Now()))
		if ctx.Err() != nil {
			return nil
		}
		said = b.report(f, m, said)
		if m != nil {
			curvesDue = curvesDue || fresh
			if curvesDue && time.Since(curvesAt) >= b.cfg.SeriesRefresh {
				b.curves.Store(s.read(ctx, f.generation, b.cfg.ReadTimeout))
				curvesAt, curvesDue, fresh = time.Now(), false, true
			}
			fresh = b.seals(ctx) || fresh
			b.merged.Store(m)
			if fresh || m.stale {
				b.wake()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *Board) wake() {
	select {
	case b.fresh <- struct{}{}:
	default: // one wake-up is enough
	}
}

// report keeps the health and logs when it changes.
func (b *Board) report(f *fetcher, m *merged, said string) string {
	h := &Health{Generation: f.generation.Number, GeneratedAt: f.generation.CreatedAt, SpeedErr: f.missing(), ViewsErr: f.viewsErr}
	for p := range f.parts {
		h.Positions = append(h.Positions, f.parts[p].slice.Position)
	}
	if m != nil {
		h.WholeAt = m.at
	}
	b.health.Store(h)
	now := problem(h)
	switch {
	case now == said:
	case now == "" && said != unmerged:
		b.deps.Log.Info("views are whole again")
	case m == nil:
		return unmerged
	case now != "":
		b.deps.Log.Warn("answers may be stale", "cause", now)
	}
	return now
}

// unmerged is what is said before the first merge, when stores may be late.
const unmerged = "not merged yet"

func problem(h *Health) string {
	switch {
	case h.SpeedErr != nil:
		return h.SpeedErr.Error()
	case h.ViewsErr != nil:
		return h.ViewsErr.Error()
	}
	return ""
}

// seals reads the seals of current rounds that were verified since, and says
// whether there were any.
func (b *Board) seals(ctx context.Context) (fresh bool) {
	state := b.deps.Control.State()
	now := audience.MillisOf(b.deps.Now())
	for _, p := range state.Polls("") {
		st := p.At(now)
		if st.Phase != audience.Verified {
			continue
		}
		key := audience.RoundKey{Poll: p.Definition.ID, Round: st.Round}
		if b.sealAtHand(key) != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, b.cfg.ReadTimeout)
		sealed, err := b.seal(ctx, state, key)
		cancel()
		if err != nil {
			b.deps.Log.Debug("seal not read", "error", err)
			return fresh // the store is away; the next look tries again
		}
		fresh = fresh || sealed != nil
	}
	return fresh
}

// presenting renews answers when the views, the registry or the clock say so.
func (b *Board) presenting(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var merged time.Time // when there was first something to present
	for {
		changed := b.deps.Control.Changed()
		now := b.deps.Now()
		wait := untilNext(0, now)
		if m := b.merged.Load(); m != nil {
			if merged.IsZero() {
				merged = time.Now()
			}
			change, missing := b.presentAll(m, audience.MillisOf(now))
			wait = min(untilNext(change, now), b.open(missing, merged))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-b.fresh:
		case <-changed:
		case <-timer.C:
		}
	}
}

// open makes the board ready once every poll has answers. A poll whose seal
// cannot be found, as after a restore of an older store, holds the others back
// for a while only.
func (b *Board) open(missing []string, merged time.Time) (again time.Duration) {
	waited := time.Since(merged)
	if len(missing) > 0 && waited < b.patience {
		return max(b.patience-waited, time.Millisecond)
	}
	select {
	case <-b.ready:
	default:
		if len(missing) > 0 {
			b.deps.Log.Error("verified rounds without their seal are not served", "polls", missing)
		}
		close(b.ready)
	}
	return time.Hour
}

// untilNext is how long nothing changes by itself: until the next change of a
// standing, or the next full minute.
func untilNext(change audience.Millis, now time.Time) time.Duration {
	wait := now.Truncate(time.Minute).Add(time.Minute).Sub(now)
	if change != 0 {
		wait = min(wait, change.Time().Sub(now))
	}
	return max(wait, time.Millisecond)
}

// String names a face in logs.
func (f Face) String() string {
	switch f {
	case Producer, OnAir, Public, Receipt:
		return [...]string{"producer", "onair", "public", "receipt"}[f]
	}
	return fmt.Sprintf("face %d", int(f))
}

var _ Control = (*control.Client)(nil)
