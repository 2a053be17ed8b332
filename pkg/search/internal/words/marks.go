package words

import (
	"strings"
	"unicode/utf8"
)

// What is put around what matched in a marked copy: characters for private use.
const (
	MarkStart = "\uE000"
	MarkEnd   = "\uE001"
)

// Marks are the spans of plain that are marked in a copy of it. A mark that plain
// itself has is told apart by walking along both.
func Marks(plain, marked string) []Span {
	var spans []Span
	at, from := 0, -1
	for marked != "" {
		r, size := utf8.DecodeRuneInString(marked)
		switch {
		case string(r) == MarkEnd && from >= 0: // before all else: no word ends with one
			spans, from = append(spans, Span{from, at}), -1
		case strings.HasPrefix(plain[at:], marked[:size]):
			at += size
		case string(r) == MarkStart:
			from = at
		default:
			return spans // no copy
		}
		marked = marked[size:]
	}
	return spans
}
