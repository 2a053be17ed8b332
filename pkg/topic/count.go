package topic

import "github.com/clamor-live/clamor/pkg/enrich/sentiment"

// count counts the post.
func (u *Understood) count(m *Minute, crowd bool) {
	u.tally(m, 1)
	t := &u.terms
	for _, x := range t.hashtags {
		m.Hashtags.Count(x.key, t.of(x))
	}
	for _, x := range t.words {
		m.Words.Count(x.key, t.of(x))
	}
	for _, x := range t.links {
		m.Links.Count(x.key, t.of(x))
	}
	if u.Author == 0 {
		return
	}
	m.Authors.Count(u.Author, u.authorText())
	m.Distinct.Count(u.Author)
	if crowd {
		m.Crowd.Count(u.Author, u.Result.Name)
	}
}

// take takes the post out of what count counted; a negative n puts it back.
// Its author stays: sets of authors cannot be made smaller.
func (u *Understood) take(m *Minute, n int64) {
	u.tally(m, -n)
	for _, x := range u.terms.hashtags {
		m.Hashtags.Take(x.key, n)
	}
	for _, x := range u.terms.words {
		m.Words.Take(x.key, n)
	}
	for _, x := range u.terms.links {
		m.Links.Take(x.key, n)
	}
	if u.Author != 0 {
		m.Authors.Take(u.Author, n)
	}
}

// tally adds the post to the exact counts n times.
func (u *Understood) tally(m *Minute, n int64) {
	p, r := u.Post, &u.Result
	m.Posts += n
	m.Reposts += n * one(p.Repost)
	m.Replies += n * one(p.Reply)
	m.Media += n * one(p.Media)
	m.Estimate.add(p.SampleRate, n)
	m.Languages.put(r.Language, n)
	m.Countries.put(r.Place.Country, n)
	m.Regions.put(u.Region, n)
	m.Platforms.put(u.Platform, n)
	m.moods(r.Language)[moodOf(r.Sentiment)] += n
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (c *Counts) put(key string, n int64) {
	if *c == nil {
		*c = make(Counts)
	}
	(*c)[key] += n
}

func moodOf(p sentiment.Polarity) int {
	switch p {
	case sentiment.Negative:
		return Negative
	case sentiment.Neutral:
		return Neutral
	case sentiment.Positive:
		return Positive
	}
	return UnknownMood
}

// authorText is what an author is shown as: the handle, the name, or the id.
func (u *Understood) authorText() []byte {
	t := &u.terms
	start := len(t.text)
	text := u.Post.Handle
	if len(text) == 0 {
		text = u.Post.AuthorName
	}
	if len(text) == 0 {
		text = u.Post.AuthorID
	}
	t.text = appendShown(t.text, text)
	shown := t.text[start:]
	t.text = t.text[:start]
	return shown
}
