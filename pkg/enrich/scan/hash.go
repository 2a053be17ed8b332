package scan

import "math/bits"

// Hashes of one piece of text as a scan would give them: for tables and rules
// that are compiled before any post is seen.

// WordHash returns the hashes of text if it is one word, number, mention,
// emoji or mark, and false otherwise.
func (s *Scanner) WordHash(text string) (exact, folded uint64, ok bool) {
	s.Scan([]byte(text))
	if len(s.Tokens) != 1 {
		return 0, 0, false
	}
	return s.Tokens[0].Exact, s.Tokens[0].Folded, true
}

// Mix continues a hash with another token's; the order matters.
func Mix(h, next uint64) uint64 {
	h = (bits.RotateLeft64(h, 23)*mul ^ next) * mul
	return h ^ h>>32
}

// Spell begins the folded hash of a word that is not written as one; Letter goes
// on with its next letter.
const Spell uint64 = seed

// Letter continues a hash that Spell began.
func (s *Scanner) Letter(h uint64, r rune) uint64 {
	if f := s.tab.fold(r); f != 0 {
		return mix(h, f)
	}
	return h
}
