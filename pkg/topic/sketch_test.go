package topic

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/enrich/names"
)

func authorHash(n int) uint64 {
	return nameOf([]byte("x"), []byte{byte(n), byte(n >> 8), byte(n >> 16)})
}

func TestSketchCounts(t *testing.T) {
	var s Sketch
	counted := 0
	for _, n := range []int{0, 1, 100, 512, 513, 1000, 5000, 20_000, 100_000, 1_000_000} {
		for ; counted < n; counted++ {
			s.Count(authorHash(counted))
			s.Count(authorHash(counted / 2)) // seen before
		}
		off := math.Abs(float64(s.Distinct())-float64(n)) / math.Max(float64(n), 1)
		if n <= fewHashes && off > 0.002 || off > 3*SketchError {
			t.Errorf("%d: counted %d", n, s.Distinct())
		}
	}
}

func TestSketchesSumInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := make([]Sketch, 3)
		var whole Sketch
		for i := range parts {
			from := rapid.IntRange(0, 2000).Draw(t, "from")
			for n := from; n < from+rapid.IntRange(0, 700).Draw(t, "n"); n++ {
				parts[i].Count(authorHash(n))
				whole.Count(authorHash(n))
			}
		}
		var a, b Sketch
		for i := range parts {
			a.Add(&parts[i])
			b.Add(&parts[2-i])
		}
		b.Add(&a) // what is there already changes nothing
		if !reflect.DeepEqual(a.regs, whole.regs) || !reflect.DeepEqual(b.regs, whole.regs) ||
			a.Distinct() != whole.Distinct() || b.Distinct() != whole.Distinct() {
			t.Fatalf("%d and %d of %d", a.Distinct(), b.Distinct(), whole.Distinct())
		}
	})
}

func TestCrowdsSumInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := make([]Crowd, 3)
		var whole Crowd
		for i := range parts {
			from := rapid.IntRange(0, 3000).Draw(t, "from")
			for n := from; n < from+rapid.IntRange(0, 1500).Draw(t, "n"); n++ {
				name := names.ID(rapid.IntRange(0, 9).Draw(t, "salt")*n%100 - 1)
				parts[i].Count(authorHash(n), name)
				whole.Count(authorHash(n), name)
			}
		}
		var a, b Crowd
		for i := range parts {
			a.Add(&parts[i])
			b.Add(&parts[2-i])
		}
		b.Add(&a)
		if !a.equal(&whole) || !b.equal(&whole) || whole.Len() > maxCrowd {
			t.Fatalf("%d, %d and %d members", a.Len(), b.Len(), whole.Len())
		}
	})
}
