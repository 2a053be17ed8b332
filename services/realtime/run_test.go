package realtime

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

// cluster is a Kafka, a Redis and as many instances of the service as wanted.
type cluster struct {
	t       *testing.T
	brokers []string
	redis   *miniredis.Miniredis
	log     *eventlog.Log
	store   *speed.Store
	address string
	desk    *desk // posts are folded when it is set
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t, goleak.IgnoreCurrent()) })
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Redis = t.TempDir(), false
	servers, err := embedded.Start(t.Context(), cfg, discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, servers) })
	c := &cluster{t: t, brokers: servers.Brokers(), redis: miniredis.RunT(t)}
	c.address = "redis://" + c.redis.Addr()
	c.log = c.open()
	c.store = speedtest.Open(t, c.address)
	return c
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func closing(t *testing.T, c io.Closer) {
	if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("close: %v", err)
	}
}

func (c *cluster) open() *eventlog.Log {
	c.t.Helper()
	cfg := eventlog.DefaultConfig()
	cfg.Brokers, cfg.Partitions, cfg.AckDeadline = c.brokers, 4, 30*time.Second
	log, err := eventlog.Open(c.t.Context(), cfg, discard(), prometheus.NewRegistry())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { closing(c.t, log) })
	return log
}

// instance starts the service once more; stop ends it as SIGTERM does.
func (c *cluster) instance() (s *Service, stop func()) {
	c.t.Helper()
	cfg := DefaultConfig()
	cfg.Heartbeat, cfg.RetryMin, cfg.RetryMax = 10*time.Millisecond, time.Millisecond, 20*time.Millisecond
	cfg.MaxBatch, cfg.Pace = 50, time.Millisecond
	cfg.Posts.Pace, cfg.Posts.MaxBatch = time.Millisecond, 50
	deps := Deps{Log: Kafka{c.open()}, Store: c.store, Origin: &fixedOrigin{}}
	if c.desk != nil {
		deps.Topics, deps.PostOrigin = c.desk, &fixedOrigin{}
	}
	s = newService(c.t, cfg, deps)
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Errorf("run: %v", err)
		}
	})
	c.t.Cleanup(stop)
	return s, stop
}

