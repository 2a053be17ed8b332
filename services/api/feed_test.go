package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func readAll(res *http.Response, into *strings.Builder) io.Reader {
	body, _ := io.ReadAll(res.Body)
	into.Write(body)
	return bytes.NewReader(body)
}

var formats = []string{"feed.json", "feed.xml", "feed.csv", "feed.tsv", "feed.txt", "feed.atom", "feed.rss", "poll.json"}

func TestFeedsInEveryFormat(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	token := r.feed(nil)
	r.cast("p7", 1, 2)
	base := "/feeds/" + token + "/polls/p7/"
	r.until(base+"poll.json", func(a answer) bool { return a.number("total_votes") == 1 })
	for _, f := range formats {
		for _, query := range []string{"", "?shape=wide", "?sort=votes&top=1", "?preset=caspar", "?preset=vertigo", "?preset=viz-social", "?preset=spx", "?nonsense=%zz&top=-1", "?" + strings.Repeat("x", 2000)} {
			a := r.get(base+f+query, anonymous).is(200, "")
			tag := a.header.Get("ETag")
			r.get(base+f+query, anonymous, header("If-None-Match", tag)).is(304, "")
			if h := r.do(http.MethodHead, base+f+query, nil); h.status != 200 || len(h.body) != 0 || h.header.Get("ETag") != tag || h.header.Get("Content-Length") != a.header.Get("Content-Length") {
				t.Fatalf("HEAD %s: %d %v", f, h.status, h.header)
			}
		}
	}
	list := r.get("/feeds/"+token, anonymous).is(200, "")
	if list.text("polls.0.urls.json") != r.server.URL+base+"feed.json" {
		t.Fatalf("%s", list.body)
	}
}

func TestFeedHeaders(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	url := "/feeds/" + r.feed(nil) + "/polls/p7/feed.json"
	plain := r.get(url)
	if plain.header.Get("Content-Encoding") != "" || plain.header.Get("Vary") != "Accept-Encoding" || plain.header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("%v", plain.header)
	}
	zipped := r.get(url, header("Accept-Encoding", "br, gzip;q=0.5"))
	if zipped.header.Get("Content-Encoding") != "gzip" || zipped.header.Get("ETag") == plain.header.Get("ETag") {
		t.Fatalf("%v", zipped.header)
	}
	unzip, err := gzip.NewReader(bytes.NewReader(zipped.body))
	must(t, err)
	if body, _ := io.ReadAll(unzip); !bytes.Equal(body, plain.body) {
		t.Fatal("another body in gzip")
	}
	r.get(url, header("Accept-Encoding", "gzip"), header("If-None-Match", zipped.header.Get("ETag"))).is(304, "")
	if a := r.get(url, header("Accept-Encoding", "gzip;q=0")); a.header.Get("Content-Encoding") != "" {
		t.Fatal("gzip to who refused it")
	}
	r.get(url, header("If-None-Match", `"x", W/`+plain.header.Get("ETag"))).is(304, "")
	r.get(url, header("If-None-Match", `"x"`)).is(200, "")
	if a := r.do(http.MethodOptions, url, nil); a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	r.post(url, "{}").is(405, "method-not-allowed")
}

func TestIfModifiedSinceHidesNoChange(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	base := "/feeds/" + r.feed(nil) + "/polls/p7/"
	for v := range 5 {
		before := r.get(base + "poll.json")
		r.cast("p7", v, 1)
		r.until("/v1/polls/p7/results", votes(int64(v+1)))
		a := r.get(base+"poll.json", header("If-Modified-Since", before.header.Get("Last-Modified"))).is(200, "")
		if a.number("total_votes") != int64(v+1) {
			t.Fatalf("%s", a.body)
		}
		date, err := http.ParseTime(a.header.Get("Last-Modified"))
		must(t, err)
		if date.After(r.now()) {
			t.Fatalf("modified in the future: %s", date)
		}
	}
	r.skew.Add(int64(3 * time.Second))
	a := r.until(base+"poll.json", func(a answer) bool { return true })
	r.get(base+"poll.json", header("If-Modified-Since", a.header.Get("Last-Modified"))).is(304, "")
	r.get(base+"poll.json", header("If-Modified-Since", a.header.Get("Last-Modified")), header("If-None-Match", `"other"`)).is(200, "")
}

