// Package near finds posts that say almost the same as one seen shortly before:
// campaigns that change a word, quotations with a comment of two words.
//
// A post's fingerprint (simhash; Charikar 2002) differs in few bits from that
// of a similar post. Fingerprints are kept in four tables, each keyed by one
// quarter of the bits: of two that differ in at most three bits, one quarter is
// equal (Manku, Jain and Das Sarma 2007).
package near

import (
	"math"
	"math/bits"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const (
	quarters = 4
	// Distance is the number of bits by which near-duplicates may differ.
	Distance = 3
	// fewest words make a fingerprint: shorter posts are alike by chance.
	fewest = 6
	// Window is how many fingerprints back a near-duplicate is looked for.
	Window  = 1 << 16
	buckets = 1 << 15
	ways    = 4 // fingerprints looked at under one quarter: the latest
)

// Fingerprint returns the simhash of a scanned post over its words and pairs of
// words, and false when the post is too short to be told from others. Links,
// mentions and punctuation do not count.
func Fingerprint(s *scan.Scanner) (uint64, bool) {
	var v votes
	words, last := 0, uint64(0)
	for i := range s.Tokens {
		t := &s.Tokens[i]
		if t.Kind != scan.Word && t.Kind != scan.Number {
			continue
		}
		v.add(spread(scan.Mix(1, t.Folded)))
		if last != 0 {
			v.add(spread(scan.Mix(last, t.Folded)))
		}
		last = t.Folded
		words++
	}
	if words < fewest {
		return 0, false
	}
	return v.majority(), true
}

func spread(h uint64) uint64 {
	h *= 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// votes counts for each of 64 bits how many hashes have it: the k-th digits of
// all 64 counts stand in one word, so that a hash is added by a few operations.
type votes struct {
	digits [16]uint64 // enough for the most tokens of a scan, twice
	n      uint64
}

func (v *votes) add(h uint64) {
	v.n++
	for k := 0; h != 0; k++ {
		v.digits[k], h = v.digits[k]^h, v.digits[k]&h
	}
}

// majority has the bits that more than half of the hashes have.
func (v *votes) majority() uint64 {
	half := v.n / 2
	var above, equal uint64 = 0, math.MaxUint64
	for k := len(v.digits) - 1; k >= 0; k-- {
		if half>>k&1 == 0 {
			above |= equal & v.digits[k]
			equal &^= v.digits[k]
		} else {
			equal &= v.digits[k]
		}
	}
	return above
}

// Filter remembers the last Window fingerprints in bounded space: 2.5 MiB. What
// it answers depends on those alone, so that a filter to which they are given
// again goes on as the first one. It belongs to one goroutine.
type Filter struct {
	tables [quarters][]bucket
	prints []uint64 // the print with number n stands at n % Window
	next   uint32   // number of the next print, from 1
}

// bucket holds the numbers of the last fingerprints under one quarter.
type bucket [ways]uint32

// NewFilter returns an empty filter.
func NewFilter() *Filter {
	f := &Filter{next: 1}
	for q := range f.tables {
		f.tables[q] = make([]bucket, buckets)
	}
	return f
}

// Seen reports whether a fingerprint is near one of those before it, and
// remembers it.
func (f *Filter) Seen(fingerprint uint64) bool {
	seen := false
	for q := range f.tables {
		b := &f.tables[q][fingerprint>>(16*q)%buckets]
		oldest := 0
		for i, n := range b {
			if n != 0 && f.next-n < Window && bits.OnesCount64(f.prints[n%Window]^fingerprint) <= Distance {
				seen = true
			}
			if f.age(n) > f.age(b[oldest]) {
				oldest = i
			}
		}
		b[oldest] = f.next
	}
	f.keep(fingerprint)
	return seen
}

// age is how long ago a print came; of none, the longest.
func (f *Filter) age(n uint32) uint32 {
	if n == 0 {
		return math.MaxUint32
	}
	return f.next - n
}

func (f *Filter) keep(fingerprint uint64) {
	if len(f.prints) < Window {
		f.prints = append(f.prints, 0)
		if len(f.prints) == 1 { // number 0 is nobody's
			f.prints = append(f.prints, 0)
		}
	}
	f.prints[f.next%Window] = fingerprint
	if f.next++; f.next == math.MaxUint32 {
		f.renumber()
	}
}

// renumber begins the numbers again, long before they would meet.
func (f *Filter) renumber() {
	again := NewFilter()
	f.All(func(p uint64) { again.Seen(p) })
	*f = *again
}

// All gives the remembered fingerprints, oldest first: what Seen is to be called
// with to make the same filter.
func (f *Filter) All(yield func(fingerprint uint64)) {
	first := uint32(1)
	if f.next > Window {
		first = f.next - Window + 1
	}
	for n := first; n < f.next; n++ {
		yield(f.prints[n%Window])
	}
}
