package e2e_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// The columns of a feed, in order: the poll's, then the option's.
var (
	pollColumns   = strings.Fields("poll_id question status isLive phase reveal round result_status generation reconciled_at stale age_ms seq as_of instance_id total_votes total_votes_text total_voters pct_sum")
	optionColumns = strings.Fields("slot option_id label label_short votes votes_text votes_batch votes_speed pct pct_int pct_text fraction bar rank unique_rank tie_count leader mean mean_text color image lang dir ppm")
	columns       = slices.Concat(pollColumns, optionColumns)
)

var contentTypes = map[string]string{
	"feed.json": "application/json; charset=utf-8", "poll.json": "application/json; charset=utf-8", "feed.xml": "application/xml; charset=utf-8",
	"feed.csv": "text/csv; charset=utf-8", "feed.tsv": "text/tab-separated-values; charset=utf-8", "feed.txt": "text/plain; charset=utf-8",
	"feed.atom": "application/atom+xml; charset=utf-8", "feed.rss": "application/rss+xml; charset=utf-8",
}

// feeds: every format, column and rule.
func feeds(t *testing.T, c *customer) {
	show := c.show(t, "feeds")
	// Labels hold what breaks careless readers.
	poll := c.opened(t, show, "feeds-poll", object{
		"question": "Quem \"ganha\"?\n<Agora> & já",
		"options": []object{
			{"id": "a", "label": "ANNA, a\tprimeira|única\r\nde \"todas\"", "color": "#ff0000", "image": "https://example.com/a.png?x=1&y=2"},
			{"id": "b", "label": "Ávila"}, {"id": "c", "label": "Zé", "label_short": "Z"}, {"id": "d", "label": "<b>&amp;</b>"},
		},
	})
	key := c.source(t, show, "feeds-gateway", "gateway", nil)
	c.bulk(t, poll, key, map[string]int{"a": 12, "b": 4, "c": 1})
	at := c.destination(t, show, "feeds-onair", "onair", object{"slots": 6})
	base := at + "/polls/" + poll + "/"
	c.awaitTotals(t, poll, object{"votes": 17})
	c.await(t, "the feed", func() bool { return strings.Contains(string(c.public(t, base+"feed.json").body), `"total_votes":17`) })
	// A verified round's feeds change with the minute only, so they can be compared.
	c.obeyed(t, poll, "close", nil)
	c.run(t)
	c.await(t, "the verified feed", func() bool { return c.rows(t, base+"feed.json")[0]["result_status"] == "verified" })
	untilEarly(t)
	t.Run("rows", func(t *testing.T) { rows(t, c, base) })
	t.Run("formats", func(t *testing.T) { sameInAllFormats(t, c, base) })
	t.Run("wide", func(t *testing.T) { wide(t, c, base) })
	t.Run("nested", func(t *testing.T) { nested(t, c, base) })
	t.Run("query", func(t *testing.T) { query(t, c, base) })
	t.Run("http", func(t *testing.T) { overHTTP(t, c, base) })
	t.Run("modified", func(t *testing.T) { sameSecond(t, c, show, at) })
	t.Run("credentials", func(t *testing.T) { feedCredentials(t, c, show, poll, at) })
	t.Run("list", func(t *testing.T) { feedList(t, c, at, poll) })
	t.Run("life", func(t *testing.T) { feedLife(t, c, show) })
	t.Run("options", func(t *testing.T) { feedOptions(t, c, show, poll) })
	t.Run("rounding", func(t *testing.T) { rounding(t, c, show, key) })
}

// untilEarly waits for the first part of a minute: ppm changes at its end.
func untilEarly(t testing.TB) {
	t.Helper()
	if s := time.Now().Second(); s > 38 {
		settle(t, time.Duration(61-s)*time.Second)
	}
}

