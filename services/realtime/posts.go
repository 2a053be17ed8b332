package realtime

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
)

// posts folds a partition of the posts log.
type posts struct {
	*postFold

	w       *worker
	shared  *catalogs
	metrics *postMetrics
	catalog *topic.Catalog
	hearing *hearing
}

var _ folder = (*posts)(nil)

func newPostsWorker(s *Service, partition int32) *worker {
	w := s.newWorker(eventlog.Posts, partition, s.posts.metrics)
	w.maxFold, w.pace = s.cfg.Posts.MaxFold, s.cfg.Posts.Pace
	ears := s.cfg.Posts.Ears
	if ears == 0 {
		ears = runtime.GOMAXPROCS(0)
	}
	w.fold = &posts{w: w, shared: s.shared, metrics: s.posts, hearing: newHearing(ears)}
	return w
}

func (p *posts) origin(ctx context.Context, oldest int64) (speed.Start, error) {
	return p.w.deps.PostOrigin.Origin(ctx, p.w.partition, oldest)
}

// load restores the fold's state, and the minutes of its epoch as they were last
// written.
func (p *posts) load(ctx context.Context, pos speed.Position) error {
	p.postFold, p.catalog = nil, nil // before others take their room
	if err := p.shared.ready(ctx); err != nil {
		return err
	}
	f := newPostFold(pos, p.w.cfg.RewriteBytes)
	err := p.w.deps.Store.PostJournal(ctx, p.w.topic, p.w.partition, f.restore)
	if errors.Is(err, topic.ErrJournal) {
		return fmt.Errorf("%w: %w", speed.ErrDamaged, err)
	}
	if err != nil {
		return err
	}
	f.state.SetEpoch(pos.Epoch)
	if err := p.loadMinutes(ctx, f); err != nil {
		return err
	}
	p.postFold = f
	return p.listen()
}

func (p *posts) loadMinutes(ctx context.Context, f *postFold) error {
	listed, err := p.w.deps.Store.Listed(ctx, p.w.topic, p.w.partition)
	if err != nil {
		return err
	}
	for _, id := range listed {
		f.lists[id] = true
	}
	if f.pos.Epoch < f.pos.Keep {
		return nil // not counted
	}
	held, err := p.w.deps.Store.ReadMinutes(ctx, p.w.topic, p.w.partition, f.pos.Epoch, speed.Position{})
	switch {
	case errors.Is(err, speed.ErrExpired):
		return nil
	case err != nil:
		return err
	case held.Incarnation != f.pos.Incarnation || held.Next != f.pos.Next:
		return &speed.Fenced{Stored: held.Position} // another moved on meanwhile
	}
	for key, blob := range held.Epochs[f.pos.Epoch] {
		if failed := f.open.Load(topic.MinuteKey{Subject: topic.Subject{Topic: key.Topic, Revision: key.Revision}, Minute: key.Minute}, blob); failed != nil {
			return fmt.Errorf("%w: minute %d of %s@%d: %w", speed.ErrDamaged, key.Minute, key.Topic, key.Revision, failed)
		}
	}
	return nil
}

// listen takes up the topics as control has them now.
func (p *posts) listen() error {
	catalog, err := p.shared.latest()
	if err != nil {
		return err
	}
	if catalog != p.catalog {
		p.catalog = catalog
		p.hearing.use(catalog)
		p.postFold.listen(catalog)
	}
	return nil
}

// mostMinutes is about how many minutes, of all topics together, a step writes,
// whatever the number of posts: a replay spans hours.
const mostMinutes = 2048

func (p *posts) full() bool {
	return p.posts >= p.w.cfg.Posts.MaxBatch || p.open.Changed() >= mostMinutes
}

