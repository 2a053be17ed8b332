package keyword

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold appends s without case and without accents. Compatibility forms become
// plain ones (fullwidth letters, ligatures), and letters with a stroke, which no
// decomposition takes apart, become what people type instead of them.
func fold(dst []byte, s []byte) []byte {
	plain := true
	for _, c := range s {
		if c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		for _, c := range s {
			dst = append(dst, lower(c))
		}
		return dst
	}
	var buf [64]byte
	for _, r := range string(norm.NFKD.Append(buf[:0], s...)) {
		dst = foldRune(dst, r)
	}
	return dst
}

func foldRune(dst []byte, r rune) []byte {
	if r < utf8.RuneSelf {
		return append(dst, lower(byte(r)))
	}
	if accent(r) {
		return dst
	}
	r = unicode.ToLower(unicode.ToUpper(r)) // ſ and ς have no other way to s and σ
	switch r {
	case 'ß':
		return append(dst, "ss"...)
	case 'æ':
		return append(dst, "ae"...)
	case 'œ':
		return append(dst, "oe"...)
	case 'þ':
		return append(dst, "th"...)
	case 'ø':
		r = 'o'
	case 'đ', 'ð':
		r = 'd'
	case 'ł':
		r = 'l'
	case 'ħ':
		r = 'h'
	case 'ı':
		r = 'i'
	}
	return utf8.AppendRune(dst, r)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// accent says whether a mark is one that people leave out: accents of Latin,
// Greek and Cyrillic, Arabic and Hebrew vowel points. The vowel signs of Indic
// scripts are not: without them other words remain. Joiners and variation
// selectors go too, for nobody sees them.
func accent(r rune) bool {
	switch {
	case r >= 0x0300 && r <= 0x036F,
		r >= 0x0483 && r <= 0x0487,
		r >= 0x0591 && r <= 0x05C7 && unicode.Is(unicode.Mn, r),
		r >= 0x064B && r <= 0x065F, r == 0x0670, r == 0x0640,
		r >= 0x1AB0 && r <= 0x1AFF, r >= 0x1DC0 && r <= 0x1DFF, r >= 0x20D0 && r <= 0x20FF,
		r == 0x200C, r == 0x200D, r == 0x2060, r == 0x00AD,
		r >= 0xFE00 && r <= 0xFE0F, r >= 0xFE20 && r <= 0xFE2F:
		return true
	}
	return false
}
