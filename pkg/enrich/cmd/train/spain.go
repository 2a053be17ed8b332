package main

import (
	"strconv"
	"strings"
)

// spainYear is the first of January that Spain's register tells of. The files
// do not say; they count 681,108 María Carmen of 51.1 years and 765,138 Antonio
// of 52.7. INE told of 674,000 and 740,000 in 2013, of 656,276 of 57.0 years and
// 678,425 of 55.9 in 2018.
const spainYear = 2011

// spainAlive are the people of Spain by year of birth: INE, Padrón continuo of 1
// January 2013, in groups of five years of age, taken back to spainYear.
func spainAlive() cohorts {
	const counted = 2013
	groups := [...]float64{
		2395732, 2444955, 2234950, 2181316, 2476109, 2953136, 3746504, 4125053, 3891290, 3696951,
		3309343, 2816529, 2522054, 2289339, 1731551, 1739868, 1379673, 798065, 312427, 72851, 12087,
	}
	var c cohorts
	for g, n := range groups {
		for age := 5 * g; age < 5*g+5; age++ {
			c.add(counted-1-age, n/5)
		}
	}
	return c.aged(counted, spainYear, anybody)
}

// averaged is a name of one sex of which a register tells only how many bear it
// and how old they are on average.
type averaged struct {
	name   string
	people float64
	mean   tenths
	life   lifetime
}

func (r *registers) readSpain(dir string) error {
	var all []averaged
	for _, file := range []string{"es_ine_mujeres.csv.gz", "es_ine_hombres.csv.gz"} {
		lines, err := readLines(dir, file)
		if err != nil {
			return err
		}
		for _, l := range lines {
			f := strings.Split(l, ",")
			people, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				continue
			}
			n, life := r.of(f[0]), womens
			if file == "es_ine_mujeres.csv.gz" {
				n.women[1] += people
			} else {
				n.men[1] += people
				life = mens
			}
			if mean, err := strconv.ParseFloat(f[2], 64); err == nil {
				all = append(all, averaged{f[0], people, inTenths(mean), life})
			}
		}
	}
	alive := spainAlive()
	r.rebuildAges(1, all, []*births{r.births[2], r.births[3]}, &alive, spainYear)
	return nil
}

// rebuildAges fills in the ages of a country's names from their means.
func (r *registers) rebuildAges(country int, all []averaged, lenders []*births, alive *cohorts, year int) {
	people := map[tenths]float64{}
	for _, a := range all {
		people[a.mean] += a.people
	}
	s := newShapes(lenders, people, alive, year)
	for _, a := range all {
		n := r.of(a.name)
		for i, v := range s.of(a) {
			n.ages[country][i] += v
		}
	}
}
