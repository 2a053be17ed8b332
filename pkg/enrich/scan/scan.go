// Package scan reads a post once and leaves behind everything the later stages
// need: normalised letters, and one token for every word, number, mention,
// link, emoji and run of punctuation, each with its hashes.
//
// Its one trick is that nothing is a string: tokens are hashes and offsets into
// buffers that the Scanner keeps, so that a worker which scans millions of
// posts allocates only while its buffers grow.
package scan

import (
	"unicode"
	"unicode/utf8"
)

// Kind says what a token is.
type Kind uint8

// The kinds of token.
const (
	Word Kind = iota
	Number
	Mention
	Link
	Emoji
	Mark // a run of punctuation, such as "!!" or ":-)"
)

// Flag holds what normalisation takes away from a token.
type Flag uint8

// The flags of a token.
const (
	Caps    Flag = 1 << iota // two or more letters, all of them capitals
	Long                     // a letter or mark stood three or more times in a row
	InTag                    // inside a hashtag
	Glued                    // no boundary between this token and the one before
	Capital                  // the first letter is a capital
)

// Token is one unit of a post.
type Token struct {
	Exact  uint64 // hash of the lower-case form, runs of three or more collapsed
	Folded uint64 // the same without accents
	Start  int32  // first byte in the source
	End    int32  // first byte after
	First  int32  // first rune in Letters
	Runes  int32  // number of runes in Letters
	Kind   Kind
	Flags  Flag
}

// Tag is one hashtag, without its sign.
type Tag struct {
	Folded     uint64 // hash of its letters and digits, lower case, no accents
	Start, End int32  // bytes in the source, after the sign
}

// Bounds on one post. What lies beyond them is left unread.
const (
	MaxBytes  = 128 << 10
	MaxTokens = 1 << 14
	MaxTags   = 256 // distinct ones
	chunk     = 4   // runes of a script that writes no spaces
)

// Scanner holds the result of the last Scan and the buffers for the next one.
// It belongs to one goroutine.
type Scanner struct {
	Text    []byte  // what was scanned
	Tokens  []Token // in order of appearance
	Letters []rune  // normalised letters of all words
	Tags    []Tag   // distinct hashtags, in order
	Invalid int     // bytes that were not UTF-8

	tab     *table
	cur     Token
	open    bool
	run     int  // times that last stood in a row
	last    rune // last rune of the open token, before collapsing
	upper   int
	glue    bool
	tag     bool
	tagHash uint64
	tagFrom int32
}

// New returns a Scanner.
func New() *Scanner { return &Scanner{tab: runeTable()} }

// Scan reads text. The text must stay unchanged while the result is in use.
func (s *Scanner) Scan(text []byte) {
	if len(text) > MaxBytes {
		text = text[:MaxBytes]
	}
	s.Text = text
	s.Tokens, s.Letters, s.Tags = s.Tokens[:0], s.Letters[:0], s.Tags[:0]
	s.Invalid, s.open, s.tag, s.glue = 0, false, false, false
	for i := 0; i < len(text) && len(s.Tokens) < MaxTokens; {
		i = s.step(text, i)
	}
	s.close(int32(len(text)))
	s.endTag(int32(len(text)))
}

// step takes in the rune at byte i and returns where the next one starts.
func (s *Scanner) step(text []byte, i int) int {
	r, n := rune(text[i]), 1
	if r >= utf8.RuneSelf {
		r, n = utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			s.Invalid++
			s.boundary(int32(i))
			return i + 1
		}
	}
	switch class := s.tab.class(r); class {
	case letter:
		s.letter(r, int32(i))
	case ignored:
	case space:
		s.boundary(int32(i))
	case digit:
		s.digit(r, int32(i))
	case emoji:
		return s.emoji(text, r, i, n)
	case modifier:
		s.mark(r, int32(i))
	default:
		return s.punctuation(text, r, i, n)
	}
	return i + n
}

// boundary ends the open token and the open hashtag.
func (s *Scanner) boundary(at int32) {
	s.close(at)
	s.endTag(at)
	s.glue = false
}

func (s *Scanner) begin(kind Kind, at int32) {
	s.close(at)
	s.cur = Token{Exact: seed, Folded: seed, Start: at, First: int32(len(s.Letters)), Kind: kind}
	if s.glue {
		s.cur.Flags |= Glued
	}
	if s.tag {
		s.cur.Flags |= InTag
	}
	s.open, s.run, s.last, s.upper = true, 0, -1, 0
}

func (s *Scanner) close(at int32) {
	if !s.open {
		return
	}
	s.open = false
	s.cur.End = at
	s.cur.Runes = int32(len(s.Letters)) - s.cur.First
	if s.cur.Kind == Word && s.upper >= 2 && s.upper >= int(s.cur.Runes) {
		s.cur.Flags |= Caps
	}
	s.glue = s.cur.Kind == Word || s.cur.Kind == Number
	s.Tokens = append(s.Tokens, s.cur)
}

