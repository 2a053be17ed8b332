package search

import (
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
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
	Newest Sort = iota
	Relevance
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
	clauses []clause
	after   *cursor
}

func planOf(q Query) (plan, error) {
	p := plan{Query: q, clauses: parseText(q.Text)}
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
		c, err := parseCursor(q.After)
		if err != nil {
			return p, err
		}
		if c.sort != q.Sort {
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

// clause is a word or a phrase that a post must have, or must not.
type clause struct {
	text   string
	phrase bool
	not    bool
}

const (
	maxClauses = 32
	// maxClause bounds a word or phrase, in bytes.
	maxClause = 256
)

// parseText takes what people type apart. Every text has a meaning: a quote that
// is not closed reaches to the end, and what has no letter, digit or symbol is
// left out.
func parseText(text string) []clause {
	text = strings.ToValidUTF8(text, " ")
	var clauses []clause
	for text != "" && len(clauses) < maxClauses {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		var c clause
		if rest, ok := strings.CutPrefix(text, "-"); ok {
			c.not, text = true, rest
		}
		first, size := utf8.DecodeRuneInString(text)
		if isQuote(first) {
			c.phrase = true
			c.text, text = cutAt(text[size:], isQuote)
			_, size = utf8.DecodeRuneInString(text)
			text = text[size:]
		} else {
			c.text, text = cutAt(text, func(r rune) bool { return unicode.IsSpace(r) || isQuote(r) })
		}
		if c.text = tidy(c.text); c.text != "" {
			c.phrase = c.phrase || strings.ContainsFunc(c.text, func(r rune) bool { return !inWord(r) })
			clauses = append(clauses, c)
		}
	}
	return clauses
}

// cutAt cuts before the first character that ends.
func cutAt(s string, ends func(rune) bool) (before, after string) {
	if i := strings.IndexFunc(s, ends); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func isQuote(r rune) bool { return strings.ContainsRune(`"“”„«»`, r) }

// inWord says whether no engine cuts at r.
func inWord(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M) }

// tidy cuts what cannot be searched off both ends, and the whole to its bound.
func tidy(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return !inWord(r) && !unicode.Is(unicode.So, r) })
	if len(s) > maxClause {
		s = strings.ToValidUTF8(s[:maxClause], "")
	}
	return s
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
