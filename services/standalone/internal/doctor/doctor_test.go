package doctor

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// healthy is a feed that no engine trips over.
var healthy = map[string]string{
	"feed.json":      `[{"poll_id":"p","votes":3,"votes_batch":1,"votes_speed":2,"rank":1,"pct":75,"pct_int":75,"label":"A","label_short":"A","as_of":"2026-06-11T19:00:00.000Z","seq":5,"total_votes":4},{"poll_id":"p","votes":1,"votes_batch":1,"votes_speed":0,"rank":2,"pct":25,"pct_int":25,"label":"B","label_short":"B","as_of":"2026-06-11T19:00:00.000Z","seq":5,"total_votes":4}]`,
	"feed.json wide": `{"poll_id":"p","opt1_votes":3,"opt2_votes":""}`,
	"feed.xml":       `<feed><row><label>A</label></row></feed>`,
	"feed.csv":       "label,votes\r\nA,3\r\n",
	"feed.tsv":       "label\tvotes\nA\t3\n",
	"feed.txt":       "label|A\nvotes|3\n",
	"feed.atom":      `<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>`,
	"feed.rss":       `<rss version="2.0"><channel><item/></channel></rss>`,
}

type clinic struct {
	bodies map[string]string
	spoil  func(h http.Header)
	plain  atomic.Int64 // fetches of feed.json
}

func (c *clinic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	if r.URL.Query().Get("shape") == "wide" {
		name += " wide"
	}
	body, ok := c.bodies[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	n := int64(0)
	if name == "feed.json" && r.Method == http.MethodGet {
		n = c.plain.Add(1)
	}
	body = strings.ReplaceAll(body, "COUNTDOWN", fmt.Sprint(1000-n))
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-cache")
	h.Set("Last-Modified", time.Unix(1, 0).UTC().Format(http.TimeFormat))
	h.Set("ETag", fmt.Sprintf(`"%x"`, body))
	if c.spoil != nil {
		c.spoil(h)
	}
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, body)
	}
}

