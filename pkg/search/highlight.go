package search

import (
	"cmp"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxFragments = 3
	// wholeText is the length, in bytes, up to which a text is shown whole.
	wholeText = 400
	// before and after are how many bytes of context a fragment has.
	before, after = 80, 160
	// maxSpan bounds what is emphasised at once.
	maxSpan = 200
)

// fragments cuts the parts out of text that have spans, as escaped HTML with the
// spans in <em>.
func fragments(text string, spans []span) []string {
	spans = merge(text, spans)
	if len(spans) == 0 {
		return nil
	}
	if len(text) <= wholeText {
		return []string{emphasise(text, span{0, len(text)}, spans)}
	}
	var out []string
	for len(spans) > 0 && len(out) < maxFragments {
		w := window(text, spans[0])
		n := 0
		for n < len(spans) && spans[n].to <= w.to {
			n++
		}
		out = append(out, emphasise(text, w, spans[:n]))
		for n < len(spans) && spans[n].from < w.to {
			n++ // cut by the window's end
		}
		spans = spans[n:]
	}
	return out
}

// merge sorts spans, bounds them, and joins those that overlap or have only space
// between them, as the words of a phrase do.
func merge(text string, spans []span) []span {
	spans = slices.DeleteFunc(slices.Clone(spans), func(s span) bool { return s.from < 0 || s.from >= s.to || s.to > len(text) })
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && (s.from < out[n-1].to || strings.TrimSpace(text[out[n-1].to:s.from]) == "") {
			out[n-1].to = max(out[n-1].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	for i := range out {
		if out[i].to-out[i].from > maxSpan {
			out[i].to = runeStart(text, out[i].from+maxSpan)
		}
	}
	return out
}

// window is the part around s, cut at spaces where there are any.
func window(text string, s span) span {
	w := span{max(0, s.from-before), min(len(text), s.to+after)}
	if w.from > 0 {
		w.from = runeStart(text, w.from)
		if i := strings.IndexFunc(text[w.from:s.from], unicode.IsSpace); i >= 0 {
			w.from += i
			_, size := utf8.DecodeRuneInString(text[w.from:])
			w.from += size
		}
	}
	if w.to < len(text) {
		w.to = runeStart(text, w.to)
		if i := strings.LastIndexFunc(text[s.to:w.to], unicode.IsSpace); i >= 0 {
			w.to = s.to + i
		}
	}
	return w
}

// runeStart is i, or the start of the character that i is within.
func runeStart(text string, i int) int {
	for i > 0 && i < len(text) && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}

func emphasise(text string, w span, spans []span) string {
	var b strings.Builder
	if w.from > 0 {
		b.WriteString("…")
	}
	at := w.from
	for _, s := range spans {
		b.WriteString(html.EscapeString(text[at:s.from]))
		b.WriteString("<em>")
		b.WriteString(html.EscapeString(text[s.from:s.to]))
		b.WriteString("</em>")
		at = s.to
	}
	b.WriteString(html.EscapeString(text[at:w.to]))
	if w.to < len(text) {
		b.WriteString("…")
	}
	return b.String()
}
