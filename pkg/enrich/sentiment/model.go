// Package sentiment tells whether a post in English, Spanish or Portuguese is
// negative, neutral or positive; of other languages it says nothing.
//
// The model is linear over words, pairs of words, letter n-grams and a few
// dozen figures that come from valence lexicons (sums, negation, what follows
// a "but"). An ensemble of linear models is their mean, so however many were
// trained, one table is shipped.
package sentiment

import (
	"fmt"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
)

// Polarity is what a post says about its subject.
type Polarity int8

// The polarities. Unknown stands for languages without a model.
const (
	Negative Polarity = iota
	Neutral
	Positive
	Unknown
)

const classes = 3

// String returns neg, neu, pos or unknown.
func (p Polarity) String() string {
	switch p {
	case Negative:
		return "neg"
	case Neutral:
		return "neu"
	case Positive:
		return "pos"
	}
	return "unknown"
}

const (
	kind    = "SENT"
	version = 2
)

// Languages are the languages with a model, in the order of their tables.
func Languages() []string { return []string{"en", "es", "pt"} }

// LanguageIndex returns the table of a language, or -1.
func LanguageIndex(code string) int {
	if len(code) > 2 && (code[2] == '-' || code[2] == '_') {
		code = code[:2]
	}
	for i, l := range [...]string{"en", "es", "pt"} {
		if l == code {
			return i
		}
	}
	return -1
}

// part is the model of one language.
type part struct {
	rows  []uint32 // a slot: one byte a class
	unit  float32
	dense [figures][classes]float32
	lex   *lexicon
	// confusion[i][j] is the share of posts of class i that were called j,
	// measured on held-out posts.
	confusion [classes][classes]float32
}

// Model holds one part a language; it is immutable and shared.
type Model struct {
	bits   uint
	blocks [3]float32 // sizes of words, pairs and letter n-grams
	parts  []part
}

// Encode returns the model as a file.
func (m *Model) Encode() ([]byte, error) {
	w := &modelfile.Writer{}
	w.Uint(uint64(m.bits))
	for _, v := range m.blocks {
		w.Float(v)
	}
	w.Uint(uint64(len(m.parts)))
	for i := range m.parts {
		m.parts[i].write(w)
	}
	return modelfile.Encode(kind, version, w.Body)
}

func (p *part) write(w *modelfile.Writer) {
	w.Float(p.unit)
	planes := make([]byte, 0, len(p.rows)*classes)
	for c := range classes {
		for _, row := range p.rows {
			planes = append(planes, byte(row>>(8*c)))
		}
	}
	w.Bytes(planes)
	for _, row := range p.dense {
		for _, v := range row {
			w.Float(v)
		}
	}
	for _, row := range p.confusion {
		for _, v := range row {
			w.Float(v)
		}
	}
	p.lex.write(w)
}

// Load reads a model file.
func Load(file []byte) (*Model, error) {
	body, err := modelfile.Decode(file, kind, version)
	if err != nil {
		return nil, fmt.Errorf("load sentiment model: %w", err)
	}
	r := modelfile.NewReader(body)
	m := &Model{bits: uint(r.Uint())}
	for i := range m.blocks {
		m.blocks[i] = r.Float()
	}
	n := r.Count(1)
	if m.bits > 22 || n != len(Languages()) {
		return nil, fmt.Errorf("load sentiment model: %w: %d languages, %d bits", modelfile.ErrNotModel, n, m.bits)
	}
	m.parts = make([]part, n)
	for i := range m.parts {
		m.parts[i].read(r, m.bits)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("load sentiment model: %w", err)
	}
	return m, nil
}

func (p *part) read(r *modelfile.Reader, bits uint) {
	p.unit = r.Float()
	planes := r.Bytes()
	n := 1 << bits
	p.rows = make([]uint32, n)
	for i, b := range planes[:min(len(planes), n*classes)] {
		p.rows[i&(n-1)] |= uint32(b) << (8 * (i >> bits))
	}
	for f := range p.dense {
		for c := range classes {
			p.dense[f][c] = r.Float()
		}
	}
	for i := range p.confusion {
		for j := range classes {
			p.confusion[i][j] = r.Float()
		}
	}
	p.lex = readLexicon(r)
}
