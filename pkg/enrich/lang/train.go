package lang

import (
	"math"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// Share is one class of a sample's target; the weights of a target sum to 1.
type Share struct {
	Class  int
	Weight float32
}

// Config holds what training depends on besides the samples.
type Config struct {
	Names  []string // the classes; Undetermined must be among them
	Bits   uint     // log2 of the number of rows
	Epochs int
	Rate   float32            // AdaGrad's first step
	Scale  float32            // the model's temperature, found on held-out posts
	Usual  map[string]float32 // log-odds of languages that are common in posts
}

// Stream gives out the samples of one epoch, always the same for one number.
type Stream func(epoch int, emit func(text []byte, target []Share))

// trainer is softmax regression with one AdaGrad step size a row: all features
// of a post share one gradient, so a size a weight would buy nothing.
type trainer struct {
	cfg     Config
	scanner *scan.Scanner
	weights []float32
	squares []float32
	rows    []uint32
	logit   [lanes]float32
	active  []int
}

// Train fits a model. It uses one goroutine and no randomness of its own, so
// that the same stream gives the same model.
func Train(cfg Config, stream Stream) *Model {
	t := &trainer{
		cfg:     cfg,
		scanner: scan.New(),
		weights: make([]float32, lanes<<cfg.Bits),
		squares: make([]float32, 1<<cfg.Bits),
	}
	for epoch := range cfg.Epochs {
		stream(epoch, t.sample)
	}
	return t.model()
}

func (t *trainer) sample(text []byte, target []Share) {
	t.scanner.Scan(text)
	t.rows = t.rows[:0]
	for i := range t.scanner.Tokens {
		if k := &t.scanner.Tokens[i]; k.Kind == scan.Word && (i > 0 || !isRetweet(t.scanner, k)) {
			t.rows = features(t.scanner.Letters[k.First:k.First+k.Runes], k.Exact, t.cfg.Bits, t.rows)
		}
	}
	if len(t.rows) == 0 {
		return
	}
	t.forward()
	for _, s := range target {
		t.logit[s.Class] -= s.Weight
	}
	t.backward()
}

// forward leaves the probabilities in logit.
func (t *trainer) forward() {
	var sum [lanes]float32
	for _, r := range t.rows {
		w := (*[lanes]float32)(t.weights[int(r)*lanes:])
		for j := range sum {
			sum[j] += w[j]
		}
	}
	root := float32(math.Sqrt(float64(len(t.rows))))
	classes := len(t.cfg.Names)
	top := slices.Max(sum[:classes])
	var total float32
	for c := range classes {
		t.logit[c] = float32(math.Exp(float64((sum[c] - top) / root)))
		total += t.logit[c]
	}
	for c := range classes {
		t.logit[c] /= total
	}
}

// backward moves the weights against the gradient that stands in logit.
func (t *trainer) backward() {
	root := float32(1 / math.Sqrt(float64(len(t.rows))))
	t.active = t.active[:0]
	var square float32
	for c := range t.cfg.Names {
		if g := t.logit[c] * root; g > 1e-4 || g < -1e-4 {
			t.logit[c] = g
			square += g * g
			t.active = append(t.active, c)
		}
	}
	for _, r := range t.rows {
		t.squares[r] += square
		size := t.cfg.Rate / float32(math.Sqrt(float64(t.squares[r])+1e-6))
		w := (*[lanes]float32)(t.weights[int(r)*lanes:])
		for _, c := range t.active {
			w[c&(lanes-1)] -= size * t.logit[c]
		}
	}
}

// model rounds the weights to bytes. The few beyond the range are clipped.
func (t *trainer) model() *Model {
	unit := t.unit()
	m := &Model{
		names: slices.Clone(t.cfg.Names),
		bits:  t.cfg.Bits,
		rows:  make([]uint64, len(t.weights)/8),
		scale: unit * t.cfg.Scale,
		usual: make([]float32, len(t.cfg.Names)),
	}
	for i := range m.rows {
		m.rows[i] = unbiased
	}
	for i, w := range t.weights {
		if w != 0 {
			m.set(i/lanes, i%lanes, int8(max(-127, min(127, math.Round(float64(w/unit))))))
		}
	}
	for i, name := range m.names {
		m.usual[i] = t.cfg.Usual[name]
	}
	m.link()
	return m
}

// unit is the weight of one step: 1 of 10,000 weights is clipped.
func (t *trainer) unit() float32 {
	sizes := make([]float32, 0, len(t.weights)/8)
	for _, w := range t.weights {
		if w != 0 {
			sizes = append(sizes, max(w, -w))
		}
	}
	if len(sizes) == 0 {
		return 1
	}
	slices.Sort(sizes)
	return sizes[(len(sizes)-1)*9999/10000] / 127
}
