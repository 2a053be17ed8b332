package capture_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/google/go-cmp/cmp"
)

// until waits for something that another goroutine does.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("%s does not come", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (h *house) teams(count string) {
	h.t.Helper()
	h.putPoll(audience.Poll{
		ID: "match", Social: &audience.Social{Count: count, Match: audience.MatchAnywhere},
		Options: []audience.Option{
			{ID: "qatar", Label: "Qatar", Keywords: []string{"Qatar", "#QAT"}},
			{ID: "ecuador", Label: "Ecuador", Keywords: []string{"Ecuador", "#ECU", "Valencia"}},
		},
	})
	h.command("match", audience.VerbOpen)
}

// countWorldCup counts the file anew, by other means than the service: each post
// whose words, links and mentions apart, hold keywords of one team only.
func countWorldCup(t *testing.T, path string) (posts int, votes map[uint16]int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	drop := regexp.MustCompile(`(?i)(?:^|\b)(?:https?://|www\.)\S+|@[\p{L}\p{N}_]+(?:[.\-@][\p{L}\p{N}_]+)*`)
	word := regexp.MustCompile(`[\p{L}\p{M}\p{N}_]+`)
	team := map[string]uint16{"qatar": 1, "qat": 1, "ecuador": 2, "ecu": 2, "valencia": 2}
	votes = map[uint16]int{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var p struct{ Text string }
		if err := json.Unmarshal(in.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		posts++
		named := map[uint16]bool{}
		for _, w := range word.FindAllString(drop.ReplaceAllString(p.Text, " "), -1) {
			if slot := team[strings.ToLower(w)]; slot != 0 {
				named[slot] = true
			}
		}
		if len(named) == 1 {
			for slot := range named {
				votes[slot]++
			}
		}
	}
	return posts, votes
}

func TestReplaysTheWorldCup(t *testing.T) {
	worldCup := enrichtest.WorldCupFile(t)
	data, err := os.ReadFile(worldCup)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "worldcup.ndjson"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	posts, want := countWorldCup(t, worldCup)
	h := newHouse(t, func(c *capture.Config, _ *capture.Deps) { c.ReplayDir = dir })
	h.teams(audience.CountAuthors)
	h.replay("worldcup.ndjson", true)
	until(t, "the last post", func() bool { return h.log.appended(eventlog.Posts) >= posts })
	until(t, "the last vote", func() bool { return h.log.counted() >= want[1]+want[2] })
	h.stop()
	got := map[uint16]int{}
	for _, b := range h.log.ballots(t) {
		got[b.Choices[0].Slot]++
	}
	t.Logf("%d posts: Qatar %d, Ecuador %d", posts, got[1], got[2])
	if diff := cmp.Diff(want, got); diff != "" || len(h.log.posts()) != posts {
		t.Errorf("%d posts; votes: %s", len(h.log.posts()), diff)
	}
}

// replay defines the replay source "again" of that file.
func (h *house) replay(file string, enabled bool) {
	h.t.Helper()
	h.put(control.KindSourcePut, "again", audience.Source{ID: "again", Show: "show", Connector: audience.ConnectorReplay,
		Settings: map[string]any{"file": file, "speed": 1e6}, Enabled: enabled})
}

func TestAReplayGoesOnWhereAnotherInstanceLeftIt(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "posts.ndjson")
	line := func(id string) string {
		return `{"id":"` + id + `","text":"Qatar","created_at":"2026-05-01T20:00:00Z"}` + "\n"
	}
	if err := os.WriteFile(name, []byte(line("1")+"nonsense\n"+line("2")), 0o600); err != nil {
		t.Fatal(err)
	}
	change := func(c *capture.Config, _ *capture.Deps) { c.ReplayDir = dir }
	h := newHouse(t, change)
	h.replay("posts.ndjson", true)
	until(t, "the second post", func() bool { return len(h.log.posts()) == 2 })
	h.stop()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(line("3")); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	next := buildHouse(t, func(c *capture.Config, d *capture.Deps) { change(c, d); d.Log = h.log })
	next.replay("posts.ndjson", true)
	next.run()
	until(t, "the third post", func() bool { return len(h.log.posts()) == 3 })
	next.replay("posts.ndjson", false)
	next.stop()
	ids := map[string]int{}
	for _, p := range h.log.posts() {
		ids[p.GetPlatform()+":"+p.GetId()]++
	}
	if diff := cmp.Diff(map[string]int{"again:1": 1, "again:2": 1, "again:3": 1}, ids); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(h.logged.String(), "messages are no posts") {
		t.Error("the malformed line is not reported")
	}
}
