package names

import "github.com/clamor-live/clamor/pkg/enrich/scan"

const (
	tried    = 3  // words of a display name that may be the first name
	read     = 12 // words of it that are looked at
	shortest = 2  // letters of a name
	spelled  = 3  // letters that stand alone and make a name together
	rare     = 300
	commoner = 30 // times a name is commoner than a rare word before it
)

// finder goes through the words of one display name.
type finder struct {
	t      *Table
	s      *scan.Scanner
	last   uint64 // the word before, 0 if it was none
	weak   ID     // a rare name, until a common one follows
	ending ID
	words  int
}

// Find returns the row of a display name that s has scanned: of its first two
// words together, of the first word that is a name, or of that word's ending.
// Words of everyday language are passed over: "the real Ana" is Ana.
func (t *Table) Find(s *scan.Scanner) ID {
	f := finder{t: t, s: s, weak: NoName, ending: NoName}
	looked := 0
	for i := 0; i < len(s.Tokens) && f.words < tried && looked < read; looked++ {
		hash, word, next := f.word(i)
		i = next
		if hash == 0 {
			continue
		}
		if id := f.take(hash, word); id >= 0 {
			return id
		}
	}
	if id := f.alone(); id >= 0 {
		return id
	}
	if f.weak >= 0 {
		return f.weak
	}
	return f.ending
}

// take goes on to the next word, and returns the name that the ones before it
// made, if they made one.
func (f *finder) take(hash uint64, word []rune) ID {
	if f.last != 0 {
		if id := f.t.find(scan.Mix(f.last, hash)); id >= 0 {
			return id
		}
		if id := f.alone(); id >= 0 {
			return id
		}
	}
	f.last = 0
	if id := f.t.find(hash); id >= 0 && f.t.rows[id].Word {
		return NoName
	}
	if f.ending == NoName && len(word) > 0 {
		f.ending = f.t.ending(word)
	}
	f.last = hash
	f.words++
	return NoName
}

// alone returns the last word's row if it is a name of enough people. A rarer
// one is kept for the case that no name much commoner follows: half of all words
// are somebody's name.
func (f *finder) alone() ID {
	if f.last == 0 {
		return NoName
	}
	id := f.t.find(f.last)
	if id < 0 {
		return NoName
	}
	people := f.t.bearers(id)
	if f.weak >= 0 && people >= commoner*f.t.bearers(f.weak) || f.weak < 0 && people >= rare {
		return id
	}
	if f.weak < 0 {
		f.weak = id
	}
	return NoName
}

// bearers are all people who bear a name.
func (t *Table) bearers(id ID) float64 {
	women, men := t.people(id, countries)
	return women + men
}

// word returns the hash and the letters of the word at token i, 0 if there is
// none, and the token after it. Letters are left out where the word's ending says
// nothing.
func (f *finder) word(i int) (hash uint64, word []rune, next int) {
	k := &f.s.Tokens[i]
	if hash, next := f.disguised(i); hash != 0 {
		return hash, nil, next
	}
	if k.Kind != scan.Word {
		return 0, nil, i + 1
	}
	word = f.s.Letters[k.First : k.First+k.Runes]
	if k.Runes == 1 {
		return f.spelt(i)
	}
	if full := short(word, i+1 < len(f.s.Tokens)); full != "" {
		return f.hash(full), nil, i + 1
	}
	return k.Folded, word, i + 1
}

func (f *finder) hash(word string) uint64 {
	h := scan.Spell
	for _, r := range word {
		h = f.s.Letter(h, r)
	}
	return h
}

// spelt joins letters that stand alone: "M A R I A".
func (f *finder) spelt(i int) (hash uint64, word []rune, next int) {
	h, n := scan.Spell, 0
	for ; i < len(f.s.Tokens); i++ {
		k := &f.s.Tokens[i]
		if k.Kind != scan.Word || k.Runes != 1 {
			break
		}
		h = f.s.Letter(h, f.s.Letters[k.First])
		n++
	}
	if n < spelled {
		return 0, nil, i
	}
	return h, nil, i
}

// disguised reads digits between letters as the letters that they look like:
// "m4ri4". It must make a name, or nothing is said.
func (f *finder) disguised(i int) (hash uint64, next int) {
	h, words, numbers := scan.Spell, 0, 0
	j := i
	for ; j < len(f.s.Tokens); j++ {
		k := &f.s.Tokens[j]
		if j > i && k.Flags&scan.Glued == 0 || j > i && k.Start != f.s.Tokens[j-1].End {
			break
		}
		switch k.Kind {
		case scan.Word:
			words++
			for _, r := range f.s.Letters[k.First : k.First+k.Runes] {
				h = f.s.Letter(h, r)
			}
		case scan.Number:
			numbers++
			for _, c := range f.s.Text[k.Start:k.End] {
				if r := looksLike(c); r != 0 {
					h = f.s.Letter(h, r)
				} else {
					return 0, 0
				}
			}
		default:
			return 0, 0
		}
	}
	if words == 0 || numbers == 0 || words+numbers < 3 {
		return 0, 0
	}
	if id := f.t.find(h); id < 0 || f.t.rows[id].Word {
		return 0, 0
	}
	return h, j
}

func looksLike(digit byte) rune {
	switch digit {
	case '0':
		return 'o'
	case '1':
		return 'i'
	case '3':
		return 'e'
	case '4':
		return 'a'
	case '5':
		return 's'
	case '7':
		return 't'
	}
	return 0
}

// short spells out what Spanish abbreviates, some only before another word.
func short(word []rune, more bool) string {
	switch string(word) {
	case "mª":
		return "maria"
	case "fco", "frco":
		return "francisco"
	case "fca":
		return "francisca"
	case "antº":
		return "antonio"
	case "ma":
		if more {
			return "maria"
		}
	}
	return ""
}
