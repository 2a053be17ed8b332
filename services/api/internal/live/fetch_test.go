package live

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// one is a speed view of one partition that a test moves.
type one struct {
	pos   speed.Position
	votes int64
	err   error
}

func (o *one) Position(context.Context, string, int32) (speed.Position, error) { return o.pos, o.err }

func (o *one) Read(context.Context, string, int32, uint64) (speed.Slice, error) {
	return speed.Slice{Position: o.pos, Epochs: map[uint64]tally.View{0: {final: {Votes: []int64{o.votes}}}}}, o.err
}

func (o *one) ReadSeries(ctx context.Context, topic string, p int32, from uint64) (speed.Slice, error) {
	return o.Read(ctx, topic, p, from)
}

type nothing struct{ state *control.State }

func (n nothing) State() *control.State  { return n.state }
func (nothing) Changed() <-chan struct{} { return nil }
func (nothing) Generation(context.Context, uint64) (*views.Generation, error) {
	return nil, views.ErrNotFound
}

func (nothing) Sealed(context.Context, audience.RoundKey) (*views.SealedRound, error) {
	return nil, views.ErrNotFound
}

// later has a generation that no longer holds the rounds sealed before it.
type later struct{ nothing }

func (later) Generation(_ context.Context, n uint64) (*views.Generation, error) {
	return &views.Generation{Number: n}, nil
}

func fetcherOf(o *one, end func() (int64, error)) *fetcher {
	n := nothing{control.NewMachine().State()}
	return newFetcher(Deps{
		Control: n, Views: n, Speed: o, Partitions: 1,
		End: func(context.Context, int32) (int64, error) { return end() },
	}, time.Second)
}

func TestAPartThatWentBackKeepsItsLastGoodValue(t *testing.T) {
	o := &one{pos: speed.Position{Incarnation: 1, Next: 10, Ready: true}, votes: 10}
	f := fetcherOf(o, func() (int64, error) { return 10, nil })
	look := func(now audience.Millis, votes int64, stale, fresh bool) {
		t.Helper()
		m, isFresh := f.fetch(t.Context(), now)
		if m == nil {
			t.Fatal("nothing")
		}
		if got := m.speed[final].TotalVotes(); got != votes || m.stale != stale || isFresh != fresh {
			t.Fatalf("%d votes, stale %t, fresh %t", got, m.stale, isFresh)
		}
	}
	look(1, 10, false, true)
	look(2, 10, false, false)
	o.pos.Next, o.votes = 7, 7 // a failover lost the newest writes
	look(3, 10, true, true)
	look(4, 10, true, false)
	if f.last.at != 2 {
		t.Fatalf("whole until %d", f.last.at)
	}
	o.pos.Next, o.votes = 11, 11
	look(5, 11, false, true)
	o.pos = speed.Position{Incarnation: 2, Next: 3} // emptied, and being refilled
	o.votes = 3
	look(6, 11, true, true)
	o.err = errors.New("away")
	look(7, 11, true, false)
	o.err, o.pos, o.votes = nil, speed.Position{Incarnation: 2, Next: 11, Ready: true}, 11
	look(8, 11, false, true)
}

func TestTheFirstMergeWaitsForTheLogsEnd(t *testing.T) {
	o := &one{pos: speed.Position{Incarnation: 1, Next: 7, Ready: true}, votes: 7}
	away := errors.New("away")
	f := fetcherOf(o, func() (int64, error) { return 10, away })
	if m, _ := f.fetch(t.Context(), 1); m != nil {
		t.Fatal("merged without knowing the log's end")
	}
	away = nil
	if m, _ := f.fetch(t.Context(), 2); m != nil {
		t.Fatal("merged with a view that lags")
	}
	f.until = time.Now().Add(-time.Second)
	if m, _ := f.fetch(t.Context(), 3); m == nil {
		t.Fatal("old figures are better than none")
	}
	g := fetcherOf(o, func() (int64, error) { return 7, nil })
	if m, _ := g.fetch(t.Context(), 1); m == nil {
		t.Fatal("nothing")
	}
}
