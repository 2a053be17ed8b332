package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/services/batch/listen"
)

// Search is what batch does with the search engine.
type Search interface {
	Begin(ctx context.Context, build string) error
	Put(ctx context.Context, build string, docs []search.Doc) error
	Publish(ctx context.Context, build string) error
	Current(ctx context.Context) (build string, err error)
	Expire(ctx context.Context, keep ...string) error
}

// indexing fills the index of a build with the posts that a pass hears. The first
// error ends it, and never the counting: what is missing then is put later, from
// the archive.
type indexing struct {
	s     *Service
	build string
	note  fillings
	err   atomic.Pointer[error]
	docs  atomic.Int64
}

func (x *indexing) failed() error {
	if err := x.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (x *indexing) fail(err error) {
	if err != nil {
		x.err.CompareAndSwap(nil, &err)
	}
}

// limited bounds one call to the engine: one that hangs is one that is away.
func (s *Service) limited(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.SearchWait)
	defer cancel()
	return call(ctx)
}

// beginIndexing is nil when the run's posts cannot be put as they are counted:
// without a search engine, when it is away, and when posts before them are still
// missing. While the index of new models or rules is filled aside, the one that is
// read goes on being given what comes.
func (s *Service) beginIndexing(ctx context.Context, w *work) *indexing {
	if s.d.Search == nil {
		return nil
	}
	x := &indexing{s: s}
	err := s.limited(ctx, func(ctx context.Context) (err error) {
		var read string
		if x.note, read, err = s.readFillings(ctx); err != nil {
			return err
		}
		for _, build := range []string{w.heard.topics.build, read} {
			if build != "" && x.build == "" && x.note[build].Next == w.number()-1 {
				x.build = build
			}
		}
		if x.build == "" {
			return nil
		}
		return s.d.Search.Begin(ctx, x.build)
	})
	if err != nil {
		s.searchAway(w.number(), err)
		return nil
	}
	if x.build == "" {
		return nil
	}
	return x
}

// finishIndexing lets what was put be found. It comes before the generation:
// readers leave out the posts of generations that are not published.
func (s *Service) finishIndexing(ctx context.Context, w *work) error {
	x := w.heard.index
	if x == nil {
		return nil
	}
	if err := s.pass("index"); err != nil {
		return err
	}
	if err := x.finish(ctx, w.number(), w.heard.topics.build); err != nil {
		s.searchAway(w.number(), err)
		w.heard.index = nil
		return ctx.Err()
	}
	return nil
}

// finish makes the build the one that is read, and drops those that no longer are
// and are not filled aside.
func (x *indexing) finish(ctx context.Context, next uint64, wanted string) error {
	if err := x.failed(); err != nil {
		return err
	}
	err := x.s.limited(ctx, func(ctx context.Context) error { return x.s.d.Search.Publish(ctx, x.build) })
	if err != nil {
		return err
	}
	x.note[x.build] = filling{Next: next, Read: true}
	maps.DeleteFunc(x.note, func(build string, _ filling) bool { return build != x.build && build != wanted })
	if err := x.s.noteFillings(ctx, x.note); err != nil {
		return err
	}
	x.s.metrics.indexed.Set(float64(next))
	x.s.metrics.indexedPosts.Add(float64(x.docs.Load()))
	return x.s.limited(ctx, func(ctx context.Context) error { return x.s.d.Search.Expire(ctx, x.build, wanted) })
}

func (s *Service) searchAway(generation uint64, err error) {
	s.metrics.searchFailures.Inc()
	s.d.Logger.Warn("posts not put into the search engine; it is filled from the archive later", "generation", generation, "error", err)
}

// shelf collects the posts of one partition. While the engine takes some, the
// fold brings the next.
type shelf struct {
	ctx     context.Context
	x       *indexing
	docs    []search.Doc
	putting sync.WaitGroup
	spare   []search.Doc // the room of those on their way
}

// shelfDocs are put at a time.
const shelfDocs = 500

func (x *indexing) shelf(ctx context.Context) *shelf { return &shelf{ctx: ctx, x: x} }

// take never stops the fold.
func (f *shelf) take(h *listen.Heard) error {
	if doc, ok := listen.DocOf(h); ok {
		f.docs = append(f.docs, doc)
	}
	if len(f.docs) >= shelfDocs {
		f.send()
	}
	return nil
}

