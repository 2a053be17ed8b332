package listen

import (
	"fmt"
	"math"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
	"github.com/clamor-live/clamor/pkg/topic"
)

// ByMedia shares posts out by whether they have pictures or films.
const ByMedia topic.Dimension = "media"

// The keys of ByMedia.
const (
	withMedia    = "with"
	withoutMedia = "without"
)

// Query says what to report of a topic.
type Query struct {
	Window topic.Window
	// Step is the length of a series' steps in minutes; 0: no series.
	Step int64
	// By is what posts are shared out by; "": nothing.
	By topic.Dimension
	// Top is how many parts there are at most.
	Top int
	// Compare asks for the change since the window before.
	Compare bool
}

// From is the first minute that the report is made from.
func (q *Query) From() int64 {
	if q.Compare {
		return q.Window.Before().From
	}
	return q.Window.From
}

// Report is the figures of a window.
type Report struct {
	Query
	topic.Figures

	Authors topic.Authors
	Sampled topic.Sampled
	Mood    topic.Mood
	// Posts and people, against the window before.
	PostsChange, AuthorsChange topic.Change
	Parts                      []topic.Compared
	Series                     []Point
}

// Point is one step of a series; N is by part, in the order of Report.Parts.
type Point struct {
	At    audience.Millis
	Posts int64
	N     []int64
}

// Report adds up a window. A dimension that does not exist is the caller's fault.
func (p *Picture) Report(q Query) (Report, error) {
	sum := p.Sum(q.Window.From, q.Window.To)
	r := Report{Query: q, Figures: sum.Figures(), Authors: sum.AuthorCount(), Sampled: sum.Sampled()}
	model, err := sentiment.Default()
	if err != nil {
		return r, fmt.Errorf("load the sentiment model: %w", err)
	}
	r.Mood = sum.Mood(model)
	before := topic.NewSum()
	if q.Compare {
		w := q.Window.Before()
		before = p.Sum(w.From, w.To)
		r.PostsChange = topic.Compare(r.Posts, before.Figures().Posts)
		r.AuthorsChange = topic.Compare(r.Authors.Authors, before.AuthorCount().Authors)
	}
	if q.By != "" {
		r.Parts = compared(sum, before, q.By, q.Top)
	}
	if q.Step > 0 {
		r.Series = p.series(q, r.Parts)
	}
	return r, nil
}

func compared(sum, before *topic.Minute, by topic.Dimension, top int) []topic.Compared {
	if by != ByMedia {
		parts, _ := topic.CompareBy(sum, before, by, top)
		return parts
	}
	now, then := sum.Figures(), before.Figures()
	return []topic.Compared{
		media(withMedia, now.Media, then.Media, now.Posts),
		media(withoutMedia, now.Posts-now.Media, then.Posts-then.Media, now.Posts),
	}
}

func media(key string, n, before, posts int64) topic.Compared {
	c := topic.Compared{Part: topic.Part{Key: key, N: n}, Change: topic.Compare(n, before)}
	if posts > 0 {
		c.Part.Percent = 100 * float64(n) / float64(posts)
	}
	return c
}

// allParts is more than any minute has of a dimension.
const allParts = 1 << 16

// series counts each step. The parts are those of the whole window.
func (p *Picture) series(q Query, parts []topic.Compared) []Point {
	place := make(map[topic.PartID]int, len(parts))
	for i := range parts {
		place[parts[i].ID()] = i
	}
	points := []Point{}
	for at := q.Window.From; at < q.Window.To; at += q.Step {
		sum := p.step(at, min(at+q.Step, q.Window.To))
		point := Point{At: topic.StartOf(at), N: make([]int64, len(parts))}
		if sum != nil {
			point.Posts = sum.Figures().Posts
			for _, part := range compared(sum, topic.NewSum(), q.By, allParts) {
				if i, ok := place[part.ID()]; ok {
					point.N[i] = part.N
				}
			}
		}
		points = append(points, point)
	}
	return points
}

// step is the sum of a short window, which may be shared; nil for nothing.
func (p *Picture) step(first, end int64) *topic.Minute {
	if p.past != nil && first < p.From {
		return p.Sum(first, end)
	}
	of := p.Between(first, end)
	switch len(of) {
	case 0:
		return nil
	case 1:
		return of[0].Minute
	}
	return p.Sum(first, end)
}

// HourBefore is how much of the time before a window its trends are judged by, in
// minutes.
const HourBefore = 60

// Trends is what a window talks about. Words that every sentence of the show's or
// the posts' languages has are left out.
func (p *Picture) Trends(w topic.Window, k int) topic.Trends {
	of, before := topic.Minutes{}, w.From-HourBefore
	p.gather(of, before, w.From)
	p.gather(of, w.From, w.To)
	if p.begins() < before {
		of.Of(before) // a topic that was quiet is not a young one
	}
	return of.Trends(w, k, p.languages(w))
}

// gather adds up a stretch by the hour, each sum in the place of the first minute
// that is in it.
func (p *Picture) gather(into topic.Minutes, first, end int64) {
	for _, stretch := range stretches(first, end) {
		if at, ok := p.next(stretch.first); ok && at < stretch.end {
			into[at] = p.Sum(stretch.first, stretch.end)
		}
	}
}

// next is the first minute from one on that has anything in it.
func (p *Picture) next(from int64) (int64, bool) {
	if p.past != nil && from < p.From {
		if at, ok := p.past.next(from); ok {
			return at, true
		}
	}
	if of := p.Between(from, p.Now+1); len(of) > 0 {
		return of[0].At, true
	}
	return 0, false
}

// begins is the first minute that is known to have anything in it.
func (p *Picture) begins() int64 {
	first := int64(math.MaxInt64)
	if len(p.Minutes) > 0 {
		first = p.Minutes[0].At
	}
	if p.past != nil {
		first = min(first, p.past.since)
	}
	return first
}

// languages are those of the show, and those that many posts are in.
func (p *Picture) languages(w topic.Window) []string {
	languages := p.Show.Languages
	parts, _ := p.Sum(w.From, w.To).By(topic.ByLanguage, 4)
	for _, part := range parts {
		languages = append(languages[:len(languages):len(languages)], part.Key)
	}
	return languages
}

// Hashtags are the most frequent of a window.
func (p *Picture) Hashtags(w topic.Window, k int) []topic.Part {
	parts, _ := p.Sum(w.From, w.To).By(topic.ByHashtag, k)
	return parts
}
