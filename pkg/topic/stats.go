package topic

import (
	"errors"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// Window is a stretch of whole minutes, [From, To).
type Window struct{ From, To int64 }

// MaxSteps bounds a series: a day by the minute.
const MaxSteps = 1440

// ErrSteps asks for a series that is too long, or whose step is no whole minute.
var ErrSteps = errors.New("a step is a whole number of minutes, and a series has at most 1,440 steps")

// Last is the window of the given number of minutes that ends with the minute of
// now, which is still running.
func Last(now audience.Millis, minutes int64) Window { return Window{} }

// Before is the window of equal length that ends where w begins.
func (w Window) Before() Window { return Window{} }

// Figures are the counts of a window that have one value. Authors is estimated
// with SketchError.
type Figures struct {
	Posts    int64 `json:"posts"`
	Reposts  int64 `json:"reposts"`
	Replies  int64 `json:"replies"`
	Media    int64 `json:"media"`
	Rejected int64 `json:"rejected"`
	Authors  int64 `json:"authors"`
}

// Figures are the minute's, none below zero.
func (m *Minute) Figures() Figures { return Figures{} }

// Change compares a count with that of the period before. Percent is 0 when
// nothing was and is counted, 100 when nothing was.
type Change struct {
	Before  int64   `json:"before"`
	Change  int64   `json:"change"`
	Percent float64 `json:"change_pct"`
}

// Compare gives the change from one count to another.
func Compare(now, before int64) Change { return Change{} }

// Step is the sum of one stretch of a series.
type Step struct {
	At  audience.Millis
	Sum *Minute
}

// Series cuts a window into steps of so many minutes, with empty sums where
// nothing came. The last step may be shorter.
func (m Minutes) Series(w Window, step int64) ([]Step, error) { return nil, nil }

// Dimension is what figures are shared out by.
type Dimension string

// The dimensions.
const (
	ByLanguage  Dimension = "language"
	ByCountry   Dimension = "country"
	ByRegion    Dimension = "region"
	BySentiment Dimension = "sentiment"
	ByPlatform  Dimension = "platform"
	ByHashtag   Dimension = "hashtag"
	ByWord      Dimension = "word"
	ByLink      Dimension = "link"
	ByAuthor    Dimension = "author"
)

// Dimensions lists all.
func Dimensions() []Dimension { return nil }

// Part is one value of a dimension. N is certain; the true count is at most
// N+Error (0 where counts are exact). Percent is of all posts.
type Part struct {
	Key     string  `json:"key"`
	Label   string  `json:"label"`
	N       int64   `json:"n"`
	Error   int64   `json:"error"`
	Percent float64 `json:"pct"`
}

// By shares a sum out by a dimension, most first, at most k parts; ok is false
// for a dimension that does not exist. Key is the code ("und" and "" for
// unknown), of tops the text.
func (m *Minute) By(d Dimension, k int) (parts []Part, ok bool) { return nil, false }

// Compared is a part with its change since the period before.
type Compared struct {
	Part
	Change
}

// CompareBy gives the parts of now with their change since before; where that is
// a bounded top, N of both are compared.
func CompareBy(now, before *Minute, d Dimension, k int) ([]Compared, bool) { return nil, false }

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

// Mood corrects what the model confuses, language by language.
func (m *Minute) Mood(model *sentiment.Model) Mood { return Mood{} }

// Authors is the number of different authors with its 95 % interval.
type Authors struct {
	Authors  int64   `json:"authors"`
	Low      int64   `json:"low"`
	High     int64   `json:"high"`
	StdError float64 `json:"std_error"` // relative
}

// AuthorCount estimates the distinct authors of the sum.
func (m *Minute) AuthorCount() Authors { return Authors{} }

// CrowdOf estimates gender and age of the authors; country is where the audience
// is, "" when it is anywhere. It is hidden below names.Hidden authors, and of a
// topic that does not ask there are none.
func (m *Minute) CrowdOf(table *names.Table, country string) names.Estimate { return names.Estimate{} }

// Theme is what people talk about in a window: a hashtag and the word of the same
// letters are one.
type Theme struct {
	Text    string  `json:"text"`
	Hashtag bool    `json:"hashtag"`
	N       int64   `json:"n"`
	Error   int64   `json:"error"`
	Before  int64   `json:"before"` // in the time before, an hour
	Score   float64 `json:"score"`  // standard deviations above what was expected
	Weight  float64 `json:"weight"` // 0..1, for word clouds
}

// Trends is what a window talks about.
type Trends struct {
	Themes []Theme `json:"themes"` // most frequent first
	Risers []Theme `json:"risers"` // greatest score first
}

// Trends finds the themes of a window and which of them rise, against the hour
// before it. Stop words of the languages given are left out.
func (m Minutes) Trends(w Window, k int, languages []string) Trends { return Trends{} }

// Cloud is the k themes of greatest weight of a sum.
func (m *Minute) Cloud(k int, languages []string) []Theme { return nil }

// Point is a place with its posts.
type Point struct {
	Key     string  `json:"key"` // BR, or a RegionKey
	Country string  `json:"country"`
	Region  string  `json:"region"` // "" for a country
	Name    string  `json:"name"`
	Lat     float64 `json:"lat"`
	Lon     float64 `json:"lon"`
	N       int64   `json:"n"`
}

// CountryPoints and RegionPoints place counts on the globe, most first; what the
// gazetteer does not know is left out.
func (m *Minute) CountryPoints(g *place.Gazetteer) []Point { return nil }

// RegionPoints places the counts by region.
func (m *Minute) RegionPoints(g *place.Gazetteer) []Point { return nil }

// RegionKey is how Minute.Regions names a region: "BR/São Paulo".
func RegionKey(country, admin1 string) string { return country + "/" + admin1 }
