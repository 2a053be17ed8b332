package control_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The meters of sarama's metrics share one ticker that never ends.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
	)
}

// tape is a log in memory that can be made to fail.
type tape struct {
	mu      sync.Mutex
	records []*clamorv1.Record
	grown   chan struct{}
	// lose makes appends fail, after writing or without.
	lose      error
	loseAfter bool
	failReads int
	gone      bool
}

func newTape() *tape { return &tape{grown: make(chan struct{})} }

func (l *tape) Append(_ context.Context, topic string, _ int32, rec *clamorv1.Record) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if topic != eventlog.Control {
		return 0, fmt.Errorf("topic %s", topic)
	}
	if l.lose != nil && !l.loseAfter {
		return 0, l.lose
	}
	l.records = append(l.records, rec)
	close(l.grown)
	l.grown = make(chan struct{})
	return int64(len(l.records) - 1), l.lose
}

func (l *tape) Bounds(context.Context, string, int32) (int64, int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return 0, int64(len(l.records)), nil
}

func (l *tape) Read(_ context.Context, _ string, _ int32, from int64) (*head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return nil, eventlog.ErrOffsetGone
	}
	if l.failReads > 0 {
		l.failReads--
		return nil, errors.New("no brokers")
	}
	return &head{tape: l, next: from}, nil
}

type head struct {
	*tape
	next int64
}

func (h *head) Next(ctx context.Context) ([]eventlog.Entry, error) {
	for {
		h.mu.Lock()
		grown, records := h.grown, h.records
		h.mu.Unlock()
		if h.next < int64(len(records)) {
			rec := records[h.next]
			h.next++
			return []eventlog.Entry{{Topic: eventlog.Control, Offset: h.next - 1, Record: rec}}, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (h *head) Close() error { return nil }

// follow runs a client for as long as the test.
func follow[R control.Reader](t *testing.T, log control.Log[R], change func(*control.Config)) *control.Client {
	t.Helper()
	cfg := control.DefaultConfig()
	cfg.RetryMin, cfg.RetryMax = time.Millisecond, 2*time.Millisecond
	if change != nil {
		change(&cfg)
	}
	c := control.New(log, cfg, time.Now, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

func event(t testing.TB, kind, subject string, base uint64, payload any) control.Event {
	return control.Event{Actor: "ada", Kind: kind, Subject: subject, Base: base, Payload: encode(t, payload)}
}

func stage(t *testing.T, c *control.Client) {
	t.Helper()
	for _, e := range []control.Event{
		event(t, control.KindShowPut, "gala", 0, audience.Show{Title: "Gala", Timezone: "UTC", Locale: "en"}),
		event(t, control.KindPollPut, "final", 0, final()),
	} {
		if _, err := c.Submit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSubmitAndTail(t *testing.T) {
	log := newTape()
	a, b := follow(t, log, nil), follow(t, log, nil)
	<-a.Ready()
	changed := a.Changed()
	stage(t, a)
	<-changed
	if _, ok := a.State().Poll("final"); !ok {
		t.Fatal("one's own write does not show")
	}
	// A cut's marker, and what is no record at all, are passed over.
	if _, err := log.Append(t.Context(), eventlog.Control, 0, &clamorv1.Record{Body: &clamorv1.Record_Cut{Cut: &clamorv1.Cut{Number: 1}}}); err != nil {
		t.Fatal(err)
	}
	s, err := b.Wait(t.Context(), 2)
	if err != nil || s.Offset() != 3 {
		t.Fatalf("offset %d, %v", s.Offset(), err)
	}
	if _, ok := s.Poll("final"); !ok {
		t.Fatal("the other client does not see it")
	}
}

func TestOnlyOneOfTwoRacersWins(t *testing.T) {
	race(t, newTape())
}

func TestOnKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	log := eventlogtest.Open(t, eventlogtest.Config(cluster.ListenAddrs()))
	race(t, log)
	again := follow(t, log, nil)
	<-again.Ready()
	if p, ok := again.State().Poll("final"); !ok || p.Revision < 2 {
		t.Errorf("a restart does not replay: %+v", p)
	}
}

// race lets two clients open and close the same poll from the same revision,
// over and over.
func race[R control.Reader](t *testing.T, log control.Log[R]) {
	clients := []*control.Client{follow(t, log, nil), follow(t, log, nil)}
	stage(t, clients[0])
	base := uint64(1)
	for i := range 20 {
		e := event(t, control.KindPollCommand, "final", base, audience.Command{Command: []audience.Verb{"open", "close", "reset"}[i%3]})
		errs := make([]error, len(clients))
		var wg sync.WaitGroup
		for n, c := range clients {
			wg.Go(func() { _, errs[n] = c.Submit(t.Context(), e) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !fault.Is(err, fault.RevisionConflict):
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d of two racers win", won)
		}
		base++
	}
}

func TestSubmitRefusals(t *testing.T) {
	log := newTape()
	c := follow(t, log, nil)
	stage(t, c)
	bad := final()
	bad.Options = bad.Options[:1]
	if _, err := c.Submit(t.Context(), event(t, control.KindPollPut, "final", 1, bad)); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("an invalid definition: %v", err)
	}
	if c.State().Offset() != 2 {
		t.Error("an invalid definition is written")
	}
	v, err := c.Submit(t.Context(), event(t, control.KindPollCommand, "final", 0, audience.Command{Command: "close"}))
	if !fault.Is(err, fault.WrongPhase) || v.Offset != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestSubmitWithoutALog(t *testing.T) {
	for _, lost := range []struct {
		err  error
		code fault.Code
	}{
		{eventlog.ErrOverloaded, fault.Overloaded},
		{eventlog.ErrUnavailable, fault.LogUnavailable},
		{eventlog.ErrTooLarge, fault.BodyTooLarge},
		{errors.New("no brokers"), fault.LogUnavailable},
	} {
		log := newTape()
		log.lose = lost.err
		c := follow(t, log, func(cfg *control.Config) { cfg.SubmitTimeout = 20 * time.Millisecond })
		_, err := c.Submit(t.Context(), event(t, control.KindRunRequest, "r", 0, nil))
		if !fault.Is(err, lost.code) {
			t.Errorf("%v: %v", lost.err, err)
		}
	}
}

func TestSubmitFindsAnUnacknowledgedEvent(t *testing.T) {
	log := newTape()
	log.lose, log.loseAfter = eventlog.ErrUnavailable, true
	c := follow(t, log, nil)
	v, err := c.Submit(t.Context(), event(t, control.KindRunRequest, "r", 0, nil))
	if err != nil || v.Run != "r" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestTheTailComesBack(t *testing.T) {
	log := newTape()
	log.failReads = 5
	c := follow(t, log, nil)
	stage(t, c)
	if c.State().Offset() != 2 {
		t.Errorf("offset %d", c.State().Offset())
	}
}

func TestALogWithoutItsBeginning(t *testing.T) {
	log := newTape()
	log.gone = true
	c := control.New(log, control.DefaultConfig(), time.Now, slog.New(slog.DiscardHandler))
	if err := c.Run(t.Context()); !errors.Is(err, eventlog.ErrOffsetGone) {
		t.Errorf("got %v", err)
	}
}
