package main

import (
	"maps"
	"math"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/names"
)

// births are those of a register by name, each of them known from a first year
// to a last.
type births struct {
	byName      map[string]*cohorts
	first, last int
}

func newBirths(first, last int) *births {
	return &births{byName: map[string]*cohorts{}, first: first, last: last}
}

func (b *births) add(name string, year int, n float64) {
	if b.byName[name] == nil {
		b.byName[name] = &cohorts{}
	}
	b.byName[name].add(year, n)
}

// fashions are the shares of all those born in a year who were given each name,
// smoothed over some years, and beyond the register's years as at its ends.
func (b *births) fashions() []cohorts {
	var all cohorts
	sorted := slices.Sorted(maps.Keys(b.byName))
	for _, name := range sorted {
		all.addAll(b.byName[name], 1)
	}
	all = b.smooth(&all)
	out := make([]cohorts, 0, len(sorted))
	for _, name := range sorted {
		one := b.smooth(b.byName[name])
		for i := range one {
			one[i] /= all[i]
		}
		out = append(out, one)
	}
	return out
}

func (b *births) smooth(c *cohorts) cohorts {
	const wide, far = 2.0, 6 // years
	first, last := b.first-firstBorn, b.last-firstBorn
	var out cohorts
	for i := range out {
		at := min(max(i, first), last)
		var sum float64
		for j := max(first, at-far); j <= min(last, at+far); j++ {
			weight := bell(float64(at-j) / wide)
			out[i] += weight * c[j]
			sum += weight
		}
		out[i] /= sum
	}
	return out
}

func bell(z float64) float64 { return math.Exp(-0.5 * z * z) }

// tenths is a mean age as Spain's register tells it.
type tenths int

func inTenths(mean float64) tenths { return tenths(math.Round(10 * mean)) }

func (t tenths) years() float64 { return float64(t) / 10 }

// shapes tell when the people of a name were born of which only the mean age is
// known.
type shapes struct {
	year   int
	byMean map[tenths]cohorts // each of one person
}

const (
	oldest = 100
	rakes  = 30
)

// newShapes lends the country whose people alive in a year have these mean ages
// the shapes of other registers' names. A mean age gets the average shape of the
// names whose people, were they as many of each age as in this country, would
// have about that mean, tilted to have it exactly. Years of birth are then
// weighted so that all people together are those alive (raking: Deming and
// Stephan 1940). A name's own shape abroad does not help: what was the fashion
// when differs.
func newShapes(lenders []*births, people map[tenths]float64, alive *cohorts, year int) *shapes {
	like := likeMeans(lenders, alive, year)
	s := &shapes{year: year, byMean: map[tenths]cohorts{}}
	weights := *alive
	means := slices.Sorted(maps.Keys(people))
	for range rakes {
		var made cohorts
		for _, t := range means {
			shape := like[min(max(int(math.Round(t.years())), 0), oldest)].times(&weights)
			shape = shape.tilt(year, t.years())
			all := shape.sum()
			for i := range shape {
				shape[i] /= all
			}
			s.byMean[t] = shape
			made.addAll(&shape, people[t])
		}
		for i := range weights {
			weights[i] *= alive[i] / alive.sum() * made.sum() / math.Max(made[i], 1)
		}
	}
	return s
}

// likeMeans are the average fashions of names by the mean age their people would
// have, one lender counting as much as another.
func likeMeans(lenders []*births, alive *cohorts, year int) [oldest + 1]cohorts {
	var exact, out [oldest + 1]cohorts
	for _, l := range lenders {
		fashions := l.fashions()
		for i := range fashions {
			if there := fashions[i].times(alive); there.sum() > 0 {
				exact[int(math.Round(there.meanAge(year)))].addAll(&fashions[i], 1)
			}
		}
	}
	const wide = 2.0 // years
	for mean := range out {
		for other := range exact {
			out[mean].addAll(&exact[other], bell(float64(mean-other)/wide))
		}
	}
	return out
}

// of returns in which age ranges people of a mean age then are in the reference
// year.
func (s *shapes) of(a averaged) (ages [names.Ages]float64) {
	shape := s.byMean[a.mean]
	now := shape.aged(s.year, referenceYear, a.life)
	for i, v := range now {
		if r := rangeOf(referenceYear - firstBorn - i); r >= 0 {
			ages[r] += a.people * v
		}
	}
	return ages
}
