package lang

import (
	"math"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const (
	memoBits = 13
	maxWords = 96 // words of a post that count: more do not change the answer
)

// Guess is the answer for one post.
type Guess struct {
	Class  int     // the likeliest language, never "und" where there are words
	P      float32 // its probability, "und" counted in; none if all words are mute
	Sure   bool    // P reaches the threshold: otherwise report "und"
	Second int     // the next likeliest
}

// Prior holds the logarithm of what is believed of each class before reading.
// A class at minus infinity is never answered.
type Prior struct{ log [lanes]float32 }

// Detector reads posts with a model. It belongs to one goroutine.
type Detector struct {
	Threshold float32 // below this probability a post is "und"

	model *Model
	memo  []memo
	rows  []uint32
	sum   [lanes]int32
	logit [lanes]float32
	n     int
	heard bool // a word was not mute
}

// memo is the sum of one word's rows.
type memo struct {
	word uint64
	n    int32
	mute bool
	sum  [lanes]int16
}

// DefaultThreshold trades wrong answers against none.
const DefaultThreshold = 0.28

// NewDetector returns a detector with its own memory of words.
func NewDetector(m *Model) *Detector {
	return &Detector{Threshold: DefaultThreshold, model: m, memo: make([]memo, 1<<memoBits)}
}

// Detect answers for the post that s has scanned.
func (d *Detector) Detect(s *scan.Scanner, prior *Prior) Guess {
	d.gather(s)
	if d.n == 0 {
		return Guess{Class: d.model.und, Second: d.model.und}
	}
	g := d.decide(prior)
	if !d.heard {
		g.P, g.Sure = 0, false
	}
	return g
}

// gather adds up the rows of all words.
func (d *Detector) gather(s *scan.Scanner) {
	d.sum = [lanes]int32{}
	d.n, d.heard = 0, false
	words := 0
	for i := range s.Tokens {
		t := &s.Tokens[i]
		if t.Kind != scan.Word || i == 0 && isRetweet(s, t) {
			continue
		}
		m := d.word(t.Exact, s.Letters[t.First:t.First+t.Runes])
		for j := range d.sum {
			d.sum[j] += int32(m.sum[j])
		}
		d.n += int(m.n)
		d.heard = d.heard || !m.mute
		if words++; words == maxWords {
			break
		}
	}
}

// isRetweet reports whether t is the "RT" that clients put before a quotation.
func isRetweet(s *scan.Scanner, t *scan.Token) bool {
	return t.Runes == 2 && t.Flags&scan.Caps != 0 && s.Letters[t.First] == 'r' && s.Letters[t.First+1] == 't'
}

func (d *Detector) word(exact uint64, letters []rune) *memo {
	m := &d.memo[exact>>(64-memoBits)]
	if m.word == exact && m.n > 0 {
		return m
	}
	d.rows = features(letters, exact, d.model.bits, d.rows[:0])
	m.word, m.n, m.mute = exact, int32(len(d.rows)), mute(letters)
	d.model.add(d.rows, &m.sum)
	return m
}

// add sums rows into out, eight lanes at a time: bytes are kept with 128 added,
// so that even and odd ones can be summed as unsigned 16-bit fields of a word.
// A word has at most 4·maxRunes+3 features, which cannot overflow a field.
func (m *Model) add(rows []uint32, out *[lanes]int16) {
	const fields = 0x00FF00FF00FF00FF
	bias := uint16(128 * len(rows))
	for k := range rowWords {
		var even, odd uint64
		for _, r := range rows {
			x := m.rows[int(r)*rowWords+k]
			even += x & fields
			odd += x >> 8 & fields
		}
		for f := range 4 {
			out[k*8+2*f] = int16(uint16(even>>(16*f)) - bias)
			out[k*8+2*f+1] = int16(uint16(odd>>(16*f)) - bias)
		}
	}
}

func (d *Detector) decide(prior *Prior) Guess {
	f := d.model.scale / float32(math.Sqrt(float64(d.n)))
	best, second, top := -1, -1, float32(math.Inf(-1))
	next := top
	for c := range d.model.names {
		v := float32(d.sum[c])*f + d.model.usual[c]
		if prior != nil {
			v += prior.log[c]
		}
		d.logit[c] = v
		if c == d.model.und {
			continue
		}
		if v > top {
			next, second, top, best = top, best, v, c
		} else if v > next {
			next, second = v, c
		}
	}
	var total float32
	for c := range d.model.names {
		if x := d.logit[c] - top; x > -16 {
			total += float32(math.Exp(float64(x)))
		}
	}
	p := 1 / total
	return Guess{Class: best, P: p, Sure: p >= d.Threshold && best >= 0, Second: max(second, 0)}
}

// P returns the probability of class c in the last answer, given the winner's.
func (d *Detector) P(c int, g Guess) float32 {
	return g.P * float32(math.Exp(float64(d.logit[c]-d.logit[g.Class])))
}
