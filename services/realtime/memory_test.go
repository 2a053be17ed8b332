package realtime

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
)

// mostBytesAVoter is what the design allows, all in.
const mostBytesAVoter = 64

// TestMemoryOfAVoter measures a real Redis: an in-process one has no such
// figure. Few ballots a step is the costly case: each step is an entry of a
// list.
func TestMemoryOfAVoter(t *testing.T) {
	address, ok := strings.CutPrefix(redisAddress(t), "redis://")
	if os.Getenv("CLAMOR_TEST_REDIS") == "" || !ok {
		t.Skip("CLAMOR_TEST_REDIS names no Redis")
	}
	for _, c := range []struct{ voters, step int }{{1_000_000, 20_000}, {200_000, 50}, {20_000, 1}} {
		t.Run(fmt.Sprintf("%d voters, %d a step", c.voters, c.step), func(t *testing.T) {
			redis := dial(t, address)
			prefix := fmt.Sprintf("memory-%d-%d", c.voters, c.step)
			before := redis.used()
			vote(t, "redis://"+address, prefix, c.voters, c.step)
			keys := redis.ask("KEYS " + prefix + ":*")
			var bytes int
			for _, key := range keys {
				bytes += redis.number("MEMORY USAGE " + key + " SAMPLES 0")
			}
			used := redis.used() - before
			redis.ask("DEL " + strings.Join(keys, " "))
			each := float64(bytes) / float64(c.voters)
			t.Logf("%.1f bytes a voter in keys, %.1f of used_memory", each, float64(used)/float64(c.voters))
			if each > mostBytesAVoter {
				t.Errorf("%.1f bytes a voter, at most %d are allowed", each, mostBytesAVoter)
			}
		})
	}
}

// vote lets as many voters vote once, so many to a step.
func vote(t *testing.T, url, prefix string, voters, step int) {
	t.Helper()
	sc := speed.DefaultConfig()
	sc.Prefix = prefix
	store, err := speed.Open(t.Context(), url, sc)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, store)
	cfg := DefaultConfig()
	cfg.MaxBatch, cfg.Pace = step, 0
	log := manyBallots(voters, min(step, 100))
	w := newWorker(newService(t, cfg, Deps{Log: log, Store: store, Origin: &fixedOrigin{}}), 0)
	if err := w.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for w.fold.at().Next < log.end() {
		if err := w.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	slice, err := store.Read(t.Context(), eventlog.Ballots, 0, 0)
	if got := slice.Sum().Of(audience.RoundKey{Poll: "final", Round: 1}).Voters; err != nil || got != int64(voters) {
		t.Fatalf("%d voters, error %v", got, err)
	}
}

// wire speaks enough of Redis' protocol to ask it about itself.
type wire struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func dial(t testing.TB, address string) *wire {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", strings.TrimSuffix(address, "/0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{t, conn, bufio.NewReader(conn)}
}

// ask sends an inline command and gives its reply, flattened.
func (w *wire) ask(command string) []string {
	w.t.Helper()
	if _, err := fmt.Fprintf(w.conn, "%s\r\n", command); err != nil {
		w.t.Fatal(err)
	}
	return w.reply()
}

func (w *wire) reply() (all []string) {
	w.t.Helper()
	head := w.line()
	n, _ := strconv.Atoi(head[1:])
	switch head[0] {
	case '*':
		for range n {
			all = append(all, w.reply()...)
		}
	case '$':
		text := make([]byte, n+2)
		if _, err := io.ReadFull(w.in, text); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, string(text[:n]))
	case '-':
		w.t.Fatalf("redis: %s", head)
	default:
		all = append(all, head[1:])
	}
	return all
}

func (w *wire) line() string {
	w.t.Helper()
	line, err := w.in.ReadString('\n')
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

func (w *wire) number(command string) int {
	w.t.Helper()
	n, err := strconv.Atoi(w.ask(command)[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// used is used_memory of INFO.
func (w *wire) used() int { return int(w.info("memory", "used_memory")) }

// cpu is the processor time that the server has taken.
func (w *wire) cpu() time.Duration {
	seconds := w.info("cpu", "used_cpu_user") + w.info("cpu", "used_cpu_sys")
	return time.Duration(seconds * float64(time.Second))
}

func (w *wire) info(section, field string) float64 {
	w.t.Helper()
	_, rest, _ := strings.Cut(w.ask("INFO " + section)[0], field+":")
	text, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
