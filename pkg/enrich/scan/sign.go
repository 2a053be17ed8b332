package scan

import "unicode/utf8"

// punctuation takes in the signs that may open something longer: a hashtag, a
// mention, a link, an entity or an escape. Everything else is a Mark.
func (s *Scanner) punctuation(text []byte, r rune, i, n int) int {
	next := byte(0)
	if i+n < len(text) {
		next = text[i+n]
	}
	switch r {
	case '#', '＃':
		if s.startsTag(text[i+n:]) && !(s.open && s.cur.Kind == Number) {
			s.boundary(int32(i))
			s.tag, s.tagHash, s.tagFrom = true, seed, int32(i+n)
			return i + n
		}
	case '_':
		if s.tag || s.open {
			s.close(int32(i))
			return i + n
		}
	case '@', '＠':
		if isNameByte(next) && !(s.open && s.cur.Kind != Mark) {
			return s.mention(text, i, i+n)
		}
	case ':':
		if next == '/' && s.schemeBefore(text, i) {
			return s.link(text, int(s.cur.Start), i)
		}
	case '.':
		if isASCIILetter(next) && s.open && s.cur.Kind == Word {
			if end, ok := hostEnd(text, i); ok {
				return s.link(text, s.chunkStart(), end)
			}
		}
	case '&':
		if size := entity(text[i:]); size > 0 {
			s.boundary(int32(i))
			return i + size
		}
	case '\\':
		if size, ok := s.escape(text, i); ok {
			return size
		}
	case '\'', '’', '·', '´', '`', '‘', '-':
		// Inside a word these part it, and are no feeling.
		if s.open && (s.cur.Kind == Word || s.cur.Kind == Number) {
			s.close(int32(i))
			s.endTag(int32(i))
			return i + n
		}
	}
	s.mark(r, int32(i))
	return i + n
}

// startsTag skips a few marks without width: they hide nothing.
func (s *Scanner) startsTag(rest []byte) bool {
	r, n := utf8.DecodeRune(rest)
	c := s.tab.class(r)
	for skipped := 0; c == ignored && skipped < 4; skipped++ {
		rest = rest[n:]
		r, n = utf8.DecodeRune(rest)
		c = s.tab.class(r)
	}
	return c == letter || c == digit || r == '_'
}

// endTag closes the open hashtag, if any, and keeps it when it is new.
func (s *Scanner) endTag(at int32) {
	if !s.tag {
		return
	}
	s.tag = false
	if at <= s.tagFrom || len(s.Tags) >= MaxTags {
		return
	}
	for i := range s.Tags {
		if s.Tags[i].Folded == s.tagHash {
			return
		}
	}
	s.Tags = append(s.Tags, Tag{Folded: s.tagHash, Start: s.tagFrom, End: at})
}

func (s *Scanner) mention(text []byte, sign, i int) int {
	s.boundary(int32(sign))
	s.begin(Mention, int32(sign))
	for i < len(text) && (isNameByte(text[i]) || joinsName(text, i)) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		s.cur.Exact = mix(s.cur.Exact, rune(c))
		i++
	}
	s.cur.Folded = s.cur.Exact
	s.close(int32(i))
	return i
}

// joinsName reports whether the dot or dash at i stands inside a domain handle.
func joinsName(text []byte, i int) bool {
	return (text[i] == '.' || text[i] == '-') && i+1 < len(text) && isASCIILetter(text[i+1]) && text[i-1] != '@'
}

// schemeBefore reports whether the open word is http, https or another scheme.
func (s *Scanner) schemeBefore(text []byte, i int) bool {
	if !s.open || s.cur.Kind != Word || i+2 >= len(text) || text[i+2] != '/' {
		return false
	}
	n := i - int(s.cur.Start)
	return n >= 3 && n <= 8
}

// link drops the tokens made since start and reads on to the next space.
func (s *Scanner) link(text []byte, start, i int) int {
	s.open = false
	for len(s.Tokens) > 0 && s.Tokens[len(s.Tokens)-1].Start >= int32(start) {
		s.Tokens = s.Tokens[:len(s.Tokens)-1]
	}
	s.endTag(int32(start))
	s.glue = false
	s.begin(Link, int32(start))
	for i < len(text) && text[i] > ' ' && text[i] != '"' && text[i] != '<' && text[i] != '>' && text[i] < 0x80 {
		i++
	}
	s.close(int32(i))
	s.glue = false
	return i
}

// chunkStart is where the glued tokens that end in the open one begin.
func (s *Scanner) chunkStart() int {
	start := s.cur.Start
	flags := s.cur.Flags
	for k := len(s.Tokens) - 1; k >= 0 && flags&Glued != 0; k-- {
		start, flags = s.Tokens[k].Start, s.Tokens[k].Flags
	}
	return int(start)
}

// hostEnd reports whether text around the dot at i is a host name: one that is
// followed by a path, or that ends in a domain everybody uses.
func hostEnd(text []byte, i int) (int, bool) {
	label := i + 1
	j := label
	for j < len(text) && j < i+64 && (isNameByte(text[j]) || text[j] == '-' || text[j] == '.') {
		if text[j] == '.' && j+1 < len(text) && isASCIILetter(text[j+1]) {
			label = j + 1
		}
		j++
	}
	if j < len(text) && text[j] == '/' && j-label >= 2 && j-label <= 6 {
		return j, true
	}
	for j > label && text[j-1] == '.' {
		j--
	}
	switch string(text[label:j]) { // compiled to comparisons: no string is made
	case "com", "net", "org", "ly", "tv", "gov", "edu":
		return j, true
	}
	return 0, false
}

// entity returns the length of an HTML entity at the start of b, or 0.
func entity(b []byte) int {
	for j := 1; j < len(b) && j < 9; j++ {
		if b[j] == ';' && j > 2 {
			return j + 1
		}
		if !isASCIILetter(b[j]) && b[j] != '#' && (b[j] < '0' || b[j] > '9') {
			return 0
		}
	}
	return 0
}

// escape reads a backslash escape that an exporter left in the text.
func (s *Scanner) escape(text []byte, i int) (int, bool) {
	if i+1 >= len(text) {
		return 0, false
	}
	switch text[i+1] {
	case 'n', 'r', 't', '"', '\'':
		s.boundary(int32(i))
		return i + 2, true
	case 'u':
		if i+6 > len(text) {
			return 0, false
		}
		r := rune(0)
		for _, c := range text[i+2 : i+6] {
			d := hexDigit(c)
			if d < 0 {
				return 0, false
			}
			r = r<<4 | rune(d)
		}
		s.escaped(r, i)
		return i + 6, true
	}
	return 0, false
}

func (s *Scanner) escaped(r rune, i int) {
	switch s.tab.class(r) {
	case letter:
		s.letter(r, int32(i))
	case space, ignored, emoji, digit:
		s.boundary(int32(i))
	default:
		if s.open && s.cur.Kind == Word {
			s.close(int32(i))
			return
		}
		s.mark(r, int32(i))
	}
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func isASCIILetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isNameByte(c byte) bool { return isASCIILetter(c) || (c >= '0' && c <= '9') || c == '_' }