func (c *customer) rows(t testing.TB, path string) []object {
	t.Helper()
	a := c.public(t, path).is(t, 200, "")
	var rows []object
	if err := json.Unmarshal(a.body, &rows); err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v %.300s", path, err, a.body)
	}
	return rows
}

func rows(t *testing.T, c *customer, base string) {
	a := c.public(t, base+"feed.json").is(t, 200, "")
	rows := c.rows(t, base+"feed.json")
	if got := keysInOrder(t, a.body); !slices.Equal(got, slices.Concat(columns, columns, columns, columns)) {
		t.Errorf("columns %v", got)
	}
	want := map[string]object{
		"a": {"slot": 1, "label": `ANNA, a primeira|única de "todas"`, "label_short": "ANNA, a prim", "votes": 12, "votes_text": "12", "pct": 70.588, "pct_int": 71, "pct_text": "71%", "fraction": 0.70588, "bar": 1, "rank": 1, "unique_rank": 1, "tie_count": 1, "leader": true, "color": "#ff0000", "image": "https://example.com/a.png?x=1&y=2"},
		"b": {"slot": 2, "label": "Ávila", "label_short": "Ávila", "votes": 4, "pct": 23.529, "pct_int": 23, "pct_text": "23%", "fraction": 0.23529, "bar": 0.33333, "rank": 2, "leader": false, "color": "", "image": "", "mean": 0, "mean_text": ""},
		"c": {"slot": 3, "label": "Zé", "label_short": "Z", "votes": 1, "pct": 5.882, "pct_int": 6, "pct_text": "6%", "rank": 3},
		"d": {"slot": 4, "label": "<b>&amp;</b>", "votes": 0, "pct": 0, "pct_int": 0, "pct_text": "0%", "fraction": 0, "bar": 0, "rank": 4},
	}
	poll := object{
		"poll_id": "feeds-poll", "question": `Quem "ganha"? <Agora> & já`, "status": "closed", "isLive": false, "phase": "verified", "result_status": "verified", "reveal": "shown", "round": 1, "instance_id": rows[0]["instance_id"],
		"stale": false, "age_ms": 0, "total_votes": 17, "total_votes_text": "17", "total_voters": 17, "pct_sum": 100, "lang": "pt", "dir": "ltr",
	}
	for i, row := range rows {
		for k, v := range with(poll, want[row["option_id"].(string)]) {
			if fmt.Sprint(row[k]) != fmt.Sprint(v) {
				t.Errorf("row %d: %s is %v, want %v", i, k, row[k], v)
			}
		}
		if row["slot"] != float64(i+1) || row["votes"] != row["votes_batch"].(float64)+row["votes_speed"].(float64) {
			t.Errorf("row %d: %v", i, row)
		}
		for k, v := range row {
			if v == nil {
				t.Errorf("row %d: %s is null", i, k)
			}
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", row["as_of"].(string)); err != nil {
			t.Error(err)
		}
	}
}

// keysInOrder lists the keys of the objects in a body, nested ones too.
func keysInOrder(t testing.TB, body []byte) (keys []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	type level struct{ object, key bool }
	var stack []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return keys
		}
		if err != nil {
			t.Fatalf("%v in %.300s", err, body)
		}
		top := len(stack) - 1
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				stack = append(stack, level{v == '{', v == '{'})
				continue
			}
			stack, top = stack[:top], top-1
		case string:
			if top >= 0 && stack[top].key {
				keys = append(keys, v)
				stack[top].key = false
				continue
			}
		}
		if top >= 0 && stack[top].object {
			stack[top].key = true
		}
	}
}

