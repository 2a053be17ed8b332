// Package near finds posts that say almost the same as one seen shortly before:
// campaigns that change a word, quotations with a comment of two words.
//
// A post's fingerprint (simhash; Charikar 2002) differs in few bits from that
// of a similar post. Fingerprints are kept in four tables, each keyed by one
// quarter of the bits: of two that differ in at most three bits, one quarter is
// equal (Manku, Jain and Das Sarma 2007).
package near

import (
	"math/bits"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const (
	quarters = 4
	// Distance is the number of bits by which near-duplicates may differ.
	Distance = 3
	// fewest words make a fingerprint: shorter posts are alike by chance.
	fewest = 6
	ways   = 4 // fingerprints remembered under one quarter
)

// Fingerprint returns the simhash of a scanned post over its words and pairs of
// words, and false when the post is too short to be told from others. Links,
// mentions and punctuation do not count.
func Fingerprint(s *scan.Scanner) (uint64, bool) {
	var sums [64]int32
	words, last := 0, uint64(0)
	for i := range s.Tokens {
		t := &s.Tokens[i]
		if t.Kind != scan.Word && t.Kind != scan.Number {
			continue
		}
		add(&sums, scan.Mix(1, t.Folded))
		if last != 0 {
			add(&sums, scan.Mix(last, t.Folded))
		}
		last = t.Folded
		words++
	}
	if words < fewest {
		return 0, false
	}
	var f uint64
	for b, n := range sums {
		if n > 0 {
			f |= 1 << b
		}
	}
	return f, true
}

func add(sums *[64]int32, h uint64) {
	h *= 0x9E3779B97F4A7C15
	h ^= h >> 29
	for b := range sums {
		sums[b] += int32(h>>b&1)*2 - 1
	}
}

// Filter remembers recent fingerprints in bounded space: 2 MiB. It belongs to
// one goroutine.
type Filter struct {
	tables [quarters][]bucket
}

// bucket holds the last fingerprints whose quarter is its number.
type bucket struct {
	prints [ways]uint64
	next   uint8
}

// NewFilter returns an empty filter.
func NewFilter() *Filter {
	f := &Filter{}
	for q := range f.tables {
		f.tables[q] = make([]bucket, 1<<16)
	}
	return f
}

// Seen reports whether a fingerprint is near one of those before it, and
// remembers it.
func (f *Filter) Seen(fingerprint uint64) bool {
	seen := false
	for q := range f.tables {
		b := &f.tables[q][fingerprint>>(16*q)&0xFFFF]
		for _, p := range b.prints {
			if p != 0 && bits.OnesCount64(p^fingerprint) <= Distance {
				seen = true
			}
		}
		b.prints[b.next%ways] = fingerprint
		b.next++
	}
	return seen
}
