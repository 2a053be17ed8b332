package names

// A crowd from nobody says where is a mixture of countries as well as of ages,
// and its names tell the one as they tell the other: most are common in one
// register and rare in the rest. So all registers' cohorts are fitted together,
// and each age's share is summed over the countries. A register without ages is
// one cohort, which takes its people out of the question.

// ageless is the group of the cohort that tells no ages.
const ageless = -1

// anywhere are the likelihoods of the crowd's names under all cohorts, and the
// age range of each cohort.
func (c *Crowd) anywhere() (rows []observed, ages []int) {
	registers := c.table.registers()
	for _, register := range registers {
		if !c.table.tellsAges(register) {
			ages = append(ages, ageless)
			continue
		}
		for a := range Ages {
			ages = append(ages, a)
		}
	}
	for id, n := range c.counts {
		if c.table.rows[id].Ending {
			continue // an ending says next to nothing about age
		}
		heard := false
		p := make([]float64, 0, len(ages))
		for _, register := range registers {
			likely, has := c.table.cohorts(id, register)
			p, heard = append(p, likely...), heard || has
		}
		if heard {
			rows = append(rows, observed{float64(n), p})
		}
	}
	return rows, ages
}

// registers are the countries that tell anything at all.
func (t *Table) registers() (out []int) {
	for c := range countries {
		if s := &t.sums[c]; t.tellsAges(c) || s.women+s.men > 0 {
			out = append(out, c)
		}
	}
	return out
}

// cohorts is P(name | cohort) of a register's cohorts, and whether the register
// has the name.
func (t *Table) cohorts(id ID, register int) (likely []float64, has bool) {
	if r := &t.rows[id]; t.tellsAges(register) {
		return t.likelihood(r, register), known(r, register)
	}
	women, men := t.people(id, register)
	s := &t.sums[register]
	return []float64{(women + men + stray) / (s.women + s.men)}, women+men >= fewest
}

// anywherePrior takes every country to be as likely as another. Within each, it is
// to lean as it does where the country is told, so it counts for more authors.
func anywherePrior(ages []int) []float64 {
	prior, registers := make([]float64, len(ages)), 0
	for _, a := range ages {
		if a <= 0 { // the first range of a register, or all of it
			registers++
		}
	}
	for k, a := range ages {
		prior[k] = 1 / float64(registers)
		if a != ageless {
			prior[k] *= agePrior()[a]
		}
	}
	return prior
}

// group sums cohorts that share a range, among those that have one, and says how
// much of the whole these are.
func (f fitted) group(ages []int) (grouped fitted, mass float64) {
	grouped = fitted{share: make([]float64, Ages), err: make([]float64, Ages)}
	for k, a := range ages {
		if a != ageless {
			mass += f.share[k]
			grouped.share[a] += f.share[k]
		}
	}
	for i, a := range ages {
		for j, b := range ages {
			if a == b && a != ageless {
				grouped.err[a] += f.cov[i][j]
			}
		}
	}
	for a := range Ages {
		grouped.share[a] /= mass
		grouped.err[a] = root(grouped.err[a]) / mass
	}
	return grouped, mass
}