// take hears entries and folds them. At a cut, and where a step is full, it stops
// to write.
func (p *posts) take(ctx context.Context, entries []eventlog.Entry) error {
	for len(entries) > 0 {
		if err := p.listen(); err != nil {
			return err
		}
		var cut *audience.Cut
		n := p.hearing.each(entries, func(e *eventlog.Entry, r *record) bool {
			if e.Offset < p.behind {
				return true
			}
			if r.Cut != nil && r.err == nil {
				cut = r.Cut
				return false
			}
			p.record(ctx, e, r)
			return !p.full()
		})
		if cut != nil {
			if err := p.cutAt(ctx, entries[n-1].Offset, *cut); err != nil {
				return err
			}
		}
		if entries = entries[n:]; p.full() {
			if err := p.w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *posts) record(ctx context.Context, e *eventlog.Entry, r *record) {
	switch {
	case r.err != nil:
		p.w.reject(ctx, e, "unreadable")
	case r.u != nil && nameless(r.u):
		p.w.reject(ctx, e, "nameless")
	case r.Post != nil:
		p.post(e.Offset, r.Post, r.u)
	case r.u != nil:
		p.moderate(e.Offset, r.u, r.Moderation.GetReject())
	default:
		p.w.reject(ctx, e, "misplaced")
	}
	p.pass(e.Offset + 1)
}

// nameless posts cannot be told from one another.
func nameless(u *topic.Understood) bool { return len(u.Post.ID) == 0 || len(u.Post.Platform) == 0 }

// cutAt writes what came before a new epoch and begins it, with topics as new as
// the cut at least.
func (p *posts) cutAt(ctx context.Context, offset int64, c audience.Cut) error {
	if p.opens(c) {
		if err := p.w.flush(ctx); err != nil {
			return err
		}
		if err := p.shared.behind(ctx, c.Number, p.w.cfg.Posts.CutPatience); err != nil {
			return err
		}
	}
	p.cut(offset, c)
	p.metrics.cut(c.At)
	return p.listen()
}

func (p *posts) recall(ctx context.Context, s archive.Segment, from int64) (int64, error) {
	ear := p.hearing.ears[0]
	file, err := p.w.deps.Past.ReadPosts(ctx, s, func(rows []archive.PostRow) error {
		for i := range rows {
			if err := p.row(ctx, ear, from, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return file.Next, err
}

func (p *posts) row(ctx context.Context, ear *ear, from int64, r *archive.PostRow) error {
	if r.Offset < from {
		return nil
	}
	switch r.Type {
	case archive.RowPost:
		if u := ear.listener.Hear(r.Post); !nameless(u) {
			p.post(r.Offset, r.Post, u)
		}
	case archive.RowModeration:
		if u := ear.listener.Hear(r.Moderation.GetPost()); !nameless(u) {
			p.moderate(r.Offset, u, r.Moderation.GetReject())
		}
	case archive.RowCut:
		return p.cutAt(ctx, r.Offset, r.Cut)
	}
	p.pass(r.Offset + 1)
	if p.full() {
		return p.w.flush(ctx)
	}
	return nil
}

// step is what was gathered.
func (p *posts) step(whole int64) step {
	s := p.seal(whole, p.catalog)
	live := p.pos.Ready
	return step{
		after: s.After(),
		advance: func(ctx context.Context) error {
			return p.w.deps.Store.AdvancePosts(ctx, p.w.topic, p.w.partition, s)
		},
		applied: func() {
			p.told(s, live)
			p.applied(s)
		},
	}
}

func (p *posts) stay(ctx context.Context) error {
	pos := p.at()
	step := speed.PostStep{Expect: pos, Next: pos.Next, Epoch: pos.Epoch, Ready: &pos.Ready}
	return p.w.deps.Store.AdvancePosts(ctx, p.w.topic, p.w.partition, step)
}

// told counts a step that is in.
func (p *posts) told(s speed.PostStep, live bool) {
	p.metrics.records.Add(float64(p.posts))
	p.metrics.outcome(p.outcomes)
	if s.Rewrite {
		p.metrics.rewrites.Inc()
	}
	if !live {
		return
	}
	now := audience.MillisOf(p.w.deps.Now())
	for _, at := range p.received {
		p.metrics.visible.Observe(float64(max(0, now-at)) / 1000)
	}
}
