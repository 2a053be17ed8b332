package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("EMBEDDED_TEST_CHILD"); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m,
		// The meters of sarama's metrics share one ticker that never ends.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
	)
}

var quiet = slog.New(slog.DiscardHandler)

func config(dir string) embedded.Config {
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Redis = dir, false
	return cfg
}

func start(t testing.TB, cfg embedded.Config) *embedded.Servers {
	t.Helper()
	s, err := embedded.Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openLog(t testing.TB, brokers []string) *eventlog.Log {
	t.Helper()
	l, err := dial(t.Context(), brokers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(ctx context.Context, brokers []string) (*eventlog.Log, error) {
	return dialBy(ctx, brokers, nil)
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func dialBy(ctx context.Context, brokers []string, by dialer) (*eventlog.Log, error) {
	cfg := eventlog.DefaultConfig()
	cfg.Brokers, cfg.Partitions, cfg.Dial = brokers, 2, by
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return eventlog.Open(ctx, cfg, quiet, nil)
}

func record(n int) *clamorv1.Record {
	return &clamorv1.Record{Body: &clamorv1.Record_Control{Control: &clamorv1.Control{At: int64(n), Payload: make([]byte, 200)}}}
}

func appendAll(t testing.TB, l *eventlog.Log, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		if _, err := l.Append(t.Context(), eventlog.Control, 0, record(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// contents are the numbers in the log, in order.
func contents(t testing.TB, l *eventlog.Log) []int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, next, err := l.Bounds(ctx, eventlog.Control, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Read(ctx, eventlog.Control, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var out []int
	for int64(len(out)) < next {
		es, err := r.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			out = append(out, int(e.Record.GetControl().GetAt()))
		}
	}
	return out
}

func TestServe(t *testing.T) {
	cfg := config(t.TempDir())
	cfg.Redis = true
	s := start(t, cfg)
	appendAll(t, openLog(t, s.Brokers()), 0, 5)
	opts, err := redis.ParseURL(s.RedisURL())
	if err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(opts)
	defer func() { _ = rdb.Close() }()
	if err := rdb.Set(t.Context(), "a", "1", 0).Err(); err != nil {
		t.Error(err)
	}
}

// TestInside: the log's own process reaches it without the network, and both
// ways lead to the same log.
func TestInside(t *testing.T) {
	s := start(t, config(t.TempDir()))
	var inside, outside atomic.Int64
	l, err := dialBy(t.Context(), s.Brokers(), func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := s.Dial(ctx, network, address)
		if err == nil && conn.RemoteAddr().Network() == "tcp" {
			outside.Add(1)
		} else if err == nil {
			inside.Add(1)
		}
		return conn, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	appendAll(t, l, 0, 50)
	over := openLog(t, s.Brokers())
	appendAll(t, over, 50, 50)
	for _, log := range []*eventlog.Log{l, over} {
		if got := contents(t, log); len(got) != 100 || got[99] != 99 {
			t.Errorf("%v", got)
		}
	}
	if inside.Load() == 0 || outside.Load() > 0 {
		t.Errorf("%d connections inside, %d outside", inside.Load(), outside.Load())
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	conn, err := s.Dial(t.Context(), "tcp", other.Addr().String())
	if err != nil || conn.RemoteAddr().Network() != "tcp" {
		t.Fatal(conn, err)
	}
	_ = conn.Close()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if conn, err := s.Dial(t.Context(), "tcp", s.Brokers()[0]); err == nil {
		t.Error(conn, "leads to a log that is closed")
	}
}

func TestInMemory(t *testing.T) {
	cfg := config("")
	l := openLog(t, start(t, cfg).Brokers())
	appendAll(t, l, 0, 5)
	if got := contents(t, l); len(got) != 5 {
		t.Errorf("%v", got)
	}
}

// run does something with a log over the folder, and stops cleanly.
func run(t testing.TB, dir string, do func(*eventlog.Log)) {
	t.Helper()
	s, err := embedded.Start(t.Context(), config(dir), quiet)
	if err != nil {
		t.Fatal(err)
	}
	l, err := dial(t.Context(), s.Brokers())
	if err != nil {
		t.Fatal(err)
	}
	do(l)
	if err := errors.Join(l.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		run(t, dir, func(l *eventlog.Log) {
			appendAll(t, l, i*10, 10)
			if got := contents(t, l); len(got) != i*10+10 || got[len(got)-1] != i*10+9 {
				t.Errorf("start %d: %v", i, got)
			}
		})
	}
}

func TestFixedPort(t *testing.T) {
	cfg := config(t.TempDir())
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.KafkaListen = free.Addr().String()
	if _, err := embedded.Start(t.Context(), cfg, quiet); err == nil || !strings.Contains(err.Error(), cfg.KafkaListen) {
		t.Errorf("a port in use gave %v", err)
	}
	_ = free.Close()
	if got := start(t, cfg).Brokers(); len(got) != 1 || got[0] != cfg.KafkaListen {
		t.Errorf("it listens at %v, want %s", got, cfg.KafkaListen)
	}
}

func TestConfigFaults(t *testing.T) {
	cfg := embedded.DefaultConfig()
	cfg.KafkaListen, cfg.RedisListen, cfg.MinFreeBytes = "0.0.0.0:9092", "nonsense", -1
	_, err := embedded.Start(t.Context(), cfg, quiet)
	for _, want := range []string{"kafka_listen", "redis_listen", "min_free_bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	start(t, config(dir))
	_, err := embedded.Start(t.Context(), config(dir), quiet)
	if !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("the second start gave %v", err)
	}
}

func TestVersion(t *testing.T) {
	for text, want := range map[string]error{"2\n": embedded.ErrNewer, "junk": embedded.ErrDamaged, "1\n": nil} {
		dir := t.TempDir()
		path := filepath.Join(dir, "version")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := embedded.Start(t.Context(), config(dir), quiet)
		if !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), dir) {
			t.Errorf("version %q gave %v", text, err)
		}
		if s != nil {
			_ = s.Close()
		}
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Errorf("version %q became %q", text, after)
		}
	}
}

func segmentOf(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "log", "partitions", "clamor.control-0", "*.dat"))
	if err != nil || len(found) != 1 {
		t.Fatalf("segments %v, %v", found, err)
	}
	return found[0]
}

// TestDamage changes a closed log in all ways; each start names the file and
// changes nothing.
func TestDamage(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, dir string){
		"a flipped bit": func(t *testing.T, dir string) {
			rewrite(t, segmentOf(t, dir), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		},
		"a flipped bit in the last batch": func(t *testing.T, dir string) {
			rewrite(t, segmentOf(t, dir), func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
		},
		"an end cut off": func(t *testing.T, dir string) {
			rewrite(t, segmentOf(t, dir), func(b []byte) []byte { return b[:len(b)-10] })
		},
		"a segment missing": func(t *testing.T, dir string) { remove(t, segmentOf(t, dir)) },
		"a hole":            func(t *testing.T, dir string) { rewrite(t, segmentOf(t, dir), hole) },
		"no topics":         func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "log", "topics.json")) },
		"no meta":           func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "log", "meta.json")) },
		"half the topics": func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, "log", "topics.json"), func(b []byte) []byte { return b[:len(b)/2] })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			run(t, dir, func(l *eventlog.Log) { appendAll(t, l, 0, 20) })
			harm(t, dir)
			for range 2 {
				_, err := embedded.Start(t.Context(), config(dir), quiet)
				if !errors.Is(err, embedded.ErrDamaged) || !strings.Contains(err.Error(), dir) {
					t.Fatalf("the start gave %v", err)
				}
			}
		})
	}
}

