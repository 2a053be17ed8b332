package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/api/internal/feed"
)

// topicFiles are all files of a topic.
func topicFiles() (out []string) {
	for _, family := range feed.Families() {
		for _, f := range feed.TopicFormats(family) {
			out = append(out, string(f))
		}
	}
	return append(out, "map.json")
}

// rows are the rows of a feed.
func (a answer) rows() []map[string]any {
	a.t.Helper()
	var rows []map[string]any
	must(a.t, json.Unmarshal(a.body, &rows))
	return rows
}

func TestFeedsOfATopic(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal OR final", nil)
	base := "/feeds/" + r.feed(nil) + "/topics/goal/"
	for i := range 4 {
		r.say(fmt.Sprint(i), author(i), "what a goal #final")
	}
	a := r.until(base+"feed.json", func(a answer) bool { return a.status == 200 && a.rows()[0]["posts"] == 4.0 }, anonymous)
	if row := a.rows()[0]; row["label"] != "#final" || row["count"] != 4.0 || row["pct_text"] != "100%" || row["title"] != "Talk of goal" || row["window"] != "30m" {
		t.Fatalf("%s", a.body)
	}
	for _, file := range topicFiles() {
		for _, query := range []string{"", "?shape=wide&slots=3", "?by=sentiment&window=2h", "?by=country&sort=label", "?preset=vertigo", "?preset=viz-social", "?preset=caspar&top=2", "?preset=spx&slots=3&by=sentiment", "?window=nonsense&by=nonsense&top=-1&kind=x", "?window=9999h"} {
			a := r.get(base+file+query, anonymous).is(200, "")
			r.get(base+file+query, anonymous, header("If-None-Match", a.header.Get("ETag"))).is(304, "")
			if a.header.Get("Cache-Control") != "no-cache" || a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("%s: %v", file, a.header)
			}
			if bytes.Contains(a.body, []byte("null")) {
				t.Fatalf("%s: %s", file, a.body)
			}
		}
	}
	if a := r.get(base+"feed.json?by=sentiment&top=2", anonymous); len(a.rows()) != 2 {
		t.Fatalf("%s", a.body)
	}
	if a := r.get(base+"trends.json?kind=hashtags", anonymous); len(a.rows()) != 1 || a.rows()[0]["label"] != "#final" {
		t.Fatalf("%s", a.body)
	}
}

// TestATopicsFeedStaysWhileNothingChanges moves the clock and counts elsewhere: a
// body and its tag stay, and a changed body has a greater seq.
func TestATopicsFeedStaysWhileNothingChanges(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	r.about("other", "save", nil)
	base := "/feeds/" + r.feed(nil) + "/topics/goal/"
	r.say("1", author(1), "goal")
	r.until(base+"feed.json?window=2h", func(a answer) bool { return a.rows()[0]["posts"] == 1.0 })
	for _, file := range []string{"feed.json?window=2h", "feed.xml?window=2h", "trends.csv?window=2h", "posts.json", "map.json?window=2h",
		"feed.json?window=2h&preset=viz-social", "trends.json?window=2h&preset=vertigo", "feed.xml?window=2h&preset=caspar", "posts.json?preset=spx"} {
		before := r.get(base + file)
		r.skew.Add(int64(time.Minute))
		r.say("elsewhere"+url.PathEscape(file), author(2), "save")
		r.until("/v1/topics/other/stats?window=2h", func(a answer) bool { return a.status == 200 && a.number("totals.posts") > 0 })
		if after := r.get(base + file); after.header.Get("ETag") != before.header.Get("ETag") {
			t.Errorf("%s changed\n%s\n%s", file, before.body, after.body)
		}
	}
	last := 0.0
	for i := range 4 {
		r.say(fmt.Sprint("more", i), author(i), "goal")
		a := r.until(base+"feed.json?window=2h", func(a answer) bool { return a.rows()[0]["posts"] == float64(i+2) })
		if seq := a.rows()[0]["seq"].(float64); seq <= last {
			t.Fatalf("seq %v behind %v", seq, last)
		} else {
			last = seq
		}
	}
	r.stop()
	r.start()
	if a := r.get(base + "feed.json?window=2h"); a.rows()[0]["posts"] != 5.0 || a.rows()[0]["seq"].(float64) < last {
		t.Fatalf("after a restart: %s", a.body)
	}
}

