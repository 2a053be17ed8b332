package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/internal/client"
	"github.com/clamor-live/clamor/services/internal/load"
)

const (
	// postsLeast and postsSteady are what is promised: posts a second from the log
	// to the speed view, and those at which a post is to be seen within a second.
	postsLeast  = 25_000
	postsSteady = 5_000
	postsBatch  = 50 // a request
	// everything is the topic that all posts belong to.
	everything = "everything"
)

// posts: understanding and folding by themselves, then the whole program.
func posts(ctx context.Context, s settings) ([]row, error) {
	rows, bare, err := postFold(ctx)
	if err != nil {
		return rows, err
	}
	// No batch run meanwhile: what it publishes would not be folded again.
	c, err := s.startClamor(ctx, filepath.Join(s.dir, "posts"), "--batch-interval", "0")
	if err != nil {
		return rows, err
	}
	defer func() { c.stop() }()
	p, err := s.preparePush(ctx, c)
	if err != nil {
		return rows, err
	}
	defer p.api.Close()
	visible, err := p.steady(ctx, s.duration)
	if err != nil {
		return rows, err
	}
	p99 := float64(visible.latency.ValueAtQuantile(99)) / 1000
	rows = append(rows, row{
		what: fmt.Sprintf("a post sent → visible in its topic's figures, p99 at %d posts/s", postsSteady), least: "1 s", goal: "500 ms",
		got: fmt.Sprintf("%.0f ms", p99), ok: p99 <= 1000 && visible.missing == 0,
		note: fmt.Sprintf("%.0f/s got through; %s; %d never seen", visible.rate, load.Percentiles(visible.latency), visible.missing),
	})
	whole, err := s.refold(ctx, &c, p)
	return append(rows, whole.row(bare)...), err
}

// postFold runs the worker on a log in memory. bare is what one core makes of the
// same posts when nothing is done with what is understood.
func postFold(ctx context.Context) (rows []row, bare float64, err error) {
	figures, err := goBench(ctx, "./services/realtime", "BenchmarkPostsIntoRedis", "posts/s", "3x")
	if err != nil {
		return nil, 0, err
	}
	_, bare = best(figures, "bare")
	name, rate := best(figures, "ears")
	if bare == 0 || rate == 0 {
		return nil, 0, errors.New("no figures: are the shared data there?")
	}
	return []row{{
		what: "posts understood, folded and written to an in-process Redis, posts/s", least: "25,000", goal: "50,000",
		got: fmt.Sprintf("%.0f = %.2f × understanding alone on one core (%.0f/s)", rate, rate/bare, bare), ok: rate >= postsLeast,
		note: fmt.Sprintf("best of %v (%s)", figures, name),
	}}, bare, nil
}

// push is a source to push posts at, and the topics that listen.
type push struct {
	api         *client.Client
	url, key    string
	connections int
	taken       int64
}

func (s settings) preparePush(ctx context.Context, c *child) (*push, error) {
	cfg, err := c.load(s)
	if err != nil {
		return nil, err
	}
	p := &push{api: client.New(c.url, cfg.Token), connections: 8}
	if err := p.api.Post(ctx, "/v1/shows", client.Object{"id": "listen", "title": "Listen", "timezone": "UTC", "locale": "en"}, nil); err != nil {
		return nil, err
	}
	for id, rule := range map[string]string{
		everything: "listener OR ouvinte", "goals": "goal OR gol", "stars": "captain OR keeper", "tags": "#final OR #semi", "rain": "rain OR chuva",
	} {
		if err := p.api.Post(ctx, "/v1/topics", client.Object{"id": id, "show": "listen", "title": id, "rule": rule}, nil); err != nil {
			return nil, err
		}
	}
	var source struct {
		Key string `json:"key"`
	}
	err = p.api.Post(ctx, "/v1/sources", client.Object{"id": "bench", "show": "listen", "connector": "push", "enabled": true}, &source)
	p.url, p.key = c.url+"/v1/sources/bench/posts", source.Key
	return p, err
}

// phrases are put together to posts, so that few are alike.
var phrases = [3][]string{
	{"what a goal by the captain", "o gol saiu no último minuto", "the keeper saved it again", "nobody expected this today", "qué partido más bonito", "it was never a penalty"},
	{"and the whole street was singing", "mesmo com toda essa chuva", "while my neighbours slept", "in the rain of all days", "con toda la familia en casa", "que coisa linda de ver"},
	{"says a listener from Recife", "writes a listener in Leeds", "conta um ouvinte de São Paulo", "asks a listener at home", "dice un ouvinte más"},
}

// lines are n posts as a push source sends them, from the i-th on.
func lines(i int64, n int) []byte {
	var b []byte
	for k := i; k < i+int64(n); k++ {
		b = fmt.Appendf(b, `{"id":"%d","created_at":"2026-01-01T00:00:00Z","author":{"id":"a%d","handle":"h%d","name":"Maria Silva"},"text":"%s %s, %s %d #%s"}`+"\n",
			k, k*7919%50_000, k*7919%50_000, phrases[0][k%6], phrases[1][k/6%6], phrases[2][k/36%5], k%997, [...]string{"final", "semi", "tv"}[k%3])
	}
	return b
}

