package topic

import "maps"

// Minute is what was counted of a subject in one minute, or the sum of such.
// Counts may be negative in a part (a post of an earlier epoch was taken out),
// never in a sum over a whole log.
//
// All fields but the four Tops and Distinct are exact: their sums agree however
// the log is cut, shared out and added. Crowd is exact too, being a set.
type Minute struct {
	Posts, Reposts, Replies, Media int64
	// Rejected are posts that a moderator or the show's rules took out; they
	// stand in no other count.
	Rejected int64
	Estimate Estimate
	// Languages by code ("und" when unsure), Countries by ISO 3166-1 code and
	// Regions by RegionKey ("" when unknown), Platforms by name.
	Languages, Countries, Regions, Platforms Counts
	// Sentiment by language of the post, so that shares can be corrected by what
	// the model of each language confuses.
	Sentiment map[string]*Moods
	// Each hashtag, word, link and author is counted once a post.
	Hashtags, Words, Links, Authors Top
	// Distinct are the authors. A post that is taken out leaves its author.
	Distinct Sketch
	// Crowd samples the authors' first names; empty unless the topic asks.
	Crowd Crowd
}

// Counts is a count by key; absent is zero.
type Counts map[string]int64

// Moods are posts by polarity: negative, neutral, positive, unknown.
type Moods [4]int64

// The places in Moods.
const (
	Negative = iota
	Neutral
	Positive
	UnknownMood
)

// The most keys that one minute's Tops keep, and a sum's.
const (
	topHashtags = 256
	topWords    = 512
	topLinks    = 128
	topAuthors  = 128
	sumKeys     = 2048
)

// NewMinute is an empty minute to count into.
func NewMinute() *Minute {
	return &Minute{
		Hashtags: newTop(topHashtags), Words: newTop(topWords),
		Links: newTop(topLinks), Authors: newTop(topAuthors),
	}
}

// NewSum is an empty Minute to add up many in: its Tops hold more keys than a
// minute's.
func NewSum() *Minute {
	return &Minute{
		Hashtags: newTop(sumKeys), Words: newTop(sumKeys),
		Links: newTop(sumKeys), Authors: newTop(sumKeys),
	}
}

// Add sums o into m; o stays as it is and shares nothing with m.
func (m *Minute) Add(o *Minute) {
	if o == nil {
		return
	}
	m.addExact(o, 1)
	m.Hashtags.Add(&o.Hashtags)
	m.Words.Add(&o.Words)
	m.Links.Add(&o.Links)
	m.Authors.Add(&o.Authors)
	m.Distinct.Add(&o.Distinct)
	m.Crowd.Add(&o.Crowd)
}

func (m *Minute) addExact(o *Minute, sign int64) {
	m.Posts += sign * o.Posts
	m.Reposts += sign * o.Reposts
	m.Replies += sign * o.Replies
	m.Media += sign * o.Media
	m.Rejected += sign * o.Rejected
	m.Estimate.Weight += sign * o.Estimate.Weight
	m.Estimate.Variance += sign * o.Estimate.Variance
	m.Languages = m.Languages.plus(o.Languages, sign)
	m.Countries = m.Countries.plus(o.Countries, sign)
	m.Regions = m.Regions.plus(o.Regions, sign)
	m.Platforms = m.Platforms.plus(o.Platforms, sign)
	for language, moods := range o.Sentiment {
		for i, n := range moods {
			m.moods(language)[i] += sign * n
		}
	}
}

func (m *Minute) moods(language string) *Moods {
	s := m.Sentiment[language]
	if s == nil {
		if m.Sentiment == nil {
			m.Sentiment = make(map[string]*Moods)
		}
		s = &Moods{}
		m.Sentiment[language] = s
	}
	return s
}

func (c Counts) plus(o Counts, sign int64) Counts {
	if c == nil && len(o) > 0 {
		c = make(Counts, len(o))
	}
	for key, n := range o {
		c[key] += sign * n
	}
	return c
}

// Clone is a deep copy.
func (m *Minute) Clone() *Minute {
	c := NewMinute()
	c.Hashtags.size, c.Words.size = m.Hashtags.size, m.Words.size
	c.Links.size, c.Authors.size = m.Links.size, m.Authors.size
	c.Add(m)
	return c
}

// Equal says whether the exact counts are the same; nil, absent and zero are
// alike. Tops and Distinct, which are estimates, are not compared.
func (m *Minute) Equal(o *Minute) bool {
	d := &Minute{}
	for sign, x := range map[int64]*Minute{1: m, -1: o} {
		if x != nil {
			d.addExact(x, sign)
		}
	}
	return d.exactZero() && m.crowd().equal(o.crowd())
}

func (m *Minute) crowd() *Crowd {
	if m == nil {
		return &Crowd{}
	}
	return &m.Crowd
}

// IsZero says whether nothing is counted.
func (m *Minute) IsZero() bool {
	return m == nil || m.exactZero() && m.Hashtags.IsZero() && m.Words.IsZero() && m.Links.IsZero() &&
		m.Authors.IsZero() && m.Distinct.IsZero() && m.Crowd.Len() == 0
}

func (m *Minute) exactZero() bool {
	if m.Posts != 0 || m.Reposts != 0 || m.Replies != 0 || m.Media != 0 || m.Rejected != 0 || m.Estimate != (Estimate{}) {
		return false
	}
	for _, s := range m.Sentiment {
		if *s != (Moods{}) {
			return false
		}
	}
	return m.Languages.zero() && m.Countries.zero() && m.Regions.zero() && m.Platforms.zero()
}

func (c Counts) zero() bool {
	for _, n := range c {
		if n != 0 {
			return false
		}
	}
	return true
}

// Prune forgets keys whose count is zero, so that equal minutes have one form.
func (m *Minute) Prune() {
	for _, c := range []Counts{m.Languages, m.Countries, m.Regions, m.Platforms} {
		maps.DeleteFunc(c, func(_ string, n int64) bool { return n == 0 })
	}
	maps.DeleteFunc(m.Sentiment, func(_ string, s *Moods) bool { return *s == Moods{} })
}
