package topic

import (
	"math"
	"math/bits"
	"slices"
)

// Sketch counts distinct things in bounded space (HyperLogLog; Flajolet et al.
// 2007), 4,096 registers: its standard error is 1.6 %. While it is small it holds
// the hashes themselves, shortened to 32 bits, and is all but exact.
//
// It is written here because its bytes must be canonical (equal sketches, equal
// bytes), because counting must not allocate, and because a hostile blob must not
// cost memory; sums agree in any order.
type Sketch struct {
	few  []uint32 // sorted; nil once regs are in use
	regs []uint8
}

const (
	sketchBits = 12
	registers  = 1 << sketchBits
	// fewHashes is where hashes take as much room as registers.
	fewHashes = 512
)

// SketchError is the standard error of Sketch.Count, relative.
const SketchError = 1.04 / 64

// Count counts the thing with that hash, all of whose bits must be mixed.
func (s *Sketch) Count(hash uint64) {
	short := uint32(hash >> 32)
	if s.regs != nil {
		s.register(short)
		return
	}
	at, found := slices.BinarySearch(s.few, short)
	if found {
		return
	}
	if len(s.few) < fewHashes {
		s.few = slices.Insert(s.few, at, short)
		return
	}
	s.spread()
	s.register(short)
}

// spread turns hashes into registers.
func (s *Sketch) spread() {
	s.regs = make([]uint8, registers)
	for _, short := range s.few {
		s.register(short)
	}
	s.few = nil
}

// register notes how many zeros follow the hash's first bits: 20 bits are left
// for them, enough for ten million things.
func (s *Sketch) register(short uint32) {
	rank := uint8(bits.LeadingZeros32(short<<sketchBits|1<<(sketchBits-1))) + 1
	if r := &s.regs[short>>(32-sketchBits)]; rank > *r {
		*r = rank
	}
}

// Add counts all that o counted.
func (s *Sketch) Add(o *Sketch) {
	for _, short := range o.few {
		s.Count(uint64(short) << 32)
	}
	if o.regs == nil {
		return
	}
	if s.regs == nil {
		s.spread()
	}
	for i, r := range o.regs {
		s.regs[i] = max(s.regs[i], r)
	}
}

// IsZero says whether nothing is counted.
func (s *Sketch) IsZero() bool { return len(s.few) == 0 && s.regs == nil }

// Distinct estimates how many different things were counted (Ertl 2017, which
// needs no tables for small and large numbers).
func (s *Sketch) Distinct() int64 {
	if s.regs == nil {
		return int64(len(s.few))
	}
	const q = 32 - sketchBits
	var histogram [q + 2]int
	for _, r := range s.regs {
		histogram[min(int(r), q+1)]++
	}
	z := registers * tau(1-float64(histogram[q+1])/registers)
	for k := q; k >= 1; k-- {
		z = 0.5 * (z + float64(histogram[k]))
	}
	z += registers * sigma(float64(histogram[0])/registers)
	return int64(math.Round(math.Min(registers/(2*math.Ln2)*registers/z, 1<<32))) // beyond 32 bits it cannot tell
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		last := z
		z += x * y
		y += y
		if z == last {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		last := z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
		if z == last {
			return z / 3
		}
	}
}
