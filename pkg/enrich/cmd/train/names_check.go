package main

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

func mapKeys(m map[string]*register) iter.Seq[string] { return maps.Keys(m) }

// checkNames scores people of the registers by name, endings on names held out
// of the table, and crowds drawn with known shares.
func checkNames(r *registers) error {
	t := names.New(r.rows())
	checkPeople(r, t)
	checkEndings(r)
	checkCrowds(r, t, 40)
	return nil
}

// sureness counts people by whether their name says their sex at p >= .9.
type sureness struct{ all, sure, right float64 }

func (s *sureness) add(women, men, female float64) {
	s.all += women + men
	switch {
	case female >= 0.9:
		s.sure, s.right = s.sure+women+men, s.right+women
	case female <= 0.1:
		s.sure, s.right = s.sure+women+men, s.right+men
	}
}

func (s sureness) percent() (sure, right float64) {
	return 100 * s.sure / s.all, 100 * s.right / s.sure
}

// surePeople scores the people of a country's register by the table, and by the
// register itself: no table that goes by the name alone can be surer.
func (r *registers) surePeople(t *names.Table, c int) (have, most sureness) {
	s := scan.New()
	for _, name := range slices.Sorted(mapKeys(r.byName)) {
		reg := r.byName[name]
		women, men := reg.women[c], reg.men[c]
		if women+men == 0 {
			continue
		}
		s.Scan([]byte(name))
		p, ok := t.Female(t.Find(s), names.Codes()[c])
		if !ok {
			p = 0.5
		}
		have.add(women, men, p)
		most.add(women, men, women/(women+men))
	}
	return have, most
}

func checkPeople(r *registers, t *names.Table) {
	var haveAll, mostAll sureness
	for _, c := range []int{0, 1, 2} {
		have, most := r.surePeople(t, c)
		printPeople(names.Codes()[c], have, most)
		haveAll, mostAll = haveAll.plus(have), mostAll.plus(most)
	}
	printPeople("all", haveAll, mostAll)
}

func (s sureness) plus(o sureness) sureness {
	return sureness{s.all + o.all, s.sure + o.sure, s.right + o.right}
}

func printPeople(who string, have, most sureness) {
	sure, right := have.percent()
	ceiling, _ := most.percent()
	fmt.Printf("%s people at p>=.9 %.2f %% (the register itself: %.2f %%), right %.2f %%\n", who, sure, ceiling, right)
}

// checkEndings leaves a fifth of the names out and asks their endings.
func checkEndings(r *registers) {
	train := newRegisters()
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
