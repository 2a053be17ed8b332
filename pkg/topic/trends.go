package topic

import (
	"cmp"
	"math"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/trend"
)

// Theme is what people talk about in a window: a hashtag and the word of the same
// letters are one. N is certain; the true count is at most N+Error.
type Theme struct {
	Text    string  `json:"text"`
	Hashtag bool    `json:"hashtag"` // written so most of the time
	N       int64   `json:"n"`
	Error   int64   `json:"error"`
	Percent float64 `json:"pct"`    // of the window's posts
	Before  int64   `json:"before"` // in the time before, at most an hour
	Score   float64 `json:"score"`  // standard deviations above what that lets expect
	Weight  float64 `json:"weight"` // 0..1, for word clouds

	key       uint64
	tag, word bool // what it is made of
}

// Trends is what a window talks about.
type Trends struct {
	Themes []Theme `json:"themes"` // most frequent first
	Risers []Theme `json:"risers"` // greatest score first
	// Minutes is how long the time before was: with none, nothing can rise.
	Minutes int64 `json:"minutes_before"`
}

const (
	hour       = 60
	leastScore = 3 // below, chance does it
	leastPosts = 3 // of a riser
	considered = 1000
)

// Trends finds the k themes of a window and the k that rise most against the hour
// before it. Stop words of the languages are left out; without languages, those
// of all.
func (m Minutes) Trends(w Window, k int, languages []string) Trends {
	before := Window{w.From - hour, w.From}
	if minutes := m.Sorted(); len(minutes) > 0 { // a young topic has less behind it
		before.From = max(before.From, min(minutes[0], before.To))
	}
	now, was := m.In(w), m.In(before)
	out := Trends{Minutes: before.Len()}
	parts := float64(before.Len()) / float64(max(w.Len(), 1))
	themes := now.themes(languages)
	for i := range themes {
		t := &themes[i]
		t.Before = was.likely(t)
		t.Score = trend.Burst(t.N, t.Before, parts)
	}
	out.Themes = slices.Clone(themes[:min(max(k, 0), len(themes))])
	themes = slices.DeleteFunc(themes, func(t Theme) bool { return t.Score < leastScore || t.N < leastPosts })
	slices.SortFunc(themes, func(a, b Theme) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.key, b.key)) })
	out.Risers = slices.Clip(themes[:min(max(k, 0), len(themes))])
	return out
}

// Cloud is the k most frequent themes of a sum, with their weights.
func (m *Minute) Cloud(k int, languages []string) []Theme {
	themes := m.themes(languages)
	return slices.Clip(themes[:min(max(k, 0), len(themes))])
}

// themes joins hashtags and words, most frequent first.
func (m *Minute) themes(languages []string) []Theme {
	set := stops()
	bits := set.of(languages...)
	var list []Theme
	at := map[uint64]int{}
	for _, c := range m.Hashtags.Most(considered) {
		at[c.Key] = len(list)
		list = append(list, Theme{Text: c.Text, Hashtag: true, N: c.Sure(), Error: c.Error, key: c.Key, tag: true})
	}
	for _, c := range m.Words.Most(considered) {
		if i, ok := at[c.Key]; ok {
			list[i].join(c)
		} else if !set.has(c.Key, bits) {
			list = append(list, Theme{Text: c.Text, N: c.Sure(), Error: c.Error, key: c.Key, word: true})
		}
	}
	slices.SortFunc(list, func(a, b Theme) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.key, b.key)) })
	for i := range list {
		list[i].Percent = percent(list[i].N, m.Posts)
		if most := list[0].N; most > 0 {
			list[i].Weight = math.Sqrt(float64(max(0, list[i].N)) / float64(most))
		}
	}
	return list
}

// join adds the word of a hashtag. Posts that have both were counted twice, and
// nobody knows how many they are: at most all of the rarer.
func (t *Theme) join(word Count) {
	t.word = true
	if word.Sure() > t.N {
		t.Text, t.Hashtag = word.Text, false
	}
	tag := Count{N: t.N + t.Error, Error: t.Error}
	t.N = max(tag.Sure(), word.Sure())
	t.Error = tag.N + word.N - t.N
}

// likely is about how many posts a theme had, in what it is made of now: where
// the count is bounded only, the middle of the bounds.
func (m *Minute) likely(t *Theme) (n int64) {
	if t.tag {
		n += m.Hashtags.Get(t.key).middle()
	}
	if t.word {
		n += m.Words.Get(t.key).middle()
	}
	return n
}

func (c Count) middle() int64 { return c.N - c.Error/2 }
