package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/e2e"
)

// envNumber reads a setting of the nightly form.
func envNumber(t *testing.T, name string, otherwise uint64) uint64 {
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestChaos kills Clamor at random moments while viewers vote, graphics poll and
// batch runs follow one another, and then counts. CLAMOR_CHAOS_SEED repeats a
// run's choices, CLAMOR_CHAOS_KILLS makes it longer.
func TestChaos(t *testing.T) {
	seed, kills := chaosPlan(t, 10)
	for i, outside := range []bool{false, true} {
		t.Run(fmt.Sprintf("redis outside %v", outside), func(t *testing.T) {
			p := startProcess(t, outside)
			chaos(t, arena{
				System: p, seed: seed + uint64(i), kills: kills/2 + i*(kills%2),
				brokers: []string{p.Broker()}, prefix: eventlog.DefaultConfig().Prefix,
				binary: p.Binary, archive: filepath.Join(p.Data, "archive"), replay: filepath.Join(p.Data, "replay"),
				harm: func(ctx context.Context, rng *rand.Rand) error {
					if outside && rng.IntN(3) == 0 {
						return p.EmptyRedis(ctx)
					}
					return p.Kill(ctx, "")
				},
			})
		})
	}
}

// TestChaosOfServices is the same with each service a process of its own, two of
// those that may be two, on real servers that are killed as well.
func TestChaosOfServices(t *testing.T) {
	servers, c, bin := startCluster(t)
	seed, kills := chaosPlan(t, 10)
	chaos(t, arena{
		System: c, seed: seed, kills: kills,
		brokers: servers.Brokers, prefix: c.Prefix + ".", binary: filepath.Join(bin, "clamor"), archive: c.Archive, replay: c.Replay,
		harm: func(ctx context.Context, rng *rand.Rand) error {
			switch n := rng.IntN(10); n {
			case 0:
				return c.EmptyRedis(ctx)
			case 1:
				return servers.Break(ctx, fmt.Sprintf("kafka-%d", 1+rng.IntN(len(servers.Brokers))))
			case 2:
				return servers.Break(ctx, fmt.Sprintf("redis-cluster-%d", 1+rng.IntN(3)))
			default:
				return c.Kill(ctx, []string{"capture", "realtime", "batch", "api"}[n%4])
			}
		},
	})
}

func chaosPlan(t *testing.T, kills uint64) (seed uint64, n int) {
	seed = envNumber(t, "CLAMOR_CHAOS_SEED", uint64(time.Now().UnixNano()))
	n = int(envNumber(t, "CLAMOR_CHAOS_KILLS", kills))
	t.Logf("CLAMOR_CHAOS_SEED=%d CLAMOR_CHAOS_KILLS=%d", seed, n)
	return seed, n
}

// arena is a system, and how to harm it and to look behind it.
type arena struct {
	e2e.System
	seed    uint64
	kills   int
	brokers []string
	prefix  string
	// replay is the folder of files that replay sources read.
	binary, archive, replay string
	harm                    func(ctx context.Context, rng *rand.Rand) error
}

var chaosPolls = []map[string]any{
	{"id": "once", "kind": "choice", "reveal": "open"},
	{"id": "last", "kind": "choice", "reveal": "never", "limits": map[string]any{"ballots_per_voter": 1, "on_repeat": "replace"}},
	{"id": "all", "kind": "reaction", "reveal": "open"},
}

func chaos(t *testing.T, p arena) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute+time.Duration(p.kills)*20*time.Second)
	defer cancel()
	feeds, key := setUp(ctx, t, p)
	talk := startTalk(ctx, t, p, feeds)
	_ = sleep.For(ctx, 300*time.Millisecond)
	history, watcher := e2e.NewHistory(), &feedWatcher{client: p.Client(), base: feeds + "/polls/"}
	crowds := make([]*e2e.Crowd, 4)
	voting, watching := make(chan struct{}), make(chan struct{})
	var voters, others errgroup.Group
	for i := range crowds {
		crowds[i] = e2e.NewCrowd(p.Client(), p.seed*10+uint64(i), []string{"once", "last", "all"})
	}
	crowds[3].Gateway(key, 100)
	for i, crowd := range crowds {
		voters.Go(func() error {
			if i < 3 {
				if err := crowd.Register(ctx, 100); err != nil {
					return err
				}
			}
			return crowd.Vote(ctx, voting)
		})
	}
	voters.Go(func() error { return talk.posters.Post(ctx, voting) })
	voters.Go(func() error { return talk.moderator.Moderate(ctx, voting) })
	others.Go(func() error { return talk.watch(ctx, watching) })
	others.Go(func() error { return poll(ctx, p.Client(), history, watching) })
	others.Go(func() error { return watcher.watch(ctx, watching) })
	others.Go(func() error { return recomputeOften(ctx, p.Client(), watching) })

	rng := rand.New(rand.NewPCG(p.seed, 0))
	for n := range p.kills {
		_ = sleep.For(ctx, time.Duration(rng.IntN(2500))*time.Millisecond)
		must(t, p.harm(ctx, rng), fmt.Sprintf("harm %d", n))
		if n == p.kills/2 {
			talk.listen(ctx, t, e2e.RainWord) // what came before is counted, too
		}
	}
	_ = sleep.For(ctx, time.Second)
	close(voting)
	must(t, voters.Wait(), "voters")
	talk.verify(ctx, t)
	verifyTotals(ctx, t, p, crowds)
	talk.verifySealed(ctx, t)
	talk.verifyAgreed(ctx, t)
	close(watching)
	must(t, others.Wait(), "pollers")
	faults, served := history.Faults()
	for _, err := range append(faults, watcher.faults...) {
		t.Error(err)
	}
	log := openLog(ctx, t, p)
	must(t, history.Judge(ctx, log), "answers against the log")
	talk.judge(ctx, t, log)
	senders := []sender{talk.posters}
	for _, c := range crowds {
		senders = append(senders, c)
	}
	acked := checkLog(ctx, t, log, senders)
	recount(t, p)
	t.Logf("%d kills, %d ballots acknowledged, %d answers and %d feed bodies equal to the log", p.kills, acked, served, watcher.bodies)
}

