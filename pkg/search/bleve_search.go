package search

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/clamor-live/clamor/pkg/search/internal/words"
)

func (s *bleveStore) Search(ctx context.Context, q Query) (Page, error) {
	page, err := s.search(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("search posts: %w", err)
	}
	return page, nil
}

func (s *bleveStore) search(ctx context.Context, q Query) (page Page, err error) {
	p, err := planOf(q)
	if err != nil {
		return page, err
	}
	ix, done, err := s.takeCurrent()
	if err != nil {
		return page, err
	}
	defer done()
	if ix == nil {
		return p.empty(), nil
	}
	result, err := ix.SearchInContext(ctx, p.bleve())
	if err != nil {
		return page, err
	}
	page.Total = int64(result.Total)
	for i, m := range result.Hits {
		if i == p.Limit { // the one that says that there are more
			page.Next = p.next(page.Posts)
			break
		}
		hit, err := bleveHit(m)
		if err != nil {
			return Page{}, err
		}
		page.Posts = append(page.Posts, hit)
	}
	if p.Step > 0 {
		page.Histogram = p.histogram(minutes(result.Facets[fieldMinute]))
	}
	return page, nil
}

func bleveHit(m *search.DocumentMatch) (Hit, error) {
	body, _ := m.Fields[fieldPost].(string)
	d, err := decodeDoc([]byte(body))
	if err != nil {
		return Hit{}, err
	}
	var spans []words.Span
	for field, terms := range m.Locations {
		var found []words.Span
		for _, locations := range terms {
			for _, l := range locations {
				found = append(found, words.Span{From: int(l.Start), To: int(l.End)})
			}
		}
		if field == fieldFolded {
			found = words.Unfold(d.Text, found)
		}
		spans = append(spans, found...)
	}
	return Hit{Doc: d, Score: m.Score, Fragments: words.Fragments(d.Text, spans)}, nil
}

func minutes(f *search.FacetResult) map[int64]int64 {
	counts := map[int64]int64{}
	if f == nil {
		return counts
	}
	for _, t := range f.Terms.Terms() {
		if minute, err := strconv.ParseInt(t.Term, 10, 64); err == nil {
			counts[minute*time.Minute.Milliseconds()] += int64(t.Count)
		}
	}
	return counts
}

// bleve is the request: filters cost no score, and no score is made where the
// order needs none.
func (p *plan) bleve() *bleve.SearchRequest {
	b := query.NewBooleanQuery(nil, nil, nil)
	b.AddFilter(p.bleveFilter())
	for _, c := range p.clauses {
		if c.Not {
			b.AddMustNot(p.bleveClause(c))
		} else {
			b.AddMust(p.bleveClause(c))
		}
	}
	r := bleve.NewSearchRequestOptions(b, p.Limit+1, 0, false)
	r.Fields = []string{fieldPost}
	r.IncludeLocations = p.Highlight
	r.Sort = search.SortOrder{&search.SortScore{Desc: true}, &search.SortDocID{}}
	if p.Sort == Newest {
		r.Score = "none"
		r.Sort[0] = &search.SortField{Field: fieldReceived, Type: search.SortFieldAsNumber, Desc: true}
	}
	if p.after != nil {
		key := strconv.FormatFloat(p.after.Score, 'g', -1, 64)
		if p.Sort == Newest {
			key = strconv.FormatInt(p.after.At, 10)
		}
		r.SearchAfter = []string{key, p.after.ID}
	}
	if p.Step > 0 {
		r.AddFacet(fieldMinute, bleve.NewFacetRequest(fieldMinute, int((p.To-p.From)/60_000)+2))
	}
	return r
}

// bleveClause is a word or phrase in any of the fields.
func (p *plan) bleveClause(c words.Clause) query.Query {
	in := func(field, text string) query.Query {
		if c.Phrase {
			q := query.NewMatchPhraseQuery(text)
			q.SetField(field)
			return q
		}
		q := query.NewMatchQuery(text)
		q.SetField(field)
		q.SetOperator(query.MatchQueryOperatorAnd)
		return q
	}
	either := []query.Query{in(fieldFolded, words.Fold(c.Text))}
	if field := textField(p.Language); field != "" {
		return query.NewDisjunctionQuery(append(either, in(field, c.Text)))
	}
	for name := range languages {
		either = append(either, in(textPrefix+name, c.Text))
	}
	return query.NewDisjunctionQuery(either)
}

func (p *plan) bleveFilter() query.Query {
	all := []query.Query{query.NewMatchAllQuery()}
	for field, value := range p.terms() {
		t := query.NewTermQuery(value)
		t.SetField(field)
		all = append(all, t)
	}
	if p.MaxGeneration < maxGeneration {
		all = append(all, between(fieldGeneration, 0, float64(p.MaxGeneration)+1))
	}
	if p.From > 0 || p.To > 0 {
		to := float64(maxTime + 1)
		if p.To > 0 {
			to = float64(p.To)
		}
		all = append(all, between(fieldReceived, float64(p.From), to))
	}
	return query.NewConjunctionQuery(all)
}

// between includes from, not to.
func between(field string, from, to float64) query.Query {
	q := query.NewNumericRangeQuery(&from, &to)
	q.SetField(field)
	return q
}

func (s *bleveStore) Get(ctx context.Context, id string) (Doc, error) {
	d, err := s.get(ctx, id)
	if err != nil {
		return Doc{}, fmt.Errorf("read post %q: %w", id, err)
	}
	return d, nil
}

func (s *bleveStore) get(ctx context.Context, id string) (d Doc, err error) {
	ix, done, err := s.takeCurrent()
	if err != nil {
		return d, err
	}
	defer done()
	if ix == nil {
		return d, ErrNotFound
	}
	if err := ctx.Err(); err != nil {
		return d, err
	}
	doc, err := ix.Document(id)
	if err != nil {
		return d, err
	}
	if doc == nil {
		return d, ErrNotFound
	}
	var body, raw []byte
	doc.VisitFields(func(f index.Field) {
		switch f.Name() {
		case fieldPost:
			body = f.Value()
		case fieldRaw:
			raw = slices.Clone(f.Value())
		}
	})
	d, err = decodeDoc(body)
	d.Raw = raw
	return d, err
}
