package capture

import (
	"context"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

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
	// logPause is how long posts rest that did not get into the log.
	logPause = 2 * time.Second
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
	posts   map[string]*delivered // by source; it outlives a change of its definition
	left    []string              // what did not fit beside the seat

	mu     sync.Mutex
	places connect.Places
	saved  string
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
		running: map[string]*pull{}, posts: map[string]*delivered{}, places: places, saved: text,
	}
	st.recollect(ctx, s.control.State())
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
	for _, p := range st.running {
		p.cancel()
		<-p.done
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	st.save(ctx)
}

// arrange starts and stops sources so that those run that should.
func (st *seat) arrange(ctx context.Context, state *control.State) {
	want := map[string]*control.Source{}
	for _, src := range state.Sources() {
		if _, pulled := st.service.pullers[src.Connector]; pulled && src.Enabled && seatOf(src.ID, st.seats) == st.number {
			want[src.ID] = src
		}
	}
	for id, p := range st.running {
		if src := want[id]; src == nil || src.Revision != p.src.Revision {
			st.stop(id)
		}
	}
	st.forget(state)
	for id, src := range want {
		if st.running[id] == nil {
			st.running[id] = st.start(ctx, src)
		}
	}
}

func (st *seat) stop(id string) {
	p := st.running[id]
	p.cancel()
	<-p.done
	delete(st.running, id)
}

// forget drops what is known of sources that are no more.
func (st *seat) forget(state *control.State) {
	st.mu.Lock()
	defer st.mu.Unlock()
	maps.DeleteFunc(st.posts, func(id string, _ *delivered) bool {
		_, ok := state.Source(id)
		return !ok
	})
	maps.DeleteFunc(st.places, func(id string, _ connect.Kept) bool {
		_, ok := state.Source(id)
		if !ok {
			st.service.budgets.Forget(id)
		}
		return !ok
	})
}

// delivered is what is remembered of a source's posts.
func (st *seat) delivered(id string) *delivered {
	if st.posts[id] == nil {
		st.posts[id] = &delivered{}
	}
	return st.posts[id]
}

func (st *seat) place(id string) connect.Place {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.places[id].Place
}

func (st *seat) move(id string, to connect.Place) {
	st.mu.Lock()
	defer st.mu.Unlock()
	k := st.places[id]
	k.Place = to
	st.places[id] = k
}

// text is what is to be kept beside the seat.
func (st *seat) text() (text string, left []string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for id, p := range st.running {
		if p.src.Budget != nil {
			k, spent := st.places[id], st.service.budgets.Spent(id)
			k.Window, k.Posts, k.Units = spent.Window, spent.Posts, spent.Units
			st.places[id] = k
		}
	}
	if len(st.places) == 0 && st.saved == "" {
		return "", nil
	}
	return st.places.Fit(eventlog.MaxSeatMetadata)
}

func (st *seat) save(ctx context.Context) {
	text, left := st.text()
	if !slices.Equal(left, st.left) {
		st.service.logger.Warn("sources will begin anew at a takeover: a seat has no room for their places", "seat", st.number, "sources", left)
		st.left = left
	}
	if text == st.saved {
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