// sameInAllFormats reads every format back to the rows of feed.json.
func sameInAllFormats(t *testing.T, c *customer, base string) {
	want := c.rows(t, base+"feed.json")
	table := func(name string, header []string, records [][]string) {
		t.Helper()
		if !slices.Equal(header, columns) || len(records) != len(want) {
			t.Errorf("%s: %d rows of %v", name, len(records), header)
			return
		}
		for i, record := range records {
			for j, column := range columns {
				if fmt.Sprint(want[i][column]) != number(record[j]) && fmt.Sprint(want[i][column]) != record[j] {
					t.Errorf("%s: row %d, %s is %q, want %v", name, i, column, record[j], want[i][column])
				}
			}
		}
	}
	for name, comma := range map[string]rune{"feed.csv": ',', "feed.tsv": '\t'} {
		body := c.public(t, base+name).is(t, 200, "").body
		r := csv.NewReader(bytes.NewReader(body))
		r.Comma = comma
		all, err := r.ReadAll()
		if err != nil || bytes.Count(body, []byte("\r\n")) != len(want)+1 || bytes.Count(body, []byte("\n")) != len(want)+1 {
			t.Fatalf("%s: %v %q", name, err, body)
		}
		table(name, all[0], all[1:])
	}
	header, records := xmlRows(t, c.public(t, base+"feed.xml").is(t, 200, "").body, "feed", "row")
	table("feed.xml", header, records)
	var atom struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		Entries []struct {
			ID      string `xml:"id"`
			Content string `xml:"content"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(c.public(t, base+"feed.atom").is(t, 200, "").body, &atom); err != nil || len(atom.Entries) != 1 {
		t.Fatalf("feed.atom: %v, %d entries", err, len(atom.Entries))
	}
	if atom.Entries[0].Content != string(c.public(t, base+"feed.csv").body) {
		t.Errorf("the content of the entry is no CSV of the poll: %q", atom.Entries[0].Content)
	}
	var rss struct {
		Items []struct {
			Title string `xml:"title"`
		} `xml:"channel>item"`
	}
	if err := xml.Unmarshal(c.public(t, base+"feed.rss").is(t, 200, "").body, &rss); err != nil || len(rss.Items) != len(want) {
		t.Fatalf("feed.rss: %v, %d items", err, len(rss.Items))
	}
	for i, item := range rss.Items {
		if item.Title != want[i]["label"] {
			t.Errorf("item %d is %q", i, item.Title)
		}
	}
	pairs(t, c, base)
}

// number writes a number as JSON's reader prints it.
func number(text string) string {
	var v float64
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return fmt.Sprint(v)
}

func xmlRows(t testing.TB, body []byte, root, row string) (header []string, records [][]string) {
	t.Helper()
	d, depth := xml.NewDecoder(bytes.NewReader(body)), 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return header, records
		}
		if err != nil {
			t.Fatalf("%v in %.300s", err, body)
		}
		switch v := token.(type) {
		case xml.StartElement:
			depth++
			if len(v.Attr) > 0 || depth == 1 && v.Name.Local != root || depth == 2 && v.Name.Local != row {
				t.Fatalf("<%s> at depth %d with %v", v.Name.Local, depth, v.Attr)
			}
			if depth == 2 {
				records = append(records, nil)
			}
			if depth == 3 {
				if len(records) == 1 {
					header = append(header, v.Name.Local)
				}
				records[len(records)-1] = append(records[len(records)-1], "")
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 3 {
				last := records[len(records)-1]
				last[len(last)-1] += string(v)
			}
		}
	}
}

// pairs: the lines of txt have the names of wide.
func pairs(t *testing.T, c *customer, base string) {
	wide := c.public(t, base+"feed.json?shape=wide").is(t, 200, "")
	names, values := keysInOrder(t, wide.body), wide.object(t)
	for asked, prefix := range map[string]string{"": "", "clamor.": "clamor.", "a%7Cb": ""} { // a bar divides
		body := string(c.public(t, base+"feed.txt?prefix="+asked).is(t, 200, "").body)
		lines := strings.Split(strings.TrimRight(body, "\r\n"), "\n")
		if len(lines) != len(names) {
			t.Fatalf("%d lines for %d names", len(lines), len(names))
		}
		for i, l := range lines {
			key, value, ok := strings.Cut(strings.TrimRight(l, "\r"), "|")
			if !ok || key != prefix+names[i] || value != fmt.Sprint(values[names[i]]) && number(value) != fmt.Sprint(values[names[i]]) {
				t.Errorf("line %d: %q, want %s%s|%v", i, l, prefix, names[i], values[names[i]])
			}
		}
	}
}

func wide(t *testing.T, c *customer, base string) {
	for slots, n := range map[string]int{"": 6, "&slots=4": 4, "&slots=2": 2, "&slots=9": 9, "&slots=0": 6, "&slots=x": 6} {
		a := c.public(t, base+"feed.json?shape=wide"+slots).is(t, 200, "")
		want := slices.Clone(pollColumns)
		for i := range n {
			for _, column := range optionColumns {
				want = append(want, fmt.Sprintf("opt%d_%s", i+1, column))
			}
		}
		if got := keysInOrder(t, a.body); !slices.Equal(got, want) {
			t.Errorf("wide%s: %v", slots, got)
		}
		o := a.object(t)
		for i := 5; i <= n; i++ {
			for _, column := range optionColumns {
				if v := o[fmt.Sprintf("opt%d_%s", i, column)]; v != "" {
					t.Errorf("padding %s is %v", column, v)
				}
			}
		}
		if o["opt1_votes"] != 12.0 || o["opt1_leader"] != true {
			t.Errorf("%v", o)
		}
	}
	all, err := csv.NewReader(bytes.NewReader(c.public(t, base+"feed.csv?shape=wide").body)).ReadAll()
	if err != nil || len(all) != 2 || len(all[0]) != len(pollColumns)+6*len(optionColumns) {
		t.Errorf("a wide csv: %v %d", err, len(all))
	}
	header, records := xmlRows(t, c.public(t, base+"feed.xml?shape=wide").body, "feed", "row")
	if len(records) != 1 || len(header) != len(pollColumns)+6*len(optionColumns) {
		t.Errorf("a wide xml: %d rows of %d", len(records), len(header))
	}
}

func nested(t *testing.T, c *customer, base string) {
	a := c.public(t, base+"poll.json").is(t, 200, "")
	want := append(slices.Clone(pollColumns), "options")
	for range 4 {
		want = append(want, optionColumns...)
	}
	if got := keysInOrder(t, a.body); !slices.Equal(got, want) {
		t.Errorf("poll.json: %v", got)
	}
}

func ids(rows []object) string {
	s := ""
	for _, r := range rows {
		s += r["option_id"].(string)
	}
	return s
}

func query(t *testing.T, c *customer, base string) {
	for q, want := range map[string]string{
		"": "abcd", "sort=slot": "abcd", "sort=slot&dir=desc": "dcba", "dir=desc": "dcba", "sort=rank": "abcd", "sort=rank&dir=desc": "dcba",
		"sort=votes": "abcd", "sort=votes&dir=asc": "dcba", "sort=label": "dabc", "sort=label&dir=desc": "cbad", "top=2": "ab", "sort=votes&dir=asc&top=1": "d",
		"top=0": "abcd", "top=-1": "abcd", "top=x": "abcd", "top=99": "abcd", "sort=colour": "abcd", "dir=up": "abcd", "unknown=1": "abcd",
		"sort=rank&sort=slot": "abcd", "shape=round": "abcd", "preset=laser": "abcd", "locale=!!": "abcd", "%zz": "abcd", "a;b": "abcd", "sort=%ff": "abcd", "top=1e9": "abcd",
		"slots=99999999999999999999": "abcd", "prefix=%00": "abcd", "sort=slot&x=" + strings.Repeat("y", 3000): "abcd",
	} {
		if got := ids(c.rows(t, base+"feed.json?"+q)); got != want {
			t.Errorf("?%.60s: %s, want %s", q, got, want)
		}
	}
	// Ballots of the last full minute are what the clock makes of them.
	for q, up := range map[string]bool{"sort=ppm": false, "sort=ppm&dir=desc": false, "sort=ppm&dir=asc": true} {
		got := c.rows(t, base+"feed.json?"+q)
		for i := range got[1:] {
			a, b := got[i]["ppm"].(float64), got[i+1]["ppm"].(float64)
			if up && a > b || !up && a < b {
				t.Errorf("?%s: %v before %v", q, a, b)
			}
		}
	}
	// The rank of the first rows only is that among all.
	if r := c.rows(t, base+"feed.json?sort=votes&dir=asc&top=1"); r[0]["rank"] != 4.0 || r[0]["slot"] != 4.0 {
		t.Errorf("%v", r[0])
	}
	for _, format := range formats {
		c.public(t, base+format+"?shape=square&sort=x&dir=y&top=z&slots=q&locale=_&preset=p&prefix=%zz").is(t, 200, "")
	}
}

func overHTTP(t *testing.T, c *customer, base string) {
	for _, format := range formats {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			path := base + format
			a := c.public(t, path).is(t, 200, "").has(t, "Content-Type", contentTypes[format]).has(t, "Access-Control-Allow-Origin", "*").
				has(t, "Cache-Control", "no-cache").has(t, "Content-Encoding", "").has(t, "Set-Cookie", "")
			tag := a.header.Get("ETag")
			if !strings.HasPrefix(tag, `"`) || a.header.Get("Last-Modified") == "" || a.header.Get("Content-Length") != fmt.Sprint(len(a.body)) {
				t.Errorf("%v", a.header)
			}
			head := c.do(t, request{method: http.MethodHead, path: path}).is(t, 200, "").has(t, "ETag", tag).has(t, "Content-Length", fmt.Sprint(len(a.body))).has(t, "Content-Type", contentTypes[format])
			if len(head.body) > 0 {
				t.Error("HEAD has a body")
			}
			ask := func(name, value string) *answer {
				t.Helper()
				return c.do(t, request{method: http.MethodGet, path: path, header: map[string]string{name: value}})
			}
			for _, match := range []string{tag, "*", `"x", ` + tag, "W/" + tag} {
				if b := ask("If-None-Match", match).is(t, 304, "").has(t, "ETag", tag).has(t, "Access-Control-Allow-Origin", "*"); len(b.body) > 0 {
					t.Error("304 has a body")
				}
			}
			for _, match := range []string{`"x"`, tag[1:], ""} {
				ask("If-None-Match", match).is(t, 200, "")
			}
			zipped := ask("Accept-Encoding", "deflate, gzip").is(t, 200, "").has(t, "Content-Encoding", "gzip").has(t, "Vary", "Accept-Encoding")
			c.do(t, request{method: http.MethodGet, path: path, header: map[string]string{"Accept-Encoding": "gzip", "If-None-Match": zipped.header.Get("ETag")}}).is(t, 304, "")
			c.do(t, request{method: http.MethodHead, path: path, header: map[string]string{"Accept-Encoding": "gzip"}}).is(t, 200, "").has(t, "ETag", zipped.header.Get("ETag"))
			if zipped.header.Get("ETag") == tag || strings.HasPrefix(zipped.header.Get("ETag"), "W/") {
				t.Errorf("gzip has the ETag %s", zipped.header.Get("ETag"))
			}
			if r, err := gzip.NewReader(bytes.NewReader(zipped.body)); err != nil {
				t.Error(err)
			} else if plain, err := io.ReadAll(r); err != nil || !bytes.Equal(plain, a.body) {
				t.Errorf("gzip is another body: %v", err)
			}
			for _, refused := range []string{"gzip;q=0", "identity", "br", "gzip;q=0, *;q=0.5"} {
				ask("Accept-Encoding", refused).is(t, 200, "").has(t, "Content-Encoding", "").has(t, "Vary", "Accept-Encoding")
			}
			settle(t, time.Until(lastChange(t, c, base).Add(revocation)))
			modified := c.public(t, path).header.Get("Last-Modified")
			ask("If-Modified-Since", modified).is(t, 304, "")
			ask("If-Modified-Since", "Mon, 01 Jan 2001 00:00:00 GMT").is(t, 200, "")
			ask("If-Modified-Since", "yesterday").is(t, 200, "")
			for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
				b := c.do(t, request{method: method, path: path}).is(t, 405, "method-not-allowed")
				if allow := b.header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "HEAD") {
					t.Errorf("Allow %q", allow)
				}
			}
			c.do(t, request{method: http.MethodOptions, path: path, header: map[string]string{"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}}).
				is(t, 204, "").has(t, "Access-Control-Allow-Origin", "*")
		})
	}
}

