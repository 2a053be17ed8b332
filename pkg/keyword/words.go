package keyword

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// words is a text cut into words, folded. It is scratch space: used again, it
// does not allocate.
type words struct {
	text []byte
	ends []int // of each word in text
}

func (w *words) len() int { return len(w.ends) }

func (w *words) at(i int) []byte {
	from := 0
	if i > 0 {
		from = w.ends[i-1]
	}
	return w.text[from:w.ends[i]]
}

// read cuts a text into words:
//   - a run of letters, marks, digits and underscores is a word; what separates
//     words (spaces, punctuation, a '#' before one) is dropped, so "#ana" is "ana";
//   - a symbol, such as an emoji, is a word of its own;
//   - an '@' and the name behind it are one word, '@' included, so "@ana" is not
//     "ana";
//   - a link is one word that no keyword equals.
func (w *words) read(s []byte) {
	w.text, w.ends = w.text[:0], w.ends[:0]
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r == '@' || r == '＠':
			if name := nameLen(s[n:]); name > 0 {
				w.mention(s[n : n+name])
				n += name
			}
		case wordRune(r):
			if n = linkLen(s); n > 0 {
				w.end(append(w.text, 0))
			} else {
				n = runLen(s)
				w.word(s[:n])
			}
		case symbol(r):
			w.word(s[:n])
		}
		s = s[n:]
	}
}

// nameable says whether these words can be a keyword: a link names nothing, and
// neither does nothing.
func (w *words) nameable() bool {
	for i := range w.len() {
		if string(w.at(i)) == "\x00" {
			return false
		}
	}
	return w.len() > 0
}

func (w *words) word(s []byte) { w.end(fold(w.text, s)) }

func (w *words) mention(name []byte) { w.end(fold(append(w.text, '@'), name)) }

// end finishes a word; one that folded to nothing is none.
func (w *words) end(text []byte) {
	if len(text) > len(w.text) {
		w.text = text
		w.ends = append(w.ends, len(text))
	}
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Pc) || accent(r)
}

func symbol(r rune) bool {
	if r == utf8.RuneError {
		return false
	}
	return unicode.Is(unicode.S, r)
}

// runLen is the length of the run of word runes at the start of s.
func runLen(s []byte) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRune(s[n:])
		if !wordRune(r) || r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return max(n, 1)
}

// nameLen is the length of the name behind an '@': words joined by dots,
// hyphens and '@', as handles on federated networks are.
func nameLen(s []byte) int {
	n := 0
	for {
		r, _ := utf8.DecodeRune(s[n:])
		if !wordRune(r) {
			return n
		}
		n += runLen(s[n:])
		if n+1 >= len(s) || s[n] != '.' && s[n] != '-' && s[n] != '@' {
			return n
		}
		if r, _ := utf8.DecodeRune(s[n+1:]); !wordRune(r) {
			return n
		}
		n++
	}
}

// linkLen is the length of the link at the start of s, 0 if there is none.
func linkLen(s []byte) int {
	for _, scheme := range []string{"https://", "http://", "www."} {
		if len(s) > len(scheme) && bytes.EqualFold(s[:len(scheme)], []byte(scheme)) {
			end := bytes.IndexFunc(s, unicode.IsSpace)
			switch end {
			case -1:
				return len(s)
			case len(scheme):
				return 0 // a scheme and nothing behind it
			}
			return end
		}
	}
	return 0
}
