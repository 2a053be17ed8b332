package search

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

const (
	// bulkDocs and bulkBytes bound one bulk: larger ones are no faster.
	bulkDocs  = 1000
	bulkBytes = 4 << 20
)

func (s *elasticStore) Put(ctx context.Context, build string, docs []Doc) error {
	err := checkBuild(build)
	if err == nil {
		err = s.put(ctx, build, docs)
	}
	if err != nil {
		return fmt.Errorf("put %d posts into search build %q: %w", len(docs), build, err)
	}
	return nil
}

func (s *elasticStore) put(ctx context.Context, build string, docs []Doc) error {
	var refused RefusedError
	for part := range slices.Chunk(docs, bulkDocs) {
		entries := prepare(part, &refused)
		for len(entries) > 0 {
			items, err := s.items(&entries)
			if err != nil {
				return err
			}
			if err := s.bulk(ctx, build, items, &refused); err != nil {
				return err
			}
		}
	}
	return refused.orNil()
}

// item is a doc on its way: its two lines of a bulk.
type item struct {
	id    string
	lines []byte
}

// items takes as many of entries as fit into one bulk, at least one.
func (s *elasticStore) items(entries *[]entry) ([]item, error) {
	var items []item
	size := 0
	for len(*entries) > 0 && (size == 0 || size < bulkBytes) {
		it, err := s.item(&(*entries)[0])
		if err != nil {
			return nil, err
		}
		items, size, *entries = append(items, it), size+len(it.lines), (*entries)[1:]
	}
	return items, nil
}

// source is what Elasticsearch indexes of a doc, but for the post and the text in
// its language, which are appended.
type source struct {
	ID         string   `json:"id"`
	Show       string   `json:"show,omitempty"`
	Topics     []string `json:"topics,omitempty"`
	Language   string   `json:"language,omitempty"`
	Sentiment  string   `json:"sentiment,omitempty"`
	Country    string   `json:"country,omitempty"`
	ReceivedAt int64    `json:"received_at"`
	Generation uint64   `json:"generation"`
	Folded     string   `json:"folded"`
	Raw        []byte   `json:"raw,omitempty"` // in base64
}

func (s *elasticStore) item(e *entry) (item, error) {
	d := e.doc
	id, err := json.Marshal(d.ID)
	if err != nil {
		return item{}, err
	}
	members, err := json.Marshal(source{
		ID: d.ID, Show: d.Show, Topics: d.Topics, Language: d.Language, Sentiment: d.Sentiment, Country: d.Country,
		ReceivedAt: int64(d.ReceivedAt), Generation: d.Generation, Folded: e.folded, Raw: d.Raw,
	})
	if err != nil {
		return item{}, err
	}
	b := make([]byte, 0, len(id)+len(members)+len(e.body)+2*len(d.Text)+64)
	b = append(append(append(b, `{"index":{"_id":`...), id...), "}}\n"...)
	b = append(b, members[:len(members)-1]...)
	if s.stems && e.field != "" {
		text, err := json.Marshal(d.Text)
		if err != nil {
			return item{}, err
		}
		b = append(append(b, `,"`+e.field+`":`...), text...)
	}
	b = append(append(append(b, `,"`+fieldPost+`":`...), e.body...), "}\n"...)
	return item{d.ID, b}, nil
}

// bulk writes items, and again those that the cluster was too busy for.
func (s *elasticStore) bulk(ctx context.Context, build string, items []item, refused *RefusedError) error {
	for attempt := 0; ; attempt++ {
		answer, err := s.sendBulk(ctx, build, items)
		if err != nil {
			return err
		}
		var again []item
		var last *elasticError
		for i, a := range answer {
			switch err := a.failure(); {
			case err == nil:
			case tooBusy(err.status):
				again, last = append(again, items[i]), err
			case err.status == http.StatusNotFound:
				return ErrNoBuild
			case err.status == http.StatusBadRequest:
				refused.add(items[i].id, err.reason)
			default:
				return fmt.Errorf("post %q: %w", items[i].id, err)
			}
		}
		if len(again) == 0 {
			return nil
		}
		if attempt == elasticAttempts-1 {
			return fmt.Errorf("%d posts were not taken in %d attempts: %w", len(again), elasticAttempts, last)
		}
		if err := s.client.pause(ctx, attempt, 0); err != nil {
			return err
		}
		items = again
	}
}

// bulkItem is what became of one item.
type bulkItem struct {
	Index struct {
		Status int           `json:"status"`
		Error  *elasticCause `json:"error"`
	} `json:"index"`
}

func (b *bulkItem) failure() *elasticError {
	switch {
	case b.Index.Error != nil:
		return &elasticError{b.Index.Status, b.Index.Error.Type, b.Index.Error.reason()}
	case b.Index.Status/100 != 2:
		return &elasticError{status: b.Index.Status}
	}
	return nil
}

func (s *elasticStore) sendBulk(ctx context.Context, build string, items []item) ([]bulkItem, error) {
	size := 0
	for i := range items {
		size += len(items[i].lines)
	}
	body := make([]byte, 0, size)
	for i := range items {
		body = append(body, items[i].lines...)
	}
	var answer struct {
		Items []bulkItem `json:"items"`
	}
	path := "/" + s.index(build) + writes + "/_bulk?require_alias=true&filter_path=items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by"
	if _, err := s.client.do(ctx, http.MethodPost, path, body, &answer); err != nil {
		return nil, err
	}
	if len(answer.Items) != len(items) {
		return nil, fmt.Errorf("elasticsearch answers for %d of %d posts", len(answer.Items), len(items))
	}
	return answer.Items, nil
}
