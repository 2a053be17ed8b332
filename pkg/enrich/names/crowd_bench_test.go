package names

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkEstimate is what a topic's answer pays for its crowd: 5,000 authors
// with names as common and as rare as the register has them.
func BenchmarkEstimate(b *testing.B) {
	table, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	c := drawn(table, unitedStates, 5000)
	for _, where := range []string{"told", "anywhere"} {
		b.Run(where, func(b *testing.B) {
			c.untold = where == "anywhere"
			for b.Loop() {
				c.Estimate()
			}
		})
	}
}

// drawn is a crowd of a country's register.
func drawn(t *Table, country, authors int) *Crowd {
	rng := rand.New(rand.NewPCG(1, 2))
	var sums []float64
	var all float64
	for i := range t.rows {
		if !t.rows[i].Ending {
			women, men := t.people(ID(i), country)
			all += women + men
		}
		sums = append(sums, all)
	}
	c := NewCrowd(t, Codes()[country])
	for range authors {
		x := rng.Float64() * all
		low, high := 0, len(sums)-1
		for low < high {
			if mid := (low + high) / 2; sums[mid] < x {
				low = mid + 1
			} else {
				high = mid
			}
		}
		c.Add(ID(low))
	}
	return c
}
