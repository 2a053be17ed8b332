package topic

import (
	"cmp"
	"slices"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/place"
)

// Point is a place with its posts.
type Point struct {
	Key     string  `json:"key"` // BR, or a RegionKey
	Country string  `json:"country"`
	Region  string  `json:"region"` // "" for a country
	Name    string  `json:"name"`
	Lat     float64 `json:"lat"`
	Lon     float64 `json:"lon"`
	N       int64   `json:"n"`
	Percent float64 `json:"pct"` // of all posts
}

// RegionKey is how Minute.Regions names a region: "BR/São Paulo".
func RegionKey(country, admin1 string) string { return country + "/" + admin1 }

// CountryPoints places the counts by country on the globe, most first; what the
// gazetteer does not know is left out.
func (m *Minute) CountryPoints(g *place.Gazetteer) []Point {
	return m.points(m.Countries, g.CountryCentre)
}

// RegionPoints places the counts by region.
func (m *Minute) RegionPoints(g *place.Gazetteer) []Point {
	return m.points(m.Regions, func(key string) (place.Centre, bool) {
		country, admin1, _ := strings.Cut(key, "/")
		return g.RegionCentre(country, admin1)
	})
}

func (m *Minute) points(counts Counts, find func(string) (place.Centre, bool)) []Point {
	points := []Point{}
	for key, n := range counts {
		if c, ok := find(key); ok && n > 0 {
			points = append(points, Point{key, c.Country, c.Admin1, c.Name, c.Lat, c.Lon, n, percent(n, m.Posts)})
		}
	}
	slices.SortFunc(points, func(a, b Point) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Key, b.Key)) })
	return points
}
