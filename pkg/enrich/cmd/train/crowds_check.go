package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// trial draws crowds from a country's register and reads them with a table.
type trial struct {
	what  string
	truth *registers
	table *names.Table
	c     int
	told  string  // where the crowd is said to be
	bound float64 // of the error of ages at 5,000 authors
}

// ageTrials are each country read by its own register; then, since Spain's own
// ages are made of means and its crowds would only be read with the same
// mistakes they were drawn with, the registers that do tell ages, read as if
// they told means alone and another had to lend the shapes; and last as if they
// told nothing, as of all other countries.
func (r *registers) ageTrials() []trial {
	t := names.New(r.rows())
	return []trial{
		{"US", r, t, 2, "US", 0.125},
		{"AR", r, t, 3, "AR", 0.125},
		{"ES, drawn from its own reconstruction", r, t, 1, "ES", 0.22},
		{"US, not told", r, t, 2, "", 0.125},
		{"AR, not told", r, t, 3, "", 0.125},
		{"ES, not told", r, t, 1, "", 0.22},
		{"US by means, shapes of AR", r, names.New(r.byMeans(2, 3).rows()), 2, "US", 0.20},
		{"AR by means, shapes of US", r, names.New(r.byMeans(3, 2).rows()), 3, "AR", 0.20},
		{"ES by other registers", r, names.New(r.withoutAges(1).rows()), 1, "ES", 0.55},
		{"AR by other registers", r, names.New(r.withoutAges(3).rows()), 3, "AR", 0.55},
	}
}

func (r *registers) withoutAges(country int) *registers {
	out := newRegisters()
	for name, reg := range r.byName {
		one := *reg
		one.ages[country] = [names.Ages]float64{}
		out.byName[name] = &one
	}
	return out
}

// byMeans are the registers with one country's ages rebuilt from what Spain's
// register would tell of them.
func (r *registers) byMeans(country, lender int) *registers {
	out := r.withoutAges(country)
	var alive cohorts
	var all []averaged
	for _, name := range slices.Sorted(mapKeys(r.byName)) {
		b := r.births[country].byName[name]
		if b == nil {
			continue
		}
		var there cohorts
		for i, n := range b {
			there[i] = n * anybody.survival(spainYear-firstBorn-i)
		}
		if people := there.sum(); people > 0 {
			alive.addAll(&there, 1)
			all = append(all, averaged{name, people, inTenths(there.meanAge(spainYear)), anybody})
		}
	}
	out.rebuildAges(country, all, []*births{r.births[lender]}, &alive, spainYear)
	return out
}

// crowdScore sums up how far estimates of a crowd's shares were off.
type crowdScore struct {
	trials, shown int
	off           float64 // L1, summed over the estimates shown
	bars, inside  int
}

func (s *crowdScore) add(have []names.Share, truth []float64) {
	s.trials++
	if len(have) == 0 {
		return
	}
	s.shown++
	for i, h := range have {
		s.off += math.Abs(h.Share - truth[i])
		s.bars++
		if h.Low <= truth[i] && truth[i] <= h.High {
			s.inside++
		}
	}
}

func (s *crowdScore) error() float64    { return s.off / float64(s.shown) }
func (s *crowdScore) coverage() float64 { return 100 * float64(s.inside) / float64(s.bars) }

func (s *crowdScore) String() string {
	if s.shown == 0 {
		return fmt.Sprintf("none of %d shown", s.trials)
	}
	return fmt.Sprintf("%d of %d shown, L1 %.3f, inside the interval %.0f %%", s.shown, s.trials, s.error(), s.coverage())
}

// Crowds are drawn around the mix that estimates lean to, and around that of a
// programme for the old, which they must find against it.
var audiences = []struct {
	what string
	mix  [names.Ages]float64
}{
	{"as who posts", [...]float64{0.08, 0.2, 0.26, 0.24, 0.14, 0.08}},
	{"older", [...]float64{0.03, 0.08, 0.14, 0.25, 0.27, 0.23}},
}

// ages draws crowds of random mixtures and reads them.
func (t trial) ages(mix [names.Ages]float64, authors, trials int) *crowdScore {
	rng := rand.New(rand.NewPCG(uint64(authors), uint64(t.c)))
	urns, ids := newUrns(t.truth, t.c), t.ids()
	score := &crowdScore{}
	for range trials {
		truth := mixture(rng, mix)
		crowd := names.NewCrowd(t.table, t.told)
		for range authors {
			crowd.Add(ids[urns[pick(rng, truth)].draw(rng)])
		}
		score.add(crowd.Estimate().Ages, truth)
	}
	return score
}

func (t trial) sexes(authors, trials int) *crowdScore {
	rng := rand.New(rand.NewPCG(uint64(authors), uint64(t.c)))
	urns, ids := newSexUrns(t.truth, t.c), t.ids()
	score := &crowdScore{}
	for range trials {
		women := 0.2 + 0.6*rng.Float64()
		truth := []float64{women, 1 - women}
		crowd := names.NewCrowd(t.table, names.Codes()[t.c])
		for range authors {
			crowd.Add(ids[urns[pick(rng, truth)].draw(rng)])
		}
		score.add(crowd.Estimate().Gender, truth)
	}
	return score
}

// ids are the rows of all the register's names.
func (t trial) ids() map[string]names.ID {
	s, out := scan.New(), map[string]names.ID{}
	for name := range t.truth.byName {
		s.Scan([]byte(name))
		out[name] = t.table.Find(s)
	}
	return out
}

func checkCrowds(r *registers, t *names.Table, trials int) {
	ages := r.ageTrials()
	for _, n := range []int{500, 5000, 50000} {
		for c, code := range names.Codes() {
			if c != 3 {
				fmt.Printf("women in crowds of %d in %s: %v\n", n, code, trial{what: code, truth: r, table: t, c: c}.sexes(n, trials))
			}
		}
		for _, a := range audiences {
			for _, t := range ages {
				fmt.Printf("ages in crowds of %d, %s, %s: %v\n", n, a.what, t.what, t.ages(a.mix, n, trials))
			}
		}
	}
}

func mixture(rng *rand.Rand, around [names.Ages]float64) []float64 {
	out := around[:]
	var sum float64
	for i := range out {
		out[i] *= math.Exp(rng.NormFloat64() * 0.6)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
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
	out := [2]*urn{{}, {}}
	for _, name := range slices.Sorted(mapKeys(r.byName)) {
		for k, n := range []float64{r.byName[name].women[c], r.byName[name].men[c]} {
			if n > 0 {
				out[k].add(name, n)
			}
		}
	}
	return out
}
