package rule

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plainTokens cuts at what is no letter or digit; only é counts as accented.
type plainTokens struct{}

func (plainTokens) Words(text string) []Word {
	var out []Word
	for _, f := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out = append(out, Word{hash(f), hash(strings.ReplaceAll(f, "é", "e"))})
	}
	return out
}
func (plainTokens) Tag(name string) uint64    { return hash(strings.ToLower(name)) }
func (plainTokens) Name(handle string) uint64 { return hash(strings.ToLower(handle)) }

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

func doc(text string) *Doc {
	d := &Doc{Words: plainTokens{}.Words(text), Lang: Key("pt"), Country: Key("BR"), Source: Key("x-main"), From: plainTokens{}.Name("globo")}
	for _, f := range strings.Fields(text) {
		switch f[0] {
		case '#':
			d.Tags = append(d.Tags, plainTokens{}.Tag(f[1:]))
		case '@':
			d.Names = append(d.Names, plainTokens{}.Name(f[1:]))
		}
	}
	return d
}

func compile(t testing.TB, rules ...string) *Set {
	var named []Named
	for i, text := range rules {
		r, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		named = append(named, Named{fmt.Sprint(i), r})
	}
	s, err := Compile(named, plainTokens{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMatch(t *testing.T) {
	const post = "O golaço do café com #Copa e @Ana ontem"
	tests := []struct {
		rule string
		want bool
	}{
		{"café", true}, {"cafe", true}, {"CAFE", true}, {`"café"`, true}, {`"cafe"`, false},
		{"caf", false}, {"golaço café", true}, {"golaço AND nada", false}, {"golaço OR nada", true},
		{`"do café"`, true}, {`"café do"`, false}, {"NOT nada", true}, {"-nada café", true}, {"café -ontem", false},
		{"#copa", true}, {"#ontem", false}, {"copa", true}, {"@ana", true}, {"@ontem", false},
		{"from:globo", true}, {"from:@globo", true}, {"from:ana", false}, {"lang:pt", true}, {"lang:es", false}, {"lang:PT-br", true}, {"lang:pt_BR", true},
		{"country:br café", true}, {`source:"x-main"`, true}, {"source:y", false},
		{"(nada OR café) (#copa OR @x)", true}, {"nada OR café nada", false}, {"NOT (café OR nada)", false},
		{"NOT NOT café", true}, {"12:30 OR café", true}, {"other:thing OR café", true},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			m := compile(t, tt.rule).NewMatcher()
			if got := len(m.Match(doc(post))) == 1; got != tt.want {
				t.Errorf("have %v, want %v", got, tt.want)
			}
			if e := m.Explain(0, doc(post)); e.Holds != tt.want {
				t.Errorf("the explanation says %v", e.Holds)
			}
		})
	}
}

func TestOneMatcherForAll(t *testing.T) {
	m := compile(t, "gol", "gol brasil", "NOT gol", `"gol do brasil"`, "lang:pt", "lang:es").NewMatcher()
	for text, want := range map[string][]int{
		"gol do brasil": {0, 1, 3, 4}, "gol": {0, 4}, "nada": {2, 4}, "": {2, 4}, "brasil gol": {0, 1, 4},
	} {
		if d := cmp.Diff(want, m.Match(doc(text))); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "the rule is empty",
		"  ":                           "the rule is empty",
		"a AND":                        "at 6: a term is missing before the end",
		"OR a":                         "at 1: a term is missing before OR",
		"(a OR b":                      "at 8: a ) is missing before the end",
		"a)":                           "at 2: unexpected )",
		`a "b`:                         "at 3: the quotation is not closed",
		`""`:                           "at 1: the term is empty",
		"lang:":                        "at 1: the term is empty",
		"#":                            "at 1: the term is empty",
		"a ?!":                         `at 3: "?!" has no word to look for`,
		"été OR ção ) x":               "at 12: unexpected )", // characters, not bytes
		"ação ...":                     `at 6: "..." has no word to look for`,
		strings.Repeat("a ", 600):      ErrTerms.Error(),
		strings.Repeat("(", 100) + "a": ErrDepth.Error(),
		strings.Repeat("a", 5000):      ErrLong.Error(),
	} {
		_, err := Parse(text)
		if err == nil || err.Error() != want {
			t.Errorf("%.20q: have %v, want %s", text, err, want)
		}
	}
	r, _ := Parse("é ™")
	var syntax *SyntaxError
	if _, err := Compile([]Named{{"x", r}}, plainTokens{}); !errors.As(err, &syntax) || syntax.At != 2 {
		t.Errorf("a term without a word: %v", err)
	}
}

func TestCheck(t *testing.T) {
	r, err := Parse(`gol (NOT lang:xx OR country:BR)`)
	if err != nil {
		t.Fatal(err)
	}
	var asked []Term
	err = r.Check(func(term Term) string {
		if asked = append(asked, term); term.Text == "xx" {
			return "is nowhere"
		}
		return ""
	})
	if err == nil || err.Error() != "at 10: is nowhere" {
		t.Errorf("have %v", err)
	}
	if diff := cmp.Diff([]Term{{FieldWord, "gol"}, {FieldLang, "xx"}}, asked); diff != "" {
		t.Error(diff)
	}
	if err := r.Check(func(Term) string { return "" }); err != nil {
		t.Error(err)
	}
}

// TestAnchorsLoseNothing compares the matcher with plain evaluation of all.
func TestAnchorsLoseNothing(t *testing.T) {
	words := []string{"a", "b", "c", `"a b"`, "#a", "lang:pt", "lang:es", "@c"}
	var expr func(t *rapid.T, depth int) string
	expr = func(t *rapid.T, depth int) string {
		switch k := rapid.IntRange(0, 5).Draw(t, "kind"); {
		case depth == 0 || k < 2:
			return rapid.SampledFrom(words).Draw(t, "word")
		case k == 2:
			return "NOT (" + expr(t, depth-1) + ")"
		case k == 3:
			return "(" + expr(t, depth-1) + " OR " + expr(t, depth-1) + ")"
		}
		return "(" + expr(t, depth-1) + " " + expr(t, depth-1) + ")"
	}
	rapid.Check(t, func(t *rapid.T) {
		var named []Named
		for i := range rapid.IntRange(1, 6).Draw(t, "rules") {
			r, err := Parse(expr(t, 4))
			if err != nil {
				t.Fatal(err)
			}
			named = append(named, Named{fmt.Sprint(i), r})
		}
		s, err := Compile(named, plainTokens{})
		if err != nil {
			t.Fatal(err)
		}
		m := s.NewMatcher()
		for _, text := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "a b", "#a", "@c b a", ""}), 1, 4).Draw(t, "posts") {
			d := doc(text)
			got := append([]int{}, m.Match(d)...)
			want := []int{}
			for i := range named {
				if m.Explain(i, d).Holds {
					want = append(want, i)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q with %v: %s", text, named, diff)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`a AND (b OR "c d") -#e`, "from:x lang:pt", "((", `"`, "NOT", "\xff:"} {
		f.Add(s)
	}
	d := doc("a b #c @d")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		s, err := Compile([]Named{{"r", r}}, plainTokens{})
		if err != nil {
			return
		}
		m := s.NewMatcher()
		if (len(m.Match(d)) == 1) != m.Explain(0, d).Holds {
			t.Fatalf("%q: match and explanation differ", text)
		}
	})
}

func BenchmarkThousandRules(b *testing.B) {
	var rules []string
	for i := range 1000 {
		rules = append(rules, fmt.Sprintf(`(word%d OR #tag%d OR "two words%d") lang:pt NOT spam%d`, i, i, i, i))
	}
	m := compile(b, rules...).NewMatcher()
	d := doc("uma noite incrível com word7 e #tag9 no palco da final que todos esperavam há tanto tempo")
	b.ReportAllocs()
	for b.Loop() {
		m.Match(d)
	}
}
