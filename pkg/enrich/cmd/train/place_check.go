package main

import (
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/place"
)

// placeScore counts answers on location texts whose place is known.
type placeScore struct {
	texts, told, country     int
	cities, city             int
	nowhere, refused         int
	abroad, abroadTold, home int // outside the country most texts are of
}

func (s *placeScore) add(p place.Place, country, city string) {
	if country == "" {
		s.nowhere++
		if !p.Known() {
			s.refused++
		}
		return
	}
	right := p.Country == country
	s.texts++
	s.told += one(p.Known())
	s.country += one(right)
	if country != "US" {
		s.abroad++
		s.abroadTold += one(p.Known())
		s.home += one(right)
	}
	if city != "" {
		s.cities++
		s.city += one(sameName(p.City, city))
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *placeScore) precision() float64 { return rate(s.country, s.told) }
func (s *placeScore) recall() float64    { return rate(s.country, s.texts) }
func (s *placeScore) cityRate() float64  { return rate(s.city, s.cities) }
func (s *placeScore) refusal() float64   { return rate(s.refused, s.nowhere) }

func rate(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

func sameName(a, b string) bool {
	a, b = strings.ToLower(bare(a)), strings.ToLower(bare(b))
	return a == b || strings.TrimSuffix(a, " city") == strings.TrimSuffix(b, " city")
}

// checkPlace prints the scores of a gazetteer built without the aliases that it
// is asked.
func checkPlace(j job, a *atlas) error {
	seen, own, err := scorePlaces(j.data, a)
	if err != nil {
		return err
	}
	fmt.Printf("aliases %d: country precision %.1f recall %.1f; outside the US (%d) precision %.1f recall %.1f; city %.1f of %d\n",
		seen.texts, seen.precision(), seen.recall(), seen.abroad, rate(seen.home, seen.abroadTold), rate(seen.home, seen.abroad), seen.cityRate(), seen.cities)
	fmt.Printf("own: country precision %.1f recall %.1f of %d; city %.1f of %d; refused %.1f of %d\n",
		own.precision(), own.recall(), own.texts, own.cityRate(), own.cities, own.refusal(), own.nowhere)
	return nil
}

// scorePlaces asks the aliases that people were seen to write, and texts of
// this package's own: places of Spain and the Americas, and none at all.
func scorePlaces(data string, a *atlas) (seen, own placeScore, err error) {
	g, err := place.New(a.Source)
	if err != nil {
		return seen, own, err
	}
	aliases, err := readCarmenAliases(data)
	if err != nil {
		return seen, own, err
	}
	l := place.NewLocator(g, nil)
	locate := func(text string) place.Place { return l.Locate(&place.Clues{Profile: []byte(text)}) }
	for _, c := range aliases {
		seen.add(locate(c.text), c.country, c.city)
	}
	text, err := gazetteer.ReadFile("gazetteer/check.txt")
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimRight(line, "\n"), "|"); len(f) == 3 && line[0] != '#' {
			own.add(locate(f[2]), f[0], f[1])
		}
	}
	return seen, own, err
}
