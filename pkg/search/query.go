package search

import (
	"fmt"
	"maps"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/search/internal/cursor"
	"github.com/clamor-live/clamor/pkg/search/internal/words"
)

// Query says which posts, in which order.
type Query struct {
	// Text is what people type: words, all of which a post must have, "phrases",
	// and -words or -"phrases" that it must not. Anything is a valid Text; of a long
	// one the first 32 words and phrases count.
	Text string
	// Show, Topic, Language, Sentiment and Country narrow, if not empty.
	Show, Topic, Language, Sentiment, Country string
	// From and To are the received_at, To not included; zero is open.
	From, To audience.Millis
	// MaxGeneration is the generation that is published: posts of later ones are
	// not seen.
	MaxGeneration uint64

	Sort Sort
	// After is the Next of the page before, with the same query.
	After string
	// Limit is the size of a page: 20 if zero, at most MaxLimit.
	Limit int
	// Highlight asks for the Fragments of the hits.
	Highlight bool
	// Step asks for a histogram over From to To, which it needs: whole minutes, at
	// most MaxBuckets of them.
	Step time.Duration
}

// Sort is an order of hits.
type Sort int

// The orders. Pages of Newest (received_at, then id) neither repeat nor skip a
// post however many come in meanwhile. Relevance moves with every post that comes
// in: a page goes on below the score that the last one ended with.
const (
	Newest    = Sort(cursor.Newest)
	Relevance = Sort(cursor.Relevance)
)

// MaxLimit is the largest page, MaxBuckets the longest histogram.
const (
	MaxLimit     = 100
	MaxBuckets   = 1500
	defaultLimit = 20
)

// Page is one page of what was found.
type Page struct {
	Posts []Hit
	// Total is how many posts the query finds on all pages.
	Total int64
	// Next is the cursor of the next page, "" when this is the last.
	Next string
	// Histogram has a bucket for each step, those without posts too.
	Histogram []Bucket
}

// Hit is a post that was found, without its Raw.
type Hit struct {
	Doc
	// Score is how well it fits the text, comparable within one page.
	Score float64
	// Fragments are up to three parts of the text, as HTML that is safe to show:
	// escaped, with what matched in <em>.
	Fragments []string
}

// Bucket counts the posts received from At on, for a step.
type Bucket struct {
	At    audience.Millis
	Posts int64
}

// plan is a query, checked and taken apart.
type plan struct {
	Query
	clauses []words.Clause
	after   *cursor.Cursor
}

func planOf(q Query) (plan, error) {
	p := plan{Query: q, clauses: words.Parse(q.Text)}
	switch {
	case q.Limit < 0 || q.Limit > MaxLimit:
		return p, fmt.Errorf("%w: a page has 1 to %d posts", ErrQuery, MaxLimit)
	case q.Limit == 0:
		p.Limit = defaultLimit
	}
	if q.Sort != Newest && q.Sort != Relevance {
		return p, fmt.Errorf("%w: there is no such order", ErrQuery)
	}
	if err := checkStep(q); err != nil {
		return p, err
	}
	p.MaxGeneration = min(q.MaxGeneration, maxGeneration)
	if q.After != "" {
		c, ok := cursor.Parse(q.After)
		if !ok || c.Order != byte(q.Sort) || c.At < 0 || c.At > maxTime {
			return p, ErrCursor
		}
		p.after = &c
	}
	return p, nil
}

func checkStep(q Query) error {
	switch {
	case q.Step == 0:
		return nil
	case q.Step < time.Minute || q.Step%time.Minute != 0:
		return fmt.Errorf("%w: a histogram's step is whole minutes", ErrQuery)
	case q.From < 0 || q.To > maxTime || q.To <= q.From:
		return fmt.Errorf("%w: a histogram needs from and to", ErrQuery)
	case (int64(q.To)-floor(int64(q.From), q.Step)-1)/q.Step.Milliseconds() >= MaxBuckets:
		return fmt.Errorf("%w: a histogram has at most %d steps", ErrQuery, MaxBuckets)
	}
	return nil
}

// floor is the start of the step that an instant of Unix milliseconds is in.
func floor(ms int64, step time.Duration) int64 { return ms - ms%step.Milliseconds() }

// histogram makes the buckets of p out of counts of shorter or equal steps, by
// their start in Unix milliseconds.
func (p *plan) histogram(counts map[int64]int64) []Bucket {
	first, step := floor(int64(p.From), p.Step), p.Step.Milliseconds()
	buckets := make([]Bucket, 0, (int64(p.To)-first+step-1)/step)
	for at := first; at < int64(p.To); at += step {
		buckets = append(buckets, Bucket{At: audience.Millis(at)})
	}
	for at, n := range counts {
		if i := (at - first) / step; at >= first && i < int64(len(buckets)) {
			buckets[i].Posts += n
		}
	}
	return buckets
}

// next is the cursor behind the last of hits.
func (p *plan) next(hits []Hit) string {
	last := &hits[len(hits)-1]
	return cursor.Cursor{Order: byte(p.Sort), At: int64(last.ReceivedAt), Score: last.Score, ID: last.ID}.String()
}

// terms are the filters that are equalities, by field.
func (p *plan) terms() map[string]string {
	all := map[string]string{
		fieldShow: p.Show, fieldTopics: p.Topic, fieldLanguage: p.Language, fieldSentiment: p.Sentiment, fieldCountry: p.Country,
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// empty is the answer where nothing is found.
func (p *plan) empty() Page {
	if p.Step == 0 {
		return Page{}
	}
	return Page{Histogram: p.histogram(nil)}
}
