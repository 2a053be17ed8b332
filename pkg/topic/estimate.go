package topic

import "math"

// Estimate is how many posts there were when a source let only a sample through:
// each post stands for 1/rate of its kind (Horvitz and Thompson 1952). The two
// sums are kept in fixed point, so that they agree in any order.
type Estimate struct {
	Weight   int64 // sum of 1/r, in 2⁻¹⁶
	Variance int64 // sum of (1-r)/r², in 2⁻⁸
}

const (
	weightUnit   = 1 << 16
	varianceUnit = 1 << 8
	leastRate    = 1e-4 // of lower rates no sum would mean anything
)

// add counts sign posts of a rate; what is no rate counts as all.
func (e *Estimate) add(rate float64, sign int64) {
	if !(rate > 0 && rate < 1) {
		e.Weight += sign * weightUnit
		return
	}
	rate = max(rate, leastRate)
	e.Weight += sign * int64(math.Round(weightUnit/rate))
	e.Variance += sign * int64(math.Round((1-rate)/(rate*rate)*varianceUnit))
}

// Sampled is an estimated number of posts with its 95 % interval.
type Sampled struct {
	Posts     int64 `json:"posts"` // that were let through
	Estimated int64 `json:"estimated"`
	Low       int64 `json:"low"`
	High      int64 `json:"high"`
	// Rate is the share of the posts that was let through: 1 without sampling.
	Rate float64 `json:"rate"`
}

// Sampled tells how many posts there were, let through or not.
func (m *Minute) Sampled() Sampled {
	posts := max(0, m.Posts)
	total := math.Max(float64(m.Estimate.Weight)/weightUnit, float64(posts))
	s := Sampled{Posts: posts, Estimated: int64(math.Round(total)), Rate: 1}
	if total > 0 {
		s.Rate = float64(posts) / total
	}
	wide := deviation * math.Sqrt(math.Max(0, float64(m.Estimate.Variance)/varianceUnit))
	s.Low = max(posts, int64(math.Round(total-wide)))
	s.High = int64(math.Round(total + wide))
	return s
}

// deviation is how many standard errors make a 95 % interval.
const deviation = 1.96
