package main

import "math"

// The years of birth of those whom Spain's register counts, and for whom other
// registers can lend the shape.
const (
	firstBorn = 1911
	lastBorn  = 2010
	bornYears = lastBorn - firstBorn + 1
)

// cohorts are people, or weights of them, by year of birth.
type cohorts [bornYears]float64

func (c *cohorts) add(year int, n float64) {
	if year >= firstBorn && year <= lastBorn {
		c[year-firstBorn] += n
	}
}

func (c *cohorts) sum() (n float64) {
	for _, v := range c {
		n += v
	}
	return n
}

func (c *cohorts) addAll(o *cohorts, times float64) {
	for i, v := range o {
		c[i] += times * v
	}
}

func (c *cohorts) times(o *cohorts) cohorts {
	var out cohorts
	for i, v := range c {
		out[i] = v * o[i]
	}
	return out
}

// meanAge is on the first of January of a year.
func (c *cohorts) meanAge(year int) float64 {
	var ages float64
	for i, v := range c {
		ages += v * (float64(year-firstBorn-i) - 0.5)
	}
	return ages / c.sum()
}

// aged is who of those alive in one year is alive in another, earlier or later.
func (c *cohorts) aged(from, to int, life lifetime) cohorts {
	var out cohorts
	for i, v := range c {
		born := firstBorn + i
		out[i] = v * life.survival(to-born) / life.survival(from-born)
	}
	return out
}

// tilt multiplies each year of birth by exp(s·age), with the s that gives the
// mean age told: of all shapes with that mean it departs least from c (Kullback
// 1959, minimum discrimination information).
func (c *cohorts) tilt(year int, mean float64) cohorts {
	low, high := -2.0, 2.0
	var out cohorts
	for range 40 {
		s := (low + high) / 2
		for i, v := range c {
			out[i] = v * math.Exp(s*(float64(year-firstBorn-i)-mean))
		}
		if out.meanAge(year) < mean {
			low = s
		} else {
			high = s
		}
	}
	return out
}

// lifetime is the age at which most people die.
type lifetime float64

const (
	womens  lifetime = 90
	mens    lifetime = 86
	anybody lifetime = 88
)

// survival is a rough share of those born who are alive at an age (Gompertz).
func (l lifetime) survival(age int) float64 {
	return math.Exp(-math.Exp(0.095 * (float64(age) - float64(l))))
}