func (s *Scanner) letter(r rune, at int32) {
	low := s.tab.lower(r)
	unspaced := low >= 0x0E00 && s.tab.unspaced(low)
	if !s.open || s.cur.Kind != Word {
		s.begin(Word, at)
		if low != r {
			s.cur.Flags |= Capital
		}
	} else if unspaced && int32(len(s.Letters))-s.cur.First >= chunk {
		s.begin(Word, at)
	} else if low >= 0x300 && low < 0x370 && s.combine(low) {
		return
	}
	if low != r {
		s.upper++
	}
	if s.tag {
		s.tagHash = mix(s.tagHash, s.tab.fold(low))
	}
	if low == s.last {
		if s.run++; s.run >= 3 {
			if s.run == 3 {
				s.shorten()
			}
			return
		}
	} else {
		s.last, s.run = low, 1
	}
	s.add(low)
}

func (s *Scanner) add(low rune) {
	s.Letters = append(s.Letters, low)
	s.cur.Exact = mix(s.cur.Exact, low)
	if f := s.tab.fold(low); f != 0 {
		s.cur.Folded = mix(s.cur.Folded, f)
	}
}

// shorten makes one letter of a run of two, when a third shows that the writer
// is drawing the word out.
func (s *Scanner) shorten() {
	s.cur.Flags |= Long
	s.Letters = s.Letters[:len(s.Letters)-1]
	s.rehash()
}

// rehash computes the hashes of the open token anew from its letters.
func (s *Scanner) rehash() {
	s.cur.Exact, s.cur.Folded = seed, seed
	for _, r := range s.Letters[s.cur.First:] {
		s.cur.Exact = mix(s.cur.Exact, r)
		if f := s.tab.fold(r); f != 0 {
			s.cur.Folded = mix(s.cur.Folded, f)
		}
	}
}

// combine joins a combining accent with the letter before it, so that both
// ways of writing "é" give the same token.
func (s *Scanner) combine(accent rune) bool {
	n := len(s.Letters)
	if n == 0 || int32(n) <= s.cur.First {
		return false
	}
	joined, ok := s.tab.joined[pair{s.Letters[n-1], accent}]
	if !ok {
		return true // an ornament: dropped
	}
	s.Letters[n-1], s.last, s.run = joined, joined, 1
	s.rehash()
	return true
}

func (s *Scanner) digit(r rune, at int32) {
	if !s.open || s.cur.Kind != Number {
		s.begin(Number, at)
	}
	d := rune('0' + unicodeDigit(r))
	if s.tag {
		s.tagHash = mix(s.tagHash, d)
	}
	s.cur.Exact = mix(s.cur.Exact, d)
	s.cur.Folded = s.cur.Exact
}

// mark takes in a run of punctuation; runs of one sign longer than two are one.
func (s *Scanner) mark(r rune, at int32) {
	s.endTag(at)
	if !s.open || s.cur.Kind != Mark {
		s.close(at)
		s.glue = false
		s.begin(Mark, at)
	}
	if r == s.last {
		if s.run++; s.run >= 3 {
			s.cur.Flags |= Long
			return
		}
	} else {
		s.last, s.run = r, 1
	}
	s.cur.Exact = mix(s.cur.Exact, r)
	s.cur.Folded = s.cur.Exact
}

// emoji makes one token of a whole sequence: skin tones, joiners and variation
// selectors do not count, a pair of regional indicators is one flag.
func (s *Scanner) emoji(text []byte, r rune, i, n int) int {
	s.boundary(int32(i))
	s.begin(Emoji, int32(i))
	s.cur.Exact = mix(seed, r)
	i += n
	flag := isRegional(r)
	for i < len(text) {
		next, size := utf8.DecodeRune(text[i:])
		switch {
		case flag && isRegional(next):
			s.cur.Exact = mix(s.cur.Exact, next)
			flag = false
		case next == 0x200D: // joiner: what follows belongs to the sequence
			if after, more := utf8.DecodeRune(text[i+size:]); s.tab.class(after) == emoji {
				size += more
			}
		case next == 0xFE0F || next == 0xFE0E || next == 0x20E3 || (next >= 0x1F3FB && next <= 0x1F3FF) ||
			(next >= 0xE0020 && next <= 0xE007F):
		default:
			size = 0
		}
		if size == 0 {
			break
		}
		i += size
	}
	s.cur.Folded = s.cur.Exact
	s.close(int32(i))
	s.glue = false
	return i
}

func isRegional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

func unicodeDigit(r rune) int {
	if r < 0x80 {
		return int(r - '0')
	}
	// Decimal digits come in aligned runs of ten, zero first.
	for d := 0; d < 10; d++ {
		if !unicode.Is(unicode.Nd, r-rune(d)-1) {
			return d
		}
	}
	return int(r) % 10
}
