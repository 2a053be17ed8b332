package feed

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
)

var update = flag.Bool("update", false, "write the golden files anew")

const asOf audience.Millis = 1_780_000_123_456

// gala is an open poll with awkward words.
func gala() Input {
	return with(Input{
		Show: audience.Show{ID: "gala", Title: "Gala", Timezone: "America/Sao_Paulo", Locale: "pt-BR", Languages: []string{"pt"}},
		Poll: audience.Poll{
			ID: "final", Show: "gala", Kind: audience.Choose, Question: "Quem vence?\nVote <já> & agora",
			Options: []audience.Option{
				{ID: "a", Label: `ANNA "A" LIMA, a favorita`, Color: "#ff0000", Image: "https://img.example/a.png?x=1&y=2"},
				{ID: "b", Label: "Bob\tSilva", LabelShort: "Bob"},
				{ID: "c", Label: "Família 👩‍👩‍👧👩‍👩‍👧"},
				{ID: "d", Label: "Élio"},
			},
			Reveal: audience.RevealOpen, Denominator: audience.OfVotes,
		},
		Standing:     control.Standing{Round: 2, Phase: audience.Open, OnAir: true, ClosesAt: asOf + 60_000},
		Destination:  audience.Destination{ID: "screen", Show: "gala", Audience: audience.OnAir},
		ResultStatus: "provisional", Generation: 41, ReconciledAt: asOf - 30_000, Seq: 8812, AsOf: asOf,
	}, 1_200_000, 400_000, 400_000, 1)
}

// with gives an input counts by slot.
func with(in Input, votes ...int64) Input {
	r := &tally.Round{Votes: votes}
	in.Batch, in.Speed, in.PPM = make([]int64, len(votes)), make([]int64, len(votes)), make([]int64, len(votes))
	for i, n := range votes {
		r.Voters += n
		in.Batch[i], in.Speed[i], in.PPM[i] = n-n/10, n/10, int64(i)
	}
	in.Figures = tally.Figure(&in.Poll, r)
	return in
}

func hiddenGala() Input {
	in := gala()
	in.Standing.OnAir = false
	return in
}

func body(in Input, format Format, query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	b, _ := Render(in, format, Parse(values))
	return string(b)
}

