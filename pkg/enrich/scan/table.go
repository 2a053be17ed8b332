package scan

import (
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The classes of runes.
const (
	other uint8 = iota
	letter
	space
	digit
	emoji
	modifier // a sign that is punctuation and nothing else
	ignored  // has no width: direction marks, joiners, variation selectors
)

const (
	seed = 0x9AE16A3B2F90404F
	mul  = 0x9E3779B97F4A7C15
)

func mix(h uint64, r rune) uint64 {
	h = (h ^ uint64(uint32(r))) * mul
	return h ^ h>>29
}

type pair struct{ base, accent rune }

// table answers all questions about runes below 64 Ki by one look-up.
type table struct {
	classes  [1 << 16]uint8
	lowers   [1 << 16]uint16
	folds    [1 << 16]uint16
	joined   map[pair]rune
	stylised map[rune]rune // mathematical and full-width letters
}

// runeTable is built on first use; it never changes afterwards.
var runeTable = sync.OnceValue(buildTable)

func buildTable() *table {
	t := &table{joined: map[pair]rune{}, stylised: map[rune]rune{}}
	for r := rune(0); r < 1<<16; r++ {
		t.classes[r] = classOf(r)
		t.lowers[r] = uint16(r)
		t.folds[r] = uint16(r)
		if t.classes[r] == letter {
			low := unicode.ToLower(r)
			if r >= 0xFF21 && r <= 0xFF5A {
				low = unicode.ToLower(r - 0xFEE0)
			}
			t.lowers[r] = uint16(low)
		}
	}
	t.addAccents()
	t.addOrnaments()
	for r := rune(0x1D400); r < 0x1D7CC; r++ {
		if plain := []rune(norm.NFKC.String(string(r))); len(plain) == 1 {
			t.stylised[r] = plain[0]
		}
	}
	return t
}

// addAccents fills the folding and composing tables of the Latin, Greek and
// Cyrillic letters. Accents that make another letter in Cyrillic stay.
func (t *table) addAccents() {
	for r := rune(0xC0); r < 0x2000; r++ {
		parts := []rune(norm.NFD.String(string(r)))
		if len(parts) < 2 || r >= 0x530 && r < 0x1E00 {
			continue
		}
		if len(parts) == 2 && unicode.IsLower(r) {
			t.joined[pair{parts[0], parts[1]}] = r
		}
		if r < 0x400 || r >= 0x1E00 {
			t.folds[r] = uint16(parts[0])
		}
	}
	for r := rune(0x300); r < 0x370; r++ {
		t.folds[r] = 0
	}
	for from, to := range map[rune]rune{'ø': 'o', 'ł': 'l', 'đ': 'd', 'ı': 'i', 'ħ': 'h', 'ð': 'd'} {
		t.folds[from] = uint16(to)
	}
}

// addOrnaments makes plain letters of those that stand small or raised:
// "ᴀɴᴀ", "ᴾᵉᵈʳᵒ".
func (t *table) addOrnaments() {
	small, plain := []rune("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"), []rune("abcdefghijklmnoprstuvwyz")
	for i, r := range small {
		t.lowers[r] = uint16(plain[i])
	}
	for _, block := range [][2]rune{{0x2B0, 0x2B9}, {0x1D2C, 0x1D6B}, {0x2C7C, 0x2C7E}, {0xFF21, 0xFF5B}} {
		for r := block[0]; r < block[1]; r++ {
			if to := norm.NFKC.String(string(r)); len(to) == 1 && unicode.IsLetter(rune(to[0])) {
				t.classes[r], t.lowers[r] = letter, uint16(unicode.ToLower(rune(to[0])))
			}
		}
	}
}

func (t *table) class(r rune) uint8 {
	if r < 1<<16 {
		return t.classes[uint16(r)]
	}
	return classOf(r)
}

func (t *table) lower(r rune) rune {
	if r < 1<<16 {
		return rune(t.lowers[uint16(r)])
	}
	if plain, ok := t.stylised[r]; ok {
		return unicode.ToLower(plain)
	}
	return unicode.ToLower(r)
}

func (t *table) fold(r rune) rune {
	if r < 1<<16 {
		return rune(t.folds[uint16(r)])
	}
	return r
}

// unspaced reports whether r is of a script that puts no space between words.
func (t *table) unspaced(r rune) bool {
	switch {
	case r >= 0x0E00 && r < 0x0EE0, r >= 0x1000 && r < 0x10A0, r >= 0x1780 && r < 0x1800: // Thai, Lao, Burmese, Khmer
		return true
	case r >= 0x3040 && r < 0x3100, r >= 0x3400 && r < 0xA000, r >= 0xF900 && r < 0xFB00, r >= 0x20000:
		return true
	}
	return false
}

func classOf(r rune) uint8 {
	switch {
	case r <= ' ' || r == 0x7F || r == 0x85 || r == 0xA0 || r == 0x3000:
		return space
	case r >= 0x20D0 && r < 0x2100, r == 0xFE0E || r == 0xFE0F || r == 0xAD || r == 0x34F || r == 0x61C || r == 0x640 || r == 0xFEFF,
		r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F,
		r >= 0xE0000 && r <= 0xE0FFF:
		return ignored
	case isEmoji(r):
		return emoji
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return letter
	case unicode.Is(unicode.Nd, r):
		return digit
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// isEmoji is wide on purpose: pictographs, dingbats, arrows and flags alike.
func isEmoji(r rune) bool {
	switch {
	case r < 0x203C:
		return r == 0xA9 || r == 0xAE
	case r < 0x2190:
		return r == 0x203C || r == 0x2049 || r == 0x2122 || r == 0x2139
	case r < 0x2C00:
		return r >= 0x2300 && r < 0x2400 || r >= 0x2190 && r < 0x21B0 || r >= 0x25A0 && r < 0x27C0 || r >= 0x2B00
	}
	return r == 0x3030 || r == 0x303D || r == 0x3297 || r == 0x3299 || r >= 0x1F000 && r < 0x1FB00
}
