package feed

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/language"
)

// maxShort is how many graphemes a short label has at most.
const maxShort = 12

// plain makes words fit for one line of any format: line ends and tabs become a
// space, and what XML 1.0 cannot hold goes.
func plain(s string) string {
	if isPlain(s) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
			return ' '
		case unicode.IsControl(r), r >= 0xFFFE && r <= 0xFFFF:
			return -1
		}
		return r // an invalid byte comes as U+FFFD
	}, s)
}

// foreign is what a stranger wrote, made plain and without the signs that turn
// the direction of whatever stands behind it on the screen.
func foreign(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) && r != '\u200e' && r != '\u200f' && r != '\u061c' { // those mark one place only
			return -1
		}
		return r
	}, plain(s))
}

// isPlain finds the usual case: printable ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= utf8.RuneSelf || s[i] == 0x7F {
			return false
		}
	}
	return true
}

// short cuts words to what a narrow graphic can hold.
func short(s string) string {
	if len(s) <= maxShort {
		return s
	}
	rest, state, n := s, -1, 0
	for n < maxShort && rest != "" {
		_, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		n++
	}
	return strings.TrimRight(s[:len(s)-len(rest)], " ")
}

// parseLocale takes the first of them that is one.
func parseLocale(candidates ...string) language.Tag {
	for _, c := range candidates {
		if c == "" {
			continue
		}
		if tag, err := language.Parse(c); err == nil {
			return tag
		}
	}
	return language.English
}

// direction is the base direction of text in a language.
func direction(tag language.Tag) string {
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr", "Yezi":
		return "rtl"
	}
	return "ltr"
}
