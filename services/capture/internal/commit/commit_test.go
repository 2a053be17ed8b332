package commit

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slowLog takes a fixed time for each record.
type slowLog struct {
	takes time.Duration
	err   error

	mu      sync.Mutex
	records [][]uint64 // numbers of the ballots, record by record
}

func (l *slowLog) AppendRaw(_ context.Context, _ string, _ int32, value []byte) (int64, error) {
	time.Sleep(l.takes) // inside a synctest bubble
	if l.err != nil {
		return 0, l.err
	}
	var rec clamorv1.Record
	if err := proto.Unmarshal(value, &rec); err != nil {
		return 0, err
	}
	ballots, err := eventlog.BallotsFrom(rec.GetBallots(), nil)
	if err != nil {
		return 0, err
	}
	var numbers []uint64
	for i := range ballots {
		numbers = append(numbers, binary.BigEndian.Uint64(ballots[i].ID[8:]))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, numbers)
	return int64(len(l.records)), nil
}

func ballot(n uint64) audience.Ballot {
	b := audience.Ballot{Poll: "p", Round: 1, ReceivedAt: audience.MillisOf(time.Now()), Kind: audience.Choose,
		OnRepeat: audience.Reject, PerVoter: 1, Choices: []audience.Choice{{Slot: 1}}}
	b.ID[0] = 1
	binary.BigEndian.PutUint64(b.ID[8:], n)
	return b
}

// within runs a group over log for the length of test, on virtual time.
func within(t *testing.T, log Log, change func(*Config), test func(g *Group, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Topic: "ballots", Partitions: 2, Ballots: 4, Bytes: 1 << 20, Queue: 8, AckDeadline: 2 * time.Second, InFlight: 2, Delay: 2 * time.Millisecond, Now: time.Now}
		if change != nil {
			change(&cfg)
		}
		g := New(log, cfg)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		stop := func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			done <- nil
		}
		test(g, stop)
		stop()
	})
}

