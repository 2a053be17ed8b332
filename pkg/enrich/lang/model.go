// Package lang tells the language of a post: 58 languages, or "und" when the
// text says too little.
//
// The model is linear: every word is cut into its 1- to 4-grams of letters and
// the word as a whole, each hashed to a row of 64 small weights, one per
// language. Since no feature crosses a word, a worker remembers the sum of the
// words it met, and most posts cost one look-up a word.
package lang

import (
	"fmt"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
)

const (
	lanes    = 64 // weights in a row: one cache line
	kind     = "LANG"
	version  = 1
	maxRunes = 40 // letters of a word that count; longer ones are no words
)

// Undetermined is the class of posts that are in no language.
const Undetermined = "und"

// Model holds the weights; it is immutable and shared by all detectors.
type Model struct {
	names []string // class i is lane i
	index map[string]int
	rows  []int8
	bits  uint    // log2 of the number of rows
	scale float32 // weight of one unit, temperature included
	usual []float32
	und   int
}

// Names lists the classes, "und" among them.
func (m *Model) Names() []string { return append([]string(nil), m.names...) }

// Index returns the class of a language code, or -1. A region is ignored, so
// that "pt-BR" is "pt".
func (m *Model) Index(code string) int {
	if i, ok := m.index[code]; ok {
		return i
	}
	for j := 0; j < len(code); j++ {
		if code[j] == '-' || code[j] == '_' {
			if i, ok := m.index[code[:j]]; ok {
				return i
			}
			break
		}
	}
	return -1
}

// row returns where the weights of a feature begin.
func (m *Model) row(h uint64) int { return int(rowOf(h, m.bits)) * lanes }

func rowOf(h uint64, bits uint) uint64 { return (h * 0xD6E8FEB86659FD93) >> (64 - bits) }

// features appends the row of every feature of one word.
func features(word []rune, exact uint64, bits uint, out []uint32) []uint32 {
	if len(word) > maxRunes {
		word = word[:maxRunes]
	}
	n := len(word)
	out = append(out, uint32(rowOf(exact^0x5bd1e995, bits)))
	for i := -1; i <= n; i++ {
		h := uint64(0xC2B2AE3D27D4EB4F)
		for j := i; j < i+4 && j <= n; j++ {
			h = step(h, at(word, j))
			if j == i && (i < 0 || i == n) {
				continue // a boundary alone says nothing
			}
			out = append(out, uint32(rowOf(h^uint64(j-i), bits)))
		}
	}
	return out
}

func at(word []rune, i int) uint64 {
	if i < 0 {
		return 2
	}
	if i >= len(word) {
		return 3
	}
	return uint64(uint32(word[i]))
}

func step(h, r uint64) uint64 {
	h = (h ^ r) * 0x9FB21C651E98DF25
	return h ^ h>>28
}

// Encode returns the model as a file.
func (m *Model) Encode() ([]byte, error) {
	w := &modelfile.Writer{}
	w.Uint(uint64(m.bits))
	w.Float(m.scale)
	w.Uint(uint64(len(m.names)))
	for i, name := range m.names {
		w.String(name)
		w.Float(m.usual[i])
	}
	w.Bytes(packRows(m.rows, len(m.names)))
	return modelfile.Encode(kind, version, w.Body)
}

// Load reads a model file.
func Load(file []byte) (*Model, error) {
	body, err := modelfile.Decode(file, kind, version)
	if err != nil {
		return nil, fmt.Errorf("load language model: %w", err)
	}
	r := modelfile.NewReader(body)
	m := &Model{bits: uint(r.Uint()), scale: r.Float(), index: map[string]int{}}
	for i := r.Count(2); i > 0; i-- {
		m.names = append(m.names, r.String())
		m.usual = append(m.usual, r.Float())
	}
	packed := r.Bytes()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("load language model: %w", err)
	}
	if m.bits > 22 || len(m.names) > lanes || len(m.names) < 2 || len(packed) != len(m.names)<<m.bits {
		return nil, fmt.Errorf("load language model: %w: %d classes, %d bits", modelfile.ErrNotModel, len(m.names), m.bits)
	}
	m.rows = unpackRows(packed, len(m.names))
	m.link()
	return m, nil
}

func (m *Model) link() {
	m.index = make(map[string]int, len(m.names))
	for i, name := range m.names {
		m.index[name] = i
	}
	m.und = m.Index(Undetermined)
}

// packRows puts all weights of a class together: most are zero, and so pack
// far better than row by row.
func packRows(rows []int8, classes int) []byte {
	n := len(rows) / lanes
	out := make([]byte, 0, n*classes)
	for c := range classes {
		for i := range n {
			out = append(out, byte(rows[i*lanes+c]))
		}
	}
	return out
}

func unpackRows(packed []byte, classes int) []int8 {
	n := len(packed) / classes
	rows := make([]int8, n*lanes)
	for c := range classes {
		for i, b := range packed[c*n : (c+1)*n] {
			rows[i*lanes+c] = int8(b)
		}
	}
	return rows
}