func TestFeedsOfTopicsFailStatic(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	base := "/feeds/" + r.feed(nil) + "/topics/goal/"
	r.say("1", author(1), "goal #final")
	r.until(base+"feed.json", func(a answer) bool { return a.rows()[0]["posts"] == 1.0 })
	r.hearing.fails(errors.New("down"))
	a := r.until(base+"feed.json", func(a answer) bool { return a.rows()[0]["stale"] == true })
	if a.rows()[0]["posts"] != 1.0 || a.rows()[0]["label"] != "#final" {
		t.Fatalf("%s", a.body)
	}
	for _, file := range topicFiles() {
		r.get(base+file, anonymous).is(200, "")
	}
	if fields := r.get(base+"feed.json?preset=caspar&top=1", anonymous); fields.text("f1") != "1" || fields.text("f2") != "#final" {
		t.Fatalf("%s", fields.body)
	}
}

func TestOnlyWhatWasLetThroughIsShown(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	base := "/feeds/" + r.feed(nil) + "/topics/goal/"
	first, second := r.say("1", author(1), "goal one"), r.say("2", author(2), "goal two")
	r.until("/v1/topics/goal/stats", posts(2))
	if a := r.get(base + "posts.json"); len(a.rows()) != 1 || a.rows()[0]["post_id"] != "" || a.rows()[0]["shown"] != 0.0 {
		t.Fatalf("nobody has let a post through: %s", a.body)
	}
	say := func(key, command string) {
		r.post("/v1/posts/"+url.PathEscape(key)+"/commands", map[string]any{"command": command}).is(200, "")
	}
	seq := 0.0
	shows := func(want ...string) {
		t.Helper()
		a := r.get(base+"posts.json").is(200, "")
		var got []string
		for _, row := range a.rows() {
			got = append(got, row["post_id"].(string))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("shown %v, want %v", got, want)
		}
		if now := a.rows()[0]["seq"].(float64); now <= seq {
			t.Fatalf("seq %v behind %v", now, seq)
		} else {
			seq = now
		}
	}
	say(first, "approve")
	shows(first)
	say(second, "feature")
	shows(second, first)
	say(second, "reject")
	shows(first) // at once
	third := r.say("3", author(3), "goal three")
	producer := "/feeds/" + r.feed(map[string]any{"audience": "producer"}) + "/topics/goal/posts.json"
	r.until(producer, func(a answer) bool {
		return len(a.rows()) == 2 && a.rows()[1]["post_id"] == third && a.rows()[1]["state"] == "pending"
	})
	onAir := r.get(base + "posts.json")
	if len(onAir.rows()) != 1 {
		t.Fatalf("a pending post is on air: %s", onAir.body)
	}
	if a := r.get(base + "posts.json?preset=caspar&top=2"); a.text("f1") != "1" || a.text("f4") != "goal one" || a.json()["f10"] != "" {
		t.Fatalf("%s", a.body)
	}
	if a := r.get(base + "posts.rss"); !strings.Contains(string(a.body), "goal one") || strings.Contains(string(a.body), "goal two") {
		t.Fatalf("%s", a.body)
	}
}

func TestTheTokenOfATopicsFeed(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	r.post("/v1/shows", map[string]any{"id": "other", "title": "Another"}).is(201, "")
	other := r.feed(map[string]any{"show": "other"})
	wrong := r.get("/feeds/nobody/topics/goal/feed.json", anonymous).is(404, "not-found")
	for _, file := range append(topicFiles(), "events", "overlay") {
		for _, token := range []string{"nobody", other} {
			if a := r.get("/feeds/"+token+"/topics/goal/"+file, anonymous).is(404, "not-found"); !bytes.Equal(a.body, wrong.body) {
				t.Fatalf("%s tells more: %s", file, a.body)
			}
		}
	}
}

