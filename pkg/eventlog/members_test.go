package eventlog_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
)

type (
	kmsgRequest  = kmsg.Request
	kmsgResponse = kmsg.Response
)

const childEnv = "EVENTLOG_TEST_CHILD" // brokers and prefix of a member to be

// sit is a member of the crew until the process is killed.
func sit(env string) {
	brokers, prefix, _ := strings.Cut(env, " ")
	cfg := eventlogtest.Config(strings.Split(brokers, ","))
	cfg.Prefix = prefix
	l, err := eventlog.Open(context.Background(), cfg, slog.Default(), nil)
	if err != nil {
		panic(err)
	}
	_ = l.Seats(context.Background(), "crew", func(ctx context.Context, _ int32) error {
		_, _ = os.Stdout.WriteString("seated\n")
		<-ctx.Done()
		return nil
	})
}

// TestMemberKilled: who is killed loses its seats within ten seconds.
func TestMemberKilled(t *testing.T) {
	kafka := startKafka(t)
	cfg := eventlogtest.Config(kafka.ListenAddrs())
	l := eventlogtest.Open(t, cfg)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+strings.Join(cfg.Brokers, ",")+" "+cfg.Prefix)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var line [7]byte
	if _, err := out.Read(line[:]); err != nil {
		t.Fatal(err)
	}
	seated, leave := crew(t, l)
	<-seated // one of three moves over
	_ = child.Process.Kill()
	_ = child.Wait()
	start := time.Now()
	<-seated
	<-seated
	t.Logf("moved after %s", time.Since(start))
	leave()
}

// crew is a member of the crew in this process, until it leaves; it tells of the
// seats that it takes.
func crew(t *testing.T, l *eventlog.Log) (seated <-chan int32, leave func()) {
	t.Helper()
	seats := make(chan int32, 64)
	ctx, cancel := context.WithCancel(t.Context())
	var sitting sync.WaitGroup
	sitting.Go(func() {
		_ = l.Seats(ctx, "crew", func(ctx context.Context, seat int32) error {
			seats <- seat
			<-ctx.Done()
			return nil
		})
	})
	return seats, func() { cancel(); sitting.Wait() }
}

// TestServersRestart stops the servers under a reader and a member, and starts
// them again in the same place: both go on.
func TestServersRestart(t *testing.T) {
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Redis = t.TempDir(), false
	quiet := slog.New(slog.DiscardHandler)
	first, err := embedded.Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	cfg.KafkaListen = first.Brokers()[0]
	l := eventlogtest.Open(t, eventlogtest.Config(first.Brokers()))
	seated, leave := crew(t, l)
	defer leave()
	for range 3 {
		<-seated
	}
	r, err := l.Read(t.Context(), eventlog.Control, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	expect := func(n int) {
		t.Helper()
		await(t, func() error {
			_, err := l.Append(t.Context(), eventlog.Control, 0, eventlogtest.Record(n))
			return err
		})
		es, err := r.Next(t.Context())
		if err != nil || es[0].Record.GetControl().GetAt() != int64(n) {
			t.Fatalf("record %d came as %v, %v", n, es, err)
		}
	}
	expect(1)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := embedded.Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	expect(2)
	// Whether or not the seats were lost on the way, they are held.
	await(t, func() error { return l.CommitSeat(t.Context(), "crew", 2, "place") })
}
