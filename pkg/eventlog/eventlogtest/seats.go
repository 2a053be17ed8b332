package eventlogtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/eventlog"
)

// hall watches who holds which seat.
type hall struct {
	t       *testing.T
	mu      sync.Mutex
	holders map[int32]string
	started map[int32]int
	changed chan struct{}
}

func newHall(t *testing.T) *hall {
	return &hall{t: t, holders: map[int32]string{}, started: map[int32]int{}, changed: make(chan struct{})}
}

func (h *hall) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *hall) sit(who string, seat int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if other, taken := h.holders[seat]; taken {
		h.t.Errorf("%s sits on seat %d, where %s is", who, seat, other)
	}
	h.holders[seat] = who
	h.started[seat]++
	h.tell()
}

func (h *hall) rise(seat int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.holders, seat)
	h.tell()
}

func (h *hall) hold(who string) eventlog.Hold {
	return func(ctx context.Context, seat int32) error {
		h.sit(who, seat)
		defer h.rise(seat)
		<-ctx.Done()
		return nil
	}
}

// until waits for a state of the hall and returns how long that took.
func (h *hall) until(ctx context.Context, what string, ok func(count map[string]int) bool) time.Duration {
	h.t.Helper()
	start := time.Now()
	for {
		h.mu.Lock()
		count := map[string]int{}
		for _, who := range h.holders {
			count[who]++
		}
		changed := h.changed
		h.mu.Unlock()
		if ok(count) {
			return time.Since(start)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			h.t.Fatalf("%s: the hall is %v", what, count)
		}
	}
}

// join is a member that leaves when stop is called.
func (h *hall) join(ctx context.Context, l *eventlog.Log, who string, hold eventlog.Hold) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Seats(ctx, "crew", hold); err != nil {
			h.t.Errorf("%s: %v", who, err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	h.t.Cleanup(stop)
	return stop
}

func all(who string) func(map[string]int) bool {
	return func(count map[string]int) bool { return count[who] == 3 }
}

func both(count map[string]int) bool {
	return count["ada"]+count["bob"] == 3 && count["ada"]*count["bob"] > 0
}

func seatsShared(t *testing.T, brokers []string) {
	cfg := Config(brokers)
	h, ctx := newHall(t), within(t)
	h.join(ctx, Open(t, cfg), "ada", h.hold("ada"))
	h.until(ctx, "ada alone", all("ada"))
	h.join(ctx, Open(t, cfg), "bob", h.hold("bob"))
	took := h.until(ctx, "ada and bob", both)
	t.Logf("shared after %s", took)
}

func seatsMove(t *testing.T, brokers []string) {
	cfg := Config(brokers)
	h, ctx := newHall(t), within(t)
	leave := h.join(ctx, Open(t, cfg), "ada", h.hold("ada"))
	h.until(ctx, "ada alone", all("ada"))
	h.join(ctx, Open(t, cfg), "bob", h.hold("bob"))
	h.until(ctx, "ada and bob", both)
	leave()
	took := h.until(ctx, "bob alone", all("bob"))
	t.Logf("moved after %s", took)
	if took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// seatsStay: who joins takes seats over, and those that stay are not disturbed.
func seatsStay(t *testing.T, brokers []string) {
	cfg := Config(brokers)
	h, ctx := newHall(t), within(t)
	h.join(ctx, Open(t, cfg), "ada", h.hold("ada"))
	h.until(ctx, "ada alone", all("ada"))
	h.join(ctx, Open(t, cfg), "bob", h.hold("bob"))
	h.until(ctx, "ada and bob", both)
	h.mu.Lock()
	defer h.mu.Unlock()
	total := 0
	for _, n := range h.started {
		total += n
	}
	if total != 4 {
		t.Errorf("seats were taken %d times (%v), want 4: three and one that moved", total, h.started)
	}
}

func holdFails(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	h := newHall(t)
	var mu sync.Mutex
	failed := map[int32]bool{}
	h.join(ctx, l, "ada", func(ctx context.Context, seat int32) error {
		mu.Lock()
		first := !failed[seat]
		failed[seat] = true
		mu.Unlock()
		if first {
			return errors.New("not yet")
		}
		return h.hold("ada")(ctx, seat)
	})
	h.until(ctx, "ada in spite of all", all("ada"))
}

func seatMetadata(t *testing.T, brokers []string) {
	cfg := Config(brokers)
	ctx := within(t)
	l := Open(t, cfg)
	if got, err := l.SeatMetadata(ctx, "crew", 1); err != nil || got != "" {
		t.Errorf("before any: %q, %v", got, err)
	}
	if err := l.CommitSeat(ctx, "crew", 1, "x"); !errors.Is(err, eventlog.ErrSeat) {
		t.Errorf("a seat not held: %v", err)
	}
	h := newHall(t)
	stop := h.join(ctx, l, "ada", h.hold("ada"))
	h.until(ctx, "ada alone", all("ada"))
	for _, text := range []string{"place 1", "place 2", ""} {
		if err := l.CommitSeat(ctx, "crew", 1, text); err != nil {
			t.Fatal(err)
		}
		if got, err := l.SeatMetadata(ctx, "crew", 1); err != nil || got != text {
			t.Errorf("committed %q, read %q, %v", text, got, err)
		}
	}
	if err := l.CommitSeat(ctx, "crew", 1, "place 3"); err != nil {
		t.Fatal(err)
	}
	stop()
	next := Open(t, cfg)
	h.join(ctx, next, "bob", h.hold("bob"))
	h.until(ctx, "bob alone", all("bob"))
	if got, err := next.SeatMetadata(ctx, "crew", 1); err != nil || got != "place 3" {
		t.Errorf("bob finds %q, %v", got, err)
	}
	if err := next.CommitSeat(ctx, "crew", 1, string(make([]byte, eventlog.MaxSeatMetadata+1))); err == nil {
		t.Error("a text too long was taken")
	}
}
