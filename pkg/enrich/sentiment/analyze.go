package sentiment

import (
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const memoBits = 12

// Opinion is the answer for one post.
type Opinion struct {
	Polarity Polarity
	P        [3]float32 // of neg, neu, pos; zeros when Unknown
}

// Analyzer reads posts with a model. It belongs to one goroutine.
type Analyzer struct {
	model *Model
	memos [][]memo
	x     extractor
}

// memo is what the model knows of one word by itself.
type memo struct {
	word  uint64
	entry Entry
	n     int32 // letter n-grams
	slot  uint32
	known bool
	grams [classes]int32
}

// NewAnalyzer returns an analyzer with its own memory of words.
func NewAnalyzer(m *Model) *Analyzer {
	a := &Analyzer{model: m, x: extractor{mask: 1<<m.bits - 1}}
	for range m.parts {
		a.memos = append(a.memos, make([]memo, 1<<memoBits))
	}
	return a
}

// Analyze answers for the post that s has scanned, read as the language of
// that index; -1 gives Unknown.
func (a *Analyzer) Analyze(s *scan.Scanner, language int) Opinion {
	if language < 0 || language >= len(a.model.parts) {
		return Opinion{Polarity: Unknown}
	}
	p := softmax(a.score(s, language))
	return Opinion{P: p, Polarity: decide(p)}
}

// reversal is what calling a negative post positive costs beyond a plain
// mistake: a post that could be either is neutral.
const reversal = 0.22

func decide(p [classes]float32) Polarity {
	neg := p[Negative] - reversal*p[Positive]
	pos := p[Positive] - reversal*p[Negative]
	switch {
	case neg > p[Neutral] && neg >= pos:
		return Negative
	case pos > p[Neutral]:
		return Positive
	}
	return Neutral
}

// block is the running sum of one kind of features.
type block struct {
	sum [classes]int32
	n   int
}

func (b *block) add(row uint32) {
	b.sum[0] += int32(int8(row))
	b.sum[1] += int32(int8(row >> 8))
	b.sum[2] += int32(int8(row >> 16))
	b.n++
}

func (a *Analyzer) score(s *scan.Scanner, language int) [classes]float32 {
	part := &a.model.parts[language]
	a.x.reset()
	var blocks [3]block
	y := tally{boost: 1}
	for i := range s.Tokens {
		t := &s.Tokens[i]
		a.x.style(t, s.Text)
		if !counts(t) || y.words >= maxWords {
			y.pause()
			continue
		}
		m := a.word(part, language, s, t)
		negated := a.x.feel(&y, t, m.entry)
		blocks[0].add(part.row(m.slot))
		if extra := salt(t, negated); extra != 0 {
			blocks[0].add(part.row(slotOf(t.Folded^extra, a.x.mask)))
		}
		pairs, n := y.join(t.Folded, m.entry.leans())
		for _, h := range pairs[:n] {
			blocks[1].add(part.row(slotOf(h, a.x.mask)))
		}
		for c := range classes {
			blocks[2].sum[c] += m.grams[c]
		}
		blocks[2].n += int(m.n)
	}
	a.x.finish(&y)
	return a.total(part, &blocks)
}

func (a *Analyzer) total(part *part, blocks *[3]block) (z [classes]float32) {
	for b := range blocks {
		f := part.unit * a.model.blocks[b] / rootCount(blocks[b].n)
		for c := range classes {
			z[c] += float32(blocks[b].sum[c]) * f
		}
	}
	for i, v := range a.x.figure {
		for c := range classes {
			z[c] += v * part.dense[i][c]
		}
	}
	return z
}

func (p *part) row(slot uint32) uint32 { return p.rows[slot] }

// word finds what the model knows of a token, from memory if it can. The key is
// the exact hash: accents do not change the features, but they may the stem.
func (a *Analyzer) word(p *part, language int, s *scan.Scanner, t *scan.Token) *memo {
	key := t.Exact ^ uint64(t.Kind) ^ uint64(t.Flags&scan.InTag)
	m := &a.memos[language][key>>(64-memoBits)]
	if m.known && m.word == key {
		return m
	}
	letters := s.Letters[t.First : t.First+t.Runes]
	*m = memo{word: key, known: true, entry: p.lex.find(t, letters), slot: slotOf(t.Folded, a.x.mask)}
	if t.Kind != scan.Word || t.Flags&scan.InTag != 0 {
		return m
	}
	a.x.grams = charGrams(letters, a.x.mask, a.x.grams[:0])
	var sum block
	for _, g := range a.x.grams {
		sum.add(p.row(g))
	}
	m.n, m.grams = int32(sum.n), sum.sum
	return m
}
