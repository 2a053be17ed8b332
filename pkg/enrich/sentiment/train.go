package sentiment

import (
	"math"
	"math/rand/v2"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// Sample is one labelled post.
type Sample struct {
	Language int // index into Languages
	Label    Polarity
	Weight   float32
	Text     string
}

// Config holds what training depends on besides the samples.
type Config struct {
	Bits    uint // log2 of the slots of one language
	Epochs  int
	Members int // models averaged
	Rate    float32
	Decay   float32 // weight lost at each touch
	Seed    uint64
	Pairs   float32 // size of the pairs' block beside that of the words, 1
	Grams   float32 // the same for letter n-grams
	Figures float32
	Share   float32 // size of the features all languages have in common
	Smooth  float32
}

// DefaultConfig is what the shipped model was trained with.
func DefaultConfig() Config {
	return Config{Bits: 19, Epochs: 8, Members: 3, Rate: 0.02, Decay: 1e-5, Seed: 7, Pairs: 0.7, Grams: 1, Figures: 1, Share: 0.7, Smooth: 0.1}
}

// example is a sample as features.
type example struct {
	slots  []uint32
	sizes  [3]float32 // value of a feature of each block
	ends   [3]int
	figure [figures]float32
	lang   int
	label  Polarity
	weight float32
}

type trainer struct {
	cfg     Config
	weights [][classes]float32 // the common table, then one a language
	squares []float32
	dense   [][classes]float32
	denseSq []float32
	sum     [][classes]float32 // over members
	denseS  [][classes]float32
	parts   int
}

// Train fits a model on one goroutine: the same samples and configuration give
// the same model.
func Train(cfg Config, lexicons []*Lexicon, samples []Sample) *Model {
	t := newTrainer(cfg, len(lexicons))
	built := make([]*lexicon, len(lexicons))
	for i, l := range lexicons {
		built[i] = l.build()
	}
	examples := t.examples(built, samples)
	for member := range cfg.Members {
		t.fit(examples, cfg.Seed+uint64(member))
	}
	return t.model(built)
}

func newTrainer(cfg Config, parts int) *trainer {
	n := (1 + parts) << cfg.Bits
	return &trainer{
		cfg: cfg, parts: parts,
		weights: make([][classes]float32, n), squares: make([]float32, n), sum: make([][classes]float32, n),
		dense: make([][classes]float32, (1+parts)*figures), denseSq: make([]float32, (1+parts)*figures),
		denseS: make([][classes]float32, (1+parts)*figures),
	}
}

func (t *trainer) examples(lexicons []*lexicon, samples []Sample) []example {
	s := scan.New()
	x := extractor{mask: 1<<t.cfg.Bits - 1}
	out := make([]example, len(samples))
	for i, p := range samples {
		s.Scan([]byte(p.Text))
		x.extract(s, lexicons[p.Language])
		e := example{figure: x.figure, lang: p.Language, label: p.Label, weight: p.Weight}
		for b, block := range [][]uint32{x.unary, x.pairs, x.grams} {
			e.slots = append(e.slots, block...)
			e.ends[b] = len(e.slots)
			e.sizes[b] = t.cfg.size(b) / rootCount(len(block))
		}
		out[i] = e
	}
	return out
}

func (c Config) size(block int) float32 { return [...]float32{1, c.Pairs, c.Grams}[block] }

func rootCount(n int) float32 { return float32(math.Sqrt(float64(n + 1))) }

// fit trains one member and adds it to the sum.
func (t *trainer) fit(examples []example, seed uint64) {
	clear(t.weights)
	clear(t.squares)
	clear(t.dense)
	clear(t.denseSq)
	rng := rand.New(rand.NewPCG(seed, 1))
	order := rng.Perm(len(examples))
	for range t.cfg.Epochs {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			t.learn(&examples[i])
		}
	}
	for i := range t.weights {
		for c := range classes {
			t.sum[i][c] += t.weights[i][c] / float32(t.cfg.Members)
		}
	}
	for i := range t.dense {
		for c := range classes {
			t.denseS[i][c] += t.dense[i][c] / float32(t.cfg.Members)
		}
	}
}