func hole(b []byte) []byte {
	for i := len(b) / 2; i < len(b)/2+300; i++ {
		b[i] = 0
	}
	return b
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// child runs the servers until it is killed, and prints where they are.
func child(dir string) {
	s, err := embedded.Start(context.Background(), config(dir), slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println(s.Brokers()[0])
	select {}
}

// process is a child that serves a folder.
type process struct {
	*exec.Cmd
	addr string
}

func spawn(t testing.TB, dir string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_CHILD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil || addr == "error" {
		t.Fatalf("the child said %q, %v", addr, err)
	}
	return &process{cmd, addr}
}

func (p *process) kill(t testing.TB) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
}

// TestKill kills the servers while records come in: every acknowledged record
// is there afterwards, in order.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := map[int]bool{}
	n := 0
	for round := range 3 {
		p := spawn(t, dir)
		l, err := dial(t.Context(), []string{p.addr})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(30+20*round)*time.Millisecond, func() { _ = p.Process.Kill() })
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_ = p.Wait()
			cancel()
		}()
		for ctx.Err() == nil {
			if _, err := l.Append(ctx, eventlog.Control, 0, record(n)); err == nil {
				acked[n] = true
			}
			n++
		}
		_ = l.Close()
	}
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	run(t, dir, func(l *eventlog.Log) {
		got := contents(t, l)
		last := -1
		for _, n := range got {
			if n <= last {
				t.Errorf("%d after %d", n, last)
			}
			last = n
			delete(acked, n)
		}
		if len(acked) > 0 {
			t.Errorf("%d acknowledged records are gone: %v", len(acked), acked)
		}
		t.Logf("%d records", len(got))
	})
}

// TestTorn leaves what a crash leaves: a last batch cut short, or zeros.
func TestTorn(t *testing.T) {
	for name, tear := range map[string]func([]byte) []byte{
		"cut short": func(b []byte) []byte { return b[:len(b)-30] },
		"a head":    func(b []byte) []byte { return append(b, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0) },
		"zeros":     func(b []byte) []byte { return append(b, make([]byte, 700)...) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := spawn(t, dir)
			l, err := dial(t.Context(), []string{p.addr})
			if err != nil {
				t.Fatal(err)
			}
			appendAll(t, l, 0, 20)
			_ = l.Close()
			p.kill(t)
			before, _ := os.ReadFile(segmentOf(t, dir))
			rewrite(t, segmentOf(t, dir), tear)
			want := 20
			if after, _ := os.ReadFile(segmentOf(t, dir)); len(after) < len(before) {
				want = 19
			}
			run(t, dir, func(l *eventlog.Log) {
				if got := contents(t, l); len(got) != want {
					t.Errorf("%d records, want %d", len(got), want)
				}
				appendAll(t, l, 100, 5)
			})
			run(t, dir, func(l *eventlog.Log) {
				if got := contents(t, l); len(got) != want+5 || got[want] != 100 {
					t.Errorf("after going on: %v", got)
				}
			})
		})
	}
}
