package feed

import (
	"strings"
	"unicode/utf8"
)

// maxPair bounds a value of a key|value line in bytes: engines take such lines as
// datagrams, and a post may be longer than one.
const maxPair = 1400

// appendSeparated writes CSV (RFC 4180: header, CRLF, quotes doubled), or the
// same with tabs.
func appendSeparated(b []byte, t table, separator byte) []byte {
	for i, name := range t.header {
		if i > 0 {
			b = append(b, separator)
		}
		b = append(b, name...)
	}
	b = append(b, "\r\n"...)
	for _, row := range t.rows {
		for i, c := range row {
			if i > 0 {
				b = append(b, separator)
			}
			b = appendField(b, c, separator)
		}
		b = append(b, "\r\n"...)
	}
	return b
}

func appendField(b []byte, c cell, separator byte) []byte {
	if c.kind != text || !mustQuote(c.text, separator) {
		return c.appendBare(b)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(c.text, `"`, `""`)...)
	return append(b, '"')
}

// mustQuote: besides what RFC 4180 says, spaces at the ends, which many readers
// trim where they are not quoted.
func mustQuote(s string, separator byte) bool {
	if s == "" {
		return false
	}
	return s[0] == ' ' || s[len(s)-1] == ' ' || strings.IndexByte(s, separator) >= 0 || strings.ContainsAny(s, "\"\r\n")
}

// appendPairs writes key|value lines. A value may hold a bar: the first one on a
// line divides it.
func appendPairs(b []byte, t table, prefix string) []byte {
	for i, name := range t.header {
		b = append(append(b, prefix...), name...)
		b = append(b, '|')
		from := len(b)
		b = append(cutAt(t.rows[0][i].appendBare(b), from+maxPair), '\n')
	}
	return b
}

// cutAt cuts text off behind a whole rune, and shows that it did.
func cutAt(b []byte, end int) []byte {
	const mark = "…"
	if len(b) <= end {
		return b
	}
	end -= len(mark)
	for !utf8.RuneStart(b[end]) {
		end--
	}
	return append(b[:end], mark...)
}
