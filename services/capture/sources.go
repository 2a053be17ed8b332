package capture

import (
	"context"
	"hash/fnv"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const (
	// sourceSeats is the group that shares the pulled sources among instances:
	// a source belongs to the holder of its seat.
	sourceSeats = "sources"
	// placesEvery is how much of a source may come twice after a kill.
	placesEvery = 500 * time.Millisecond
	// sourcePause is how long a source that failed rests.
	sourcePause = 2 * time.Second
)

// seatOf is the seat of a source.
func seatOf(source string, seats int) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(source)) // never fails
	return int32(h.Sum32() % uint32(seats))
}

// seat runs the pulled sources of one seat.
type seat struct {
	service *Service
	number  int32
	seats   int
	running map[string]*pull

	mu     sync.Mutex
	places connect.Places
	saved  string
}

// pull is one running source.
type pull struct {
	revision uint64
	cancel   context.CancelFunc
	done     chan struct{}
}

// holdSeat runs the sources of a seat until ctx ends.
func (s *Service) holdSeat(ctx context.Context, number int32) error {
	text, err := s.log.SeatMetadata(ctx, sourceSeats, number)
	if err != nil {
		return err
	}
	places, err := connect.ParsePlaces(text)
	if err != nil { // begin again: every post counts once, however often it comes
		s.logger.Error("the places of sources are lost", "seat", number, "error", err)
		places = connect.Places{}
	}
	st := &seat{
		service: s, number: number, seats: s.log.Partitions(eventlog.Seats),
		running: map[string]*pull{}, places: places, saved: text,
	}
	return st.hold(ctx)
}

func (st *seat) hold(ctx context.Context) error {
	defer st.leave(ctx)
	every := time.NewTicker(placesEvery)
	defer every.Stop()
	for {
		changed := st.service.control.Changed() // before State: no change falls between
		st.arrange(ctx, st.service.control.State())
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
				waiting = false
			case <-every.C:
				st.save(ctx)
			}
		}
	}
}

// leave stops all sources and keeps their places once more, for the next holder.
func (st *seat) leave(ctx context.Context) {
	for id := range st.running {
		st.stop(id)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	st.save(ctx)
}

// arrange starts and stops sources so that those run that should.
func (st *seat) arrange(ctx context.Context, state *control.State) {
	want := map[string]*control.Source{}
	for _, src := range state.Sources() {
		if src.Connector == audience.ConnectorReplay && src.Enabled && seatOf(src.ID, st.seats) == st.number {
			want[src.ID] = src
		}
	}
	for id, p := range st.running {
		if src := want[id]; src == nil || src.Revision != p.revision {
			st.stop(id)
		}
	}
	st.forget(state)
	for id, src := range want {
		if st.running[id] == nil {
			st.start(ctx, src)
		}
	}
}

func (st *seat) start(ctx context.Context, src *control.Source) {
	ctx, cancel := context.WithCancel(ctx)
	p := &pull{revision: src.Revision, cancel: cancel, done: make(chan struct{})}
	st.running[src.ID] = p
	go func() {
		defer close(p.done)
		st.pull(ctx, src)
	}()
}

func (st *seat) stop(id string) {
	p := st.running[id]
	p.cancel()
	<-p.done
	delete(st.running, id)
}

// forget drops the places of sources that are no more.
func (st *seat) forget(state *control.State) {
	st.mu.Lock()
	defer st.mu.Unlock()
	maps.DeleteFunc(st.places, func(id string, _ connect.Place) bool {
		_, ok := state.Source(id)
		return !ok
	})
}

func (st *seat) place(id string) connect.Place {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.places[id]
}

func (st *seat) move(id string, to connect.Place) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.places[id] = to
}

func (st *seat) save(ctx context.Context) {
	st.mu.Lock()
	text, none := st.places.String(), len(st.places) == 0
	st.mu.Unlock()
	if text == st.saved || none && st.saved == "" {
		return
	}
	if err := st.service.log.CommitSeat(ctx, sourceSeats, st.number, text); err != nil {
		if ctx.Err() == nil {
			st.service.logger.Warn("the places of sources are not kept", "seat", st.number, "error", err)
		}
		return
	}
	st.saved = text
}

// pull runs one source until it has no more, or ctx ends; after a failure it
// goes on from its place.
func (st *seat) pull(ctx context.Context, src *control.Source) {
	log := st.service.logger.With("source", src.ID)
	for ctx.Err() == nil {
		r, err := connect.NewReplay(st.service.cfg.ReplayDir, src.Settings, st.service.now)
		if err == nil {
			log.Info("replay begins")
			err = r.Run(ctx, st.place(src.ID), &outlet{seat: st, src: src, log: log})
		}
		if err == nil {
			log.Info("replay ends")
			return
		}
		log.Warn("replay failed", "error", err)
		st.service.rest(ctx, sourcePause)
	}
}

// outlet takes what a source's connector delivers.
type outlet struct {
	seat *seat
	src  *control.Source
	log  *slog.Logger
}

func (o *outlet) Deliver(ctx context.Context, b connect.Batch) error {
	return o.seat.deliver(ctx, o.src, b, o.log)
}

func (o *outlet) Streaming() {}

func (o *outlet) Spend(context.Context, int64) error { return nil }

// deliver puts a batch into the log, at the pace of the source's budget, trying
// again until it is there.
func (st *seat) deliver(ctx context.Context, src *control.Source, b connect.Batch, log *slog.Logger) error {
	if b.Malformed > 0 {
		st.service.metrics.lines.WithLabelValues(src.Connector, codeOf(b.First)).Add(float64(b.Malformed))
		log.Warn("lines are no posts", "lines", b.Malformed, "first", b.First)
	}
	for posts := b.Posts; len(posts) > 0; {
		n, wait := st.service.budgets.Spend(&src.Source, len(posts), st.service.now())
		if err := st.push(ctx, src, posts[:n], log); err != nil {
			return err
		}
		if posts = posts[n:]; len(posts) > 0 {
			log.Info("the budget is spent", "posts", src.Budget.Posts, "per", src.Budget.Per)
			st.service.rest(ctx, wait)
			if ctx.Err() != nil {
				return ctx.Err() // part of the batch will come again
			}
		}
	}
	st.move(src.ID, b.Behind)
	return nil
}

func (st *seat) push(ctx context.Context, src *control.Source, posts []audience.Post, log *slog.Logger) error {
	for {
		err := st.service.take(ctx, src, posts)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		log.Warn("posts do not get into the log", "posts", len(posts), "error", err)
		st.service.rest(ctx, sourcePause)
	}
}

// rest waits, at most until ctx ends.
func (s *Service) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