func TestFeedTokens(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.post("/v1/shows", map[string]any{"id": "other", "title": "Another"}).is(201, "")
	made := r.post("/v1/destinations", map[string]any{"id": "gfx", "show": "final"}).is(201, "")
	token := made.text("token")
	other := r.feed(map[string]any{"show": "other"})
	good := r.get("/feeds/"+token+"/polls/p7/feed.json", anonymous).is(200, "")
	_ = good
	for _, o := range []option{header("Authorization", "Bearer "+token), header("X-Api-Key", token), func(q *http.Request) { q.SetBasicAuth("any", token) }} {
		r.get("/feeds/-/polls/p7/feed.json", anonymous, o).is(200, "")
	}
	wrong := r.get("/feeds/nobody/polls/p7/feed.json", anonymous).is(404, "not-found")
	r.do(http.MethodDelete, "/v1/destinations/gfx", nil).is(204, "")
	for _, path := range []string{"/feeds/" + token + "/polls/p7/feed.json", "/feeds/" + other + "/polls/p7/feed.json", "/feeds/" + other + "/polls/none/feed.csv", "/feeds/" + token, "/feeds/" + token + "/polls/p7/events", "/feeds/" + token + "/polls/p7/overlay"} {
		if a := r.get(path, anonymous).is(404, "not-found"); !bytes.Equal(a.body, wrong.body) {
			t.Fatalf("%s tells more: %s", path, a.body)
		}
	}
	if a := r.get("/v1/destinations/gfx").is(404, "not-found"); a.status != 404 {
		t.Fatal(a.status)
	}
}

// TestHiddenResultsNeverLeak votes behind hidden results and looks at every way
// to see them: not a byte, not a header may change.
func TestHiddenResultsNeverLeak(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"limits": map[string]any{"ballots_per_voter": 0}}) // reveal: manual
	r.order("p7", "open")
	onair, public, producer := r.feed(nil), r.feed(map[string]any{"audience": "public"}), r.feed(map[string]any{"audience": "producer"})
	var ways []string
	for _, token := range []string{onair, public} {
		for _, f := range formats {
			for _, query := range []string{"", "?shape=wide", "?sort=rank", "?sort=votes&dir=desc", "?preset=vertigo", "?preset=viz-social"} {
				ways = append(ways, "/feeds/"+token+"/polls/p7/"+f+query)
			}
		}
	}
	ways = append(ways, "/v1/polls/p7/results?audience=onair", "/v1/polls/p7/results?audience=public")
	look := func() map[string]string {
		seen := map[string]string{}
		for _, way := range ways {
			a := r.get(way).is(200, "")
			a.header.Del("Date")
			a.header.Del("X-Request-Id")
			a.header.Del("Last-Modified") // two values, by how long ago the change was
			var head strings.Builder
			must(t, a.header.Write(&head))
			seen[way] = head.String() + string(a.body)
		}
		return seen
	}
	before := look()
	receipt := r.cast("p7", 1, 2)
	for v := range 40 {
		r.cast("p7", v, 2)
	}
	r.until("/v1/polls/p7/results", votes(41))
	r.run() // the batch layer runs because ballots came: that may not show either
	r.cast("p7", 99, 3)
	r.until("/v1/polls/p7/results", votes(42))
	after := look()
	for _, way := range ways {
		if before[way] != after[way] {
			t.Errorf("%s changed with votes\n%s\n%s", way, before[way], after[way])
		}
	}
	for _, path := range []string{"/v1/polls/p7", "/v1/polls/p7?receipt=" + receipt} {
		if a := r.get(path, anonymous).is(200, ""); a.at("results") != nil {
			t.Fatalf("%s", a.body)
		}
	}
	if a := r.get("/feeds/" + producer + "/polls/p7/poll.json"); a.number("total_votes") != 42 {
		t.Fatalf("the producer sees everything: %s", a.body)
	}
	if a := r.get("/v1/polls/p7/state"); a.number("results.totals.votes") != 42 || a.at("revealed.onair") != false {
		t.Fatalf("%s", a.body)
	}
	r.order("p7", "reveal", "audience", "onair")
	r.until("/feeds/"+onair+"/polls/p7/poll.json", func(a answer) bool { return a.number("total_votes") == 42 && a.text("reveal") == "shown" })
	if a := r.get("/feeds/" + public + "/polls/p7/poll.json"); a.number("total_votes") != 0 {
		t.Fatalf("%s", a.body)
	}
}

func TestRevealToWhoeverShowsAReceipt(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "vote"})
	r.order("p7", "open")
	receipt := r.cast("p7", 1, 2)
	r.until("/v1/polls/p7/results", votes(1))
	if a := r.get("/v1/polls/p7", anonymous); a.at("results") != nil {
		t.Fatalf("%s", a.body)
	}
	if a := r.get("/v1/polls/p7?receipt="+receipt, anonymous); a.number("results.totals.votes") != 1 {
		t.Fatalf("%s", a.body)
	}
	if a := r.get("/v1/polls/p7?receipt=forged", anonymous).is(200, ""); a.at("results") != nil {
		t.Fatalf("%s", a.body)
	}
}