// sameSecond: If-Modified-Since never hides a change, however soon it came.
func sameSecond(t *testing.T, c *customer, show, at string) {
	poll := c.opened(t, show, "feeds-modified", nil)
	path := at + "/polls/" + poll + "/feed.csv"
	for range 5 {
		before := c.public(t, path).is(t, 200, "")
		c.crowd(t, poll, 1, "b")
		c.await(t, "a change", func() bool { return c.public(t, path).header.Get("ETag") != before.header.Get("ETag") })
		c.do(t, request{method: http.MethodGet, path: path, header: map[string]string{"If-Modified-Since": before.header.Get("Last-Modified")}}).is(t, 200, "")
	}
}

func lastChange(t testing.TB, c *customer, base string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, c.rows(t, base+"feed.json")[0]["as_of"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func feedCredentials(t *testing.T, c *customer, show, poll, at string) {
	token := strings.TrimPrefix(at, "/feeds/")
	other := c.show(t, "feeds-other")
	theirs := c.opened(t, other, "feeds-theirs", nil)
	missing := c.public(t, "/feeds/nonsense/polls/"+poll+"/feed.json").is(t, 404, "not-found")
	for _, path := range []string{
		at + "/polls/" + theirs + "/feed.json", at + "/polls/nope/feed.json", at + "x/polls/" + poll + "/feed.json", "/feeds/" + flipped(token) + "/polls/" + poll + "/feed.json",
		"/feeds/%00/polls/" + poll + "/feed.json", "/feeds/..%2f/polls/" + poll + "/feed.json", at + "/polls/..%2f" + poll + "/feed.json", at + "/polls/%ff/feed.json",
		"/feeds/nonsense", "/feeds/-/polls/" + poll + "/feed.json", at + "/polls/" + theirs + "/poll.json", at + "/polls/" + theirs + "/events", at + "/polls/" + theirs + "/overlay",
		"/feeds/" + c.token + "/polls/" + poll + "/feed.json",
	} {
		a := c.public(t, path).is(t, 404, "not-found").has(t, "Access-Control-Allow-Origin", "*")
		if !bytes.Equal(a.body, missing.body) {
			t.Errorf("%s: %s is not %s", a, a.body, missing.body)
		}
	}
	for name, header := range map[string]map[string]string{
		"bearer": {"Authorization": "Bearer " + token}, "key": {"X-Api-Key": token}, "basic": {"Authorization": basic("vmix", token)},
	} {
		t.Run(name, func(t *testing.T) {
			c.do(t, request{method: http.MethodGet, path: "/feeds/-/polls/" + poll + "/feed.json", header: header}).is(t, 200, "")
		})
	}
	c.public(t, at+"/polls/"+poll+"/overlay").is(t, 200, "").has(t, "Cache-Control", "no-cache")
	c.public(t, at+"/polls/"+poll+"/feed.pdf").is(t, 404, "not-found")
	c.public(t, at+"/polls/"+poll).is(t, 404, "not-found")
	_ = show
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

func feedList(t *testing.T, c *customer, at, poll string) {
	a := c.public(t, at).is(t, 200, "")
	found := map[string]bool{}
	for _, raw := range a.object(t)["feeds"].([]any) {
		e := raw.(object)
		if e["poll"] != poll {
			continue
		}
		found[strings.SplitN(e["format"].(string), "?", 2)[0]] = true
		schema, _ := e["schema"].(object)
		if schema["type"] == nil || e["example"] == "" {
			t.Errorf("no schema or example: %v", e)
		}
		url := strings.TrimPrefix(e["url"].(string), c.base)
		if got := c.public(t, url).is(t, 200, ""); got.header.Get("Content-Type") != e["content_type"] {
			t.Errorf("%s is %s, the list says %v", url, got.header.Get("Content-Type"), e["content_type"])
		} else if strings.HasPrefix(fmt.Sprint(e["content_type"]), "application/json") {
			fits(t, url, schema, got.body)
			fits(t, url+" (example)", schema, []byte(e["example"].(string)))
		}
	}
	for _, format := range formats {
		if !found[format] {
			t.Errorf("%s is not listed", format)
		}
	}
}

// fits holds a body to the schema that the list gives for it.
func fits(t *testing.T, what string, schema object, body []byte) {
	t.Helper()
	var s openapi3.Schema
	var v any
	if err := errors.Join(json.Unmarshal(mustJSON(t, schema), &s), json.Unmarshal(body, &v)); err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if err := s.VisitJSON(v); err != nil {
		t.Errorf("%s does not fit its schema: %.300s", what, err)
	}
}

// feedLife follows a feed through the phases of two rounds.
func feedLife(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "feeds-life", nil)
	path := c.destination(t, show, "feeds-life", "onair", nil) + "/polls/" + poll + "/feed.json"
	seq, instance := 0.0, ""
	step := func(phase, status string, live bool) {
		t.Helper()
		c.await(t, "the feed of "+phase, func() bool { return c.rows(t, path)[0]["phase"] == phase })
		r := c.rows(t, path)[0]
		if r["status"] != status || r["isLive"] != live || r["seq"].(float64) <= seq {
			t.Errorf("%s: status %v, isLive %v, seq %v behind %v", phase, r["status"], r["isLive"], r["seq"], seq)
		}
		seq = r["seq"].(float64)
		if instance != "" && (r["instance_id"] == instance) != (phase != "standby") {
			t.Errorf("%s: instance %v behind %v", phase, r["instance_id"], instance)
		}
		instance = r["instance_id"].(string)
	}
	for _, s := range []struct {
		verb, phase, status string
		live                bool
	}{
		{"", "standby", "closed", false}, {"open", "open", "open", true}, {"pause", "paused", "closed", true}, {"resume", "open", "open", true}, {"freeze", "frozen", "closed", true},
		{"unfreeze", "open", "open", true}, {"close", "closed", "closed", false}, {"reset", "standby", "closed", false}, {"open", "open", "open", true},
	} {
		if s.verb != "" {
			c.command(t, poll, s.verb, nil).is(t, 200, "")
		}
		step(s.phase, s.status, s.live)
	}
	// While nothing changes, body and ETag stay; a change has a greater seq.
	seqOf := func(a *answer) float64 {
		var rows []object
		if err := json.Unmarshal(a.body, &rows); err != nil {
			t.Fatal(err)
		}
		return rows[0]["seq"].(float64)
	}
	first := c.public(t, path)
	for range 5 {
		settle(t, 60*time.Millisecond)
		again := c.public(t, path)
		now, last := seqOf(again), seqOf(first)
		if now < last || now == last && (!bytes.Equal(again.body, first.body) || again.header.Get("ETag") != first.header.Get("ETag")) {
			t.Errorf("from seq %v to %v:\n%s\n%s", last, now, first.body, again.body)
		}
		first = again
	}
	// A ballot is visible within a second.
	sent := time.Now()
	c.crowd(t, poll, 1, "a")
	c.await(t, "the ballot", func() bool { return c.rows(t, path)[0]["total_votes"] == 1.0 })
	t.Logf("a ballot was visible after %v", time.Since(sent).Round(time.Millisecond))
	if r := c.rows(t, path)[0]; r["seq"].(float64) <= seq {
		t.Errorf("seq %v behind %v", r["seq"], seq)
	}
}

// feedOptions: aliases, editorial slots and locales.
func feedOptions(t *testing.T, c *customer, show, poll string) {
	at := c.destination(t, show, "feeds-options", "onair", object{
		"locale": "de", "slots": 4, "aliases": object{"label": "Name", "opt1_votes": "LeadVotes", "votes": "Stimmen"}, "editorial": object{poll: []string{"c", "a"}},
	})
	base := at + "/polls/" + poll + "/"
	rows := c.rows(t, base+"feed.json")
	if ids(rows) != "cabd" || rows[0]["Name"] != "Zé" || rows[0]["label"] != nil || rows[0]["Stimmen"] != 1.0 || rows[1]["slot"] != 2.0 {
		t.Errorf("%v", rows)
	}
	if o := c.public(t, base+"feed.json?shape=wide").object(t); o["opt1_option_id"] != "c" {
		t.Errorf("%v", o)
	}
	big := c.opened(t, show, "feeds-big", nil)
	key := c.source(t, show, "feeds-big", "gateway", nil)
	c.bulk(t, big, key, map[string]int{"a": 1234, "b": 1})
	c.awaitTotals(t, big, object{"votes": 1235})
	for locale, want := range map[string]string{"": "1.234", "?locale=en": "1,234", "?locale=pt-BR": "1.234", "?locale=xx-yy-zz-qq": "1.234"} {
		c.await(t, "1234 as "+locale, func() bool { return c.rows(t, at+"/polls/"+big+"/feed.json"+locale)[0]["votes_text"] == want })
	}
	// 1234 to 1: 100 % is never shown while another has votes, nor 0 %.
	r := c.rows(t, at+"/polls/"+big+"/feed.json")
	if r[0]["pct_int"] != 99.0 || r[1]["pct_int"] != 1.0 && r[1]["pct_text"] != "<1%" {
		t.Errorf("%v %v", r[0]["pct_int"], r[1]["pct_text"])
	}
}

// rounding: the examples of the rules.
func rounding(t *testing.T, c *customer, show, key string) {
	at := c.destination(t, show, "feeds-rounding", "onair", nil)
	for name, tc := range map[string]struct {
		votes map[string]int
		want  string // pct_int and rank by option, then pct_sum
	}{
		"thirds": {map[string]int{"a": 1, "b": 1, "c": 1}, "33/1/1 33/1/2 33/1/3 99"},
		"tie":    {map[string]int{"a": 5, "b": 3, "c": 3}, "46/1/1 27/2/2 27/2/3 100"},
		"one":    {map[string]int{"a": 7}, "100/1/1 0/2/2 0/2/3 100"},
		"none":   {map[string]int{}, "0/1/1 0/1/2 0/1/3 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			poll := c.opened(t, show, "feeds-"+name, object{"options": []object{{"id": "a", "label": "A"}, {"id": "b", "label": "B"}, {"id": "c", "label": "C"}}})
			n := 0
			for _, v := range tc.votes {
				n += v
			}
			if n > 0 {
				c.bulk(t, poll, key, tc.votes)
			}
			c.awaitTotals(t, poll, object{"votes": n})
			var got string
			c.await(t, tc.want, func() bool {
				got = ""
				rows := c.rows(t, at+"/polls/"+poll+"/feed.json")
				for _, r := range rows {
					got += fmt.Sprintf("%v/%v/%v ", r["pct_int"], r["rank"], r["unique_rank"])
				}
				got += fmt.Sprint(rows[0]["pct_sum"])
				return got == tc.want
			})
			if got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
