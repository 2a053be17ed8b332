package place

import (
	"net/netip"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const memoSize = 1 << 12

// Clues is all that may tell where somebody is.
type Clues struct {
	HasPoint bool
	Lat, Lon float64
	Country  []byte // of the platform's place object: an ISO code or a name
	Full     []byte // its full name, such as "Cusco, Peru"
	Profile  []byte // what the author wrote as location
	Addr     netip.Addr
}

// Locator tells places. It belongs to one goroutine.
type Locator struct {
	g       *Gazetteer
	ip      *Addresses
	scanner *scan.Scanner
	reader  reader
	memo    []remembered
}

// remembered is what a location text came to: authors write few different ones.
type remembered struct {
	hash  uint64
	place Place
}

// NewLocator returns a locator; ip may be nil, then addresses tell nothing.
func NewLocator(g *Gazetteer, ip *Addresses) *Locator {
	return &Locator{g: g, ip: ip, scanner: scan.New(), memo: make([]remembered, memoSize)}
}

// Locate returns the place that the strongest clue tells.
func (l *Locator) Locate(c *Clues) Place {
	if c.HasPoint {
		if p := l.point(c.Lat, c.Lon); p.Known() {
			return p
		}
	}
	if len(c.Full) > 0 || len(c.Country) > 0 {
		if p := l.object(c.Full, c.Country); p.Known() {
			return p
		}
	}
	if len(c.Profile) > 0 {
		if p := l.text(c.Profile); p.Known() {
			return p
		}
	}
	if l.ip != nil && c.Addr.IsValid() {
		return l.ip.Country(c.Addr)
	}
	return Place{}
}

func (l *Locator) point(lat, lon float64) Place {
	city, km := l.g.grid.nearest(lat, lon)
	if city < 0 {
		return Place{}
	}
	p := l.g.city(city)
	p.Evidence, p.Confidence = GPS, float32(0.99-0.4*km/farthest)
	if km > farthest/2 {
		p.City = ""
	}
	return p
}

func (l *Locator) object(full, country []byte) Place {
	p := l.text(full)
	code := l.text(country)
	if len(country) == 2 {
		if c := l.g.countryByCode(country); c >= 0 {
			code = Place{Country: l.g.src.Countries[c].Code, Confidence: 0.98, Evidence: Object}
		}
	}
	if code.Known() && p.Country != code.Country {
		p = code
	}
	if p.Known() {
		p.Evidence, p.Confidence = Object, max(p.Confidence, 0.95)
	}
	return p
}

// text reads a location as an author wrote it.
func (l *Locator) text(text []byte) Place {
	text = text[:min(len(text), maxText)]
	h := hashBytes(text)
	m := &l.memo[h%memoSize]
	if m.hash == h {
		return m.place
	}
	m.hash, m.place = h, l.words(text)
	return m.place
}

func (l *Locator) words(text []byte) Place {
	if lat, lon, ok := coordinates(text); ok {
		if p := l.point(lat, lon); p.Known() {
			p.Evidence = Profile
			return p
		}
	}
	l.scanner.Scan(text)
	return l.reader.read(l.g, l.scanner)
}

const maxText = 256 // bytes of a location that are read

func hashBytes(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h | 1
}

func (g *Gazetteer) countryByCode(code []byte) int {
	for i := range g.src.Countries {
		c := g.src.Countries[i].Code
		if c[0] == code[0]&^0x20 && c[1] == code[1]&^0x20 {
			return i
		}
	}
	return -1
}

func (g *Gazetteer) city(i int) Place {
	c := &g.src.Cities[i]
	p := Place{Country: g.src.Countries[c.Country].Code, City: c.Name, Lat: float32(c.Lat), Lon: float32(c.Lon)}
	if c.Region >= 0 {
		p.Admin1 = g.src.Regions[c.Region].Name
	}
	return p
}
