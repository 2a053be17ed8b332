package search

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/clamor-live/clamor/pkg/search/internal/words"
)

func (s *elasticStore) Search(ctx context.Context, q Query) (Page, error) {
	page, err := s.search(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("search posts: %w", err)
	}
	return page, nil
}

// elasticAnswer is what a search answers.
type elasticAnswer struct {
	TimedOut bool `json:"timed_out"`
	Shards   struct {
		Failed int `json:"failed"`
	} `json:"_shards"`
	Hits struct {
		Total struct {
			Value int64 `json:"value"`
		} `json:"total"`
		Hits []elasticHit `json:"hits"`
	} `json:"hits"`
	Aggregations struct {
		Histogram struct {
			Buckets []struct {
				Key   int64 `json:"key"`
				Count int64 `json:"doc_count"`
			} `json:"buckets"`
		} `json:"histogram"`
	} `json:"aggregations"`
}

type elasticHit struct {
	Score     *float64            `json:"_score"`
	Source    elasticSource       `json:"_source"`
	Highlight map[string][]string `json:"highlight"`
}

type elasticSource struct {
	Post   json.RawMessage `json:"post"`
	Raw    string          `json:"raw"`
	Folded string          `json:"folded"`
}

func (s *elasticStore) search(ctx context.Context, q Query) (page Page, err error) {
	p, err := planOf(q)
	if err != nil {
		return page, err
	}
	answer, err := s.ask(ctx, p)
	if err != nil {
		return page, err
	}
	page.Total = answer.Hits.Total.Value
	for i := range answer.Hits.Hits {
		if i == p.Limit { // the one that says that there are more
			page.Next = p.next(page.Posts)
			break
		}
		hit, err := answer.Hits.Hits[i].hit()
		if err != nil {
			return Page{}, err
		}
		page.Posts = append(page.Posts, hit)
	}
	if p.Step > 0 {
		counts := map[int64]int64{}
		for _, b := range answer.Aggregations.Histogram.Buckets {
			counts[b.Key] += b.Count
		}
		page.Histogram = p.histogram(counts)
	}
	return page, nil
}

var errDropped = errors.New("the index was dropped again and again while it was read")

// ask searches the alias; without one nothing is found. A search that meets the
// index of before just as it is dropped starts again.
func (s *elasticStore) ask(ctx context.Context, p plan) (answer elasticAnswer, err error) {
	body, err := json.Marshal(s.request(&p))
	if err != nil {
		return answer, err
	}
	path := "/" + s.alias + "/_search?ignore_unavailable=true&allow_partial_search_results=false"
	for range elasticAttempts {
		answer = elasticAnswer{}
		status, err := s.client.do(ctx, http.MethodPost, path, body, &answer)
		if status == http.StatusNotFound || strings.HasPrefix(kind(err), "no_shard_available") {
			continue
		}
		if err == nil && (answer.TimedOut || answer.Shards.Failed > 0) {
			err = errors.New("not all shards of the index answered")
		}
		return answer, err
	}
	return answer, errDropped
}

// request is the search in Elasticsearch's words.
func (s *elasticStore) request(p *plan) object {
	var must, not []object
	for _, c := range p.clauses {
		if c.Not {
			not = append(not, s.clause(p, c))
		} else {
			must = append(must, s.clause(p, c))
		}
	}
	r := object{
		"size": p.Limit + 1, "track_total_hits": true, "_source": []string{fieldPost},
		"query": object{"bool": object{"must": must, "must_not": not, "filter": s.filter(p)}},
		"sort":  []object{{fieldReceived: object{"order": "desc", "format": "epoch_millis"}}, {fieldID: "asc"}},
	}
	if p.Sort == Relevance {
		r["sort"] = []object{{"_score": "desc"}, {fieldID: "asc"}}
	}
	if p.after != nil {
		r["search_after"] = []any{p.after.At, p.after.ID}
		if p.Sort == Relevance {
			r["search_after"] = []any{p.after.Score, p.after.ID}
		}
	}
	if p.Highlight && len(must) > 0 {
		r["_source"] = []string{fieldPost, fieldFolded}
		r["highlight"] = object{
			"number_of_fragments": 0, "pre_tags": []string{words.MarkStart}, "post_tags": []string{words.MarkEnd},
			"fields": object{fieldFolded: object{}, textPrefix + "*": object{}},
		}
	}
	if p.Step > 0 {
		r["aggs"] = object{"histogram": object{"date_histogram": object{
			"field": fieldReceived, "fixed_interval": fmt.Sprintf("%dm", int64(p.Step.Minutes())), "min_doc_count": 1,
		}}}
	}
	return r
}

