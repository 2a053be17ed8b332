// Package place tells where a post or a voter is from, out of whatever there
// is: coordinates, the platform's place, what the author wrote as location, or
// an address; always with the kind of evidence and a confidence.
//
// Its one trick is a gazetteer without strings: every name and nickname is a
// hash of folded words, the same hashes a scan gives, so that reading a
// profile costs a few look-ups and no allocation.
package place

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// Evidence says what a place was told from, strongest first.
type Evidence uint8

// The kinds of evidence.
const (
	None Evidence = iota
	GPS
	Object  // the platform's place object
	Profile // the author's words
	IP
)

// String returns gps, place, profile, ip or none.
func (e Evidence) String() string {
	return [...]string{"none", "gps", "place", "profile", "ip"}[min(e, IP)]
}

// Place is where somebody is. Its zero value is nowhere.
type Place struct {
	Country    string // ISO 3166-1 alpha-2
	Admin1     string // first-level region, "" when not known
	City       string // "" when not known
	Lat, Lon   float32
	Evidence   Evidence
	Confidence float32
}

// Known reports whether p is anywhere.
func (p Place) Known() bool { return p.Evidence != None }

const (
	kind    = "GEOG"
	version = 1
)

// Country, Region and City are the rows of the gazetteer.
type (
	// Country is a country with the names it goes by.
	Country struct {
		Code    string
		Name    string
		Aliases []string
	}
	// Region is a first-level region.
	Region struct {
		Country int
		Code    string // "" when nobody writes it
		Name    string
		Silent  bool // a name such as "East", which by itself means nothing
	}
	// City is a populated place.
	City struct {
		Name       string
		Region     int // -1 when not known
		Country    int
		Population int
		Lat, Lon   float64
		Section    bool // a part of a city: known by name, never nearest
	}
	// Alias is another way to write a place. Whole ones count only as all that
	// was written.
	Alias struct {
		Text  string
		To    Target
		Whole bool
		Code  bool // an abbreviation that may mean anything
	}
)

// Target is a row of the gazetteer: its kind in the two upper bits.
type Target uint32

// The kinds of target. Nowhere marks what people write instead of a place.
const (
	ToCity Target = iota << 30
	ToRegion
	ToCountry
	Nowhere

	kindMask  Target = 3 << 30
	codeFlag  Target = 1 << 29
	indexMask        = codeFlag - 1
)

func (t Target) kind() Target { return t & kindMask }
func (t Target) index() int   { return int(t & indexMask) }

// Source is all that a gazetteer is built from.
type Source struct {
	Countries []Country
	Regions   []Region
	Cities    []City
	Aliases   []Alias
	Common    []string // words so usual that a town of the name needs support
}

// Gazetteer is immutable and shared by all locators.
type Gazetteer struct {
	src     Source
	names   names
	whole   names
	common  map[uint64]bool
	small   []bool // countries of fewer people than a large city
	people  []int  // of each region
	seats   []int  // the largest city of each region
	grid    grid
	centres centres
}

// Encode returns the source as a file.
func (src *Source) Encode() ([]byte, error) {
	w := &modelfile.Writer{}
	w.Uint(uint64(len(src.Countries)))
	for _, c := range src.Countries {
		w.String(c.Code)
		w.String(c.Name)
		w.Uint(uint64(len(c.Aliases)))
		for _, a := range c.Aliases {
			w.String(a)
		}
	}
	w.Uint(uint64(len(src.Regions)))
	for _, r := range src.Regions {
		w.Uint(uint64(r.Country))
		w.String(r.Code)
		w.String(r.Name)
		w.Uint(flag(r.Silent))
	}
	src.encodeCities(w)
	w.Uint(uint64(len(src.Aliases)))
	for _, a := range src.Aliases {
		w.Uint(uint64(a.To))
		w.Uint(flag(a.Whole) | flag(a.Code)<<1)
		w.String(a.Text)
	}
	w.Uint(uint64(len(src.Common)))
	for _, c := range src.Common {
		w.String(c)
	}
	return modelfile.Encode(kind, version, w.Body)
}

// encodeCities writes column by column, which packs better. Coordinates are
// kept to a thousandth of a degree, about 100 m; populations to 10 %.
func (src *Source) encodeCities(w *modelfile.Writer) {
	w.Uint(uint64(len(src.Cities)))
	for _, c := range src.Cities {
		w.String(c.Name)
	}
	for _, c := range src.Cities {
		w.Uint(uint64(c.Region + 1))
	}
	for _, c := range src.Cities {
		w.Uint(uint64(c.Country))
	}
	for _, c := range src.Cities {
		w.Body = append(w.Body, byte(math.Round(math.Log1p(float64(c.Population))*12)))
		w.Body = append(w.Body, byte(flag(c.Section)))
	}
	for _, c := range src.Cities {
		w.Uint(uint64(math.Round((c.Lat + 90) * 1000)))
		w.Uint(uint64(math.Round((c.Lon + 180) * 1000)))
	}
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Load reads a gazetteer file.
func Load(file []byte) (*Gazetteer, error) {
	body, err := modelfile.Decode(file, kind, version)
	if err != nil {
		return nil, fmt.Errorf("load gazetteer: %w", err)
	}
	var src Source
	r := modelfile.NewReader(body)
	src.decode(r)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("load gazetteer: %w", err)
	}
	return New(src)
}

