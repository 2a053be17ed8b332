package topic

import (
	"maps"
	"math"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// Mood is the corrected shares of negative, neutral and positive posts with 95 %
// intervals, and the counts they come from.
type Mood struct {
	Negative Range `json:"negative"`
	Neutral  Range `json:"neutral"`
	Positive Range `json:"positive"`
	// Judged posts have a sentiment, Unknown ones are of languages without one.
	Judged  int64  `json:"judged"`
	Unknown int64  `json:"unknown"`
	Method  string `json:"method"`
}

// Range is a share with its interval.
type Range struct {
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// MoodMethod names how shares are corrected.
const MoodMethod = "expectation-maximisation over the model's confusion matrix"

type matrix = [3][3]float64

// Mood corrects what the model confuses, language by language. Posts of an unsure
// language are corrected by what the languages of the others confuse on average.
func (m *Minute) Mood(model *sentiment.Model) Mood {
	all := m.allMoods()
	out := Mood{Method: MoodMethod, Unknown: max(0, all[UnknownMood])}
	usual := m.usualConfusion(model)
	var share, variance [3]float64
	for _, language := range slices.Sorted(maps.Keys(m.Sentiment)) {
		counts, judged := m.Sentiment[language].judged()
		if judged == 0 {
			continue
		}
		confusion, ok := model.Confusion(sentiment.LanguageIndex(language))
		if !ok {
			confusion = usual
		}
		curve := sentiment.Correct(counts, confusion)
		out.Judged += int64(judged)
		for i := range share {
			share[i] += judged * curve.Share[i]
			wide := judged * (curve.High[i] - curve.Low[i]) / 2
			variance[i] += wide * wide
		}
	}
	for i, r := range []*Range{&out.Negative, &out.Neutral, &out.Positive} {
		if r.High = 1; out.Judged > 0 {
			r.Share = share[i] / float64(out.Judged)
			wide := math.Sqrt(variance[i]) / float64(out.Judged)
			r.Low, r.High = math.Max(0, r.Share-wide), math.Min(1, r.Share+wide)
		}
	}
	return out
}

// judged are the posts by polarity, none below zero, and their sum.
func (s *Moods) judged() (counts [3]float64, sum float64) {
	for i := range counts {
		counts[i] = float64(max(0, s[i]))
		sum += counts[i]
	}
	return counts, sum
}

// usualConfusion averages the matrices of the languages that were judged, by how
// often; of all languages when there are none.
func (m *Minute) usualConfusion(model *sentiment.Model) (mean matrix) {
	var weight float64
	add := func(language string, n float64) {
		c, ok := model.Confusion(sentiment.LanguageIndex(language))
		if !ok || n <= 0 {
			return
		}
		weight += n
		for i := range c {
			for j := range c[i] {
				mean[i][j] += n * c[i][j]
			}
		}
	}
	for _, language := range slices.Sorted(maps.Keys(m.Sentiment)) {
		_, n := m.Sentiment[language].judged()
		add(language, n)
	}
	if weight == 0 {
		for _, language := range []string{"en", "es", "pt"} {
			add(language, 1)
		}
	}
	for i := range mean {
		for j := range mean[i] {
			mean[i][j] /= weight
		}
	}
	return mean
}
