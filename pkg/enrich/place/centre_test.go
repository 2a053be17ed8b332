package place

import (
	"math"
	"testing"
)

func TestCentres(t *testing.T) {
	g, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		country, region string
		lat, lon, off   float64
	}{
		{"BR", "", -17, -46, 4}, {"FJ", "", -18, 178, 2}, {"AR", "", -34, -61, 3},
		{"BR", "Pernambuco", -8.2, -35.5, 1}, {"US", "Alaska", 61, -149, 3},
	} {
		c, ok := g.CountryCentre(tt.country)
		if tt.region != "" {
			c, ok = g.RegionCentre(tt.country, tt.region)
		}
		if !ok || c.Name == "" || math.Abs(c.Lat-tt.lat) > tt.off || math.Abs(math.Remainder(c.Lon-tt.lon, 360)) > tt.off {
			t.Errorf("%s %s: have %+v", tt.country, tt.region, c)
		}
	}
	if _, ok := g.CountryCentre("XX"); ok {
		t.Error("there is no XX")
	}
}
