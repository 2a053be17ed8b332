package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/e2e"
)

const (
	replayedPosts = 1000
	replayedEvery = 10 * time.Millisecond
	// feedNews is what a fetch brings, of what a feed holds, in so many fetches.
	feedNews, feedHolds, feedFetches = 20, 100, 3
	// takeover is what is promised; a machine that does much besides is given
	// three times that.
	takeover = 10 * time.Second
)

// TestAKilledInstancesSourcesMoveOn kills instances of capture that run sources:
// one in the middle of a fetch, then the one that replays a file. The other goes
// on, all that can come again does, and nothing counts twice.
func TestAKilledInstancesSourcesMoveOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cfg := embedded.DefaultConfig()
	cfg.DataDir = ""
	servers, err := embedded.Start(ctx, cfg, slog.New(slog.DiscardHandler))
	must(t, err, "servers")
	t.Cleanup(func() { _ = servers.Close() })
	c := newCluster(t, e2e.Servers{Brokers: servers.Brokers(), Redis: servers.RedisURL()})
	writeReplay(t, filepath.Join(c.Replay, "match.ndjson"), "goal", replayedPosts)
	client := c.Client()
	must(t, client.Admin(ctx, http.MethodPost, "/v1/shows", map[string]any{"id": "show", "title": "Show", "timezone": "UTC", "locale": "en"}, nil), "show")
	must(t, client.Admin(ctx, http.MethodPost, "/v1/topics", map[string]any{"id": "all", "show": "show", "title": "All", "rule": "goal"}, nil), "topic")
	_ = sleep.For(ctx, 300*time.Millisecond)

	killed := map[string]time.Time{} // source → when the instance that ran it died
	fetching, dead := make(chan struct{}), make(chan struct{})
	news := &newsFeed{during: map[int]func(){2: func() { close(fetching); <-dead }}}
	server := httptest.NewServer(news)
	t.Cleanup(server.Close)
	source := func(id, connector string, settings map[string]any) {
		t.Helper()
		_, err := client.Source(ctx, map[string]any{"id": id, "show": "show", "connector": connector, "settings": settings})
		must(t, err, "source "+id)
	}
	source("news", "rss", map[string]any{"url": server.URL, "interval": 10})
	await(ctx, t, "a second fetch", fetching)
	first := runner(ctx, t, c, "rss", 0)
	c.Down("capture", first)
	killed["news"] = time.Now()
	close(dead)
	must(t, until(ctx, func() error { return news.fetched(feedFetches) }), "a fetch of the other instance")
	must(t, c.Up(ctx, "capture", first), "start again")

	source("match", "replay", map[string]any{"file": "match.ndjson", "speed": 1})
	second := runner(ctx, t, c, "replay", 50)
	c.Down("capture", second)
	killed["match"] = time.Now()
	want := float64(replayedPosts + feedNews*feedFetches)
	must(t, until(ctx, func() error {
		s, err := client.Topic(ctx, "all", "platform")
		if err == nil && float64(s.Totals.Posts) != want {
			err = fmt.Errorf("%d posts of %v", s.Totals.Posts, want)
		}
		return err
	}), "posts")
	log := openLog(ctx, t, arena{brokers: servers.Brokers(), prefix: c.Prefix + "."})
	checkMoved(ctx, t, log, killed)
	s, err := client.Topic(ctx, "all", "platform")
	must(t, err, "topic")
	if float64(s.Totals.Posts) != want {
		t.Errorf("%d posts count of %v that there are", s.Totals.Posts, want)
	}
}

func await(ctx context.Context, t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatalf("waited for %s: %v", what, ctx.Err())
	}
}

// runner is the instance that runs the source of a connector: the one that put
// more than so many posts into the log since this was asked.
func runner(ctx context.Context, t *testing.T, c *e2e.Cluster, connector string, more float64) (instance int) {
	t.Helper()
	read := func() (posts [2]float64) {
		for i := range posts {
			posts[i], _ = c.Metric(ctx, "capture", i, fmt.Sprintf("clamor_capture_posts_total{connector=%q}", connector))
		}
		return posts
	}
	var before [2]float64
	if more > 0 {
		before = read()
	}
	must(t, until(ctx, func() error {
		for i, posts := range read() {
			if posts > before[i]+more {
				instance = i
				return nil
			}
		}
		return fmt.Errorf("no instance runs the source of %s", connector)
	}), "runner")
	return instance
}

// checkMoved looks into the log: all posts of both sources are there, and they
// went on soon after a kill.
func checkMoved(ctx context.Context, t *testing.T, log *eventlog.Log, killed map[string]time.Time) {
	ids, records := map[string]map[string]bool{}, map[string]int{}
	on := map[string]audience.Millis{} // source → the first record behind the kill
	must(t, e2e.EachPost(ctx, log, func(source, id string, at audience.Millis) {
		if ids[source] == nil {
			ids[source] = map[string]bool{}
		}
		ids[source][id] = true
		records[source]++
		if at >= audience.MillisOf(killed[source]) && (on[source] == 0 || at < on[source]) {
			on[source] = at
		}
	}), "read the log")
	for source, want := range map[string]int{"news": feedNews * feedFetches, "match": replayedPosts} {
		if len(ids[source]) != want {
			t.Errorf("%d posts of %s are in the log, want %d", len(ids[source]), source, want)
		}
		if on[source] == 0 {
			t.Errorf("%s did not go on", source)
			continue
		}
		took := on[source].Time().Sub(killed[source])
		t.Logf("%s went on %v after the kill; %d posts came %d times", source, took.Round(time.Millisecond), len(ids[source]), records[source])
		if took > 3*takeover {
			t.Errorf("%s went on after %v, %v are promised", source, took, takeover)
		}
	}
}

// writeReplay makes a file of posts at their own pace.
func writeReplay(t *testing.T, path, text string, posts int) {
	var file strings.Builder
	begin := time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)
	for n := range posts {
		fmt.Fprintf(&file, `{"id":"%d","text":%q,"created_at":%q}`+"\n", n, text, begin.Add(time.Duration(n)*replayedEvery).Format(time.RFC3339Nano))
	}
	must(t, os.WriteFile(path, []byte(file.String()), 0o600), "replay")
}

// newsFeed has news at each fetch, and holds the newest of them. Its bodies come
// in two halves, between which something may happen.
type newsFeed struct {
	during map[int]func()

	mu      sync.Mutex
	fetches int
}

func (f *newsFeed) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	f.fetches++
	fetch := f.fetches
	f.mu.Unlock()
	end := feedNews * min(fetch, feedFetches)
	var body strings.Builder
	body.WriteString(`<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>`)
	for n := end - 1; n >= max(0, end-feedHolds); n-- {
		at := time.Date(2026, 5, 1, 20, 0, n, 0, time.UTC).Format(time.RFC1123Z)
		fmt.Fprintf(&body, `<item><guid isPermaLink="false">news-%d</guid><title>goal number %d</title><pubDate>%s</pubDate></item>`, n, n, at)
	}
	body.WriteString(`</channel></rss>`)
	text := body.String()
	w.Header().Set("Content-Type", "application/rss+xml")
	_, _ = w.Write([]byte(text[:len(text)/2]))
	_ = http.NewResponseController(w).Flush()
	if act := f.during[fetch]; act != nil {
		act()
	}
	_, _ = w.Write([]byte(text[len(text)/2:]))
}

func (f *newsFeed) fetched(n int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fetches < n {
		return fmt.Errorf("%d fetches of %d", f.fetches, n)
	}
	return nil
}
