package enrich

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
	"github.com/clamor-live/clamor/pkg/rule"
)

func enricher(t testing.TB, o Options) *Enricher {
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEnrich(t *testing.T) {
	w := enricher(t, Options{}).Worker()
	var d Decoder
	var p Post
	var r Result
	id, err := d.Decode([]byte(`{"id":"7","text":"não gostei nada desse programa, horrível #BBB","author_name":"João","author_location":"Recife - PE","coordinates":null}`), &p)
	if err != nil || string(id) != "7" {
		t.Fatal(string(id), err)
	}
	w.Enrich(&p, &r)
	if r.Language != "pt" || r.Sentiment != sentiment.Negative || r.Place.City != "Recife" || len(r.Hashtags) != 1 || string(r.Hashtags[0].Text) != "BBB" {
		t.Errorf("have %+v", r)
	}
}

func TestDeclaredLanguageHelpsTheUnsure(t *testing.T) {
	w := enricher(t, Options{}).Worker()
	var r Result
	w.Enrich(&Post{Text: []byte("😍😍😍"), Language: []byte("pt-BR")}, &r)
	if r.Language != "und" || r.Sentiment != sentiment.Positive {
		t.Errorf("have %s %s, want und pos", r.Language, r.Sentiment)
	}
	w.Enrich(&Post{Text: []byte("I do not want this at all"), Language: []byte("pt")}, &r)
	if r.Language != "en" {
		t.Errorf("a declaration is a hint, not an order: have %s", r.Language)
	}
	w.Enrich(&Post{Text: []byte("ok"), Language: []byte("klingon")}, &r) // unknown: no hint
}

func TestTopics(t *testing.T) {
	var rules []rule.Named
	for _, text := range []string{"gol", "#gol lang:pt", `"não" from:@Globo country:br`, "source:x @ana"} {
		p, err := rule.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule.Named{ID: text, Rule: p})
	}
	set, err := rule.Compile(rules, NewTokenizer())
	if err != nil {
		t.Fatal(err)
	}
	w := enricher(t, Options{}).Worker()
	w.SetRules(set)
	p := Post{Text: []byte("que GOOOL incrível, não acredito nisso @Ana #gol"), Handle: []byte("globo"), Source: []byte("x")}
	p.Place.Profile = []byte("Brasil")
	var r Result
	w.Enrich(&p, &r)
	if d := cmp.Diff([]int{0, 1, 2, 3}, r.Topics); d != "" {
		t.Error(d)
	}
}

// hostile are posts that break parsers.
func hostile() [][]byte {
	var tags strings.Builder
	for i := range 10_000 {
		tags.WriteString(" #tag")
		tags.WriteString(strings.Repeat("x", i%40))
	}
	return [][]byte{
		nil, []byte("\xff\xfe\xfd"), []byte(strings.Repeat("palavra ", 12_500)), []byte(tags.String()),
		[]byte(strings.Repeat("a", 100_000)), []byte(strings.Repeat("😂", 25_000)), []byte(strings.Repeat("👩‍👩‍👧‍👦", 4000)),
		[]byte(strings.Repeat("\u200b\u202e", 10_000)), []byte("a" + strings.Repeat("\u0301", 50_000)), []byte(strings.Repeat("#", 100_000)),
		[]byte(strings.Repeat("@", 100_000)), []byte(strings.Repeat("http://", 14_000)), []byte(strings.Repeat("a.", 50_000)),
		[]byte(strings.Repeat("\\u0041", 10_000)), []byte(strings.Repeat("!?", 50_000)), []byte(strings.Repeat("今", 33_000)),
	}
}

func TestHostilePosts(t *testing.T) {
	w := enricher(t, Options{}).Worker()
	var r Result
	for _, text := range hostile() {
		p := Post{Text: text, AuthorName: text, Handle: text, Language: text, Source: text}
		p.Place.Profile, p.Place.Full = text, text
		w.Enrich(&p, &r)
	}
}

func TestNoAllocations(t *testing.T) {
	w := enricher(t, Options{}).Worker()
	line := []byte(`{"id":"7","text":"não gostei nada \"disso\" #BBB @ana https://t.co/x 😡","author_name":"João","author_location":"Recife - PE","lang":"pt","coordinates":[-34.9,-8.05]}`)
	var d Decoder
	var p Post
	var r Result
	run := func() {
		if _, err := d.Decode(line, &p); err != nil {
			t.Fatal(err)
		}
		w.Enrich(&p, &r)
	}
	for range 3 {
		run()
	}
	if n := testing.AllocsPerRun(200, run); n != 0 {
		t.Errorf("%v allocations a post", n)
	}
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name, json string
		id         string
		point      bool
		fails      bool
	}{
		{"number as id", `{"id":12345678901234567890}`, "12345678901234567890", false, false},
		{"pair", `{"coordinates":[-46.6,-23.5]}`, "", true, false},
		{"point", `{"coordinates":{"type":"Point","coordinates":[-46.6,-23.5]}}`, "", true, false},
		{"lat and lon", `{"coordinates":{"lat":-23.5,"lon":-46.6}}`, "", true, false},
		{"off the globe", `{"coordinates":[-46.6,123]}`, "", false, false},
		{"null island", `{"coordinates":[0,0]}`, "", false, false},
		{"wrong types", `{"id":{},"text":5,"coordinates":"x","ip":"nonsense","place":3}`, "", false, false},
		{"array", `[]`, "", false, true},
		{"cut", `{"text":"a`, "", false, true},
		{"empty", ``, "", false, true},
	}
	var d Decoder
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Post
			id, err := d.Decode([]byte(tt.json), &p)
			if (err != nil) != tt.fails || string(id) != tt.id || p.Place.HasPoint != tt.point {
				t.Errorf("have id %q, point %v, error %v", id, p.Place.HasPoint, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"1","text":"oi \ud83d #a","coordinates":[1,2],"ip":"::1","place":{"country_code":"BR"}}`))
	f.Add([]byte("{\"text\":\"\xff\"}"))
	e := enricher(f, Options{})
	w := e.Worker()
	var d Decoder
	f.Fuzz(func(t *testing.T, line []byte) {
		var p Post
		var r Result
		if _, err := d.Decode(line, &p); err != nil {
			return
		}
		w.Enrich(&p, &r)
		if r.Language == "" || r.LanguageP < 0 || r.LanguageP > 1 {
			t.Fatalf("language %q at %v", r.Language, r.LanguageP)
		}
	})
}

func TestRealPosts(t *testing.T) {
	w := enricher(t, Options{}).Worker()
	var d Decoder
	var p Post
	var r Result
	english := 0
	posts := enrichtest.WorldCup(t)
	for _, line := range posts {
		if _, err := d.Decode(line, &p); err != nil {
			t.Fatal(err)
		}
		w.Enrich(&p, &r)
		if r.Language == "en" {
			english++
		}
	}
	if english < len(posts)*98/100 {
		t.Errorf("%d of %d posts are English; nearly all should be", english, len(posts))
	}
}

func BenchmarkRealPosts(b *testing.B) {
	posts := enrichtest.WorldCup(b)
	w := enricher(b, Options{}).Worker()
	var d Decoder
	var p Post
	var r Result
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := d.Decode(posts[i%len(posts)], &p); err != nil {
			b.Fatal(err)
		}
		w.Enrich(&p, &r)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}
