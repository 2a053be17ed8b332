package place

import "math"

// Centre is where a country's or a region's people live on average: a place for
// its figure on a map.
type Centre struct {
	Country string // ISO 3166-1 alpha-2
	Admin1  string // "" for a country
	Name    string
	Lat     float64
	Lon     float64
}

// centres are computed with the gazetteer.
type centres struct {
	countries map[string]Centre
	regions   map[[2]string]Centre // country's code and region's name
}

// CountryCentre finds a country by its code.
func (g *Gazetteer) CountryCentre(code string) (Centre, bool) {
	c, ok := g.centres.countries[code]
	return c, ok
}

// RegionCentre finds a region by its country's code and its name, as Place has
// them.
func (g *Gazetteer) RegionCentre(country, admin1 string) (Centre, bool) {
	c, ok := g.centres.regions[[2]string{country, admin1}]
	return c, ok
}

// vector sums points of the globe, which their longitudes alone cannot: two
// places on both sides of the date line are not in Africa.
type vector struct{ x, y, z float64 }

func (v *vector) add(lat, lon, weight float64) {
	lat, lon = lat*math.Pi/180, lon*math.Pi/180
	v.x += weight * math.Cos(lat) * math.Cos(lon)
	v.y += weight * math.Cos(lat) * math.Sin(lon)
	v.z += weight * math.Sin(lat)
}

// degrees are rounded to a thousandth, as the gazetteer's are.
func (v *vector) degrees() (lat, lon float64) {
	lat = math.Atan2(v.z, math.Hypot(v.x, v.y)) * 180 / math.Pi
	lon = math.Atan2(v.y, v.x) * 180 / math.Pi
	return math.Round(lat*1000) / 1000, math.Round(lon*1000) / 1000
}

func (c *centres) build(src *Source) {
	countries, regions := make([]vector, len(src.Countries)), make([]vector, len(src.Regions))
	for i := range src.Cities {
		city := &src.Cities[i]
		if city.Section {
			continue
		}
		weight := float64(city.Population) + 1
		countries[city.Country].add(city.Lat, city.Lon, weight)
		if city.Region >= 0 {
			regions[city.Region].add(city.Lat, city.Lon, weight)
		}
	}
	c.countries, c.regions = make(map[string]Centre, len(countries)), make(map[[2]string]Centre, len(regions))
	for i, v := range countries {
		if x := src.Countries[i]; v != (vector{}) {
			lat, lon := v.degrees()
			c.countries[x.Code] = Centre{Country: x.Code, Name: x.Name, Lat: lat, Lon: lon}
		}
	}
	for i, v := range regions {
		if x := src.Regions[i]; v != (vector{}) {
			lat, lon := v.degrees()
			code := src.Countries[x.Country].Code
			c.regions[[2]string{code, x.Name}] = Centre{Country: code, Admin1: x.Name, Name: x.Name, Lat: lat, Lon: lon}
		}
	}
}
