package keyword

import (
	"fmt"
	"slices"
	"testing"
)

func TestMatch(t *testing.T) {
	polls := []Poll{
		{Options: [][]string{{"Ana", "#TeamAna"}, {"João", "team joão"}, {"1", "vote 2"}, nil}},
		{Options: [][]string{{"ana"}, {"ben", "big ben"}}, Exact: true},
	}
	m := Compile(polls)
	for text, want := range map[string]string{
		"":                         "[]",
		"ana":                      "[{0 1} {1 1}]",
		"ANA!!!":                   "[{0 1} {1 1}]",
		"#ana":                     "[{0 1} {1 1}]",
		"＃Ａｎａ":                     "[{0 1} {1 1}]",
		"@ana":                     "[]",
		"@ana ana":                 "[{0 1}]",
		"hi @ana.social, joao":     "[{0 2}]",
		"ána wins":                 "[{0 1}]",
		"ana ana":                  "[{0 1} {1 1}]",
		"anaconda banana ana_x":    "[]",
		"go #teamana":              "[{0 1}]",
		"JOÃO":                     "[{0 2}]",
		"joa\u0303o":               "[{0 2}]",
		"ana or joao":              "[]",
		"team  João.":              "[{0 2}]",
		"ana's song":               "[{0 1}]",
		"1":                        "[{0 3}]",
		"vote 1":                   "[{0 3}]",
		"vote 2":                   "[{0 3}]",
		"2":                        "[]",
		"11":                       "[]",
		"https://x.test/ana":       "[]",
		"www.ana.test joao":        "[{0 2}]",
		"ana https://t.co/x":       "[{0 1}]",
		"big ben":                  "[{1 2}]",
		"big big ben":              "[]",
		"ben?":                     "[{1 2}]",
		"ana ❤️":                   "[{0 1}]",
		"mail me at x@ana.test ok": "[]",
	} {
		if got := fmt.Sprint(m.Match(text, nil)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestWordsOfTheWorld(t *testing.T) {
	same := [][2]string{
		{"STRASSE", "straße"}, {"Ødegaard", "odegaard"}, {"Łódź", "lodz"}, {"İstanbul", "istanbul"},
		{"ΟΔΟΣ", "οδος"}, {"Ёлка", "елка"}, {"مُحَمَّد", "محمد"}, {"ﬁn", "fin"}, {"❤️", "❤"}, {"日本", "日本"}, {"क़", "क़"},
	}
	for _, pair := range same {
		m := Compile([]Poll{{Options: [][]string{{pair[0]}}}})
		if hits := m.Match("x "+pair[1]+" y", nil); len(hits) != 1 {
			t.Errorf("%q is not %q", pair[1], pair[0])
		}
	}
	other := [][2]string{{"कि", "क"}, {"ana", "an"}, {"@ana", "ana"}, {"日本", "日本語"}}
	for _, pair := range other {
		m := Compile([]Poll{{Options: [][]string{{pair[0]}}}})
		if hits := m.Match("x "+pair[1]+" y", nil); len(hits) != 0 {
			t.Errorf("%q is %q", pair[1], pair[0])
		}
	}
}

func TestKeywordsThatNameNothing(t *testing.T) {
	m := Compile([]Poll{{Options: [][]string{{"", "  ", "#", "https://a.test"}, {"b"}}}})
	if hits := m.Match("# https://a.test b", nil); !slices.Equal(hits, []Hit{{0, 2}}) {
		t.Error(hits)
	}
}

func BenchmarkMatch(b *testing.B) {
	var polls []Poll
	for p := range 10 {
		polls = append(polls, Poll{Options: [][]string{{fmt.Sprint("anna", p), "qatar"}, {fmt.Sprint("ben", p), "ecuador"}}})
	}
	m := Compile(polls)
	text := "Ecuador is leading the game and that disallowed goal still hurts… #WorldCup2022 #QATECU https://t.co/abcdef"
	var hits []Hit
	b.ReportAllocs()
	for b.Loop() {
		hits = m.Match(text, hits[:0])
	}
}

// What two keywords fold to is the same exactly when a post that is one of them
// names the other.
func TestFold(t *testing.T) {
	for keyword, want := range map[string]string{
		"Ána": "ana", "#ana": "ana", "@ana": "@ana", " vai,  BRASIL! ": "vai brasil", "👍": "👍", "ſtraße": "strasse",
		"": "", " ...": "", "#": "", "https://x.test/ana": "", "vote https://x.test": "",
	} {
		if got := Fold(keyword); got != want {
			t.Errorf("%q is %q, want %q", keyword, got, want)
		}
		hits := Compile([]Poll{{Options: [][]string{{keyword}}}}).Match(Fold(keyword), nil)
		if named := len(hits) == 1; named != (want != "") {
			t.Errorf("%q is named by %q: %v", keyword, Fold(keyword), named)
		}
	}
}
