// Package searchtest is what every search.Store must do, as tests.
package searchtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/search"
)

// Test runs the suite. open gives the same store, empty at first, each time it
// is called within one test. stems says whether texts are analyzed in their
// language.
func Test(t *testing.T, stems bool, open func(t *testing.T) func() search.Store) {
	for name, test := range map[string]func(t *testing.T, open func() search.Store){
		"an empty store says so":               empty,
		"a post comes back":                    comesBack,
		"the same id replaces":                 replaces,
		"texts are found":                      texts,
		"filters narrow":                       filters,
		"later generations are not seen":       generations,
		"pages are stable under inserts":       pages,
		"relevance has pages too":              relevance,
		"what matched is shown":                highlights,
		"a histogram counts every step":        histogram,
		"bad queries are told":                 badQueries,
		"one bad post does not end the rest":   refused,
		"builds are begun, published, expired": builds,
		"a large put arrives":                  large,
		"readers miss nothing over 50 swaps":   swaps,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	if stems {
		t.Run("stems are found in their language", func(t *testing.T) { stemmed(t, open(t)()) })
	}
}

// noon is a time to receive posts at.
const noon = audience.Millis(1669032000000)

var same = cmp.Options{cmpopts.EquateEmpty()}

func post(id, language, text string) search.Doc {
	return search.Doc{ID: id, Show: "final", Text: text, Language: language, ReceivedAt: noon, Generation: 1}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

// publish puts docs into a build and publishes it.
func publish(t *testing.T, s search.Store, build string, docs ...search.Doc) {
	t.Helper()
	must(t, s.Begin(t.Context(), build))
	must(t, s.Put(t.Context(), build, docs))
	must(t, s.Publish(t.Context(), build))
}

func find(t *testing.T, s search.Store, q search.Query) search.Page {
	t.Helper()
	q.MaxGeneration = max(q.MaxGeneration, 1)
	page, err := s.Search(t.Context(), q)
	must(t, err)
	return page
}

func ids(page search.Page) string {
	var all []string
	for i := range page.Posts {
		all = append(all, page.Posts[i].ID)
	}
	return strings.Join(all, " ")
}

func wantCurrent(t *testing.T, s search.Store, want string) {
	t.Helper()
	got, err := s.Current(t.Context())
	if err != nil || got != want {
		t.Fatalf("current is %q, %v; want %q", got, err, want)
	}
}

func empty(t *testing.T, open func() search.Store) {
	s := open()
	wantCurrent(t, s, "")
	page := find(t, s, search.Query{Text: "gol", From: noon, To: noon + 120_000, Step: time.Minute})
	if len(page.Posts) != 0 || page.Total != 0 || page.Next != "" || len(page.Histogram) != 2 {
		t.Fatalf("found %+v", page)
	}
	_, err := s.Get(t.Context(), "x:1")
	wantError(t, err, search.ErrNotFound)
	must(t, s.Expire(t.Context()))
	wantError(t, s.Put(t.Context(), "b1", []search.Doc{post("x:1", "pt", "a")}), search.ErrNoBuild)
	wantError(t, s.Publish(t.Context(), "b1"), search.ErrNoBuild)
	wantCurrent(t, s, "")
}

func comesBack(t *testing.T, open func() search.Store) {
	want := search.Doc{
		ID: "x:1/ü#?&%20", Platform: "x", Show: "final", Topics: []string{"qatar", "ecuador"},
		Text: "¡Gol! \u00a0<b>“Enner”</b> 🇪🇨 \ue000 \u202eabc", Language: "es", Sentiment: "pos",
		Country: "EC", Region: "EC.09", City: "Guayaquil", AuthorID: "a1", AuthorName: "Ana", AuthorHandle: "ana", Followers: 1<<64 - 1,
		CreatedAt: -62135596800000, ReceivedAt: noon, Hashtags: []string{"gol"}, Links: []string{"https://x.example/?a=1&b"}, Media: []string{"m"},
		ReplyTo: "x:0", RepostOf: "x:00", Location: &audience.Coordinates{Lat: -2.17, Lon: -79.92}, Decision: "approve",
		Generation: 1, Raw: []byte{0, 255, '"', '\n'},
	}
	bare := search.Doc{ID: "x:2"}
	publish(t, open(), "b1", want, bare)
	s := open()
	for _, w := range []search.Doc{want, bare} {
		got, err := s.Get(t.Context(), w.ID)
		must(t, err)
		if diff := cmp.Diff(w, got, same); diff != "" {
			t.Fatal(diff)
		}
	}
	want.Raw = nil
	page := find(t, s, search.Query{Text: "gol"})
	if diff := cmp.Diff(want, page.Posts[0].Doc, same); diff != "" {
		t.Fatal(diff)
	}
	_, err := s.Get(t.Context(), "x:3")
	wantError(t, err, search.ErrNotFound)
	_, err = s.Get(t.Context(), "")
	wantError(t, err, search.ErrNotFound)
}

func replaces(t *testing.T, open func() search.Store) {
	s := open()
	publish(t, s, "b1", post("x:1", "pt", "antes"), post("x:1", "pt", "durante"), post("x:2", "pt", "outro"))
	publish(t, s, "b1", post("x:1", "pt", "depois"))
	for text, want := range map[string]string{"antes": "", "durante": "", "depois": "x:1", "": "x:1 x:2"} {
		if got := find(t, s, search.Query{Text: text}); ids(got) != want || got.Total != int64(len(got.Posts)) {
			t.Errorf("%q finds %q of %d, want %q", text, ids(got), got.Total, want)
		}
	}
}

func texts(t *testing.T, open func() search.Store) {
	s := open()
	publish(t, s, "b1",
		post("p1", "pt", "São Paulo é uma CIDADE enorme"),
		post("p2", "pt", "a cidade de sao jose dorme"),
		post("p3", "und", "Paulo viu o Sao Francisco"),
		post("p4", "", "rock'n'roll é vida 🎉🎉 #AoVivo https://clamor.example/a?b=1"),
		post("p5", "tr", "İstanbul Straße Ærø ﬁnal"),
		post("p6", "ja", "東京は夜の七時"),
		post("p7", "el", "Καλημέρα κόσμε"),
		post("p8", "en", "e\u0301te\u0301 decomposed"),
	)
	for text, want := range map[string]string{
		"cidade": "p1 p2", "Cidade enorme": "p1", "sao": "p1 p2 p3", "São": "p1 p2 p3", "SAO PAULO": "p1 p3",
		`"sao paulo"`: "p1", `“São Paulo”`: "p1", `"paulo sao"`: "", "sao -paulo": "p2", "-paulo -rock -final sao": "p2",
		`sao -"sao paulo"`: "p2 p3", `"sao jose`: "p2", `cidade"enorme"`: "p1",
		"rock'n'roll": "p4", "aovivo": "p4", "#AoVivo": "p4", "🎉": "p4", "-🎉 paulo": "p1 p3",
		"istanbul": "p5", "strasse": "p5", "STRAẞE": "p5", "aero": "p5", "final": "p5", "夜": "p6", "καλημερα": "p7", "ΚΌΣΜΕ": "p7",
		"été": "p8", "ete": "p8",
		"": "p1 p2 p3 p4 p5 p6 p7 p8", " \t ": "p1 p2 p3 p4 p5 p6 p7 p8", "!!! -": "p1 p2 p3 p4 p5 p6 p7 p8",
		"nada": "", "cidade nada": "",
		// What other languages of queries would choke on, or obey.
		`sao AND (paulo OR "`: "", `sao~2 paulo^4`: "", `text:*`: "", `sao*`: "p1 p2 p3", "pa?lo": "", `\`: "p1 p2 p3 p4 p5 p6 p7 p8",
		"+sao +paulo": "p1 p3", "[sao TO paulo}": "", "/sao/": "p1 p2 p3", "sao\x00\xff": "p1 p2 p3",
	} {
		if got := ids(find(t, s, search.Query{Text: text})); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	find(t, s, search.Query{Text: strings.Repeat("sao -paulo \"a b\" ", 1000)})
	find(t, s, search.Query{Text: strings.Repeat("x", 100_000), Sort: search.Relevance, Highlight: true})
}

func stemmed(t *testing.T, s search.Store) {
	publish(t, s, "b1",
		post("en", "en", "the goalkeepers were running"), post("pt", "pt-BR", "as eleições presidenciais"), post("es", "es", "los jugadores corrieron"),
		post("de", "de", "die Häuser der Stadt"), post("fr", "fr", "les chevaux du roi"), post("it", "it", "i giocatori"),
		post("und", "und", "running jugadores Häuser"),
	)
	for text, want := range map[string]string{
		"goalkeeper runs": "en", "eleição": "pt", "jugador": "es", "haus": "de", "cheval": "fr", "giocatore": "it", "running": "en und",
		`"goalkeepers running"`: "", "the": "en", "eleicoes": "pt",
	} {
		if got := ids(find(t, s, search.Query{Text: text})); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	if got := ids(find(t, s, search.Query{Text: "jugador", Language: "en"})); got != "" {
		t.Errorf("found %q in English", got)
	}
	page := find(t, s, search.Query{Text: "goalkeeper", Language: "en", Highlight: true})
	if diff := cmp.Diff([]string{"the <em>goalkeepers</em> were running"}, page.Posts[0].Fragments); diff != "" {
		t.Error(diff)
	}
}

func filters(t *testing.T, open func() search.Store) {
	s := open()
	var docs []search.Doc
	for i := range 16 {
		d := post(fmt.Sprintf("p%02d", i), []string{"pt", "es"}[i&1], "gol")
		d.Sentiment, d.Country = []string{"pos", "neg"}[i>>1&1], []string{"BR", "EC"}[i>>2&1]
		d.Topics = []string{"all", []string{"qatar", "ecuador"}[i>>3&1]}
		d.ReceivedAt = noon + audience.Millis(i)
		docs = append(docs, d)
	}
	docs[15].Show = "other"
	publish(t, s, "b1", docs...)
	for _, c := range []struct {
		q    search.Query
		want string
	}{
		{search.Query{Language: "es", Sentiment: "neg", Country: "EC"}, "p15 p07"},
		{search.Query{Language: "es", Sentiment: "neg", Country: "EC", Topic: "qatar"}, "p07"},
		{search.Query{Topic: "all", Show: "other"}, "p15"},
		{search.Query{Topic: "all", Show: "final", From: noon + 13}, "p14 p13"},
		{search.Query{To: noon + 2}, "p01 p00"},
		{search.Query{From: noon + 3, To: noon + 5}, "p04 p03"},
		{search.Query{From: noon + 5, To: noon + 5}, ""},
		{search.Query{Country: "br"}, ""},
		{search.Query{Text: "gol", Language: "es", From: noon + 13, Sort: search.Relevance}, "p13 p15"},
		{search.Query{Text: "-gol"}, ""},
	} {
		if got := find(t, s, c.q); ids(got) != c.want || got.Total != int64(len(got.Posts)) {
			t.Errorf("%+v finds %q of %d, want %q", c.q, ids(got), got.Total, c.want)
		}
	}
}

func generations(t *testing.T, open func() search.Store) {
	s := open()
	var docs []search.Doc
	for g := range uint64(5) {
		d := post(fmt.Sprint("g", g), "pt", "gol")
		d.Generation = g
		docs = append(docs, d)
	}
	docs[4].Generation = 1<<53 - 1
	publish(t, s, "b1", docs...)
	for g, want := range map[uint64]string{0: "g0", 1: "g0 g1", 3: "g0 g1 g2 g3", 1<<53 - 2: "g0 g1 g2 g3", 1 << 53: "g0 g1 g2 g3 g4", 1<<64 - 1: "g0 g1 g2 g3 g4"} {
		for _, text := range []string{"", "gol"} {
			page, err := s.Search(t.Context(), search.Query{Text: text, MaxGeneration: g})
			must(t, err)
			if ids(page) != want || page.Total != int64(len(page.Posts)) {
				t.Errorf("generation %d sees %q of %d, want %q", g, ids(page), page.Total, want)
			}
		}
	}
	d, err := s.Get(t.Context(), "g4") // a moderator's, however new
	if err != nil || d.Generation != 1<<53-1 {
		t.Fatal(d, err)
	}
}

// pages reads 25 posts by 4, while others come in, before, between and after.
func pages(t *testing.T, open func() search.Store) {
	s := open()
	var docs []search.Doc
	var want []string
	for i := range 25 {
		d := post(fmt.Sprintf("p%02d", i), "pt", "gol")
		d.ReceivedAt = noon - audience.Millis(i/3)*1000 // three at a time
		docs, want = append(docs, d), append(want, d.ID)
	}
	publish(t, s, "b1", docs...)
	var got []string
	q := search.Query{Text: "gol", Limit: 4}
	for n := 0; n == 0 || q.After != ""; n++ {
		page := find(t, s, q)
		for i := range page.Posts {
			if !strings.HasPrefix(page.Posts[i].ID, "late") {
				got = append(got, page.Posts[i].ID)
			}
		}
		if page.Total < 25 || len(page.Posts) > 4 {
			t.Fatalf("page %d has %d of %d posts", n, len(page.Posts), page.Total)
		}
		late := post(fmt.Sprint("late", n), "pt", "gol")
		late.ReceivedAt = noon - audience.Millis(n)*1000 + 500
		publish(t, s, []string{"b1", "b2"}[n/2%2], append(slices.Clone(docs), late)...) // and over swaps
		q.After = page.Next
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if page := find(t, s, search.Query{Text: `"gol"`, Limit: 100, To: noon}); page.Next != "" {
		t.Fatalf("behind the last page there is %q", page.Next)
	}
}

func relevance(t *testing.T, open func() search.Store) {
	s := open()
	docs := []search.Doc{post("best", "pt", "gol gol gol")}
	for i := range 9 {
		docs = append(docs, post(fmt.Sprint("p", i), "pt", "gol "+strings.Repeat("mais ", i/2*3+1)))
	}
	publish(t, s, "b1", docs...)
	q := search.Query{Text: "gol", Sort: search.Relevance, Limit: 3}
	var got []string
	last := 1e9
	for n := 0; n == 0 || q.After != ""; n++ {
		page := find(t, s, q)
		for i := range page.Posts {
			if got = append(got, page.Posts[i].ID); page.Posts[i].Score > last || page.Posts[i].Score <= 0 {
				t.Errorf("%s has %g after %g", page.Posts[i].ID, page.Posts[i].Score, last)
			}
			last = page.Posts[i].Score
		}
		q.After = page.Next
	}
	if got[0] != "best" || len(got) != 10 {
		t.Fatal(got)
	}
	if slices.Sort(got); len(slices.Compact(got)) != 10 {
		t.Fatal("a post came twice")
	}
}

func highlights(t *testing.T, open func() search.Store) {
	s := open()
	long := strings.Repeat("palavra e outra & mais, ", 40)
	publish(t, s, "b1",
		post("1", "und", "<script>alert('São')</script> & São Paulo"),
		post("2", "und", long+"o GOLÁÇO do jogo "+long),
		post("3", "und", "\ue000Straße\ue001 & ﬁnal"),
	)
	one := func(text string) []string {
		page := find(t, s, search.Query{Text: text, Highlight: true})
		if len(page.Posts) != 1 {
			t.Fatalf("%q finds %d", text, len(page.Posts))
		}
		return page.Posts[0].Fragments
	}
	for text, want := range map[string]string{
		"sao -nada": "&lt;script&gt;alert(&#39;<em>São</em>&#39;)&lt;/script&gt; &amp; <em>São</em> Paulo",
		"strasse":   "\ue000<em>Straße</em>\ue001 &amp; ﬁnal",
		"FINAL":     "\ue000Straße\ue001 &amp; <em>ﬁnal</em>",
	} {
		if diff := cmp.Diff([]string{want}, one(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	got := one("golaco")
	if len(got) != 1 || !strings.Contains(got[0], "o <em>GOLÁÇO</em> do jogo") || len(got[0]) > 500 ||
		!strings.HasPrefix(got[0], "…") || !strings.HasSuffix(got[0], "…") {
		t.Errorf("a long text is shown as %q", got)
	}
	if got := one(`"sao paulo"`); len(got) != 1 || !strings.HasSuffix(got[0], "&amp; <em>São Paulo</em>") {
		t.Errorf("a phrase is shown as %q", got)
	}
	if page := find(t, s, search.Query{Highlight: true}); len(page.Posts) != 3 || page.Posts[0].Fragments != nil {
		t.Error("something matched no text")
	}
	if page := find(t, s, search.Query{Text: "sao"}); page.Posts[0].Fragments != nil {
		t.Error("fragments without having asked")
	}
}

func histogram(t *testing.T, open func() search.Store) {
	s := open()
	var docs []search.Doc
	for i := range 300 {
		d := post(fmt.Sprint("p", i), "pt", "gol")
		d.ReceivedAt = noon + audience.Millis(i)*60_000/2 // two a minute
		if i%3 == 0 {
			d.Text = "falta"
		}
		docs = append(docs, d)
	}
	docs = append(docs, search.Doc{ID: "first", Text: "gol", Generation: 1}) // in 1970
	publish(t, s, "b1", docs...)
	for _, c := range []struct {
		q     search.Query
		first audience.Millis
		want  string
	}{
		{search.Query{From: noon, To: noon + 180_000, Step: time.Minute}, noon, "[2 2 2]"},
		{search.Query{From: noon + 30_000, To: noon + 90_001, Step: time.Minute}, noon, "[1 2]"},
		{search.Query{Text: "falta", From: noon, To: noon + 120_000, Step: time.Minute, Limit: 1}, noon, "[1 1]"},
		{search.Query{From: noon - 3600_000, To: noon + 3*3600_000, Step: time.Hour}, noon - 3600_000, "[0 120 120 60]"},
		{search.Query{From: noon, To: noon + 30*60_000, Step: 15 * time.Minute, Text: "gol"}, noon, "[20 20]"},
		{search.Query{To: 1, Step: time.Minute}, 0, "[1]"},
	} {
		page := find(t, s, c.q)
		var got []int64
		total := int64(0)
		for i, b := range page.Histogram {
			got, total = append(got, b.Posts), total+b.Posts
			if b.At != c.first+audience.Millis(i)*audience.Millis(c.q.Step.Milliseconds()) {
				t.Errorf("bucket %d is at %s", i, b.At)
			}
		}
		if fmt.Sprint(got) != c.want || total != page.Total {
			t.Errorf("%+v counts %d of %d, want %s", c.q, got, page.Total, c.want)
		}
	}
	if page := find(t, s, search.Query{Text: "gol"}); page.Histogram != nil {
		t.Error("a histogram without having asked")
	}
	q := search.Query{From: noon, To: noon + 180_000, Step: time.Minute, Limit: 2}
	first := find(t, s, q)
	q.After = first.Next
	if diff := cmp.Diff(first.Histogram, find(t, s, q).Histogram); diff != "" {
		t.Error("another histogram on the second page:", diff)
	}
}

func badQueries(t *testing.T, open func() search.Store) {
	s := open()
	publish(t, s, "b1", post("1", "pt", "gol"), post("2", "pt", "gol"))
	next := find(t, s, search.Query{Limit: 1}).Next
	for _, c := range []struct {
		q    search.Query
		want error
	}{
		{search.Query{After: "x"}, search.ErrCursor},
		{search.Query{After: next + "A"}, search.ErrCursor},
		{search.Query{After: next[:len(next)-1] + "!"}, search.ErrCursor},
		{search.Query{After: strings.Repeat("A", 100_000)}, search.ErrCursor},
		{search.Query{After: next, Sort: search.Relevance}, search.ErrCursor},
		{search.Query{Limit: 101}, search.ErrQuery},
		{search.Query{Limit: -1}, search.ErrQuery},
		{search.Query{Sort: 7}, search.ErrQuery},
		{search.Query{Step: time.Second, From: 1, To: 2}, search.ErrQuery},
		{search.Query{Step: time.Minute}, search.ErrQuery},
		{search.Query{Step: time.Minute, From: noon, To: noon + 1501*60_000}, search.ErrQuery},
		{search.Query{Step: time.Minute, From: 1, To: 1<<63 - 1}, search.ErrQuery},
	} {
		_, err := s.Search(t.Context(), c.q)
		if !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, err, c.want)
		}
	}
	for _, build := range []string{"", "A", "a/b", "../a", "-a", "a*", strings.Repeat("a", 101)} {
		wantError(t, s.Begin(t.Context(), build), search.ErrBuild)
	}
}

func refused(t *testing.T, open func() search.Store) {
	s := open()
	must(t, s.Begin(t.Context(), "b1"))
	docs := []search.Doc{
		post("good1", "pt", "gol"), post("", "pt", "no id"), post("good2", "pt", "gol \xff"),
		post("topic", "pt", "gol"), post("place", "pt", "gol"), post("time", "pt", "gol"), post("generation", "pt", "gol"),
		post(strings.Repeat("i", 513), "pt", "gol"), post("good3", strings.Repeat("l", 1000), "gol"),
	}
	docs[3].Topics = []string{"ok", strings.Repeat("t", 40_000)}
	docs[4].Location = &audience.Coordinates{Lat: 91}
	docs[5].ReceivedAt = -1
	docs[6].Generation = 1 << 60
	err := s.Put(t.Context(), "b1", docs)
	var refused *search.RefusedError
	if !errors.As(err, &refused) || refused.Total != 6 || len(refused.Docs) != 6 {
		t.Fatalf("put: %v", err)
	}
	var named []string
	for _, d := range refused.Docs {
		named = append(named, d.ID[:min(len(d.ID), 12)])
	}
	if diff := cmp.Diff([]string{"", "topic", "place", "time", "generation", "iiiiiiiiiiii"}, named); diff != "" {
		t.Error(diff)
	}
	must(t, s.Publish(t.Context(), "b1"))
	page := find(t, s, search.Query{Text: "gol"})
	if ids(page) != "good1 good2 good3" || page.Posts[1].Text != "gol \ufffd" {
		t.Fatalf("found %q", ids(page))
	}
}

func builds(t *testing.T, open func() search.Store) {
	s, other := open(), open()
	publish(t, s, "b1", post("1", "pt", "gol"))
	must(t, s.Begin(t.Context(), "b2.x_y-z"))
	must(t, s.Put(t.Context(), "b2.x_y-z", []search.Doc{post("1", "pt", "gol"), post("2", "pt", "gol")}))
	wantCurrent(t, other, "b1")
	if got := ids(find(t, other, search.Query{Text: "gol"})); got != "1" {
		t.Fatalf("before publishing there is %q", got)
	}
	must(t, s.Begin(t.Context(), "b2.x_y-z")) // as after a crash: what is there stays
	must(t, s.Publish(t.Context(), "b2.x_y-z"))
	must(t, s.Publish(t.Context(), "b2.x_y-z"))
	wantCurrent(t, other, "b2.x_y-z")
	if got := ids(find(t, other, search.Query{Text: "gol"})); got != "1 2" {
		t.Fatalf("after publishing there is %q", got)
	}
	must(t, s.Begin(t.Context(), "b3"))
	must(t, s.Begin(t.Context(), "b4"))
	must(t, s.Expire(t.Context(), "b3", "none"))
	must(t, s.Expire(t.Context(), "b3"))
	must(t, s.Put(t.Context(), "b3", []search.Doc{post("3", "pt", "gol")}))
	for _, gone := range []string{"b1", "b4"} {
		wantError(t, s.Put(t.Context(), gone, []search.Doc{post("3", "pt", "gol")}), search.ErrNoBuild)
		wantError(t, s.Publish(t.Context(), gone), search.ErrNoBuild)
	}
	wantCurrent(t, other, "b2.x_y-z")
	must(t, s.Publish(t.Context(), "b3")) // backwards and forwards as one likes
	must(t, s.Publish(t.Context(), "b2.x_y-z"))
	must(t, s.Publish(t.Context(), "b3"))
	if got := ids(find(t, other, search.Query{})); got != "3" {
		t.Fatalf("in the end there is %q", got)
	}
}

// large is 2,500 posts, some of 100 kB.
func large(t *testing.T, open func() search.Store) {
	if testing.Short() {
		t.Skip("short")
	}
	s := open()
	var docs []search.Doc
	for i := range 2500 {
		d := post(fmt.Sprint("p", i), []string{"pt", "en", "und"}[i%3], fmt.Sprintf("gol número %d", i))
		if i%100 == 0 {
			d.Text += strings.Repeat(" mais texto", 10_000)
		}
		docs = append(docs, d)
	}
	publish(t, s, "b1", docs...)
	page := find(t, s, search.Query{Text: "gol", Limit: 100})
	if page.Total != 2500 || len(page.Posts) != 100 {
		t.Fatalf("found %d of %d", len(page.Posts), page.Total)
	}
	page = find(t, s, search.Query{Text: "texto", Highlight: true, Limit: 100})
	if page.Total != 25 || len(page.Posts[0].Fragments) != 3 {
		t.Fatalf("found %d, %q", page.Total, page.Posts[0].Fragments)
	}
}

// swaps publishes 50 builds, drops those before, and appends, under two readers
// who must find the post that all have, in a build as it was published.
func swaps(t *testing.T, open func() search.Store) {
	writer, reader := open(), open()
	build := func(n int) []search.Doc {
		docs := []search.Doc{post("all", "pt", fmt.Sprintf("gol todos de%d", n))}
		for i := range n % 4 {
			docs = append(docs, post(fmt.Sprint("p", i), "pt", fmt.Sprintf("gol de%d", n)))
		}
		return docs
	}
	publish(t, writer, "b0", build(0)...)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for reads := 0; ; reads++ {
				select {
				case <-done:
					t.Logf("%d reads", reads)
					return
				default:
				}
				page, err := reader.Search(t.Context(), search.Query{Text: "gol", MaxGeneration: 1})
				if err != nil {
					t.Error(err)
					return
				}
				if complaint := whole(page); complaint != "" {
					t.Error(complaint)
					return
				}
				if _, err := reader.Get(t.Context(), "all"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := 1; n <= 50 && !t.Failed(); n++ {
		name := fmt.Sprint("b", n)
		publish(t, writer, name, build(n)...)
		must(t, writer.Expire(t.Context()))
		later := post("later", "pt", "gol de ninguém")
		later.Generation = 2
		publish(t, writer, name, later)
	}
	close(done)
	wg.Wait()
}

// whole says what is wrong with a page of one of the builds of swaps.
func whole(page search.Page) string {
	var n int
	for i := range page.Posts {
		if page.Posts[i].ID == "all" {
			if _, err := fmt.Sscanf(page.Posts[i].Text, "gol todos de%d", &n); err != nil {
				return err.Error()
			}
			break
		}
		if i == len(page.Posts)-1 {
			return "the post that all builds have is missing"
		}
	}
	if len(page.Posts) != 1+n%4 {
		return fmt.Sprintf("build %d has %d posts", n, len(page.Posts))
	}
	for i := range page.Posts {
		if !strings.HasSuffix(page.Posts[i].Text, fmt.Sprintf("de%d", n)) {
			return fmt.Sprintf("%q is not of build %d", page.Posts[i].Text, n)
		}
	}
	return ""
}