func examine(t *testing.T, c *clinic, watch time.Duration) *Report {
	t.Helper()
	srv := httptest.NewServer(c)
	defer srv.Close()
	r, err := Examine(t.Context(), srv.URL+"/feeds/t/polls/p/feed.json", watch, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAHealthyFeed(t *testing.T) {
	r := examine(t, &clinic{bodies: healthy}, 10*time.Millisecond)
	if len(r.Findings) > 0 || len(r.Looked) != 8 {
		t.Errorf("looked at %v, found %v", r.Looked, r.Findings)
	}
	var out bytes.Buffer
	r.Print(&out)
	if strings.Contains(out.String(), "findings") || !strings.Contains(out.String(), "vMix") {
		t.Error(out.String())
	}
}

func TestFindings(t *testing.T) {
	row := `[{"votes":1,"pct_int":50,"rank":1},{"votes":1,"pct_int":50,"rank":1}]`
	cases := map[string]struct {
		name, body string
		rule       string
	}{
		"nested":            {"feed.json", `[{"a":{}}]`, "flat rows"},
		"an object":         {"feed.json", `{}`, "flat rows"},
		"empty":             {"feed.json", `[]`, "never empty"},
		"null":              {"feed.json", `[{"a":null}]`, "never null"},
		"other columns":     {"feed.json", `[{"a":1},{"b":1}]`, "same columns"},
		"type by row":       {"feed.json", `[{"a":1},{"a":"1"}]`, "types never change"},
		"split tie":         {"feed.json", strings.Replace(row, `"pct_int":50`, `"pct_int":51`, 1), "ties"},
		"newline":           {"feed.json", `[{"label":"a\nb"}]`, "plain text"},
		"long label_short":  {"feed.json", `[{"label_short":"1234567890123"}]`, "short labels"},
		"over 100":          {"feed.json", `[{"pct":101}]`, "figures"},
		"bad sum":           {"feed.json", `[{"votes":3,"votes_batch":1,"votes_speed":1}]`, "figures"},
		"local time":        {"feed.json", `[{"as_of":"2026-06-11T19:00:00+02:00"}]`, "times"},
		"falls":             {"feed.json", `[{"total_votes":COUNTDOWN}]`, "totals never fall"},
		"seq falls":         {"feed.json", `[{"seq":COUNTDOWN}]`, "seq grows"},
		"attributes":        {"feed.xml", `<feed><row a="1"/></feed>`, "elements, not attributes"},
		"other root":        {"feed.xml", `<rows><row/></rows>`, "structure"},
		"broken xml":        {"feed.xml", `<feed><row></feed>`, "well-formed"},
		"bare line feed":    {"feed.csv", "a,b\n1,2\n", "RFC 4180"},
		"ragged":            {"feed.csv", "a,b\r\n1\r\n", "table"},
		"header only":       {"feed.tsv", "a\tb\n", "never empty"},
		"no bar":            {"feed.txt", "votes 3\n", "key|value"},
		"long value":        {"feed.txt", "a|" + strings.Repeat("x", 1500) + "\n", "size"},
		"wide null":         {"feed.json wide", `{"a":null}`, "never null"},
		"wide is an array":  {"feed.json wide", `[]`, "wide object"},
		"atom without rows": {"feed.atom", `<feed/>`, "structure"},
		"not UTF-8":         {"feed.txt", "a|\xff\n", "charset"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bodies := map[string]string{}
			for k, v := range healthy {
				bodies[k] = v
			}
			bodies[c.name] = c.body
			watch := 10 * time.Millisecond
			if strings.Contains(c.body, "COUNTDOWN") {
				watch = 400 * time.Millisecond
			}
			mustFind(t, examine(t, &clinic{bodies: bodies}, watch), c.rule)
		})
	}
}

// listened is what a topic has besides: rows of parts, themes and posts.
func listened() map[string]string {
	const parts = `[{"topic_id":"t","posts":9,"positive_pct":50,"neutral_pct":30,"negative_pct":20,"judged":9,"key":"a","count":5,"pct":55.6,"pct_int":56,"rank":1,"seq":5},` +
		`{"topic_id":"t","posts":9,"positive_pct":50,"neutral_pct":30,"negative_pct":20,"judged":9,"key":"b","count":4,"pct":44.4,"pct_int":44,"rank":2,"seq":5}]`
	all := map[string]string{
		"topic.json": `{"topic_id":"t","rows":[{"key":"a"}]}`,
		"map.json":   `{"type":"FeatureCollection","features":[{"type":"Feature","id":"BR","geometry":{"type":"Point","coordinates":[-45.5,-18.1]},"properties":{"posts":3}}]}`,
	}
	for name, body := range healthy {
		_, ext, _ := strings.Cut(name, ".")
		for _, family := range families {
			all[family+"."+ext] = body
		}
	}
	all["feed.json"] = parts
	all["trends.json"] = `[{"text":"goal","count":5,"pct":55.6,"pct_int":56,"weight":1},{"text":"save","count":4,"pct":44.4,"pct_int":44,"weight":0.5}]`
	all["posts.json"] = `[{"post_id":"x:1","text":"a"},{"post_id":"x:2","text":"b"}]`
	return all
}

func examineTopic(t *testing.T, bodies map[string]string, last string) *Report {
	t.Helper()
	srv := httptest.NewServer(&clinic{bodies: bodies})
	defer srv.Close()
	r, err := Examine(t.Context(), srv.URL+"/feeds/t/topics/goal"+last, time.Millisecond, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHealthyFeedsOfATopic(t *testing.T) {
	for last, looked := range map[string]int{
		"": 26, "/feed.json": 8, "/trends.csv": 8, "/posts.json?shape=wide": 8, "/overlay": 8, "/events?by=country": 8, "/topic.json": 1, "/map.json": 1,
	} {
		r := examineTopic(t, listened(), last)
		if len(r.Findings) > 0 || len(r.Looked) != looked {
			t.Errorf("%s: looked at %v, found %v", last, r.Looked, r.Findings)
		}
		var out bytes.Buffer
		r.Print(&out)
		if !strings.Contains(out.String(), "OBS") && last != "/trends.csv" {
			t.Errorf("%s: %s", last, out.String())
		}
	}
}

// TestPresets: what one product reads is held to what that product takes.
func TestPresets(t *testing.T) {
	fields := `{"f0":"The goal","f1":"9","f2":"","f3":"","f4":""}`
	template := `<templateData><componentData id="f0"><data id="text" value="The goal"/></componentData></templateData>`
	viz := `{"id":"t","question":"The goal","options":[{"uuid":"1","text":"a","count":3,"image":""}]}`
	for at, body := range map[string]string{
		"feed.json?preset=caspar": fields, "trends.json?preset=spx&top=1": fields, "posts.json?preset=caspar": fields,
		"feed.xml?preset=caspar": template, "posts.xml?preset=spx": template, "trends.json?preset=viz-social": viz,
		"feed.json?preset=vertigo":     `[{"ChoiceName":"a","Votes":3,"Percent":100,"UniqueRank":1,"Rank":1,"TieCount":1}]`,
		"posts.json?preset=viz-social": listened()["posts.json"],
	} {
		for spoilt, rules := range map[string][]string{body: nil, "nothing": {"flat rows", "wide object", "nested object", "structure"}} {
			name, _, _ := strings.Cut(at, "?")
			srv := httptest.NewServer(&clinic{bodies: map[string]string{name: spoilt}})
			r, err := Examine(t.Context(), srv.URL+"/feeds/t/topics/goal/"+at, time.Millisecond, true)
			srv.Close()
			if err != nil {
				t.Fatal(err)
			}
			if (len(r.Findings) > 0) != (rules != nil) || rules != nil && !slices.Contains(rules, r.Findings[0].Rule) {
				t.Errorf("%s: %v", at, r.Findings)
			}
		}
	}
}

func TestFindingsInATopic(t *testing.T) {
	for name, c := range map[string]struct{ file, old, new, rule string }{
		"split tie":         {"feed.json", `"count":4`, `"count":5`, "ties"},
		"moods":             {"feed.json", `"neutral_pct":30`, `"neutral_pct":80`, "figures"},
		"heavy word":        {"trends.json", `"weight":1`, `"weight":1.5`, "figures"},
		"post with newline": {"posts.json", `"text":"a"`, `"text":"a\nb"`, "plain text"},
		"no posts at all":   {"posts.json", listened()["posts.json"], `[]`, "never empty"},
		"nested null":       {"topic.json", `"a"`, `null`, "never null"},
		"no rows":           {"topic.json", `{"key":"a"}`, ``, "never empty"},
		"latitude first":    {"map.json", `[-45.5,-18.1]`, `[-18.1,-145.5]`, "coordinates"},
		"no points":         {"map.json", `"Point"`, `"Polygon"`, "GeoJSON"},
		"no collection":     {"map.json", `FeatureCollection`, `Collection`, "GeoJSON"},
		"null on a map":     {"map.json", `"posts":3`, `"posts":null`, "never null"},
	} {
		t.Run(name, func(t *testing.T) {
			bodies := listened()
			bodies[c.file] = strings.ReplaceAll(bodies[c.file], c.old, c.new)
			r := examineTopic(t, bodies, "")
			mustFind(t, r, c.rule)
			var out bytes.Buffer
			if r.Print(&out); !strings.Contains(out.String(), c.rule) {
				t.Errorf("no engine minds: %s", out.String())
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	cases := map[string]struct {
		spoil func(http.Header)
		rule  string
	}{
		"no charset":  {func(h http.Header) { h.Set("Content-Type", "application/json") }, "charset"},
		"no CORS":     {func(h http.Header) { h.Del("Access-Control-Allow-Origin") }, "CORS"},
		"cached":      {func(h http.Header) { h.Set("Cache-Control", "max-age=60") }, "Cache-Control"},
		"cookie":      {func(h http.Header) { h.Set("Set-Cookie", "a=b") }, "no cookies"},
		"weak ETag":   {func(h http.Header) { h.Set("ETag", `W/"1"`) }, "strong ETag"},
		"fixed ETag":  {func(h http.Header) { h.Set("ETag", `"1"`) }, ""},
		"no modified": {func(h http.Header) { h.Del("Last-Modified") }, "Last-Modified"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := examine(t, &clinic{bodies: healthy, spoil: c.spoil}, 10*time.Millisecond)
			if c.rule != "" {
				mustFind(t, r, c.rule)
			}
		})
	}
}

func mustFind(t *testing.T, r *Report, rule string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Rule == rule {
			return
		}
	}
	t.Errorf("found %v, want %q", r.Findings, rule)
}

func TestRunExitStatus(t *testing.T) {
	srv := httptest.NewServer(&clinic{bodies: healthy})
	defer srv.Close()
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"--watch=1ms", srv.URL + "/feeds/t/polls/p"}, exitHealthy},
		{[]string{"--only", "--watch=1ms", srv.URL + "/feeds/t/polls/p/nothing.json"}, exitUnreachable},
		{[]string{"nonsense"}, exitUnreachable},
		{nil, exitUnreachable},
	} {
		if got := Run(t.Context(), c.args, io.Discard, io.Discard); got != c.want {
			t.Errorf("%v: %d, want %d", c.args, got, c.want)
		}
	}
}
