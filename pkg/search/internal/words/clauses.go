package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clause is a word or a phrase that a post must have, or must not.
type Clause struct {
	Text   string
	Phrase bool
	Not    bool
}

const (
	maxClauses = 32
	// maxClause bounds a word or phrase, in bytes.
	maxClause = 256
)

// Parse takes what people type apart. Every text has a meaning: a quote that
// is not closed reaches to the end, and what has no letter, digit or symbol is
// left out.
func Parse(text string) []Clause {
	text = strings.ToValidUTF8(text, " ")
	var clauses []Clause
	for text != "" && len(clauses) < maxClauses {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		var c Clause
		if rest, ok := strings.CutPrefix(text, "-"); ok {
			c.Not, text = true, rest
		}
		first, size := utf8.DecodeRuneInString(text)
		if isQuote(first) {
			c.Phrase = true
			c.Text, text = cutAt(text[size:], isQuote)
			_, size = utf8.DecodeRuneInString(text)
			text = text[size:]
		} else {
			c.Text, text = cutAt(text, func(r rune) bool { return unicode.IsSpace(r) || isQuote(r) })
		}
		if c.Text = tidy(c.Text); c.Text != "" {
			c.Phrase = c.Phrase || strings.ContainsFunc(c.Text, func(r rune) bool { return !inWord(r) })
			clauses = append(clauses, c)
		}
	}
	return clauses
}

// cutAt cuts before the first character that ends.
func cutAt(s string, ends func(rune) bool) (before, after string) {
	if i := strings.IndexFunc(s, ends); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func isQuote(r rune) bool { return strings.ContainsRune(`"“”„«»`, r) }

// inWord says whether no engine cuts at r.
func inWord(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M) }

// tidy cuts what cannot be searched off both ends, and the whole to its bound.
func tidy(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return !inWord(r) && !unicode.Is(unicode.So, r) })
	if len(s) > maxClause {
		s = strings.ToValidUTF8(s[:maxClause], "")
	}
	return s
}