func TestBallotsTravelTogether(t *testing.T) {
	log := &slowLog{takes: 100 * time.Millisecond}
	within(t, log, nil, func(g *Group, stop func()) {
		var all sync.WaitGroup
		for n := range uint64(7) {
			b := ballot(n)
			all.Go(func() {
				if err := g.One(0, &b); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // queued in order
		}
		begun := time.Now()
		all.Wait()
		if took := time.Since(begun); took != 300*time.Millisecond {
			t.Errorf("took %v", took)
		}
		want := [][]uint64{{0}, {1, 2, 3, 4}, {5, 6}}
		if !slices.EqualFunc(log.records, want, slices.Equal) {
			t.Errorf("records %v, want %v", log.records, want)
		}
	})
}

func TestBallotsWaitForCompanyAndNotLong(t *testing.T) {
	log := &slowLog{takes: 500 * time.Microsecond}
	within(t, log, nil, func(g *Group, stop func()) {
		begun := time.Now()
		var all sync.WaitGroup
		cast := func(n uint64) {
			all.Go(func() {
				b := ballot(n)
				if err := g.One(0, &b); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		cast(0) // at once
		cast(1)
		cast(2)
		cast(3)
		time.Sleep(time.Millisecond) // three go when the first is there
		cast(4)                      // waits for two more, until 2 ms after the three began
		all.Wait()
		if took := time.Since(begun); took != 3*time.Millisecond {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Second)
		begun = time.Now()
		cast(5)
		all.Wait()
		if took := time.Since(begun); took != 500*time.Microsecond {
			t.Errorf("a lone ballot took %v", took)
		}
		want := [][]uint64{{0}, {1, 2, 3}, {4}, {5}}
		if !slices.EqualFunc(log.records, want, slices.Equal) {
			t.Errorf("records %v, want %v", log.records, want)
		}
	})
}

func TestAFullQueueRefusesAtOnce(t *testing.T) {
	log := &slowLog{takes: time.Second}
	within(t, log, nil, func(g *Group, stop func()) {
		var all sync.WaitGroup
		for n := range uint64(9) {
			b := ballot(n)
			all.Go(func() { _ = g.One(0, &b) })
			synctest.Wait()
		}
		b := ballot(10)
		if err := g.One(0, &b); !errors.Is(err, ErrFull) {
			t.Errorf("one: %v", err)
		}
		many := [][]audience.Ballot{{ballot(1)}, {ballot(2)}}
		if err := g.Many(many[0][0].ReceivedAt, many); !errors.Is(err, ErrFull) {
			t.Errorf("many: %v", err)
		}
		if n := g.lanes[1].waiting(); n != 0 {
			t.Errorf("a refused batch left %d ballots in the other lane", n)
		}
		all.Wait()
	})
}

func TestALateAcknowledgementIsNone(t *testing.T) {
	log := &slowLog{takes: 2100 * time.Millisecond}
	within(t, log, nil, func(g *Group, stop func()) {
		var all sync.WaitGroup
		for n := range uint64(2) {
			b := ballot(n)
			all.Go(func() {
				if err := g.One(0, &b); !errors.Is(err, ErrLate) {
					t.Errorf("ballot %d: %v", n, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if len(log.records) != 1 {
			t.Errorf("%d records: the second ballot was late before it was sent", len(log.records))
		}
	})
}

func TestStoppingCommitsWhatWasTaken(t *testing.T) {
	log := &slowLog{takes: time.Millisecond}
	within(t, log, nil, func(g *Group, stop func()) {
		var all sync.WaitGroup
		for n := range uint64(8) {
			b := ballot(n)
			all.Go(func() {
				if err := g.One(1, &b); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		stop()
		all.Wait()
		b := ballot(9)
		if err := g.One(1, &b); !errors.Is(err, ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestManyKeepTheirOrderAcrossRecords(t *testing.T) {
	log := &slowLog{takes: time.Millisecond}
	within(t, log, func(c *Config) { c.Queue = 100; c.Partitions = 1 }, func(g *Group, stop func()) {
		var ballots []audience.Ballot
		for n := range uint64(10) {
			ballots = append(ballots, ballot(n))
		}
		if err := g.Many(ballots[0].ReceivedAt, [][]audience.Ballot{ballots}); err != nil {
			t.Fatal(err)
		}
		want := [][]uint64{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}
		if !slices.EqualFunc(log.records, want, slices.Equal) {
			t.Errorf("records %v, want %v", log.records, want)
		}
		if err := g.Many(0, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestTheLogsErrorReachesEveryWaiter(t *testing.T) {
	log := &slowLog{err: eventlog.ErrUnavailable}
	within(t, log, nil, func(g *Group, stop func()) {
		if err := g.Many(audience.MillisOf(time.Now()), [][]audience.Ballot{{ballot(1)}, {ballot(2)}}); !errors.Is(err, eventlog.ErrUnavailable) {
			t.Error(err)
		}
	})
}

func TestWeighBoundsTheEncodedSize(t *testing.T) {
	b := ballot(1)
	b.Poll, b.Source, b.Post = string(make([]byte, 63)), string(make([]byte, 63)), string(make([]byte, 300))
	b.Kind, b.Round, b.PerVoter, b.Revision = audience.Score, 1<<32-1, 1000, 1<<63
	b.ReceivedAt, b.ClosesAt = 1<<62, 1<<62
	b.Choices = nil
	for i := range 1000 {
		b.Choices = append(b.Choices, audience.Choice{Slot: uint16(60000 + i), Score: -1 << 31})
	}
	if n := len(eventlog.EncodeBallots(nil, []audience.Ballot{b})); n > weigh(&b) {
		t.Errorf("encoded %d bytes, weighed %d", n, weigh(&b))
	}
}

func BenchmarkOne(b *testing.B) {
	g := New(nothing{}, Config{Topic: "ballots", Partitions: 2, Ballots: 1024, Bytes: 1 << 18, Queue: 8192, AckDeadline: 2 * time.Second, Now: time.Now})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		v := ballot(1)
		for n := 0; pb.Next(); n++ {
			for errors.Is(g.One(int32(n&1), &v), ErrStopped) {
			}
		}
	})
	cancel()
	<-done
}

type nothing struct{}

func (nothing) AppendRaw(context.Context, string, int32, []byte) (int64, error) { return 0, nil }
