package words

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

// Fragments cuts the parts out of text that have spans, as escaped HTML with the
// spans in <em>.
func Fragments(text string, spans []Span) []string {
	spans = merge(text, spans)
	if len(spans) == 0 {
		return nil
	}
	if len(text) <= wholeText {
		return []string{emphasise(text, Span{0, len(text)}, spans)}
	}
	var out []string
	for len(spans) > 0 && len(out) < maxFragments {
		w := window(text, spans[0])
		n := 0
		for n < len(spans) && spans[n].To <= w.To {
			n++
		}
		out = append(out, emphasise(text, w, spans[:n]))
		for n < len(spans) && spans[n].From < w.To {
			n++ // cut by the window's end
		}
		spans = spans[n:]
	}
	return out
}

// merge sorts spans, bounds them, and joins those that overlap or have only space
// between them, as the words of a phrase do.
func merge(text string, spans []Span) []Span {
	spans = slices.DeleteFunc(slices.Clone(spans), func(s Span) bool { return s.From < 0 || s.From >= s.To || s.To > len(text) })
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && (s.From < out[n-1].To || strings.TrimSpace(text[out[n-1].To:s.From]) == "") {
			out[n-1].To = max(out[n-1].To, s.To)
		} else {
			out = append(out, s)
		}
	}
	for i := range out {
		if out[i].To-out[i].From > maxSpan {
			out[i].To = runeStart(text, out[i].From+maxSpan)
		}
	}
	return out
}

// window is the part around s, cut at spaces where there are any.
func window(text string, s Span) Span {
	w := Span{max(0, s.From-before), min(len(text), s.To+after)}
	if w.From > 0 {
		w.From = runeStart(text, w.From)
		if i := strings.IndexFunc(text[w.From:s.From], unicode.IsSpace); i >= 0 {
			w.From += i
			_, size := utf8.DecodeRuneInString(text[w.From:])
			w.From += size
		}
	}
	if w.To < len(text) {
		w.To = runeStart(text, w.To)
		if i := strings.LastIndexFunc(text[s.To:w.To], unicode.IsSpace); i >= 0 {
			w.To = s.To + i
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

func emphasise(text string, w Span, spans []Span) string {
	var b strings.Builder
	if w.From > 0 {
		b.WriteString("…")
	}
	at := w.From
	for _, s := range spans {
		b.WriteString(html.EscapeString(text[at:s.From]))
		b.WriteString("<em>")
		b.WriteString(html.EscapeString(text[s.From:s.To]))
		b.WriteString("</em>")
		at = s.To
	}
	b.WriteString(html.EscapeString(text[at:w.To]))
	if w.To < len(text) {
		b.WriteString("…")
	}
	return b.String()
}