func (src *Source) decode(r *modelfile.Reader) {
	src.Countries = make([]Country, r.Count(3))
	for i := range src.Countries {
		c := &src.Countries[i]
		c.Code, c.Name = r.String(), r.String()
		for n := r.Count(1); n > 0; n-- {
			c.Aliases = append(c.Aliases, r.String())
		}
	}
	src.Regions = make([]Region, r.Count(3))
	for i := range src.Regions {
		src.Regions[i] = Region{Country: int(r.Uint()), Code: r.String(), Name: r.String(), Silent: r.Uint() != 0}
	}
	src.decodeCities(r)
	src.Aliases = make([]Alias, r.Count(3))
	for i := range src.Aliases {
		a := &src.Aliases[i]
		a.To = Target(r.Uint())
		bits := r.Uint()
		a.Whole, a.Code = bits&1 != 0, bits&2 != 0
		a.Text = r.String()
	}
	src.Common = make([]string, r.Count(1))
	for i := range src.Common {
		src.Common[i] = r.String()
	}
}

func (src *Source) decodeCities(r *modelfile.Reader) {
	src.Cities = make([]City, r.Count(6))
	for i := range src.Cities {
		src.Cities[i].Name = r.String()
	}
	for i := range src.Cities {
		src.Cities[i].Region = int(r.Uint()) - 1
	}
	for i := range src.Cities {
		src.Cities[i].Country = int(r.Uint())
	}
	for i := range src.Cities {
		if b := r.Fixed(2); b != nil {
			src.Cities[i].Population = int(math.Expm1(float64(b[0]) / 12))
			src.Cities[i].Section = b[1] != 0
		}
	}
	for i := range src.Cities {
		src.Cities[i].Lat = float64(r.Uint())/1000 - 90
		src.Cities[i].Lon = float64(r.Uint())/1000 - 180
	}
}

// New builds a gazetteer.
func New(src Source) (*Gazetteer, error) {
	for i, c := range src.Cities {
		if c.Country < 0 || c.Country >= len(src.Countries) || c.Region >= len(src.Regions) || math.Abs(c.Lat) > 90 || math.Abs(c.Lon) > 180 {
			return nil, fmt.Errorf("gazetteer: %w: city %d is out of range", modelfile.ErrNotModel, i)
		}
	}
	for i, r := range src.Regions {
		if r.Country < 0 || r.Country >= len(src.Countries) {
			return nil, fmt.Errorf("gazetteer: %w: region %d is out of range", modelfile.ErrNotModel, i)
		}
	}
	g := &Gazetteer{src: src, common: map[uint64]bool{}}
	if err := g.index(); err != nil {
		return nil, err
	}
	g.settle()
	g.grid.build(src.Cities)
	g.centres.build(&g.src)
	return g, nil
}

// settle counts the people of countries and regions, and finds the largest city
// of each region.
func (g *Gazetteer) settle() {
	all := make([]int, len(g.src.Countries))
	g.people, g.seats = make([]int, len(g.src.Regions)), make([]int, len(g.src.Regions))
	most := make([]int, len(g.src.Regions))
	for i, c := range g.src.Cities {
		if c.Section {
			continue
		}
		all[c.Country] += c.Population
		if c.Region < 0 {
			continue
		}
		g.people[c.Region] += c.Population
		if c.Population > most[c.Region] {
			most[c.Region], g.seats[c.Region] = c.Population, i
		}
	}
	g.small = make([]bool, len(all))
	for i, n := range all {
		g.small[i] = n < metropolis
	}
}

func (g *Gazetteer) index() error {
	b := &indexer{scanner: scan.New()}
	for i, c := range g.src.Cities {
		b.add(c.Name, ToCity|Target(i), false)
	}
	for i, r := range g.src.Regions {
		if !r.Silent {
			b.add(r.Name, ToRegion|Target(i), false)
		}
		if len(r.Code) >= 2 && r.Code[0] >= 'A' {
			b.add(r.Code, ToRegion|codeFlag|Target(i), false)
		}
	}
	for i, c := range g.src.Countries {
		b.add(c.Code, ToCountry|codeFlag|Target(i), false)
		b.add(c.Name, ToCountry|Target(i), false)
		for _, a := range c.Aliases {
			b.add(a, ToCountry|Target(i), false)
		}
	}
	limits := map[Target]int{ToCity: len(g.src.Cities), ToRegion: len(g.src.Regions), ToCountry: len(g.src.Countries), Nowhere: 1}
	for _, a := range g.src.Aliases {
		if a.To.index() >= limits[a.To.kind()] {
			return fmt.Errorf("gazetteer: %w: alias %q is out of range", modelfile.ErrNotModel, a.Text)
		}
		to := a.To
		if a.Code {
			to |= codeFlag
		}
		b.add(a.Text, to, a.Whole)
	}
	g.names.build(b.part)
	g.whole.build(b.full)
	for _, w := range g.src.Common {
		if h := b.hash(w); h != 0 {
			g.common[h] = true
		}
	}
	return nil
}

// log2 is a size class of a population, 0 to 25.
func log2(n int) int { return bits.Len(uint(max(n, 0))) }

// CountryOr returns the country of p, or code when p is nowhere.
func (p Place) CountryOr(code string) string {
	if p.Country != "" {
		return p.Country
	}
	return code
}
