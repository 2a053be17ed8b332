package sentiment

import (
	"math"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// The figures: dense features of a post, mostly from the lexicon.
const (
	figBias = iota
	figPos  // sum of positive rated valence, negation applied
	figNeg
	figMaxPos
	figMaxNeg
	figMeanRated
	figStemPos
	figStemNeg
	figMeanStem
	figEmojiPos
	figEmojiNeg
	figAfterBut // rated valence after the last "but"
	figLast     // rated valence of the last rated word
	figNegated  // negators
	figCaps
	figLong
	figBang
	figQuestion
	figMentions
	figLinks
	figTags
	figLength
	figNone // no word of the lexicon at all
	figures
)

const (
	scope    = 4 // words that a negator turns
	maxWords = 160
)

// extractor turns a scanned post into features. The trainer uses all of it;
// the analyzer shares the walk and keeps sums instead of slots.
type extractor struct {
	mask   uint32
	figure [figures]float32
	unary  []uint32 // words, emoji, marks, and words under negation
	pairs  []uint32
	grams  []uint32
}

func slotOf(h uint64, mask uint32) uint32 {
	h *= 0xD6E8FEB86659FD93
	return uint32(h>>32) & mask
}

// charGrams appends the slots of a word's letter n-grams, 3 to 5 letters with
// the boundaries.
func charGrams(letters []rune, mask uint32, out []uint32) []uint32 {
	if len(letters) > 32 {
		letters = letters[:32]
	}
	n := len(letters)
	for i := -1; i <= n-2; i++ {
		h := uint64(0x9FB21C651E98DF25)
		for j := i; j < i+5 && j <= n; j++ {
			r := rune(2)
			if j >= 0 && j < n {
				r = plainLetter(letters[j])
			}
			h = scan.Mix(h, uint64(r))
			if j-i >= 2 {
				out = append(out, slotOf(h, mask))
			}
		}
	}
	return out
}

// tally is the running state of the walk over a post's tokens.
type tally struct {
	negate   int // words that still stand under a negator
	boost    float32
	last     uint64  // hash of the token before, 0 at a break
	lean     leaning // which way that token leans
	rated    int
	stemmed  int
	words    int
	sumRated float32
	sumStem  float32
}

// pause ends the pairs at what is no word.
func (y *tally) pause() { y.last, y.lean = 0, level }

// join returns the pairs that a token makes with the one before: of the two
// words, and of either with the leaning of the other, so that what is learnt
// of one good word after "so" holds for every good word.
func (y *tally) join(word uint64, lean leaning) (pairs [4]uint64, n int) {
	add := func(first, second uint64) {
		pairs[n] = scan.Mix(first, second)
		n++
	}
	if y.last != 0 {
		add(y.last, word)
		if lean != level {
			add(y.last, uint64(lean))
		}
	}
	if y.lean != level {
		add(word, leanSalt+uint64(y.lean))
		if lean != level {
			add(leanSalt+uint64(lean), leanSalt+uint64(y.lean))
		}
	}
	y.last, y.lean = word, lean
	return pairs, n
}

// reset begins a post.
func (x *extractor) reset() {
	x.figure = [figures]float32{}
	x.unary, x.pairs, x.grams = x.unary[:0], x.pairs[:0], x.grams[:0]
}

// counts reports whether a token takes part in the sentiment of a post.
func counts(t *scan.Token) bool {
	return t.Kind == scan.Word || t.Kind == scan.Emoji || t.Kind == scan.Mark || t.Kind == scan.Number
}

// style counts what is not a word.
func (x *extractor) style(t *scan.Token, text []byte) {
	switch t.Kind {
	case scan.Mention:
		x.figure[figMentions]++
	case scan.Link:
		x.figure[figLinks] = 1
	case scan.Mark:
		for _, c := range text[t.Start:t.End] {
			switch c {
			case '!':
				x.figure[figBang]++
			case '?':
				x.figure[figQuestion]++
			}
		}
	case scan.Word:
		if t.Flags&scan.Caps != 0 {
			x.figure[figCaps]++
		}
		if t.Flags&scan.Long != 0 {
			x.figure[figLong]++
		}
		if t.Flags&scan.InTag != 0 {
			x.figure[figTags]++
		}
	}
}

// feel takes in one token with its lexicon entry; it reports whether the token
// stands under negation.
func (x *extractor) feel(y *tally, t *scan.Token, e Entry) bool {
	if t.Kind == scan.Mark && e.Valence[rated] == 0 {
		y.negate, y.boost = 0, 1
		return false
	}
	negated := y.negate > 0
	if t.Kind == scan.Word {
		y.words++
		if y.negate > 0 {
			y.negate--
		}
	}
	switch role(e.Role) {
	case negator:
		y.negate = scope
		x.figure[figNegated]++
	case booster:
		y.boost = 1.5
	case damper:
		y.boost = 0.5
	case contrast:
		x.figure[figAfterBut] = 0
		y.negate = 0
	}
	x.weigh(y, e, negated)
	return negated
}

func (x *extractor) weigh(y *tally, e Entry, negated bool) {
	sign := y.boost
	if negated {
		sign *= -0.7
	}
	if v := float32(e.Valence[rated]) / 25 * sign; v != 0 {
		y.rated++
		y.sumRated += v
		x.figure[figAfterBut] += v
		x.figure[figLast] = v
		x.split(v, figPos, figNeg)
		x.figure[figMaxPos] = max(x.figure[figMaxPos], v)
		x.figure[figMaxNeg] = min(x.figure[figMaxNeg], v)
		y.boost = 1
	}
	if v := float32(e.Valence[stems]) / 25 * sign; v != 0 {
		y.stemmed++
		y.sumStem += v
		x.split(v, figStemPos, figStemNeg)
	}
	if v := float32(e.Valence[pictures]) / 25; v != 0 {
		x.split(v, figEmojiPos, figEmojiNeg)
	}
}

func (x *extractor) split(v float32, pos, neg int) {
	if v > 0 {
		x.figure[pos] += v
	} else {
		x.figure[neg] += v
	}
}

// finish brings the figures to a common size.
func (x *extractor) finish(y *tally) {
	f := &x.figure
	f[figBias] = 1
	if y.rated > 0 {
		f[figMeanRated] = y.sumRated / float32(math.Sqrt(float64(y.words+1)))
	} else {
		f[figNone] = 1
	}
	if y.stemmed > 0 {
		f[figMeanStem] = y.sumStem / float32(math.Sqrt(float64(y.words+1)))
	}
	for _, i := range [...]int{figPos, figNeg, figStemPos, figStemNeg, figEmojiPos, figEmojiNeg} {
		f[i] = root(f[i])
	}
	for _, i := range [...]int{figCaps, figLong, figBang, figQuestion, figMentions, figTags, figNegated} {
		f[i] = root(min(f[i], 9)) / 2
	}
	f[figAfterBut] = root(f[figAfterBut])
	f[figLength] = float32(math.Log1p(float64(y.words))) / 4
}

// root is the square root with the sign kept.
func root(v float32) float32 {
	if v < 0 {
		return -float32(math.Sqrt(float64(-v)))
	}
	return float32(math.Sqrt(float64(v)))
}

const (
	negatedSalt = 0xA24BAED4963EE407
	longSalt    = 0x9FB21C651E98DF25
	leanSalt    = 0xC2B2AE3D27D4EB4F
)

// extract is the whole walk, for training.
func (x *extractor) extract(s *scan.Scanner, lex *lexicon) {
	x.reset()
	y := tally{boost: 1}
	for i := range s.Tokens {
		t := &s.Tokens[i]
		x.style(t, s.Text)
		if !counts(t) || y.words >= maxWords {
			y.pause()
			continue
		}
		letters := s.Letters[t.First : t.First+t.Runes]
		entry := lex.find(t, letters)
		negated := x.feel(&y, t, entry)
		x.unary = append(x.unary, slotOf(t.Folded, x.mask))
		if extra := salt(t, negated); extra != 0 {
			x.unary = append(x.unary, slotOf(t.Folded^extra, x.mask))
		}
		pairs, n := y.join(t.Folded, entry.leans())
		for _, h := range pairs[:n] {
			x.pairs = append(x.pairs, slotOf(h, x.mask))
		}
		if t.Kind == scan.Word && t.Flags&scan.InTag == 0 {
			x.grams = charGrams(letters, x.mask, x.grams)
		}
	}
	x.finish(&y)
}

// salt marks a word that is negated or drawn out as another feature besides.
func salt(t *scan.Token, negated bool) uint64 {
	switch {
	case negated && t.Kind == scan.Word:
		return negatedSalt
	case t.Flags&scan.Long != 0:
		return longSalt
	}
	return 0
}
