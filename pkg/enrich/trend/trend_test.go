package trend

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCounterLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 8).Draw(t, "size")
		c, truth, total := NewCounter(size), map[uint64]uint64{}, uint64(0)
		for _, key := range rapid.SliceOf(rapid.Uint64Range(0, 20)).Draw(t, "keys") {
			c.Add(key, 1)
			truth[key]++
			total++
		}
		var sum uint64
		for _, x := range c.Top(size) {
			sum += x.N
			if x.N < truth[x.Key] || x.N-x.Error > truth[x.Key] {
				t.Fatalf("%+v, true count %d", x, truth[x.Key])
			}
		}
		if sum != total {
			t.Fatalf("counts sum to %d of %d", sum, total)
		}
		for key, n := range truth { // a key of more than 1/size of the stream is never lost
			if n*uint64(size) > total && c.N(key) == 0 {
				t.Fatalf("lost key %d with %d of %d", key, n, total)
			}
		}
	})
}

func TestMerge(t *testing.T) {
	a, b := NewCounter(3), NewCounter(3)
	a.Add(1, 5)
	a.Add(2, 3)
	b.Add(1, 2)
	b.Add(3, 4)
	a.Merge(b)
	if d := cmp.Diff([]Count{{Key: 1, N: 7}, {Key: 3, N: 4}, {Key: 2, N: 3}}, a.Top(9)); d != "" {
		t.Error(d)
	}
	a.Reset()
	if len(a.Top(3)) != 0 || a.N(1) != 0 {
		t.Error("reset forgot nothing")
	}
}

func TestRisers(t *testing.T) {
	now, before := NewCounter(10), NewCounter(10)
	now.Add(1, 100) // always that frequent
	before.Add(1, 6000)
	now.Add(2, 40) // new
	now.Add(3, 30) // four times the usual
	before.Add(3, 450)
	now.Add(4, 1) // one mention
	var keys []uint64
	for _, r := range Risers(now, before, 60, 5, 3) {
		keys = append(keys, r.Key)
	}
	if d := cmp.Diff([]uint64{2, 3}, keys); d != "" {
		t.Error(d)
	}
}
