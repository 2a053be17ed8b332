package capture_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture"
)

// wall is a board in memory.
type wall struct {
	mu  sync.Mutex
	all map[string]audience.SourceStatus
}

func (w *wall) KeepSources(_ context.Context, _ string, all map[string]audience.SourceStatus) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = all
	return nil
}

func (w *wall) status(id string) audience.SourceStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[id]
}

// TestASourceMovesToAnotherInstance runs two instances on a real log: one of them
// runs the source, and when it goes, the other goes on within ten seconds, at the
// place and with the budget that are kept.
func TestASourceMovesToAnotherInstance(t *testing.T) {
	const posts = 2000
	dir := t.TempDir()
	var file strings.Builder
	begin := time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)
	for n := range posts {
		fmt.Fprintf(&file, `{"id":"%d","text":"goal","created_at":%q}`+"\n", n, begin.Add(time.Duration(n)*100*time.Millisecond).Format(time.RFC3339Nano))
	}
	if err := os.WriteFile(filepath.Join(dir, "posts.ndjson"), []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	open := realLog(t)
	var houses []*house
	var walls []*wall
	for range 2 {
		log, w := open(), &wall{}
		h := buildHouse(t, func(c *capture.Config, d *capture.Deps) {
			c.ReplayDir, d.Log, d.Now, d.Board = dir, log, time.Now, w
		})
		h.put(control.KindSourcePut, "again", audience.Source{ID: "again", Show: "show", Connector: audience.ConnectorReplay,
			Settings: map[string]any{"file": "posts.ndjson", "speed": 2.0}, Enabled: true, Budget: &audience.Budget{Posts: 1_000_000, Per: "show"}})
		h.run()
		houses, walls = append(houses, h), append(walls, w)
	}
	spent := func(w *wall) int64 {
		if b := w.status("again").Budget; b != nil {
			return b.Posts.Spent
		}
		return 0
	}
	runs := func(i int) bool { return walls[i].status("again").State == audience.SourceStreaming }
	until(t, "one instance that runs the source", func() bool {
		return max(spent(walls[0]), spent(walls[1])) >= 40 && runs(0) != runs(1)
	})
	first, second := 0, 1
	if runs(1) {
		first, second = 1, 0
	}
	before := spent(walls[first])
	gone := time.Now()
	houses[first].stop()
	until(t, "the other instance", func() bool { return runs(second) && spent(walls[second]) > before })
	t.Logf("taken over after %v", time.Since(gone))
	if s := walls[second].status("again"); s.Budget.Posts.Spent < before+1 || s.State != audience.SourceStreaming {
		t.Errorf("%+v", s)
	}
}