// clause is a word or phrase in any of the fields.
func (s *elasticStore) clause(p *plan, c words.Clause) object {
	match := func(text string, fields ...string) object {
		m := object{"query": text, "fields": fields, "operator": "and"}
		if c.Phrase {
			m = object{"query": text, "fields": fields, "type": "phrase"}
		}
		return object{"multi_match": m}
	}
	either := []object{match(words.Fold(c.Text), fieldFolded)}
	if s.stems {
		field := textField(p.Language)
		if field == "" {
			field = textPrefix + "*"
		}
		either = append(either, match(c.Text, field))
	}
	return object{"bool": object{"should": either, "minimum_should_match": 1}}
}

func (s *elasticStore) filter(p *plan) []object {
	var all []object
	for field, value := range p.terms() {
		all = append(all, object{"term": object{field: value}})
	}
	if p.MaxGeneration < maxGeneration {
		all = append(all, object{"range": object{fieldGeneration: object{"lte": p.MaxGeneration}}})
	}
	if p.From > 0 || p.To > 0 {
		within := object{"gte": int64(p.From), "format": "epoch_millis"}
		if p.To > 0 {
			within["lt"] = int64(p.To)
		}
		all = append(all, object{"range": object{fieldReceived: within}})
	}
	return all
}

func (h *elasticHit) hit() (Hit, error) {
	d, err := decodeDoc(h.Source.Post)
	if err != nil {
		return Hit{}, err
	}
	hit := Hit{Doc: d}
	if h.Score != nil {
		hit.Score = *h.Score
	}
	var spans []words.Span
	for field, marked := range h.Highlight {
		if len(marked) != 1 {
			continue
		}
		if field == fieldFolded {
			spans = append(spans, words.Unfold(d.Text, words.Marks(h.Source.Folded, marked[0]))...)
		} else {
			spans = append(spans, words.Marks(d.Text, marked[0])...)
		}
	}
	hit.Fragments = words.Fragments(d.Text, spans)
	return hit, nil
}

func (s *elasticStore) Get(ctx context.Context, id string) (Doc, error) {
	d, err := s.get(ctx, id)
	if err != nil {
		return Doc{}, fmt.Errorf("read post %q: %w", id, err)
	}
	return d, nil
}

func (s *elasticStore) get(ctx context.Context, id string) (d Doc, err error) {
	if id == "" || len(id) > maxID {
		return d, ErrNotFound
	}
	for range elasticAttempts {
		found, err := s.fetch(ctx, id)
		switch {
		case err != nil:
			return d, err
		case found.Found:
			return found.Source.doc()
		case found.Error == nil:
			return d, ErrNotFound
		case found.Error.Type != "index_not_found_exception" && found.Error.Type != "no_shard_available_action_exception":
			return d, &elasticError{http.StatusOK, found.Error.Type, found.Error.reason()}
		}
		// Nothing is published yet, or the index of before was just dropped.
		if named, err := s.pointed(ctx); err != nil || len(named) == 0 {
			return d, cmp.Or(err, ErrNotFound)
		}
	}
	return d, errDropped
}

type elasticDoc struct {
	Found  bool          `json:"found"`
	Error  *elasticCause `json:"error"`
	Source elasticSource `json:"_source"`
}

// fetch asks by a body: an id has characters that a path has not.
func (s *elasticStore) fetch(ctx context.Context, id string) (found elasticDoc, err error) {
	body, err := json.Marshal(object{"ids": []string{id}})
	if err != nil {
		return found, err
	}
	var answer struct {
		Docs []elasticDoc `json:"docs"`
	}
	path := "/" + s.alias + "/_mget?_source_includes=" + fieldPost + "," + fieldRaw
	if _, err := s.client.do(ctx, http.MethodPost, path, body, &answer); err != nil {
		return found, err
	}
	if len(answer.Docs) != 1 {
		return found, errors.New("elasticsearch answers for another number of posts")
	}
	return answer.Docs[0], nil
}

func (e *elasticSource) doc() (Doc, error) {
	d, err := decodeDoc(e.Post)
	if err == nil && e.Raw != "" {
		d.Raw, err = base64.StdEncoding.DecodeString(e.Raw)
	}
	return d, err
}