func TestGolden(t *testing.T) {
	stale := gala()
	stale.Stale, stale.AgeMillis = true, 1500
	aliased := gala()
	aliased.Destination.Aliases = map[string]string{"label": "name", "opt1_votes_text": "leader_votes", "votes": "pct", "rank": "f 1"}
	aliased.Destination.Slots = 2
	editorial := gala()
	editorial.Destination.Editorial = map[string][]string{"final": {"d", "nobody", "b", "d"}}
	fields := gala()
	fields.Destination.Aliases = map[string]string{"opt2_label": "f1", "f0": "question", "opt1_pct_int": "f10"}
	score := gala()
	score.Poll.Kind, score.Poll.Limits = audience.Score, audience.Limits{ScoreMin: 1, ScoreMax: 10}
	score.Figures = tally.Figure(&score.Poll, &tally.Round{Votes: []int64{3, 2, 0, 1}, Sums: []int64{29, 11, 0, 1}, Voters: 4})
	tests := []struct {
		name   string
		in     Input
		format Format
		query  string
	}{
		{"rows", gala(), JSON, ""},
		{"rows", gala(), XML, ""},
		{"rows", gala(), CSV, ""},
		{"rows", gala(), TSV, ""},
		{"rows", gala(), Atom, ""},
		{"rows", gala(), RSS, ""},
		{"rows", gala(), PollJSON, ""},
		{"wide", gala(), JSON, "shape=wide&slots=5"},
		{"wide", gala(), XML, "shape=wide&slots=5"},
		{"wide", gala(), CSV, "shape=wide&slots=5"},
		{"wide", gala(), TXT, "slots=5&prefix=poll."},
		{"top", gala(), CSV, "sort=votes&top=2&locale=de-DE"},
		{"hidden", hiddenGala(), JSON, "sort=votes&dir=asc"},
		{"hidden", hiddenGala(), PollJSON, ""},
		{"stale", stale, PollJSON, ""},
		{"score", score, JSON, "sort=rank"},
		{"aliased", aliased, JSON, "shape=wide"},
		{"aliased", aliased, CSV, ""},
		{"editorial", editorial, CSV, ""},
		{"vertigo", gala(), JSON, "preset=vertigo&sort=rank"},
		{"vertigo", gala(), CSV, "preset=vertigo"},
		{"vertigo-wide", gala(), JSON, "preset=vertigo&shape=wide"},
		{"viz-social", gala(), JSON, "preset=viz-social"},
		{"caspar", gala(), JSON, "preset=caspar&slots=5"},
		{"caspar", gala(), XML, "preset=caspar&slots=2"},
		{"spx", gala(), JSON, "preset=spx&slots=2&sort=votes"},
		{"spx-fields", fields, JSON, "preset=spx"},
	}
	for _, tt := range tests {
		name := tt.name + "." + string(tt.format)
		t.Run(name, func(t *testing.T) {
			golden(t, name, body(tt.in, tt.format, tt.query))
		})
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func labels(t *testing.T, in Input, query string) []string {
	t.Helper()
	var rows []struct {
		ID string `json:"option_id"`
	}
	if err := json.Unmarshal([]byte(body(in, JSON, query)), &rows); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestOrder(t *testing.T) {
	in := with(gala(), 5, 9, 5, 0)
	in.Poll.Options[2].Label, in.Poll.Options[3].Label = "zebra", "Élio"
	for query, want := range map[string]string{
		"":                          "abcd",
		"sort=slot&dir=desc":        "dcba",
		"sort=votes":                "bacd",
		"sort=votes&dir=asc":        "dacb",
		"sort=rank":                 "bacd",
		"sort=rank&dir=desc":        "dcab",
		"sort=label":                "abdc", // É before z
		"sort=ppm":                  "dcba",
		"sort=nonsense&dir=up":      "abcd",
		"sort=votes&top=1":          "b",
		"top=0":                     "abcd",
		"top=-3":                    "abcd",
		"top=99":                    "abcd",
		"shape=tall&slots=x&foo=ba": "abcd",
		"preset=vmix":               "abcd",
	} {
		if got := strings.Join(labels(t, in, query), ""); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
		in.Standing.OnAir = false
		hidden := "abcd"
		if len(want) == 1 {
			hidden = "a"
		}
		if got := strings.Join(labels(t, in, query), ""); got != hidden {
			t.Errorf("hidden, %q: %s", query, got)
		}
		in.Standing.OnAir = true
	}
}

// TestHiddenFiguresDoNotShow compares what an audience sees with and without
// votes: nothing may differ.
func TestHiddenFiguresDoNotShow(t *testing.T) {
	voted, empty := hiddenGala(), with(hiddenGala(), 0, 0, 0, 0)
	for _, format := range Formats() {
		for _, query := range []string{"", "shape=wide", "sort=votes", "preset=vertigo", "preset=viz-social", "preset=caspar", "preset=spx"} {
			if a, b := body(voted, format, query), body(empty, format, query); a != b {
				t.Errorf("%s?%s: %s", format, query, cmp.Diff(a, b))
			}
		}
	}
	if Fingerprint(voted) != Fingerprint(empty) {
		t.Error("the fingerprint tells")
	}
	voted.Destination.Audience = audience.Producer
	if !strings.Contains(body(voted, JSON, ""), `"votes":1200000,`) {
		t.Error("the producer does not see the figures")
	}
}

func TestFingerprint(t *testing.T) {
	in := gala()
	was := Fingerprint(in)
	in.Seq, in.AsOf, in.AgeMillis = 1, 1, 1
	if Fingerprint(in) != was {
		t.Error("seq, as_of and age_ms move it")
	}
	if Fingerprint(with(in, 1, 2, 3, 4)) == was {
		t.Error("votes do not move it")
	}
}

func TestStatusAndLive(t *testing.T) {
	for phase, want := range map[audience.Phase]string{
		audience.Standby: "closed false", audience.Open: "open true", audience.Paused: "closed true",
		audience.Frozen: "closed true", audience.Closed: "closed false", audience.Verified: "closed false",
	} {
		in := gala()
		in.Standing.Phase = phase
		var p struct {
			Status string
			IsLive bool `json:"isLive"`
		}
		if err := json.Unmarshal([]byte(body(in, PollJSON, "")), &p); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(p.Status, " ", p.IsLive); got != want {
			t.Errorf("%s: %s, want %s", phase, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\tc\x00d\ufffee\u2028f\x1bg": "a b cde fg",
		`say "hi"`:                          `say "hi"`,
		"bad\xffbyte":                       "bad\ufffdbyte",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"twelve chars":              "twelve chars",
		"a word too many":           "a word too m",
		"eleven char s":             "eleven char",
		strings.Repeat("👩‍👩‍👧", 13): strings.Repeat("👩‍👩‍👧", 12),
		"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301": "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301",
	} {
		if got := short(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestDirection(t *testing.T) {
	in := gala()
	for languages, want := range map[string]string{"ar": "ar rtl", "he": "he rtl", "pt": "pt ltr", "fa-IR": "fa-IR rtl"} {
		in.Show.Languages = []string{languages}
		var p struct {
			Options []struct{ Lang, Dir string }
		}
		if err := json.Unmarshal([]byte(body(in, PollJSON, "")), &p); err != nil {
			t.Fatal(err)
		}
		if got := p.Options[0].Lang + " " + p.Options[0].Dir; got != want {
			t.Errorf("%s: %s, want %s", languages, got, want)
		}
	}
}

func TestCatalog(t *testing.T) {
	in := gala()
	entries := Catalog("https://host/feeds/T", in.Show, in.Destination, []audience.Poll{in.Poll, {ID: "empty"}})
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.URL] || e.Example == "" || len(e.Schema) == 0 || !strings.HasPrefix(e.URL, "https://host/feeds/T/polls/final/") {
			t.Errorf("entry %+v", e)
		}
		seen[e.URL] = true
		if strings.HasPrefix(e.ContentType, "application/json") {
			conforms(t, e.URL, e.Schema, []byte(e.Example))
		}
	}
	for _, f := range Formats() {
		if !seen["https://host/feeds/T/polls/final/"+string(f)] {
			t.Errorf("%s is not listed", f)
		}
	}
}

// conforms checks the little of JSON Schema that schemas here use.
func conforms(t *testing.T, at string, schema map[string]any, doc []byte) {
	t.Helper()
	b, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	var s, v any
	if err := errors.Join(json.Unmarshal(b, &s), json.Unmarshal(doc, &v)); err != nil {
		t.Fatal(err)
	}
	conform(t, at, s.(map[string]any), v)
}

func conform(t *testing.T, at string, schema map[string]any, v any) {
	t.Helper()
	types := []any{schema["type"]}
	if many, ok := schema["type"].([]any); ok {
		types = many
	}
	kind := map[string]string{"string": "string", "float64": "number", "bool": "boolean", "map[string]interface {}": "object",
		"[]interface {}": "array"}[fmt.Sprintf("%T", v)]
	if kind == "number" && slices.Contains(types, any("integer")) {
		return
	}
	if !slices.Contains(types, any(kind)) {
		t.Errorf("%s: %v is no %v", at, v, types)
		return
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			conform(t, fmt.Sprintf("%s/%d", at, i), schema["items"].(map[string]any), v[i])
		}
	case map[string]any:
		properties := schema["properties"].(map[string]any)
		if len(v) != len(properties) || len(v) != len(schema["required"].([]any)) {
			t.Errorf("%s: %d members, %d in the schema", at, len(v), len(properties))
		}
		for name, p := range properties {
			conform(t, at+"/"+name, p.(map[string]any), v[name])
		}
	}
}

func TestContentTypes(t *testing.T) {
	for _, f := range Formats() {
		_, contentType := Render(gala(), f, Options{})
		if !strings.HasSuffix(contentType, "; charset=utf-8") {
			t.Errorf("%s: %s", f, contentType)
		}
		if got, ok := ParseFormat(string(f)); !ok || got != f {
			t.Errorf("%s: %s, %v", f, got, ok)
		}
	}
	if _, ok := ParseFormat("feed.exe"); ok {
		t.Error("feed.exe is no format")
	}
}

// FuzzRender: whatever words, votes and query, every format can be read back and
// has the columns it always has.
func FuzzRender(f *testing.F) {
	f.Add("Who?", "A", "B", int64(1), int64(0), "shape=wide&sort=votes", "pt", true)
	f.Add("\x00<&>\"", "a|b\n,;", "\xff\ufffe", int64(1)<<60, int64(3), "top=1&locale=ar&dir=desc", "ar", true)
	f.Add("", "", "\r\n", int64(-1), int64(1<<40), "preset=caspar&slots=100&prefix=|", "xx-invalid", false)
	f.Fuzz(func(t *testing.T, question, a, b string, votesA, votesB int64, query, locale string, onAir bool) {
		in := gala()
		in.Poll.Question, in.Show.Locale, in.Standing.OnAir = question, locale, onAir
		in.Poll.Options = []audience.Option{{ID: "a", Label: a, LabelShort: b, Color: a}, {ID: "b", Label: b, Image: a}}
		const most = int64(1) << 55
		in = with(in, min(max(votesA, 0), most), min(max(votesB, 0), most))
		values, _ := url.ParseQuery(query)
		for _, format := range Formats() {
			opts := Parse(values)
			out, _ := Render(in, format, opts)
			read(t, in, format, opts, out)
		}
	})
}

// read reads a poll's feed back.
func read(t *testing.T, in Input, format Format, opts Options, out []byte) {
	t.Helper()
	header, v := legible(t, format, opts, out)
	if opts.Preset != "" || opts.Wide {
		return
	}
	if header != nil && !slices.Equal(header, slices.Concat(pollColumns[:], optionColumns[:])) {
		t.Fatalf("%s: %v", format, header)
	}
	if format == JSON {
		readRows(t, in, v)
	}
}

// legible reads any feed back: a table's header, or JSON.
func legible(t *testing.T, format Format, opts Options, out []byte) (header []string, v any) {
	t.Helper()
	if !utf8.Valid(out) {
		t.Fatalf("%s is not UTF-8", format)
	}
	switch format {
	case XML, Atom, RSS:
		wellFormed(t, format, out)
	case CSV, TSV:
		r := csv.NewReader(bytes.NewReader(out))
		if format == TSV {
			r.Comma = '\t'
		}
		rows, err := r.ReadAll() // every row as wide as the header
		if err != nil || len(rows) < 2 {
			t.Fatalf("%s: %v\n%s", format, err, out)
		}
		return rows[0], nil
	case TXT:
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "|") || !strings.HasPrefix(line, opts.Prefix) {
				t.Fatalf("%s: %q", format, line)
			}
		}
	case JSON, PollJSON:
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatalf("%s: %v\n%s", format, err, out)
		}
	}
	return nil, v
}

func readRows(t *testing.T, in Input, v any) {
	t.Helper()
	for _, row := range v.([]any) {
		row := row.(map[string]any)
		if len(row) != len(pollColumns)+len(optionColumns) {
			t.Fatalf("%d columns", len(row))
		}
		for name, value := range row {
			if value == nil {
				t.Fatalf("%s is null", name)
			}
		}
		if s := row["label_short"].(string); uniseg.GraphemeClusterCount(s) > maxShort {
			t.Fatalf("label_short %q", s)
		}
		if !shown(&in) && row["votes"] != 0.0 {
			t.Fatal("a hidden figure shows")
		}
	}
}

func BenchmarkRender(b *testing.B) {
	in := gala()
	for i := range 6 {
		in.Poll.Options = append(in.Poll.Options, audience.Option{ID: fmt.Sprint(i), Label: fmt.Sprint("OPTION ", i)})
	}
	in = with(in, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	for _, format := range Formats() {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out, _ := Render(in, format, Options{})
				b.SetBytes(int64(len(out)))
			}
		})
	}
}