func (t *trainer) learn(e *example) {
	z := t.score(e)
	p := softmax(z)
	var g [classes]float32
	var square float32
	for c := range classes {
		want := t.cfg.Smooth / classes
		if Polarity(c) == e.label {
			want += 1 - t.cfg.Smooth
		}
		g[c] = (p[c] - want) * e.weight
		square += g[c] * g[c]
	}
	at := 0
	for b, end := range e.ends {
		v := e.sizes[b]
		for ; at < end; at++ {
			t.touch(t.weights, t.squares, int(e.slots[at]), v*t.cfg.Share, &g, square)
			t.touch(t.weights, t.squares, int(e.slots[at])+(1+e.lang)<<t.cfg.Bits, v, &g, square)
		}
	}
	for f, v := range e.figure {
		if v *= t.cfg.Figures; v != 0 {
			t.touch(t.dense, t.denseSq, f, v*t.cfg.Share, &g, square)
			t.touch(t.dense, t.denseSq, f+(1+e.lang)*figures, v, &g, square)
		}
	}
}

func (t *trainer) touch(w [][classes]float32, sq []float32, i int, v float32, g *[classes]float32, square float32) {
	sq[i] += v * v * square
	size := t.cfg.Rate * v / float32(math.Sqrt(float64(sq[i])+1e-8))
	for c := range classes {
		w[i][c] -= size*g[c] + t.cfg.Decay*w[i][c]
	}
}

func (t *trainer) score(e *example) (z [classes]float32) {
	at := 0
	for b, end := range e.ends {
		v := e.sizes[b]
		for ; at < end; at++ {
			a, l := &t.weights[e.slots[at]], &t.weights[int(e.slots[at])+(1+e.lang)<<t.cfg.Bits]
			for c := range classes {
				z[c] += v * (a[c]*t.cfg.Share + l[c])
			}
		}
	}
	for f, v := range e.figure {
		v *= t.cfg.Figures
		for c := range classes {
			z[c] += v * (t.dense[f][c]*t.cfg.Share + t.dense[f+(1+e.lang)*figures][c])
		}
	}
	return z
}

func softmax(z [classes]float32) (p [classes]float32) {
	top := max(z[0], z[1], z[2])
	var total float32
	for c := range classes {
		p[c] = float32(math.Exp(float64(z[c] - top)))
		total += p[c]
	}
	for c := range classes {
		p[c] /= total
	}
	return p
}

// model folds the common table into each language's and rounds to bytes.
// The sizes of the blocks stay outside, in the analyzer.
func (t *trainer) model(lexicons []*lexicon) *Model {
	m := &Model{bits: t.cfg.Bits, blocks: [3]float32{1, t.cfg.Pairs, t.cfg.Grams}}
	n := 1 << t.cfg.Bits
	for l := range t.parts {
		p := part{rows: make([]uint32, n), lex: lexicons[l]}
		own := t.sum[(1+l)*n : (2+l)*n]
		var top float32
		for i := range own {
			for c := range classes {
				own[i][c] += t.sum[i][c] * t.cfg.Share
				top = max(top, own[i][c], -own[i][c])
			}
		}
		p.unit = max(top, 1e-6) / 127
		for i := range own {
			for c := range classes {
				p.rows[i] |= uint32(uint8(int8(math.Round(float64(own[i][c]/p.unit))))) << (8 * c)
			}
		}
		for f := range figures {
			for c := range classes {
				p.dense[f][c] = t.cfg.Figures * (t.denseS[f][c]*t.cfg.Share + t.denseS[f+(1+l)*figures][c])
			}
		}
		m.parts = append(m.parts, p)
	}
	return m
}
