package names

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// climbed is where so many rounds of expectation–maximisation lead.
func climbed(m *mixture, rounds int) []float64 {
	share := slices.Clone(m.prior)
	for range rounds {
		next := make([]float64, len(share))
		var all float64
		for k, p := range m.prior {
			next[k] = m.pull * p
		}
		for _, r := range m.rows {
			mass := dot(share, r.p)
			for k := range next {
				next[k] += r.n * share[k] * r.p[k] / mass
			}
		}
		for _, v := range next {
			all += v
		}
		for k := range share {
			share[k] = next[k] / all
		}
	}
	return share
}

// overlapping are names of people spread widely around their mean age.
func overlapping() []observed {
	var rows []observed
	for mean := 8.0; mean < 85; mean += 2 {
		r := observed{n: 100 + mean*mean/4, p: make([]float64, Ages)}
		for a, middle := range []float64{15, 21, 30, 42, 57, 75} {
			off := (middle - mean) / 24
			r.p[a] = math.Exp(-off * off)
		}
		rows = append(rows, r)
	}
	return rows
}

func TestFitIsWhereExpectationMaximisationEnds(t *testing.T) {
	m := &mixture{overlapping(), agePrior(), 15}
	have := fit(m.rows, m.prior, m.pull).share
	for k, want := range climbed(m, 200_000) {
		if math.Abs(have[k]-want) > 1e-4 {
			t.Errorf("range %d: have %.5f, want %.5f", k, have[k], want)
		}
	}
}

func TestFitLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, Ages).Draw(t, "cohorts")
		prior := make([]float64, k)
		for i := range prior {
			prior[i] = 1 / float64(k)
		}
		rows := make([]observed, rapid.IntRange(1, 20).Draw(t, "names"))
		for i := range rows {
			rows[i] = observed{n: float64(rapid.IntRange(1, 5000).Draw(t, "n")), p: make([]float64, k)}
			for j := range k {
				rows[i].p[j] = math.Exp(rapid.Float64Range(-25, 0).Draw(t, "p"))
			}
		}
		m := &mixture{rows, prior, 1}
		f := fit(rows, prior, m.pull)
		var sum float64
		for i, s := range f.share {
			sum += s
			if !(s > 0) || !(f.err[i] >= 0) || math.IsInf(f.err[i], 0) {
				t.Fatalf("share %v, error %v", f.share, f.err)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("shares sum to %v", sum)
		}
		if rough := climbed(m, 100); m.height(f.share) < m.height(rough)-1e-6 {
			t.Fatalf("%v is likelier than %v", rough, f.share)
		}
	})
}

// TestRareNamesLeanNowhere has few young people in the register: rare names must
// not count for them just because little is known of a rare name.
func TestRareNamesLeanNowhere(t *testing.T) {
	people := [Ages]float64{1200, 6000, 12000, 24000, 24000, 24000}
	var rows []Row
	for i := range 600 {
		r := Row{Hash: uint64(i + 1)}
		for a := range Ages {
			n := people[a] / 600 * 0.5
			if i%Ages == a {
				n *= Ages + 1
			}
			r.Ages[unitedStates][a] = PackAge(n)
		}
		rows = append(rows, r)
	}
	table := New(rows)
	truth := []float64{0.05, 0.15, 0.2, 0.25, 0.2, 0.15}
	c := NewCrowd(table, "US")
	for i := range rows {
		var share float64
		for a := range Ages {
			share += truth[a] * unpackAge(rows[i].Ages[unitedStates][a]) / table.sums[unitedStates].ages[a]
		}
		for range int(math.Round(200_000 * share)) {
			c.Add(ID(i))
		}
	}
	ages := c.Estimate().Ages
	if len(ages) != Ages {
		t.Fatalf("have %d age ranges", len(ages))
	}
	for a, s := range ages {
		if math.Abs(s.Share-truth[a]) > 0.01 {
			t.Errorf("%s: have %.3f, want %.3f", s.Label, s.Share, truth[a])
		}
	}
}