func must(t *testing.T, err error, what string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// setUp makes the show, its polls, a destination and a gateway, opens, and gives
// the destination's path and the gateway's key.
func setUp(ctx context.Context, t *testing.T, p arena) (feeds, key string) {
	c := p.Client()
	must(t, c.Admin(ctx, http.MethodPost, "/v1/shows", map[string]any{
		"id": "chaos", "title": "Chaos", "timezone": "UTC", "locale": "en", "languages": []string{"en", "pt", "es"},
		"moderation": map[string]any{"reject": e2e.SpamWord},
	}, nil), "show")
	options := []map[string]any{{"id": "a", "label": "A"}, {"id": "b", "label": "B"}, {"id": "c", "label": "C"}}
	for _, poll := range chaosPolls {
		body := map[string]any{"show": "chaos", "question": "Who?", "options": options}
		for k, v := range poll {
			body[k] = v
		}
		must(t, c.Admin(ctx, http.MethodPost, "/v1/polls", body, nil), "poll")
		must(t, c.Command(ctx, poll["id"].(string), "open", nil), "open")
	}
	var d struct {
		Token string `json:"token"`
	}
	must(t, c.Admin(ctx, http.MethodPost, "/v1/destinations", map[string]any{"id": "air", "show": "chaos"}, &d), "destination")
	key, err := c.Source(ctx, map[string]any{"id": "sms", "show": "chaos", "connector": "gateway"})
	must(t, err, "gateway")
	return "/feeds/" + d.Token, key
}

// poll reads results as a producer's console does.
func poll(ctx context.Context, c *e2e.Client, h *e2e.History, stop <-chan struct{}) error {
	polls := []string{talkPoll}
	for _, p := range chaosPolls {
		polls = append(polls, p["id"].(string))
	}
	return every(ctx, stop, func(i int) {
		if r, err := c.Results(ctx, polls[i%len(polls)]); err == nil {
			h.Saw(r)
		}
	})
}

// every acts fifty times a second until it is told to stop.
func every(ctx context.Context, stop <-chan struct{}, act func(i int)) error {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
			act(i)
		}
	}
}

// feedWatcher is a graphics engine that believes nothing.
type feedWatcher struct {
	client *e2e.Client
	base   string
	bodies int
	faults []error
	seq    map[string]int64
	total  map[string]int64
}

type feedRow struct {
	Reveal string `json:"reveal"`
	Seq    int64  `json:"seq"`
	Total  int64  `json:"total_votes"`
	Votes  int64  `json:"votes"`
	Voters int64  `json:"total_voters"`
}

func (w *feedWatcher) watch(ctx context.Context, stop <-chan struct{}) error {
	w.seq, w.total = map[string]int64{}, map[string]int64{}
	return every(ctx, stop, func(i int) { w.look(ctx, chaosPolls[i%len(chaosPolls)]["id"].(string)) })
}

