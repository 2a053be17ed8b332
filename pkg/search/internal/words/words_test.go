package words

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "[]",
		"gol do Brasil":                 "[gol do Brasil]",
		`-gol "do Brasil"`:              `[-gol "do Brasil"]`,
		`-"do Brasil" - gol`:            `[-"do Brasil" gol]`,
		`"não fechada`:                  `["não fechada"]`,
		`a"b c"d`:                       `[a "b c" d]`,
		`"" "!" -"" --x - "-"`:          `[-x]`,
		"rock'n'roll (x) #tag @me":      `["rock'n'roll" x tag me]`,
		"AND OR NOT":                    "[AND OR NOT]",
		"🎉 ❤️ a🎉":                       "[\"🎉\" \"❤️\" \"a🎉\"]",
		"«São Paulo» „und“":             `["São Paulo" "und"]`,
		"\xff\x00a\xffb":                "[a b]",
		"x " + strings.Repeat("é", 200): "[x " + strings.Repeat("é", 128) + "]",
	} {
		var all []string
		for _, c := range Parse(text) {
			s := c.Text
			if c.Phrase {
				s = `"` + s + `"`
			}
			if c.Not {
				s = "-" + s
			}
			all = append(all, s)
		}
		if got := fmt.Sprint(all); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`gol -"do Brasil" “x`)
	f.Fuzz(func(t *testing.T, text string) {
		clauses := Parse(text)
		if len(clauses) > maxClauses {
			t.Fatalf("%d clauses", len(clauses))
		}
		for _, c := range clauses {
			if c.Text == "" || len(c.Text) > maxClause || !utf8.ValidString(c.Text) {
				t.Fatalf("clause %+v", c)
			}
		}
	})
}

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"São Paulo É":                 "sao paulo e",
		"e\u0301te\u0301":             "ete",
		"Straße ŁÓDŹ Ærøskøbing İı ẞ": "strasse lodz aeroskobing ii ss",
		"ﬁn Ａ 𝐁 ①":                    "fin a b 1",
		"ΚΑΛΗΜΈΡΑ κόσμος":             "καλημερα κοσμοσ",
		"Ёлка й":                      "ёлка й",
		"हिन्दी ไทย 東京":               "हिन्दी ไทย 東京",
		"и\u0306":                     "и\u0306",
		"🎉":                           "🎉",
	} {
		if got := Fold(text); got != want {
			t.Errorf("%q folds to %q, want %q", text, got, want)
		}
	}
	text := "xŒuvre e\u0301\u0302! ﬁ"
	folded := Fold(text) // xoeuvre e! fi
	for part, want := range map[string]string{"oe": "Œ", "e!": "e\u0301\u0302!", "o": "Œ", "i": "ﬁ", "x": "x", "uvre e": "uvre e\u0301\u0302"} {
		from := strings.Index(folded, part)
		spans := Unfold(text, []Span{{from, from + len(part)}})
		if got := text[spans[0].From:spans[0].To]; got != want {
			t.Errorf("%q unfolds to %q, want %q", part, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Straße e\u0301", 1, 4)
	f.Fuzz(func(t *testing.T, text string, from, to int) {
		text = strings.ToValidUTF8(text, "\ufffd")
		for _, s := range Unfold(text, []Span{{from, to}}) {
			if s.From < 0 || s.From >= s.To || s.To > len(text) || !utf8.ValidString(text[s.From:s.To]) {
				t.Fatalf("span %v of %q", s, text)
			}
		}
		folded := Fold(text)
		if !utf8.ValidString(folded) {
			t.Fatalf("%q", folded)
		}
		if spans := Unfold(text, []Span{{0, len(folded)}}); len(folded) > 0 && spans[0].To > len(text) {
			t.Fatal(spans)
		}
	})
}

func FuzzFragments(f *testing.F) {
	f.Add("<b>São & Paulo</b>", 3, 6)
	f.Add(strings.Repeat("palavra ", 100), 300, 307)
	f.Fuzz(func(t *testing.T, text string, from, to int) {
		text = strings.ToValidUTF8(text, "\ufffd")
		// Spans come at the starts of characters.
		from, to = min(max(from, 0), len(text)), min(max(to, 0), len(text))
		spans := []Span{{runeStart(text, from), runeStart(text, to)}, {runeStart(text, to), len(text)}}
		for _, fragment := range Fragments(text, spans) {
			plain := strings.NewReplacer("<em>", "", "</em>", "").Replace(fragment)
			if strings.ContainsAny(plain, "<>\"'") || !utf8.ValidString(plain) {
				t.Fatalf("not safe: %q", fragment)
			}
			plain = html.UnescapeString(plain)
			if !strings.Contains(text, plain) {
				plain = strings.TrimPrefix(plain, "…")
			}
			if !strings.Contains(text, plain) {
				plain = strings.TrimSuffix(plain, "…")
			}
			if !strings.Contains(text, plain) {
				t.Fatalf("%q is not of %q", plain, text)
			}
		}
	})
}

func TestMarksAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.SampledFrom([]string{"gol", "é", " ", "\ue000", "\ue001", "🎉"})).Draw(t, "words")
		var plain, marked strings.Builder
		var want []Span
		for _, w := range words {
			if strings.Trim(w, " \ue000\ue001") != "" && rapid.Bool().Draw(t, "mark") {
				want = append(want, Span{plain.Len(), plain.Len() + len(w)})
				marked.WriteString(MarkStart + w + MarkEnd)
			} else {
				marked.WriteString(w)
			}
			plain.WriteString(w)
		}
		got := Marks(plain.String(), marked.String())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
	if got := Marks("short", "another text"); got != nil {
		t.Fatal(got)
	}
}
