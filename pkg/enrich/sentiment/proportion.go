package sentiment

import "math"

// Curve is the estimated shares of negative, neutral and positive posts among
// many, with 95 % intervals.
type Curve struct {
	Share [3]float64
	Low   [3]float64
	High  [3]float64
}

// Confusion returns the share of posts of each true polarity that the model
// called each polarity, measured on held-out posts; false for languages
// without a model.
func (m *Model) Confusion(language int) ([3][3]float64, bool) {
	var out [3][3]float64
	if language < 0 || language >= len(m.parts) {
		return out, false
	}
	for i, row := range m.parts[language].confusion {
		for j, v := range row {
			out[i][j] = float64(v)
		}
	}
	return out, true
}

// SetConfusion stores the matrix that held-out posts gave.
func (m *Model) SetConfusion(language int, c [3][3]float64) {
	for i := range c {
		for j := range c[i] {
			m.parts[language].confusion[i][j] = float32(c[i][j])
		}
	}
}

const (
	rounds    = 200
	deviation = 1.96
	prior     = 2 // posts believed in advance of each class: calms small counts
)

// Correct estimates the true shares from the counts of answers: those shares
// that, confused as the model confuses, give the counts most likely
// (expectation–maximisation of a mixture with known components; Saerens,
// Latinne and Decaestecker 2002). Counting answers would draw every curve
// towards the model's own habits.
func Correct(counts [3]float64, confusion [3][3]float64) Curve {
	total := counts[0] + counts[1] + counts[2]
	if total <= 0 {
		return Curve{High: [3]float64{1, 1, 1}}
	}
	share := [3]float64{1. / 3, 1. / 3, 1. / 3}
	for range rounds {
		share = improve(counts, confusion, share)
	}
	c := Curve{Share: share}
	for i := range share {
		// Correction widens the interval by what the matrix takes away.
		sharp := math.Max(confusion[i][i]-(confusion[(i+1)%3][i]+confusion[(i+2)%3][i])/2, 0.1)
		wide := deviation * math.Sqrt(math.Max(share[i]*(1-share[i]), 0.02)/total) / sharp
		c.Low[i], c.High[i] = math.Max(0, share[i]-wide), math.Min(1, share[i]+wide)
	}
	return c
}

func improve(counts [3]float64, confusion [3][3]float64, share [3]float64) (next [3]float64) {
	for j, n := range counts {
		var mass float64
		for i := range share {
			mass += share[i] * confusion[i][j]
		}
		if mass <= 0 {
			continue
		}
		for i := range share {
			next[i] += n * share[i] * confusion[i][j] / mass
		}
	}
	var sum float64
	for i := range next {
		next[i] += prior
		sum += next[i]
	}
	for i := range next {
		next[i] /= sum
	}
	return next
}
