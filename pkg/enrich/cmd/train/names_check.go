package main

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

func mapKeys(m map[string]*register) iter.Seq[string] { return maps.Keys(m) }

// checkNames scores people of the registers by name, endings on names held out
// of the table, and crowds drawn with known shares.
func checkNames(r *registers) error {
	t := names.New(r.rows())
	s := scan.New()
	for c, code := range names.Codes() {
		var all, sure, right float64
		for _, name := range slices.Sorted(mapKeys(r.byName)) {
			reg := r.byName[name]
			people := reg.women[c] + reg.men[c]
			if people == 0 {
				continue
			}
			s.Scan([]byte(name))
			all += people
			if p, ok := t.Female(t.Find(s), code); ok && (p >= 0.9 || p <= 0.1) {
				sure += people
				if p > 0.5 {
					right += reg.women[c]
				} else {
					right += reg.men[c]
				}
			}
		}
		if all > 0 {
			fmt.Printf("%s people at p>=.9 %.2f %%, right %.2f %%\n", code, 100*sure/all, 100*right/sure)
		}
	}
	checkEndings(r)
	for _, n := range []int{500, 5000, 50000} {
		checkCrowds(r, t, n)
	}
	return nil
}

// checkEndings leaves a fifth of the names out and asks their endings.
func checkEndings(r *registers) {
	train := &registers{byName: map[string]*register{}}
	for i, name := range slices.Sorted(mapKeys(r.byName)) {
		if i%5 != 0 {
			train.byName[name] = r.byName[name]
		}
	}
	t, s := names.New(train.rows()), scan.New()
	var all, sure, right, said float64
	for i, name := range slices.Sorted(mapKeys(r.byName)) {
		reg := r.byName[name]
		women, men := reg.women[0]+reg.women[1]+reg.women[2], reg.men[0]+reg.men[1]+reg.men[2]
		if i%5 != 0 || women+men == 0 {
			continue
		}
		s.Scan([]byte(name))
		all++
		p, ok := t.Female(t.Find(s), "")
		if !ok {
			continue
		}
		said++
		if p >= 0.9 || p <= 0.1 {
			sure++
			if (p > 0.5) == (women > men) {
				right++
			}
		}
	}
	fmt.Printf("unknown names: %.1f %% answered, %.1f %% at p>=.9, of those %.2f %% right\n", 100*said/all, 100*sure/all, 100*right/sure)
}

// checkCrowds draws crowds of random mixtures and measures the error.
func checkCrowds(r *registers, t *names.Table, n int) {
	s := scan.New()
	for _, c := range []int{2, 3, 1} {
		rng := rand.New(rand.NewPCG(uint64(n), uint64(c)))
		urns := newUrns(r, c)
		var ageErr, sexErr, inside, bars float64
		const trials = 12
		for range trials {
			truth := mixture(rng)
			crowd := names.NewCrowd(t, names.Codes()[c])
			for range n {
				s.Scan([]byte(urns[pick(rng, truth)].draw(rng)))
				crowd.Add(t.Find(s))
			}
			e := crowd.Estimate()
			for a := range e.Ages {
				ageErr += math.Abs(e.Ages[a].Share-truth[a]) / trials
				bars++
				if e.Ages[a].Low <= truth[a] && truth[a] <= e.Ages[a].High {
					inside++
				}
			}
		}
		women := newSexUrns(r, c)
		for range trials {
			f := 0.2 + 0.6*rng.Float64()
			crowd := names.NewCrowd(t, names.Codes()[c])
			for range n {
				k := 0
				if rng.Float64() > f {
					k = 1
				}
				if women[k] == nil {
					break
				}
				s.Scan([]byte(women[k].draw(rng)))
				crowd.Add(t.Find(s))
			}
			if e := crowd.Estimate(); len(e.Gender) > 0 {
				sexErr += math.Abs(e.Gender[0].Share-f) / trials
			}
		}
		fmt.Printf("crowds of %d in %s: ages L1 %.3f, inside the interval %.0f %%; women off by %.4f\n", n, names.Codes()[c], ageErr, 100*inside/max(bars, 1), sexErr)
	}
}

func mixture(rng *rand.Rand) []float64 {
	base := []float64{0.08, 0.2, 0.26, 0.24, 0.14, 0.08}
	var sum float64
	for i := range base {
		base[i] *= math.Exp(rng.NormFloat64() * 0.6)
		sum += base[i]
	}
	for i := range base {
		base[i] /= sum
	}
	return base
}

func pick(rng *rand.Rand, shares []float64) int {
	x := rng.Float64()
	for i, v := range shares {
		if x -= v; x < 0 {
			return i
		}
	}
	return len(shares) - 1
}

// urn draws names by the people who have them.
type urn struct {
	names []string
	sums  []float64
}

func (u *urn) add(name string, n float64) {
	last := 0.0
	if len(u.sums) > 0 {
		last = u.sums[len(u.sums)-1]
	}
	u.names, u.sums = append(u.names, name), append(u.sums, last+n)
}

func (u *urn) draw(rng *rand.Rand) string {
	i := sort.SearchFloat64s(u.sums, rng.Float64()*u.sums[len(u.sums)-1])
	return u.names[min(i, len(u.names)-1)]
}

func newUrns(r *registers, c int) []*urn {
	out := make([]*urn, names.Ages)
	for a := range out {
		out[a] = &urn{}
		for _, name := range slices.Sorted(mapKeys(r.byName)) {
			if n := r.byName[name].ages[c][a]; n > 0 {
				out[a].add(name, n)
			}
		}
	}
	return out
}

func newSexUrns(r *registers, c int) [2]*urn {
	var out [2]*urn
	for _, name := range slices.Sorted(mapKeys(r.byName)) {
		for k, n := range []float64{r.byName[name].women[c], r.byName[name].men[c]} {
			if n > 0 {
				if out[k] == nil {
					out[k] = &urn{}
				}
				out[k].add(name, n)
			}
		}
	}
	return out
}
