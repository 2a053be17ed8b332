package capture_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/prometheus/client_golang/prometheus"
)

// realLog is the embedded Kafka in memory, and a client of it.
func realLog(t *testing.T) func() *eventlog.Log {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Redis = "", false
	servers, err := embedded.Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = servers.Close() })
	return func() *eventlog.Log {
		lc := eventlog.DefaultConfig()
		lc.Brokers, lc.Partitions = servers.Brokers(), 2
		log, err := eventlog.Open(t.Context(), lc, quiet, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Close() })
		return log
	}
}

// readPosts gives the ids of the posts in a real log so far.
func readPosts(t *testing.T, log *eventlog.Log) (ids []string) {
	t.Helper()
	for p := range int32(2) {
		_, next, err := log.Bounds(t.Context(), eventlog.Posts, p)
		if err != nil {
			t.Fatal(err)
		}
		if next == 0 {
			continue
		}
		r, err := log.Read(t.Context(), eventlog.Posts, p, 0)
		if err != nil {
			t.Fatal(err)
		}
		for seen := int64(0); seen < next; {
			entries, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				ids = append(ids, e.Record.GetPost().GetId())
			}
			seen += int64(len(entries))
		}
		_ = r.Close()
	}
	return ids
}

// TestAnotherInstanceTakesAReplayOver runs two instances on a real log: when the
// first goes, the second holds its seats and goes on at the place kept there.
func TestAnotherInstanceTakesAReplayOver(t *testing.T) {
	const posts = 60
	dir := t.TempDir()
	var file strings.Builder
	for n := range posts {
		at := time.Date(2026, 5, 1, 20, 0, n, 0, time.UTC)
		fmt.Fprintf(&file, `{"id":"%d","text":"anna","created_at":%q}`+"\n", n, at.Format(time.RFC3339))
	}
	if err := os.WriteFile(filepath.Join(dir, "posts.ndjson"), []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	open := realLog(t)
	instance := func() (*house, *eventlog.Log) {
		log := open()
		h := buildHouse(t, func(c *capture.Config, d *capture.Deps) {
			c.ReplayDir, d.Log, d.Now = dir, log, time.Now
		})
		h.social("p", audience.CountAuthors, audience.MatchAnywhere)
		h.command("p", audience.VerbOpen)
		h.put(control.KindSourcePut, "again", audience.Source{ID: "again", Show: "show", Connector: audience.ConnectorReplay,
			Settings: map[string]any{"file": "posts.ndjson", "speed": 20.0}, Enabled: true})
		h.run()
		return h, log
	}
	first, log := instance()
	until(t, "half of the posts", func() bool { return len(readPosts(t, log)) >= posts/2 })
	first.stop()
	begun := len(readPosts(t, log))
	if begun == posts {
		t.Fatal("the first instance has done it all")
	}
	_, log = instance()
	seen := func() int {
		ids := readPosts(t, log)
		slices.Sort(ids)
		return len(slices.Compact(ids))
	}
	until(t, "the last post", func() bool { return seen() == posts })
	// What came since the place was kept last may come twice: at 20 posts a
	// second, and two places a second, that is not the beginning again.
	if extra := len(readPosts(t, log)) - posts; extra > 15 {
		t.Errorf("%d of %d posts came again", extra, begun)
	}
}
