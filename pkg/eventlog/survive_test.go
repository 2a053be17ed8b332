package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
)

// survive writes and reads one partition through a disruption, and finds every
// acknowledged record once and in order: what was not acknowledged may be there,
// but at most once, since each number is sent once.
func survive(t *testing.T, cfg eventlog.Config, total int, disrupt func(acked int)) {
	t.Helper()
	l := eventlogtest.Open(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	r, err := l.Read(ctx, eventlog.Posts, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	acked := map[int64]int64{} // number → offset
	var mu sync.Mutex
	var writers sync.WaitGroup
	const crew = 4
	for w := range crew {
		writers.Go(func() {
			for i := 0; i < total/crew && ctx.Err() == nil; i++ {
				n := int64(i*crew + w)
				offset, err := l.Append(ctx, eventlog.Posts, 0, eventlogtest.Record(int(n)))
				mu.Lock()
				if err == nil {
					acked[n] = offset
				}
				disrupt(len(acked))
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	_, next, err := l.Bounds(ctx, eventlog.Posts, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int64]int64{}
	last := int64(-1)
	for last < next-1 {
		es, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("after %d records of %d: %v", len(seen), next, err)
		}
		for _, e := range es {
			n := e.Record.GetControl().GetAt()
			if before, twice := seen[n]; twice {
				t.Errorf("record %d is at %d and at %d", n, before, e.Offset)
			}
			if e.Offset <= last {
				t.Errorf("offset %d after %d", e.Offset, last)
			}
			seen[n], last = e.Offset, e.Offset
		}
	}
	for n, offset := range acked {
		if got, ok := seen[n]; !ok || got != offset {
			t.Errorf("record %d, acknowledged at %d: read at %d, %v", n, offset, got, ok)
		}
	}
	t.Logf("%d acknowledged, %d in the log", len(acked), len(seen))
}

// at calls do once, when that many records are acknowledged.
func at(count int, do func()) func(int) {
	done := false
	return func(acked int) {
		if acked >= count && !done {
			done = true
			do()
		}
	}
}

func TestLeaderMoves(t *testing.T) {
	kafka := startKafka(t, kfake.NumBrokers(3))
	cfg := eventlogtest.Config(kafka.ListenAddrs())
	moves := 0
	survive(t, cfg, 4000, func(acked int) {
		if acked/500 > moves {
			moves++
			if err := kafka.MoveTopicPartition(cfg.Prefix+eventlog.Posts, 0, int32(moves%3)); err != nil {
				t.Error(err)
			}
		}
	})
	if moves < 5 {
		t.Errorf("the leader moved %d times", moves)
	}
}

// TestBrokerKilled kills the leader of a real cluster with SIGKILL in mid-stream.
func TestBrokerKilled(t *testing.T) {
	brokers, servers := os.Getenv("CLAMOR_TEST_KAFKA"), os.Getenv("CLAMOR_TEST_SERVERS")
	if brokers == "" || servers == "" {
		t.Skip("CLAMOR_TEST_KAFKA and CLAMOR_TEST_SERVERS name no brokers")
	}
	cfg := eventlogtest.Config(strings.Split(brokers, ","))
	eventlogtest.Open(t, cfg) // creates the topics
	victim := fmt.Sprintf("kafka-%d", leaderOf(t, cfg, eventlog.Posts))
	killed := false
	defer func() {
		if killed {
			server(t, servers, "start", victim)
			// The next tests find three brokers again.
			await(t, func() error { return replicated(cfg, eventlog.Posts) })
		}
	}()
	start := time.Now()
	survive(t, cfg, 6000, at(2000, func() {
		killed = true
		server(t, servers, "kill", victim)
		t.Logf("killed %s after %s", victim, time.Since(start))
	}))
	t.Logf("done in %s", time.Since(start))
}

func server(t *testing.T, servers, verb, name string) {
	t.Helper()
	out, err := exec.Command(servers+"/"+verb, name).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", verb, name, err, out)
	}
}

func leaderOf(t *testing.T, cfg eventlog.Config, topic string) int32 {
	t.Helper()
	c, err := sarama.NewClient(cfg.Brokers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	b, err := c.Leader(cfg.Prefix+topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b.ID()
}

func replicated(cfg eventlog.Config, topic string) error {
	c, err := sarama.NewClient(cfg.Brokers, nil)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	in, err := c.InSyncReplicas(cfg.Prefix+topic, 0)
	if err == nil && len(in) < cfg.Replication {
		err = fmt.Errorf("%d replicas are in sync", len(in))
	}
	return err
}

func await(t *testing.T, ok func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// TestOffsetGone takes the records away from under a reader.
func TestOffsetGone(t *testing.T) {
	kafka := startKafka(t)
	cfg := eventlogtest.Config(kafka.ListenAddrs())
	cfg.FetchBytes = 1
	l := eventlogtest.Open(t, cfg)
	for i := range 10 {
		if _, err := l.Append(t.Context(), eventlog.Control, 0, eventlogtest.Record(i)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := l.Read(t.Context(), eventlog.Control, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := kafka.DeleteRecords(cfg.Prefix+eventlog.Control, 0, 8); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.Next(t.Context())
	}
	if !errors.Is(err, eventlog.ErrOffsetGone) {
		t.Errorf("the reader ended with %v", err)
	}
	if _, err := l.Read(t.Context(), eventlog.Control, 0, 7); !errors.Is(err, eventlog.ErrOffsetGone) {
		t.Errorf("reading anew gave %v", err)
	}
	if got := eventlogtest.Collect(t, l, eventlog.Control, 0, 8, 2); got[0].Offset != 8 {
		t.Errorf("reading from 8 began at %d", got[0].Offset)
	}
}

// TestNoAnswer lets the brokers fall silent: the append gives up at its
// deadline, and what is in flight keeps its room until the answer comes.
func TestNoAnswer(t *testing.T) {
	kafka := startKafka(t)
	cfg := eventlogtest.Config(kafka.ListenAddrs())
	cfg.AckDeadline, cfg.MaxInFlightRecords = 100*time.Millisecond, 1
	l := eventlogtest.Open(t, cfg)
	silence := make(chan struct{})
	kafka.ControlKey(0, func(kmsgRequest) (kmsgResponse, error, bool) {
		kafka.SleepControl(func() { <-silence })
		return nil, nil, false
	})
	if _, err := l.Append(t.Context(), eventlog.Control, 0, eventlogtest.Record(1)); !errors.Is(err, eventlog.ErrUnavailable) {
		t.Errorf("silence gave %v", err)
	}
	if _, err := l.Append(t.Context(), eventlog.Control, 0, eventlogtest.Record(2)); !errors.Is(err, eventlog.ErrOverloaded) {
		t.Errorf("while the first is in flight: %v", err)
	}
	close(silence)
	if got := eventlogtest.Collect(t, l, eventlog.Control, 0, 0, 1); got[0].Record.GetControl().GetAt() != 1 {
		t.Errorf("the first came as %+v", got[0])
	}
}
