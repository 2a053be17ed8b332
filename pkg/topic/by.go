package topic

import (
	"cmp"
	"slices"
)

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
func Dimensions() []Dimension {
	return []Dimension{ByLanguage, ByCountry, ByRegion, BySentiment, ByPlatform, ByHashtag, ByWord, ByLink, ByAuthor}
}

// Part is one value of a dimension. N is certain; the true count is at most
// N+Error (0 where counts are exact). Percent is of all posts.
type Part struct {
	Key     string  `json:"key"`
	N       int64   `json:"n"`
	Error   int64   `json:"error"`
	Percent float64 `json:"pct"`

	hash uint64
}

// PartID tells the values of a dimension apart: a text may be spelt otherwise in
// another minute, and two authors may have one name.
type PartID struct {
	key  string
	hash uint64
}

// ID is which value of the dimension the part is.
func (p *Part) ID() PartID {
	if p.hash != 0 {
		return PartID{hash: p.hash}
	}
	return PartID{key: p.Key}
}

// By shares a sum out by a dimension, most first, at most k parts; ok is false
// for a dimension that does not exist. Key is the code or name ("und" for an
// unsure language, "" for an unknown place), of tops the text.
func (m *Minute) By(d Dimension, k int) (parts []Part, ok bool) {
	if t := m.top(d); t != nil {
		for _, c := range t.Most(k) {
			parts = append(parts, Part{Key: c.Text, N: c.Sure(), Error: c.Error, hash: c.Key})
		}
	} else if counts, known := m.counts(d); known {
		for key, n := range counts {
			if n > 0 {
				parts = append(parts, Part{Key: key, N: n})
			}
		}
		slices.SortFunc(parts, func(a, b Part) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Key, b.Key)) })
		parts = parts[:min(max(k, 0), len(parts))]
	} else {
		return nil, false
	}
	for i := range parts {
		parts[i].Percent = percent(parts[i].N, m.Posts)
	}
	return parts, true
}

func percent(n, of int64) float64 {
	if of <= 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

func (m *Minute) top(d Dimension) *Top {
	switch d {
	case ByHashtag:
		return &m.Hashtags
	case ByWord:
		return &m.Words
	case ByLink:
		return &m.Links
	case ByAuthor:
		return &m.Authors
	}
	return nil
}

func (m *Minute) counts(d Dimension) (Counts, bool) {
	switch d {
	case ByLanguage:
		return m.Languages, true
	case ByCountry:
		return m.Countries, true
	case ByRegion:
		return m.Regions, true
	case ByPlatform:
		return m.Platforms, true
	case BySentiment:
		return m.sentiments(), true
	}
	return nil, false
}

// sentiments are the answers of the model as they are; Mood corrects them.
func (m *Minute) sentiments() Counts {
	all := m.allMoods()
	return Counts{"neg": all[Negative], "neu": all[Neutral], "pos": all[Positive], "unknown": all[UnknownMood]}
}

func (m *Minute) allMoods() (all Moods) {
	for _, s := range m.Sentiment {
		for i, n := range s {
			all[i] += n
		}
	}
	return all
}

// Compared is a part with its change since the period before.
type Compared struct {
	Part
	Change
}

// CompareBy gives the parts of now with their change since before, what is
// certain of both.
func CompareBy(now, before *Minute, d Dimension, k int) ([]Compared, bool) {
	parts, ok := now.By(d, k)
	if !ok {
		return nil, false
	}
	counts, _ := before.counts(d)
	out := make([]Compared, len(parts))
	for i, p := range parts {
		was := counts[p.Key]
		if t := before.top(d); t != nil {
			was = t.Get(p.hash).Sure()
		}
		out[i] = Compared{p, Compare(p.N, max(0, was))}
	}
	return out, true
}