// send pushes posts and says whether all were taken.
func (p *push) send(ctx context.Context, i int64, n int) error {
	var said struct {
		Accepted int              `json:"accepted"`
		Errors   []client.Problem `json:"errors"`
	}
	err := p.api.As(p.key).Post(ctx, strings.TrimPrefix(p.url, p.api.Base()), lines(i, n), &said)
	if err == nil && said.Accepted != n {
		err = fmt.Errorf("%d of %d posts were taken: %v", said.Accepted, n, said.Errors[:min(1, len(said.Errors))])
	}
	return err
}

// sighted is when posts were seen.
type sighted struct {
	latency *load.Latencies
	rate    float64
	missing int64
}

// steady pushes at an even pace while another reads the topic's figures.
func (p *push) steady(ctx context.Context, d time.Duration) (sighted, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var total atomic.Int64
	var seen []load.Sight
	var watcher sync.WaitGroup
	watcher.Go(func() { seen = p.watch(watching, &total) })
	var mu sync.Mutex
	var acks []load.Ack
	var failed error
	pace := load.Pace{Rate: postsSteady / postsBatch, Duration: d, Workers: p.connections}
	took := pace.Run(ctx, func(int) func(int64, time.Time) {
		return func(i int64, _ time.Time) {
			sent := time.Now()
			err := p.send(ctx, i*postsBatch, postsBatch)
			mu.Lock()
			defer mu.Unlock()
			failed = cmp.Or(failed, err)
			acks = append(acks, load.Ack{At: sent, N: postsBatch})
		}
	})
	p.taken = int64(len(acks)) * postsBatch
	settled, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_ = client.WaitFor(settled, 20*time.Millisecond, func() bool { return total.Load() >= p.taken }) // missing says so
	stop()
	watcher.Wait()
	if failed != nil {
		return sighted{}, failed
	}
	visible := load.Visibility(acks, seen, 0)
	return sighted{visible, perSecond(p.taken, took), int64(len(acks)) - visible.TotalCount()}, nil
}

// posts is how many posts the topic's figures hold.
func (p *push) posts(ctx context.Context) (int64, error) {
	var stats struct {
		Totals struct {
			Posts int64 `json:"posts"`
		} `json:"totals"`
	}
	err := p.api.Get(ctx, "/v1/topics/"+everything+"/stats?window=2h", &stats)
	return stats.Totals.Posts, err
}

// watch reads the figures until ctx ends and notes every change of the total.
func (p *push) watch(ctx context.Context, total *atomic.Int64) (seen []load.Sight) {
	for ctx.Err() == nil {
		n, err := p.posts(ctx)
		if at := time.Now(); err == nil && (len(seen) == 0 || seen[len(seen)-1].Votes != n) {
			seen = append(seen, load.Sight{At: at, Votes: n})
			total.Store(n)
		}
		_ = sleep.For(ctx, 20*time.Millisecond)
	}
	return seen
}

// refolded is a whole log folded by a program that has just begun.
type refolded struct {
	posts int64
	took  time.Duration
	sent  float64 // posts a second through the door beforehand
}

func (r refolded) row(bare float64) []row {
	if r.took == 0 {
		return nil
	}
	rate := perSecond(r.posts, r.took)
	return []row{{
		what: "log → speed view of posts, standalone after a restart, posts/s", least: "25,000", goal: "50,000",
		got: fmt.Sprintf("%.0f = %.2f × understanding alone on one core (%.0f/s)", rate, rate/bare, bare), ok: rate >= postsLeast,
		note: fmt.Sprintf("%d posts; the log and Redis are in the same process; through the door they came at %.0f/s", r.posts, r.sent),
	}}
}

// refold fills the log as fast as the door takes posts and starts the program
// again: its Redis is empty then, and all is folded anew.
func (s settings) refold(ctx context.Context, c **child, p *push) (r refolded, err error) {
	began := time.Now()
	if err := p.fill(ctx, s.posts); err != nil {
		return r, err
	}
	r.sent = perSecond(s.posts, time.Since(began))
	data := (*c).data
	(*c).stop()
	if *c, err = s.startClamor(ctx, data, "--batch-interval", "0"); err != nil {
		return r, err
	}
	folded, took, err := refoldedBy(ctx, (*c).admin)
	if err == nil && folded < s.posts {
		err = fmt.Errorf("%d posts were folded anew, want %d at least", folded, s.posts)
	}
	return refolded{folded, took, r.sent}, err
}

func (p *push) fill(ctx context.Context, n int64) error {
	const batch = 500
	var mu sync.Mutex
	var failed error
	(load.Pace{Requests: n / batch, Workers: p.connections}).Run(ctx, func(int) func(int64, time.Time) {
		return func(i int64, _ time.Time) {
			err := p.send(ctx, p.taken+i*batch, batch)
			mu.Lock()
			defer mu.Unlock()
			failed = cmp.Or(failed, err)
		}
	})
	return failed
}

// refoldedBy reads how many posts were folded, and how long the refill took as
// the program measured it.
func refoldedBy(ctx context.Context, admin string) (folded int64, took time.Duration, err error) {
	m, err := scrape(ctx, admin+"/metrics")
	seconds := m["clamor_realtime_posts_refill_seconds"]
	return int64(m["clamor_realtime_posts_folded_total"]), time.Duration(seconds * float64(time.Second)), err
}

// scrape reads the metrics that have no labels.
func scrape(ctx context.Context, url string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	found := map[string]float64{}
	text := bufio.NewScanner(resp.Body)
	for text.Scan() {
		name, value, ok := strings.Cut(text.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil {
			found[name] = n
		}
	}
	return found, text.Err()
}
