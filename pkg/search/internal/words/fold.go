// Package words is what both engines need to know of words: how texts are folded
// so that case and accents do not matter, what a query's text asks for, and how
// what matched is shown. Its one trick is that both engines index the folded text
// as it is made here, so that they find the same.
package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold makes text blind to case, to the accents of Latin and Greek letters, and
// to their decorated forms (ﬁ, Ａ, 𝐀). Other scripts keep their marks, which
// there tell words apart.
func Fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	foldEach(text, func(_, _ int, folded string) { b.WriteString(folded) })
	return b.String()
}

// foldEach calls each with every character of text, from its offset up to the
// next one's, and what it becomes: often itself, "" for an accent.
func foldEach(text string, each func(from, to int, folded string)) {
	marked := false // whether the last letter is one that loses its marks
	var buf [32]byte
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			marked = true
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			buf[0] = c
			each(i, i+1, string(buf[:1]))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		folded := text[i : i+size]
		switch {
		case isAccent(r):
			if marked {
				folded = ""
			}
		default:
			folded, marked = foldRune(r, folded)
		}
		each(i, i+size, folded)
		i += size
	}
}

func isAccent(r rune) bool { return r >= 0x300 && r <= 0x36f }

// foldRune folds a character beyond ASCII, and says whether it is Latin or Greek.
func foldRune(r rune, s string) (folded string, marked bool) {
	if d := norm.NFKD.PropertiesString(s).Decomposition(); len(d) > 0 {
		if first, _ := utf8.DecodeRune(d); losesMarks(first) {
			return strings.Map(func(r rune) rune {
				if isAccent(r) {
					return -1
				}
				return unicode.ToLower(r)
			}, string(d)), true
		}
	}
	if f, ok := letters[unicode.ToLower(r)]; ok {
		return f, true
	}
	return string(unicode.ToLower(r)), losesMarks(r)
}

func losesMarks(r rune) bool { return r < utf8.RuneSelf || unicode.In(r, unicode.Latin, unicode.Greek) }

// letters are those that no decomposition takes apart.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'ı': "i", 'þ': "th", 'ħ': "h", 'ς': "σ",
}

// Span is a part of a text, in bytes.
type Span struct{ From, To int }

// Unfold moves spans of Fold(text) to the text: each covers the characters that
// any of it came from, and the accents behind them.
func Unfold(text string, spans []Span) []Span {
	if len(spans) == 0 {
		return nil
	}
	// starts and ends hold, for each byte of the folded text, the character it
	// came from.
	var starts, ends []int
	foldEach(text, func(from, to int, folded string) {
		if folded == "" && len(ends) > 0 {
			last := ends[len(ends)-1]
			for i := len(ends) - 1; i >= 0 && ends[i] == last; i-- {
				ends[i] = to
			}
			return
		}
		for range len(folded) {
			starts, ends = append(starts, from), append(ends, to)
		}
	})
	out := make([]Span, 0, len(spans))
	for _, s := range spans {
		if s.From >= 0 && s.From < s.To && s.To <= len(starts) {
			out = append(out, Span{starts[s.From], ends[s.To-1]})
		}
	}
	return out
}