func TestTheListOfFeedsHasTopics(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.about("goal", "goal", nil)
	made := r.post("/v1/destinations", map[string]any{"show": "final"}).is(201, "")
	token := made.text("token")
	if u, _ := made.json()["urls"].(map[string]any)["topics"].(map[string]any)["goal"].(map[string]any)["trends.json"].(string); !strings.HasSuffix(u, "/topics/goal/trends.json") {
		t.Fatalf("%s", made.body)
	}
	a := r.get("/feeds/"+token, anonymous).is(200, "")
	if a.text("topics.0.topic") != "goal" {
		t.Fatalf("%s", a.body)
	}
	listed := 0
	for _, e := range a.at("feeds").([]any) {
		entry := e.(map[string]any)
		if entry["topic"] != "goal" {
			continue
		}
		listed++
		u, err := url.Parse(entry["url"].(string))
		must(t, err)
		got := r.get(u.RequestURI(), anonymous).is(200, "")
		if !strings.HasPrefix(got.header.Get("Content-Type"), entry["content_type"].(string)) {
			t.Errorf("%s as %s", u, got.header.Get("Content-Type"))
		}
	}
	if listed < 10 {
		t.Fatalf("%d feeds of the topic", listed)
	}
}

func TestEventsOfATopic(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	token := r.feed(map[string]any{"id": "gfx", "aliases": map[string]any{"label": "f_label"}})
	r.say("1", author(1), "goal #final")
	r.until("/v1/topics/goal/stats", posts(1))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.server.URL+"/feeds/"+token+"/topics/goal/events?plain=1&top=3", nil)
	must(t, err)
	res, err := r.server.Client().Do(req)
	must(t, err)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	event := func() (name string, data map[string]any) {
		for lines.Scan() {
			line := lines.Text()
			if v, ok := strings.CutPrefix(line, "event: "); ok {
				name = v
			}
			if v, ok := strings.CutPrefix(line, "data: "); ok {
				must(t, json.Unmarshal([]byte(v), &data))
			}
			if line == "" && name != "ping" && name != "" {
				return name, data
			}
		}
		t.Fatal("the stream ended")
		return "", nil
	}
	name, first := event()
	if name != "snapshot" || first["posts"] != 1.0 || first["rows"].([]any)[0].(map[string]any)["label"] != "#final" {
		t.Fatalf("%s %v", name, first)
	}
	r.skew.Add(int64(2 * time.Second)) // nothing changes: nothing is sent
	r.say("2", author(2), "goal #final")
	name, next := event()
	if name != "stats" || next["posts"] != 2.0 || next["seq"].(float64) <= first["seq"].(float64) {
		t.Fatalf("%s %v", name, next)
	}
	r.do(http.MethodDelete, "/v1/destinations/gfx", nil).is(204, "")
	if lines.Scan() {
		t.Fatalf("a revoked stream goes on: %s", lines.Text())
	}
}

func TestThePagesOfTopics(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal AND secret-rule", nil)
	a := r.get("/", anonymous).is(200, "")
	if !strings.Contains(string(a.body), "Talk of goal") || strings.Contains(string(a.body), "secret-rule") {
		t.Fatalf("%s", a.body)
	}
	o := r.get("/feeds/"+r.feed(nil)+"/topics/goal/overlay", anonymous).is(200, "")
	if !strings.Contains(string(o.body), `data-topic="goal"`) {
		t.Fatalf("%s", o.body)
	}
	r.get("/assets/topic.js", anonymous).is(200, "")
}

// TestFeedsOfTopicsAreHeld: whatever is asked once a second by many is made once.
func TestFeedsOfTopicsAreHeld(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	for n := range 200 {
		r.say(fmt.Sprint(n), author(n), "goal #final")
	}
	r.until("/v1/topics/goal/stats", posts(200))
	base := "/feeds/" + r.feed(map[string]any{"audience": "producer"}) + "/topics/goal/"
	for _, file := range topicFiles() {
		r.get(base+file).is(200, "")
		req := httptest.NewRequest(http.MethodGet, base+file, nil)
		w := &sink{header: http.Header{}}
		made := testing.AllocsPerRun(100, func() {
			clear(w.header)
			r.api.Handler().ServeHTTP(w, req)
		})
		if made > 20 {
			t.Errorf("%s: %v allocations for what is held", file, made)
		}
	}
}
