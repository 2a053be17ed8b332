package sentiment

import (
	"sort"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// role is what a word does to the words after it.
type role uint8

const (
	plain role = iota
	negator
	booster
	damper
	contrast // "but": what follows counts more
)

// channels of valence: rated words, a larger list of stems, and emoji.
const (
	rated = iota
	stems
	pictures
	channels
)

// Entry is what a lexicon says of one word, stem, emoji or mark.
type Entry struct {
	Role    uint8
	Valence [channels]int8 // 25 units are one point on a scale of -5 to 5
}

// leaning is the side a word is on.
type leaning uint8

const (
	level leaning = iota
	good
	bad
)

// stemLean is the valence from which the larger list alone makes a word lean:
// half a point.
const stemLean = 12

// leans tells a word's side, by its rating if it has one.
func (e Entry) leans() leaning {
	switch r, s := e.Valence[rated], e.Valence[stems]; {
	case r > 0 || r == 0 && s > stemLean:
		return good
	case r < 0 || s < -stemLean:
		return bad
	}
	return level
}

// lexicon maps folded hashes to entries.
type lexicon struct {
	words map[uint64]Entry
	stems map[uint64]Entry // by the crude stem of the words
}

func (l *lexicon) write(w *modelfile.Writer) {
	for _, m := range []map[uint64]Entry{l.words, l.stems} {
		keys := make([]uint64, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
		w.Uint(uint64(len(keys)))
		last := uint64(0)
		for _, k := range keys {
			e := m[k]
			w.Uint(k - last)
			last = k
			w.Body = append(w.Body, e.Role, byte(e.Valence[0]), byte(e.Valence[1]), byte(e.Valence[2]))
		}
	}
}

func readLexicon(r *modelfile.Reader) *lexicon {
	l := &lexicon{}
	for _, m := range []*map[uint64]Entry{&l.words, &l.stems} {
		n := r.Count(5)
		*m = make(map[uint64]Entry, n)
		last := uint64(0)
		for range n {
			last += r.Uint()
			b := r.Fixed(1 + channels)
			if b == nil {
				return l
			}
			(*m)[last] = Entry{Role: b[0], Valence: [channels]int8{int8(b[1]), int8(b[2]), int8(b[3])}}
		}
	}
	return l
}

// find returns what is known of a token: its own entry, or that of the words
// it shares a stem with.
func (l *lexicon) find(t *scan.Token, letters []rune) Entry {
	if e, ok := l.words[t.Folded]; ok && (e.Role != 0 || e.Valence != [channels]int8{}) {
		return e
	}
	if t.Kind != scan.Word || len(letters) < 4 {
		return Entry{}
	}
	return l.stems[stem(letters)]
}

// stem hashes a word without its ending: plural, gender, person, gerund and
// participle in three languages, crude but the same for list and post.
func stem(letters []rune) uint64 {
	n := len(letters)
	for n > 4 && ending(letters[n-1]) && len(letters)-n < 4 {
		n--
	}
	h := uint64(0x2545F4914F6CDD1D)
	for _, r := range letters[:n] {
		h = scan.Mix(h, uint64(plainLetter(r)))
	}
	return h
}

func ending(r rune) bool {
	switch plainLetter(r) {
	case 'a', 'e', 'i', 'o', 's', 'd', 'n', 'r', 'm', 'u', 'y', 'g':
		return true
	}
	return false
}

func plainLetter(r rune) rune {
	switch r {
	case 'á', 'à', 'â', 'ã', 'ä':
		return 'a'
	case 'é', 'è', 'ê', 'ë':
		return 'e'
	case 'í', 'ì', 'î', 'ï':
		return 'i'
	case 'ó', 'ò', 'ô', 'õ', 'ö':
		return 'o'
	case 'ú', 'ù', 'û', 'ü':
		return 'u'
	case 'ñ':
		return 'n'
	case 'ç':
		return 'c'
	}
	return r
}

// Lexicon is built by the trainer from word lists.
type Lexicon struct {
	sums  [2]map[uint64]*[channels][2]float64
	roles map[uint64]role
	scan  *scan.Scanner
}

// NewLexicon returns an empty lexicon.
func NewLexicon() *Lexicon {
	return &Lexicon{
		sums:  [2]map[uint64]*[channels][2]float64{{}, {}},
		roles: map[uint64]role{},
		scan:  scan.New(),
	}
}

// AddRated adds a word with a valence from -5 to 5.
func (b *Lexicon) AddRated(word string, valence float64) { b.add(word, valence, rated) }

// AddStem adds a stem of the larger list.
func (b *Lexicon) AddStem(word string, valence float64) { b.add(word, valence, stems) }

// AddEmoji adds an emoji.
func (b *Lexicon) AddEmoji(sign string, valence float64) { b.add(sign, valence, pictures) }

// AddRole gives words a role: "not", "very", "hardly" or "but".
func (b *Lexicon) AddRole(name string, words ...string) {
	roles := map[string]role{"not": negator, "very": booster, "hardly": damper, "but": contrast}
	for _, w := range words {
		if _, folded, ok := b.scan.WordHash(w); ok {
			b.roles[folded] = roles[name]
		}
	}
}

func (b *Lexicon) add(word string, valence float64, channel int) {
	_, folded, ok := b.scan.WordHash(word)
	if !ok {
		return
	}
	put(b.sums[0], folded, channel, valence)
	if b.scan.Tokens[0].Kind == scan.Word && len(b.scan.Letters) >= 4 {
		put(b.sums[1], stem(b.scan.Letters), channel, valence)
	}
}

func put(m map[uint64]*[channels][2]float64, key uint64, channel int, valence float64) {
	if m[key] == nil {
		m[key] = &[channels][2]float64{}
	}
	m[key][channel][0] += valence
	m[key][channel][1]++
}

// build averages the lists' opinions.
func (b *Lexicon) build() *lexicon {
	out := &lexicon{words: map[uint64]Entry{}, stems: map[uint64]Entry{}}
	for i, m := range []map[uint64]Entry{out.words, out.stems} {
		for k, s := range b.sums[i] {
			var e Entry
			for c := range channels {
				if s[c][1] > 0 {
					e.Valence[c] = int8(max(-125, min(125, 25*s[c][0]/s[c][1])))
				}
			}
			m[k] = e
		}
	}
	for k, r := range b.roles {
		e := out.words[k]
		e.Role = uint8(r)
		out.words[k] = e
	}
	return out
}
