package main

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// fashion is a bell of births around a year.
func fashion(year, wide float64) cohorts {
	var c cohorts
	for i := range c {
		c[i] = 1000 * bell((float64(firstBorn+i)-year)/wide)
	}
	return c
}

func TestTiltHasTheMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := fashion(rapid.Float64Range(1930, 2005).Draw(t, "year"), rapid.Float64Range(12, 40).Draw(t, "wide"))
		want := rapid.Float64Range(3, 85).Draw(t, "mean")
		tilted := c.tilt(spainYear, want)
		if have := tilted.meanAge(spainYear); math.Abs(have-want) > 0.01 {
			t.Fatalf("have a mean of %.2f, want %.2f", have, want)
		}
	})
}

func TestAgedAndBack(t *testing.T) {
	c := fashion(1970, 20)
	there := c.aged(2011, 2025, anybody)
	back := there.aged(2025, 2011, anybody)
	for i := range c {
		if there[i] > c[i] || math.Abs(back[i]-c[i]) > 1e-6 {
			t.Errorf("born in %d: %.3f, then %.3f, back %.3f", firstBorn+i, c[i], there[i], back[i])
		}
	}
}

// TestShapesMakeUpTheCountry has names of all fashions abroad, and a country
// that knows their mean ages alone.
func TestShapesMakeUpTheCountry(t *testing.T) {
	abroad, alive, people := newBirths(1930, 2010), cohorts{}, map[tenths]float64{}
	for i := range 30 {
		name, c := string(rune('a'+i)), fashion(1928+3*float64(i), 14)
		for y, n := range c {
			if born := firstBorn + y; born >= abroad.first {
				abroad.add(name, born, n)
			}
		}
		home := fashion(1930+3*float64(i), 14) // what was the fashion abroad came here two years later
		alive.addAll(&home, 1)
		people[inTenths(home.meanAge(spainYear))] += home.sum()
	}
	s := newShapes([]*births{abroad}, people, &alive, spainYear)
	var made cohorts
	for mean, n := range people {
		shape := s.byMean[mean]
		if have := shape.meanAge(spainYear); math.Abs(have-mean.years()) > 0.05 || math.Abs(shape.sum()-1) > 1e-9 {
			t.Errorf("mean %v: the shape has %.2f, and %.3f people", mean.years(), have, shape.sum())
		}
		made.addAll(&shape, n)
	}
	var off float64
	for i := range made {
		off += math.Abs(made[i] - alive[i])
	}
	if off > 0.03*alive.sum() {
		t.Errorf("all names together are off the country's people by %.1f %%", 100*off/alive.sum())
	}
	want := fashion(1975, 14)
	have := s.byMean[inTenths(want.meanAge(spainYear))]
	off = 0
	for i := range want {
		off += math.Abs(have[i] - want[i]/want.sum())
	}
	if off > 0.1 {
		t.Errorf("a name's years of birth are off by %.2f", off)
	}
}

func TestSurvival(t *testing.T) {
	for age, want := range map[int]float64{0: 1, 65: 0.89, 85: 0.47, 100: 0.04} {
		if have := anybody.survival(age); math.Abs(have-want) > 0.02 {
			t.Errorf("at %d: have %.3f, want %.2f", age, have, want)
		}
	}
}