// vote appends records of ballots to every partition.
func (c *cluster) vote(records int) {
	c.t.Helper()
	for p := range int32(4) {
		for i := range records {
			var bs []audience.Ballot
			for j := range 5 {
				b := polls[(i+j)%len(polls)]
				b.Voter, b.ID = audience.VoterID{byte(i % 7), byte(p)}, audience.BallotID{byte(i), byte(j), 1}
				b.ReceivedAt = 1_764_000_000_000
				b.Choices = []audience.Choice{{Slot: uint16(1 + i%3)}}
				bs = append(bs, b)
			}
			if _, err := c.log.AppendRaw(c.t.Context(), eventlog.Ballots, p, eventlog.EncodeBallots(nil, bs)); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func (c *cluster) cut(number uint64, seals ...audience.RoundKey) {
	c.t.Helper()
	for p := range int32(4) {
		rec := eventlog.CutRecord(audience.Cut{Number: number, At: 1_764_000_000_000, Seals: seals})
		if _, err := c.log.Append(c.t.Context(), eventlog.Ballots, p, rec); err != nil {
			c.t.Fatal(err)
		}
	}
}

// settle waits until the speed view holds the whole log, and holds it against
// the fold.
func (c *cluster) settle() {
	c.t.Helper()
	for p := range int32(4) {
		values := c.values(p)
		slice := c.await(p, int64(len(values)))
		for epoch, want := range oracle(values) {
			got := slice.Epochs[epoch]
			for _, r := range want {
				r.Series = nil
			}
			if !got.Equal(want) {
				c.t.Errorf("partition %d epoch %d: got %s, want %s", p, epoch, show(got), show(want))
			}
		}
	}
}

func (c *cluster) await(p int32, end int64) (held speed.Slice) {
	c.t.Helper()
	c.awaitEnd(p, end, func() (at speed.Position, err error) {
		held, err = c.store.Read(c.t.Context(), eventlog.Ballots, p, 0)
		return held.Position, err
	})
	return held
}

// awaitEnd reads until what is read is whole up to the log's end.
func (c *cluster) awaitEnd(p int32, end int64, read func() (speed.Position, error)) {
	c.t.Helper()
	limit := time.After(30 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		at, err := read()
		if err == nil && at.Ready && at.Next >= end {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			c.t.Fatalf("partition %d is at %v, wants %d, error %v", p, at, end, err)
		}
	}
}

func (c *cluster) values(p int32) (values [][]byte) { return c.valuesOf(eventlog.Ballots, p) }

func (c *cluster) valuesOf(topic string, p int32) (values [][]byte) {
	c.t.Helper()
	_, end, err := c.log.Bounds(c.t.Context(), topic, p)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := c.log.ReadRaw(c.t.Context(), topic, p, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	defer closing(c.t, r)
	for int64(len(values)) < end {
		entries, err := r.Next(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, e := range entries {
			values = append(values, e.Raw)
		}
	}
	return values
}

func TestRebalanceInMidBatch(t *testing.T) {
	c := newCluster(t)
	_, stopA := c.instance()
	c.vote(40)
	b, _ := c.instance()
	c.vote(40)
	c.cut(1, polls[0].Key())
	stopA()
	c.vote(40)
	c.settle()
	if err := b.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestRedisEmptiedInMidBatch(t *testing.T) {
	c := newCluster(t)
	c.instance()
	c.vote(40)
	c.redis.FlushAll()
	c.vote(40)
	c.cut(1)
	c.settle()
	c.redis.FlushAll() // without traffic the heartbeat notices
	c.settle()
}

func TestRedisRolledBack(t *testing.T) {
	c := newCluster(t)
	c.instance()
	c.vote(20)
	c.settle()
	older := saveRedis(c.redis)
	c.vote(40)
	c.settle()
	older.restore(c.redis)
	c.settle()
	c.vote(10)
	c.settle()
}

func TestRedisAway(t *testing.T) {
	c := newCluster(t)
	s, _ := c.instance()
	c.vote(5)
	c.settle()
	c.redis.SetError("LOADING Redis is loading the dataset in memory")
	c.vote(5)
	limit := time.After(30 * time.Second)
	for s.Ready() == nil {
		select {
		case <-limit:
			t.Fatal("still ready")
		case <-time.After(time.Millisecond):
		}
	}
	if err := s.Ready(); !strings.Contains(err.Error(), "LOADING") {
		t.Errorf("readiness says %v", err)
	}
	c.redis.SetError("")
	c.settle()
}

// Two workers that both believe to own every partition, at one time.
func TestZombie(t *testing.T) {
	c := newCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		cfg := DefaultConfig()
		cfg.Heartbeat, cfg.RetryMin, cfg.RetryMax, cfg.Pace = 5*time.Millisecond, time.Millisecond, 5*time.Millisecond, 0
		s := newService(t, cfg, Deps{Log: Kafka{c.open()}, Store: c.store, Origin: &fixedOrigin{}})
		for p := range int32(4) {
			wg.Go(func() {
				s.hold(ctx, newWorker(s, p))
			})
		}
	}
	c.vote(60)
	c.cut(1, polls[1].Key())
	c.vote(60)
	c.settle()
	cancel()
	wg.Wait()
}

func TestMetricsNameThePartition(t *testing.T) {
	c := newCluster(t)
	s, _ := c.instance()
	c.vote(1)
	c.settle()
	families, err := s.deps.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	lags := 0
	for _, f := range families {
		if f.GetName() == "clamor_realtime_lag" {
			lags = len(f.GetMetric())
		}
	}
	if lags != 4 {
		t.Errorf("lag of %d partitions, want 4", lags)
	}
}
