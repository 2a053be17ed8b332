package keyword

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// The oracle reads the rules another way: one regular expression over a text
// that was normalised as a whole, and words compared as joined strings.
var token = regexp.MustCompile(`@[a-z0-9_]+(?:[.\-@][a-z0-9_]+)*|(?:https?://|www\.)\S+|[a-z0-9_]+|\pS`)

func oracleWords(s string) []string {
	bare := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	s, _, _ = transform.String(bare, s)
	out := token.FindAllString(strings.ToLower(s), -1)
	for i, w := range out {
		if strings.HasPrefix(w, "www.") || strings.Contains(w, "://") {
			out[i] = "\x01"
		}
	}
	return out
}

func oracle(p Poll, text string) uint16 {
	joined := " " + strings.Join(oracleWords(text), " ") + " "
	var named []uint16
	rest := strings.ReplaceAll(joined, " ", "  ")
	for o, keywords := range p.Options {
		for _, k := range keywords {
			words := oracleWords(k)
			if len(words) == 0 || slices.Contains(words, "\x01") {
				continue
			}
			if strings.Contains(joined, " "+strings.Join(words, " ")+" ") {
				named = append(named, uint16(o+1))
			}
		}
	}
	named = slices.Compact(slices.Sorted(slices.Values(named)))
	if len(named) != 1 {
		return 0
	}
	if p.Exact {
		// Single words only: the generator gives exact polls no phrases.
		for _, k := range p.Options[named[0]-1] {
			if words := oracleWords(k); len(words) > 0 {
				rest = strings.ReplaceAll(rest, " "+strings.Join(words, " ")+" ", "")
			}
		}
		if strings.TrimSpace(rest) != "" {
			return 0
		}
	}
	return named[0]
}

func TestAgainstTheOracle(t *testing.T) {
	pieces := []string{"ana", "Ana", "ÁNA", "joão", "joao", "ben", "big", "1", "2", "vote", "#", "@", " ", "  ", ".", ",", "-", "_", "!", "\n",
		"https://", "http://x", "www.", "❤", "+", "'", "x", "a\u0301"}
	keywords := []string{"ana", "Joao", "#ben", "big ben", "vote 1", "1", "❤", "@ana", "x", "+", "ana_x", ""}
	rapid.Check(t, func(t *rapid.T) {
		var p Poll
		p.Exact = rapid.Bool().Draw(t, "exact")
		for range rapid.IntRange(1, 3).Draw(t, "options") {
			list := rapid.SliceOfN(rapid.SampledFrom(keywords), 0, 3).Draw(t, "keywords")
			if p.Exact {
				list = slices.DeleteFunc(list, func(k string) bool { return strings.Contains(k, " ") })
			}
			p.Options = append(p.Options, list)
		}
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "text"), "")
		got := uint16(0)
		if hits := Compile([]Poll{p}).Match(text, nil); len(hits) > 0 {
			got = hits[0].Slot
		}
		if want := oracle(p, text); got != want {
			t.Fatalf("%q in %q (exact %v): %d, want %d; words %q", p.Options, text, p.Exact, got, want, oracleWords(text))
		}
	})
}

// FuzzMatch looks for panics, and holds two laws: a text without a link names
// itself, and what matches exactly matches anywhere.
func FuzzMatch(f *testing.F) {
	f.Add("Ana wins @x.y https://t.co #ok", "ana")
	f.Add("＠ana ﬁ ẞ \xff", "big ben")
	f.Fuzz(func(t *testing.T, text, keyword string) {
		m := Compile([]Poll{{Options: [][]string{{keyword}}}, {Options: [][]string{{keyword}}, Exact: true}})
		hits := m.Match(text, nil)
		if slices.Contains(hits, Hit{1, 1}) && !slices.Contains(hits, Hit{0, 1}) {
			t.Fatalf("%q names %q exactly and not anywhere", text, keyword)
		}
		var w words
		w.read([]byte(text))
		itself := Compile([]Poll{{Options: [][]string{{text}}, Exact: true}}).Match(text, nil)
		if w.len() > 0 && !slices.Contains(w.text, 0) && len(itself) != 1 {
			t.Fatalf("%q does not name itself", text)
		}
	})
}