// send lets the engine take what is there, once it has what went before: of one
// post the last word counts.
func (f *shelf) send() {
	f.putting.Wait()
	docs := f.docs
	f.docs, f.spare = f.spare[:0], docs
	f.putting.Go(func() {
		f.x.put(f.ctx, docs)
		clear(docs)
	})
}

// end returns when nothing is on its way any more; all of it was sent if the
// fold came to its end.
func (f *shelf) end(whole bool) {
	if whole {
		f.send()
	}
	f.putting.Wait()
}

func (x *indexing) put(ctx context.Context, docs []search.Doc) {
	if len(docs) == 0 || x.failed() != nil {
		return
	}
	s := x.s
	err := s.limited(ctx, func(ctx context.Context) error { return s.d.Search.Put(ctx, x.build, docs) })
	var refused *search.RefusedError
	if errors.As(err, &refused) {
		s.metrics.searchRefused.Add(float64(refused.Total))
		s.d.Logger.Warn("posts cannot be searched for", "error", err)
		err = nil
	}
	x.fail(err)
	x.docs.Add(int64(len(docs)))
}

// CatchUp fills the search engine from the archive up to the generation that is
// published, when it is behind: after it was away, and when models or rules have
// changed and every post is to be put anew. It goes on epoch by epoch, one at
// least, until stop says that there is something better to do. done is false when it has to be
// called again.
func (s *Service) CatchUp(ctx context.Context, stop func() bool) (done bool, err error) {
	state := s.d.Control.State()
	published, ok := state.Published()
	if s.d.Search == nil || !ok || unfinished(state) {
		return true, nil
	}
	decision, ok := state.CutNumber(published.Cut)
	if !ok {
		return true, nil
	}
	by, err := s.topics.of(definitions(state, decision.Offset))
	if err != nil {
		return false, err
	}
	g, err := s.latest.read(ctx, s.d.Views, published.Generation)
	if err != nil {
		return false, err
	}
	if g.Build != by.build {
		return true, nil // topics have changed since: the next run will say how
	}
	note, read, err := s.readFillings(ctx)
	if err != nil || read == by.build && note[by.build].Next >= published.Generation {
		return err == nil, err
	}
	return s.fill(ctx, by, note, published.Generation, stop)
}

func (s *Service) fill(ctx context.Context, by *topics, note fillings, to uint64, stop func() bool) (done bool, err error) {
	x := &indexing{s: s, build: by.build, note: note}
	if err := s.limited(ctx, func(ctx context.Context) error { return s.d.Search.Begin(ctx, by.build) }); err != nil {
		return false, err
	}
	partitions := s.d.Log.Partitions(eventlog.Posts)
	first, err := s.firstPosts(ctx, nil, to, partitions)
	if err != nil {
		return false, err
	}
	is := note[by.build]
	is.Next = max(is.Next, first)
	s.d.Logger.Info("search engine is filled from the archive", "build", by.build, "from", is.Next, "to", to)
	// What was seen before the first of these epochs is not known: a copy of such a
	// post replaces it.
	h := &hearing{files: map[int32]archive.File{}}
	for p := range int32(partitions) {
		h.parts = append(h.parts, listen.NewPartition(p, is.Next, by.Catalog))
	}
	noted := s.d.Now()
	for is.Next < to {
		if err := s.pass(fmt.Sprintf("fill %d", is.Next)); err != nil {
			return false, err
		}
		if err := s.hearEpoch(ctx, h, by, x); err != nil {
			if !unreadable(err) {
				return false, err
			}
			if mended, mendErr := s.mend(ctx, nil, s.d.Archive.Check, archive.Posts, is.Next, to); mendErr != nil || mended == 0 {
				return false, errors.Join(err, mendErr)
			}
			return false, s.noteFillings(ctx, note)
		}
		if err := x.failed(); err != nil {
			return false, err
		}
		is.Next++
		note[by.build] = is
		if is.Next < to && stop() {
			return false, s.noteFillings(ctx, note)
		}
		if s.d.Now().Sub(noted) > noteEvery {
			if err := s.noteFillings(ctx, note); err != nil {
				return false, err
			}
			noted = s.d.Now()
		}
	}
	return true, x.finish(ctx, to, by.build)
}

// noteEvery is how much filling is done again, at most, after a crash.
const noteEvery = 2 * time.Second
