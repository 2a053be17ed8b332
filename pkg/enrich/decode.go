package enrich

import (
	"errors"
	"math"
	"net/netip"

	"github.com/valyala/fastjson"
)

// ErrNotObject is told of JSON that is valid but no object.
var ErrNotObject = errors.New("not a JSON object")

// Decoder reads posts from JSON. It belongs to one goroutine; what it returns
// lasts until its next post.
//
// The fields are id, text, author_name, author_location, lang, coordinates, ip
// and place. Coordinates are [longitude, latitude] as in GeoJSON, a GeoJSON
// point, or {"lat","lon"}; place is {"country_code","full_name"}. A field of
// another type counts as absent.
type Decoder struct{ parser fastjson.Parser }

// Decode fills p and returns the post's id as it stands in the JSON: a string's
// content, or the digits of a number.
func (d *Decoder) Decode(line []byte, p *Post) (id []byte, err error) {
	*p = Post{}
	v, err := d.parser.ParseBytes(line)
	if err != nil {
		return nil, err
	}
	if v.Type() != fastjson.TypeObject {
		return nil, ErrNotObject
	}
	p.Text = v.GetStringBytes("text")
	p.AuthorName = v.GetStringBytes("author_name")
	p.Language = v.GetStringBytes("lang")
	p.Place.Profile = v.GetStringBytes("author_location")
	if o := v.Get("place"); o != nil {
		p.Place.Country, p.Place.Full = o.GetStringBytes("country_code"), o.GetStringBytes("full_name")
	}
	if c := v.Get("coordinates"); c != nil {
		p.Place.Lat, p.Place.Lon, p.Place.HasPoint = point(c)
	}
	if ip := v.GetStringBytes("ip"); len(ip) > 0 {
		p.Place.Addr, _ = netip.ParseAddr(string(ip)) // a bad address is no clue
	}
	return identifier(v.Get("id")), nil
}

func identifier(v *fastjson.Value) []byte {
	if v == nil {
		return nil
	}
	switch v.Type() {
	case fastjson.TypeString:
		return v.GetStringBytes()
	case fastjson.TypeNumber:
		return v.MarshalTo(nil)
	}
	return nil
}

// point reads any of the shapes that coordinates come in.
func point(v *fastjson.Value) (lat, lon float64, ok bool) {
	if v.Type() == fastjson.TypeObject {
		if inner := v.Get("coordinates"); inner != nil {
			return point(inner)
		}
		lat, okLat := number(v, "lat", "latitude")
		lon, okLon := number(v, "lon", "lng", "long", "longitude")
		return lat, lon, okLat && okLon && valid(lat, lon)
	}
	a := v.GetArray()
	if len(a) != 2 && len(a) != 3 { // the third is a height
		return 0, 0, false
	}
	lon, errLon := a[0].Float64()
	lat, errLat := a[1].Float64()
	return lat, lon, errLon == nil && errLat == nil && valid(lat, lon)
}

func number(v *fastjson.Value, keys ...string) (float64, bool) {
	for _, k := range keys {
		if f := v.Get(k); f != nil {
			x, err := f.Float64()
			return x, err == nil
		}
	}
	return 0, false
}

// valid refuses what is off the globe, and the null island that broken clients
// send.
func valid(lat, lon float64) bool {
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && (lat != 0 || lon != 0)
}