func (w *feedWatcher) look(ctx context.Context, poll string) {
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, w.client.Base+w.base+poll+"/feed.json", nil)
	resp, err := w.client.HTTP.Do(req)
	if err != nil {
		return // the process is dead at the moment
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return
	}
	var rows []feedRow
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &rows) != nil || len(rows) != 3 {
		w.fault("%s: %d %.200s", poll, resp.StatusCode, body)
		return
	}
	w.bodies++
	sum := int64(0)
	for _, r := range rows {
		sum += r.Votes
		if poll == "last" && (r.Votes != 0 || r.Total != 0 || r.Voters != 0 || r.Reveal != "hidden") {
			w.fault("%s is hidden and shows %.400s", poll, body)
		}
	}
	switch r := rows[0]; {
	case r.Total != sum:
		w.fault("%s: total_votes %d, rows sum to %d", poll, r.Total, sum)
	case r.Total < w.total[poll]:
		w.fault("%s: total_votes went from %d to %d", poll, w.total[poll], r.Total)
	case r.Seq < w.seq[poll]:
		w.fault("%s: seq went from %d to %d", poll, w.seq[poll], r.Seq)
	}
	w.total[poll], w.seq[poll] = rows[0].Total, rows[0].Seq
}

func (w *feedWatcher) fault(format string, args ...any) {
	if len(w.faults) < 20 {
		w.faults = append(w.faults, fmt.Errorf("feed "+format, args...))
	}
}

// recomputeOften keeps batch runs going; those that die with the process are
// part of the test.
func recomputeOften(ctx context.Context, c *e2e.Client, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
			once, cancel := context.WithTimeout(ctx, 5*time.Second)
			_ = c.RunBatch(once)
			generations, _ := c.Generations(once)
			cancel()
			for _, g := range generations {
				if g.Agreed == "no" {
					return fmt.Errorf("the views differ at generation %d", g.Number)
				}
			}
		}
	}
}

// verifyTotals closes the polls and compares their sealed results with what the
// voters know.
func verifyTotals(ctx context.Context, t *testing.T, p arena, crowds []*e2e.Crowd) {
	var lock sync.Mutex
	var group errgroup.Group
	for _, poll := range chaosPolls {
		id := poll["id"].(string)
		must(t, p.Client().Command(ctx, id, "close", nil), "close "+id)
		group.Go(func() error {
			var ballots, voters int64
			for _, c := range crowds {
				b, v := c.Taken(id)
				ballots, voters = ballots+b, voters+v
			}
			want := voters
			if id == "all" {
				want = ballots
			}
			deadline := time.Now().Add(time.Minute)
			for {
				r, err := p.Client().Results(ctx, id)
				if err == nil && r.Status == "verified" && !r.Stale {
					lock.Lock()
					defer lock.Unlock()
					if r.Totals.Votes != want || r.Totals.Voters != voters {
						return fmt.Errorf("%s: %d votes of %d voters, acknowledged were %d of %d", id, r.Totals.Votes, r.Totals.Voters, want, voters)
					}
					return nil
				}
				if time.Now().After(deadline) {
					return fmt.Errorf("%s is not verified within a minute: %+v %w", id, r, err)
				}
				_ = sleep.For(ctx, 100*time.Millisecond)
			}
		})
	}
	must(t, group.Wait(), "totals")
}

func openLog(ctx context.Context, t *testing.T, p arena) *eventlog.Log {
	cfg := eventlog.DefaultConfig()
	cfg.Brokers, cfg.Prefix = p.brokers, p.prefix
	log, err := eventlog.Open(ctx, cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	must(t, err, "open the log")
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// sender knows what he sent and what was acknowledged.
type sender interface {
	Knows(id uuid.UUID) bool
	Acked() []uuid.UUID
}

// checkLog holds the log against the voters: all that was acknowledged is in it,
// and nothing that nobody sent.
func checkLog(ctx context.Context, t *testing.T, log *eventlog.Log, senders []sender) int {
	found := map[uuid.UUID]bool{}
	err := e2e.EachBallot(ctx, log, func(id uuid.UUID) {
		found[id] = true
		for _, c := range senders {
			if c.Knows(id) {
				return
			}
		}
		t.Errorf("ballot %s is in the log, and nobody sent it", id)
	})
	must(t, err, "read the log")
	acked, missing := 0, 0
	for _, c := range senders {
		for _, id := range c.Acked() {
			acked++
			if !found[id] {
				missing++
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged ballots are not in the log", missing, acked)
	}
	return acked
}

// recount runs the auditor's command on the archive.
func recount(t *testing.T, p arena) {
	for _, poll := range chaosPolls {
		id := poll["id"].(string)
		out, err := exec.Command(p.binary, "recount", "--archive", p.archive, "--poll", id).CombinedOutput()
		if err != nil {
			t.Errorf("recount %s: %v\n%s", id, err, out)
		}
	}
}
