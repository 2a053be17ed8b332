package api

import (
	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/api/internal/listen"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// mapReply is a GeoJSON FeatureCollection (RFC 7946), with what every answer about
// a topic says as foreign members.
type mapReply struct {
	Type string `json:"type"`
	topicHead

	// Unknown is how many posts say nothing of where they are from.
	Unknown  int64        `json:"unknown"`
	Features []mapFeature `json:"features"`
}

type mapFeature struct {
	Type       string        `json:"type"`
	ID         string        `json:"id"`
	Geometry   mapGeometry   `json:"geometry"`
	Properties mapProperties `json:"properties"`
}

type mapGeometry struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"` // longitude first
}

type mapProperties struct {
	// Level is country or region.
	Level   string  `json:"level"`
	Name    string  `json:"name"`
	Country string  `json:"country"`
	Region  string  `json:"region"`
	Posts   int64   `json:"posts"`
	Percent float64 `json:"pct"`
}

func (s *Service) topicMap(c *gin.Context) error {
	p, w, err := s.viewOf(c, 0)
	if err != nil {
		return err
	}
	form := live.Form{Name: "map", Query: windowed(w)}
	return s.topicForm(c, p, w.From, form, func(p *listen.Picture) (any, error) { return mapOf(p, w) })
}

func mapOf(p *listen.Picture, w topic.Window) (*mapReply, error) {
	gazetteer, err := place.Default()
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the gazetteer cannot be read").Because(err)
	}
	sum := p.Sum(w.From, w.To)
	r := &mapReply{Type: "FeatureCollection", topicHead: headOf(p, w), Unknown: max(0, sum.Countries[""]), Features: []mapFeature{}}
	for _, at := range sum.CountryPoints(gazetteer) {
		r.Features = append(r.Features, featureOf("country", &at))
	}
	for _, at := range sum.RegionPoints(gazetteer) {
		r.Features = append(r.Features, featureOf("region", &at))
	}
	return r, nil
}

func featureOf(level string, at *topic.Point) mapFeature {
	return mapFeature{
		Type: "Feature", ID: at.Key, Geometry: mapGeometry{"Point", [2]float64{at.Lon, at.Lat}},
		Properties: mapProperties{Level: level, Name: at.Name, Country: at.Country, Region: at.Region, Posts: at.N, Percent: at.Percent},
	}
}
