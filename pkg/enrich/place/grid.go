package place

import (
	"math"
	"slices"
)

const (
	perDegree = 2 // cells of half a degree
	gridCols  = 360 * perDegree
	gridRows  = 180 * perDegree
	farthest  = 150.0 // km: beyond, a point is nowhere
	kmDegree  = 111.2
)

// grid finds the city nearest to a point: cities sorted by cell, and where each
// cell begins.
type grid struct {
	start  []uint32
	cities []gridCity
}

type gridCity struct {
	lat, lon float32
	city     uint32
}

func cellOf(lat, lon float64) int {
	row := min(max(int((lat+90)*perDegree), 0), gridRows-1)
	col := min(max(int((lon+180)*perDegree), 0), gridCols-1)
	return row*gridCols + col
}

func (g *grid) build(cities []City) {
	g.start = make([]uint32, gridRows*gridCols+1)
	for i, c := range cities {
		if !c.Section {
			g.cities = append(g.cities, gridCity{float32(c.Lat), float32(c.Lon), uint32(i)})
			g.start[cellOf(c.Lat, c.Lon)+1]++
		}
	}
	slices.SortStableFunc(g.cities, func(a, b gridCity) int {
		return cellOf(float64(a.lat), float64(a.lon)) - cellOf(float64(b.lat), float64(b.lon))
	})
	for i := 1; i < len(g.start); i++ {
		g.start[i] += g.start[i-1]
	}
}

// nearest returns the city nearest to a point and the distance in km, or -1.
// Rings of cells around the point are read until none can be nearer.
func (g *grid) nearest(lat, lon float64) (int, float64) {
	if math.IsNaN(lat) || math.IsNaN(lon) || math.Abs(lat) > 90 || math.Abs(lon) > 180 {
		return -1, 0
	}
	narrow := math.Max(math.Cos(lat*math.Pi/180), 0.05)
	best, at := farthest*farthest, -1
	row, col := cellOf(lat, lon)/gridCols, cellOf(lat, lon)%gridCols
	for ring := 0; ; ring++ {
		// The next ring is at least this far away.
		if near := float64(ring-1) / perDegree * kmDegree * narrow; ring > 0 && near*near > best {
			break
		}
		g.ring(row, col, ring, func(c gridCity) {
			dy := (float64(c.lat) - lat) * kmDegree
			dx := math.Remainder(float64(c.lon)-lon, 360) * kmDegree * narrow
			if d := dx*dx + dy*dy; d < best {
				best, at = d, int(c.city)
			}
		})
		if ring > 60 {
			break
		}
	}
	return at, math.Sqrt(best)
}

func (g *grid) ring(row, col, ring int, visit func(gridCity)) {
	for r := row - ring; r <= row+ring; r++ {
		if r < 0 || r >= gridRows {
			continue
		}
		step := 1
		if r != row-ring && r != row+ring {
			step = max(2*ring, 1)
		}
		for c := col - ring; c <= col+ring; c += step {
			cell := r*gridCols + (c%gridCols+gridCols)%gridCols
			for _, city := range g.cities[g.start[cell]:g.start[cell+1]] {
				visit(city)
			}
		}
	}
}
