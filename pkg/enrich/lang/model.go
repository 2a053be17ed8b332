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
	rowWords = lanes / 8
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
	rows  []uint64 // rowWords a row, each weight with 128 added
	bits  uint     // log2 of the number of rows
	scale float32  // weight of one unit, temperature included
	usual []float32
	und   int
}

// Names lists the classes, "und" among them.
func (m *Model) Names() []string { return append([]string(nil), m.names...) }

// Index returns the class of a language code, or -1. Case and region do not
// count: "pt-BR" is "pt".
func (m *Model) Index(code string) int { return m.IndexBytes([]byte(code)) }

// IndexBytes is Index for bytes.
func (m *Model) IndexBytes(code []byte) int {
	var low [8]byte
	n := 0
	for _, c := range code {
		if c == '-' || c == '_' {
			break
		}
		if n == len(low) {
			return -1
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		low[n] = c
		n++
	}
	if i, ok := m.index[string(low[:n])]; ok {
		return i
	}
	switch string(low[:n]) { // what other registries call them
	case "nb", "nn":
		return m.IndexBytes([]byte{'n', 'o'})
	case "iw":
		return m.IndexBytes([]byte{'h', 'e'})
	case "in":
		return m.IndexBytes([]byte{'i', 'd'})
	case "fil":
		return m.IndexBytes([]byte{'t', 'l'})
	}
	return -1
}

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
	w.Bytes(m.pack())
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
	m.rows = make([]uint64, rowWords<<m.bits)
	for i := range m.rows {
		m.rows[i] = unbiased
	}
	for c := range m.names {
		for i, b := range packed[c<<m.bits : (c+1)<<m.bits] {
			m.set(i, c, int8(b))
		}
	}
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

const unbiased = 0x8080808080808080 // eight weights of zero

// set writes a weight over one that is zero.
func (m *Model) set(row, class int, v int8) {
	at := &m.rows[row*rowWords+class/8]
	*at ^= uint64(uint8(v)) << (8 * (class % 8))
}

func (m *Model) weight(row, class int) int8 {
	return int8(uint8(m.rows[row*rowWords+class/8]>>(8*(class%8))) ^ 0x80)
}

// pack puts all weights of a class together: most are zero, and so compress far
// better than row by row.
func (m *Model) pack() []byte {
	out := make([]byte, 0, len(m.names)<<m.bits)
	for c := range m.names {
		for i := range 1 << m.bits {
			out = append(out, byte(m.weight(i, c)))
		}
	}
	return out
}
