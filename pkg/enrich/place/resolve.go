package place

// resolve picks the reading under which the mentions agree best.
func (r *reader) resolve(g *Gazetteer) Place {
	best, score := Target(0), 0.0
	for i := range r.mentions {
		for _, to := range r.mentions[i].to {
			if to.kind() == Nowhere || !r.usable(g, i, to) {
				continue
			}
			if s := r.score(g, i, to); s > score {
				best, score = to, s
			}
		}
	}
	if score < 4 {
		return Place{}
	}
	return g.place(best, confidence(score))
}

func confidence(score float64) float32 {
	return float32(min(0.98, 0.55+score/28))
}

// usable refuses abbreviations that are written like ordinary words.
func (r *reader) usable(g *Gazetteer, i int, to Target) bool {
	m := &r.mentions[i]
	if to&codeFlag == 0 {
		return true
	}
	return m.caps || m.after || i > 0 || m.last && !m.first && !g.common[m.hash]
}

// score adds up how likely a reading is by itself, the support of the other
// mentions, and the doubt of words that are no names.
func (r *reader) score(g *Gazetteer, i int, to Target) float64 {
	m := &r.mentions[i]
	s := g.weight(to) - 0.4*float64(i)
	if to.kind() == ToCity && m.isRegion(g, to) {
		if _, own := g.parents(to); g.seats[own] == to.index() {
			s = max(s, g.weight(ToRegion|Target(own))+0.2-0.4*float64(i)) // Aveiro is the city
		}
	}
	if m.in {
		s += 3 // "Argentina en Barcelona" is in the latter
	}
	supported := 0
	for j := range r.mentions {
		if j == i {
			continue
		}
		switch relation(g, to, &r.mentions[j]) {
		case above:
			supported++
			s += 7
		case below:
			supported++
			s++ // the narrower place should win
		case stranger:
			s -= 1.5
		}
	}
	if to.kind() == ToCountry && to&codeFlag != 0 && !m.caps && supported == 0 {
		return 0 // "21 | bi" is no country
	}
	return s - r.doubt(g, m, to, supported)
}

// doubt is what speaks against a reading: other words around it, and being a
// word of everyday language or a small town with nothing to support it.
func (r *reader) doubt(g *Gazetteer, m *mention, to Target, supported int) float64 {
	if to.kind() == ToRegion && to&codeFlag != 0 && m.caps && m.last && (m.after || r.parts) {
		return 0.3 * float64(r.strange) // a part of town that nobody lists, and its state
	}
	d := 1.2 * float64(r.strange)
	if to&codeFlag != 0 && supported == 0 && !r.parts {
		d += 1.5
	}
	if to.kind() == ToCountry && to&codeFlag == 0 {
		return 0.6 * float64(r.strange)
	}
	if supported > 0 {
		return d
	}
	if to.kind() != ToCity {
		return d
	}
	size := g.src.Cities[to.index()].Population
	switch {
	case g.common[m.hash] && to&codeFlag == 0 && size < metropolis && !m.isRegion(g, to):
		d += 6
	case m.goesOn && size < metropolis:
		d += 5 // "San Pedro de los Milagros" is not San Pedro
	case r.strange > 0 && size < bigCity:
		d += 4
	case size < townAlone:
		d += 1.5
	}
	return d
}

// isRegion reports whether the city's own region goes by its name as well.
func (m *mention) isRegion(g *Gazetteer, to Target) bool {
	_, own := g.parents(to)
	for _, other := range m.to {
		if other.kind() == ToRegion && other.index() == own {
			return true
		}
	}
	return false
}

type related int

const (
	none related = iota
	above
	below
	stranger
)

// relation tells how the readings of another mention stand to a place: above
// it (its region or country), below it, or somewhere else entirely.
func relation(g *Gazetteer, to Target, m *mention) related {
	country, region := g.parents(to)
	best := stranger
	for _, other := range m.to {
		if other.kind() == Nowhere {
			return none
		}
		c, reg := g.parents(other)
		if c != country {
			continue
		}
		switch {
		case other.kind() == ToCountry && to.kind() != ToCountry:
			return above
		case other.kind() == ToRegion && to.kind() == ToCity && reg == region:
			return above
		case other.kind() == to.kind() && other.index() == to.index():
			best = none
		case other.kind() < to.kind() && (to.kind() == ToCountry || reg == region):
			best = below
		case other.kind() == ToCity && to.kind() == ToCity && reg == region && best == stranger:
			best = none
		}
	}
	return best
}

func (g *Gazetteer) parents(to Target) (country, region int) {
	switch to.kind() {
	case ToCity:
		c := &g.src.Cities[to.index()]
		return c.Country, c.Region
	case ToRegion:
		return g.src.Regions[to.index()].Country, to.index()
	}
	return to.index(), -1
}

// weight is how often a place is meant when its name is written.
func (g *Gazetteer) weight(to Target) float64 {
	switch to.kind() {
	case ToCity:
		return float64(log2(g.src.Cities[to.index()].Population)) / 2.2
	case ToRegion:
		return 3.6 + float64(log2(g.people[to.index()]))/5
	}
	if to&codeFlag != 0 {
		return 5.6 // states write their codes far more often than countries
	}
	if g.small[to.index()] {
		return 7.9 // Granada is a city first, and Grenada's Spanish name second
	}
	return 10
}

func (g *Gazetteer) place(to Target, sure float32) Place {
	var p Place
	switch to.kind() {
	case ToCity:
		p = g.city(to.index())
	case ToRegion:
		r := &g.src.Regions[to.index()]
		p = Place{Country: g.src.Countries[r.Country].Code, Admin1: r.Name}
	case ToCountry:
		p = Place{Country: g.src.Countries[to.index()].Code}
	}
	p.Evidence, p.Confidence = Profile, sure
	return p
}
