package names

import "math"

// Hidden is the smallest crowd that is reported at all.
const Hidden = 500

// Crowd counts the names of a show's authors in a window. It belongs to one
// goroutine; crowds of several workers are merged.
type Crowd struct {
	table   *Table
	column  int  // the register of its ages
	sexes   int  // and of its sexes
	untold  bool // nobody says where
	counts  map[ID]uint32
	authors int
	unnamed int
}

// NewCrowd returns an empty crowd; country is where the audience is, "" when it
// is anywhere.
func NewCrowd(t *Table, countryCode string) *Crowd {
	return &Crowd{table: t, column: country(countryCode), sexes: kin(countryCode), untold: countryCode == "", counts: map[ID]uint32{}}
}

// Add counts one author.
func (c *Crowd) Add(id ID) {
	c.authors++
	if id < 0 {
		c.unnamed++
		return
	}
	c.counts[id]++
}

// Merge adds another crowd of the same table.
func (c *Crowd) Merge(o *Crowd) {
	c.authors += o.authors
	c.unnamed += o.unnamed
	for id, n := range o.counts {
		c.counts[id] += n
	}
}

// Share is an estimated share with its 95 % interval.
type Share struct {
	Label string  `json:"label"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Estimate is what a crowd's names say.
type Estimate struct {
	Method  string  `json:"method"`
	Authors int     `json:"authors"`
	Named   int     `json:"named"`  // authors whose name said something
	Hidden  bool    `json:"hidden"` // too few authors: there are no shares
	Gender  []Share `json:"gender,omitempty"`
	Ages    []Share `json:"ages,omitempty"`
}

// Method names how shares are estimated.
const Method = "likeliest mixture of cohorts by first names"

// Estimate returns the crowd's shares; none below Hidden authors.
func (c *Crowd) Estimate() Estimate {
	e := Estimate{Method: Method, Authors: c.authors, Named: c.authors - c.unnamed}
	if e.Named < Hidden {
		e.Hidden = true
		return e
	}
	e.Gender = shares(fit(c.genderRows(), []float64{0.5, 0.5}, 1), []string{"female", "male"}, 0.01)
	e.Ages = c.ages()
	return e
}

func (c *Crowd) ages() []Share {
	labels := AgeLabels()
	if c.untold {
		rows, ages := c.anywhere()
		n := total(rows)
		if n < Hidden {
			return nil
		}
		if f, told := fit(rows, anywherePrior(ages), countries*agePull(n)).group(ages); told >= 0.5 {
			return shares(f, labels[:], rebuilt)
		}
	}
	rows := c.ageRows()
	if total(rows) < Hidden {
		return nil
	}
	pull, floor := c.ageTrust(total(rows))
	return shares(fit(rows, agePrior(), pull), labels[:], floor)
}

const stray = 1 // people who may bear a name against the register

// observed is a name with the likelihood of each cohort, up to a factor.
type observed struct {
	n float64
	p []float64
}

func total(rows []observed) (n float64) {
	for _, r := range rows {
		n += r.n
	}
	return n
}

func (c *Crowd) genderRows() []observed {
	var out []observed
	for id, n := range c.counts {
		women, men := c.table.people(id, c.sexes)
		s := &c.table.sums[c.sexes]
		if women+men < fewest {
			women, men = c.table.people(id, countries)
			s = &c.table.sums[countries]
		}
		if women+men > 0 && s.women > 0 && s.men > 0 {
			// Half a person each keeps one stray entry from deciding alone.
			out = append(out, observed{float64(n), []float64{(women + 0.5) / s.women, (men + 0.5) / s.men}})
		}
	}
	return out
}

func (c *Crowd) ageRows() []observed {
	var out []observed
	for id, n := range c.counts {
		r := &c.table.rows[id]
		if r.Ending {
			continue // an ending says next to nothing about age
		}
		if p := c.table.ageLikelihood(r, c.column); p != nil {
			out = append(out, observed{float64(n), p})
		}
	}
	return out
}

// ageLikelihood is P(name | age range), from the country's own register if it
// tells ages, else the average of those that do and know the name.
func (t *Table) ageLikelihood(r *Row, column int) []float64 {
	if t.tellsAges(column) {
		if known(r, column) {
			return t.likelihood(r, column)
		}
		return nil
	}
	var mean []float64
	for c := range countries {
		if !known(r, c) {
			continue
		}
		p := t.likelihood(r, c)
		if mean == nil {
			mean = make([]float64, Ages)
		}
		for a := range mean {
			mean[a] += p[a]
		}
	}
	return mean
}

func (t *Table) tellsAges(column int) bool { return column < countries && t.sums[column].anyAge > 0 }

func known(r *Row, c int) bool {
	var sum float64
	for _, b := range r.Ages[c] {
		sum += unpackAge(b)
	}
	return sum >= fewest
}

// likelihood adds a stray bearer to the name, as likely of one range as of
// another. Half a person in each range would make every rare name a name of the
// ranges with the fewest people.
func (t *Table) likelihood(r *Row, c int) []float64 {
	s := &t.sums[c]
	p := make([]float64, Ages)
	for a := range p {
		p[a] = unpackAge(r.Ages[c][a])/math.Max(s.ages[a], 1) + stray/math.Max(s.anyAge, 1)
	}
	return p
}

// agePrior is the mix of people who post, known only roughly.
func agePrior() []float64 { return []float64{0.08, 0.20, 0.26, 0.25, 0.14, 0.07} }

// ageTrust is how many authors the prior counts for, and what the registers
// themselves may be wrong by. Names of one range overlap with the next, and a
// small crowd would otherwise swing between them. Spain's ages are made of means.
// Registers of other countries know another fashion of most years: they move the
// prior a little, under an interval that says so.
func (c *Crowd) ageTrust(n float64) (pull, floor float64) {
	pull = agePull(n)
	switch {
	case !c.table.tellsAges(c.column):
		return math.Max(pull, n/2), 0.25
	case c.column == spain:
		return pull, rebuilt
	}
	return pull, 0.02
}

func agePull(n float64) float64 { return math.Max(15, 0.2*math.Sqrt(n)) }

// rebuilt is what shares may be wrong by where ages are made of means.
const rebuilt = 0.04
