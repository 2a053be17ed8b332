package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/text/language"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
)

// searchPosts finds posts by their text.
func (s *Service) searchPosts(c *gin.Context) error {
	if s.deps.Search == nil {
		return fault.New(fault.NoSearch, "no search is configured: give search an address")
	}
	q, err := s.searchQuery(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), searchTimeout)
	defer cancel()
	page, err := s.deps.Search.Search(ctx, q)
	switch {
	case errors.Is(err, search.ErrCursor):
		return fault.New(fault.InvalidRequest, "after is the next of the page before, of the same search")
	case errors.Is(err, search.ErrQuery):
		return fault.New(fault.InvalidRequest, "%w", err)
	case err != nil:
		return storeDown(err)
	}
	state := s.deps.Control.State()
	r := searchPage{Items: []postReply{}, Next: page.Next, Total: page.Total, Generation: q.MaxGeneration}
	for i := range page.Posts {
		hit := &page.Posts[i]
		m := decide(state, hitOf(&hit.Doc))
		if m.verdict == audience.Rejected && c.Query("state") != string(audience.Rejected) {
			continue // rejected posts are in no list but their own
		}
		p := postReplyOf(state, &m)
		p.Highlights = hit.Fragments
		r.Items = append(r.Items, p)
	}
	return reply(c, http.StatusOK, r)
}

const (
	// searchTimeout bounds a search: a person waits for it.
	searchTimeout = 5 * time.Second
	maxSearchText = 1000
)

type searchPage struct {
	Items []postReply `json:"items"`
	Next  string      `json:"next,omitempty"`
	// Total is how many the query finds, rejected ones among them.
	Total      int64  `json:"total"`
	Generation uint64 `json:"generation"`
}

func (s *Service) searchQuery(c *gin.Context) (search.Query, error) {
	limit, after, err := paging(c)
	if err != nil {
		return search.Query{}, err
	}
	q := search.Query{
		Text: c.Query("q"), Show: c.Query("show"), Topic: c.Query("topic"), After: after,
		Limit: min(limit, search.MaxLimit), Highlight: true,
	}
	if len(q.Text) > maxSearchText {
		return q, fault.New(fault.InvalidRequest, "q is longer than %d bytes", maxSearchText)
	}
	if err := narrowed(c, &q); err != nil {
		return q, err
	}
	if q.Sort, err = sortOf(c.Query("sort")); err != nil {
		return q, err
	}
	if own := tokenOf(c).Show; own != "" {
		if q.Show != "" && q.Show != own {
			return q, fault.New(fault.NotFound, "there is no show %q", q.Show)
		}
		q.Show = own
	}
	q.MaxGeneration = s.topics.Health().Generation
	return q, nil
}

// archived finds the newest posts of a topic; nil where nothing is searched.
func (s *Service) archived() func(context.Context, string, uint64, int) ([]speed.RecentPost, error) {
	if s.deps.Search == nil {
		return nil
	}
	return func(ctx context.Context, topic string, generation uint64, most int) ([]speed.RecentPost, error) {
		var posts []speed.RecentPost
		q := search.Query{Topic: topic, MaxGeneration: generation}
		for {
			q.Limit = min(most-len(posts), search.MaxLimit)
			page, err := s.deps.Search.Search(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("look for posts of %s: %w", topic, err)
			}
			for i := range page.Posts {
				posts = append(posts, hitOf(&page.Posts[i].Doc))
			}
			if q.After = page.Next; q.After == "" || len(posts) >= most {
				return posts, nil
			}
		}
	}
}

func sortOf(name string) (search.Sort, error) {
	switch name {
	case "", "newest":
		return search.Newest, nil
	case "relevance":
		return search.Relevance, nil
	}
	return search.Newest, fault.New(fault.InvalidRequest, "sort is newest or relevance")
}

// narrowed reads what a search is narrowed by. What no post can be is refused: an
// answer without posts would say that nobody spoke.
func narrowed(c *gin.Context, q *search.Query) (err error) {
	if q.From, err = instantOf(c, "from"); err != nil {
		return err
	}
	if q.To, err = instantOf(c, "to"); err != nil {
		return err
	}
	if q.To != 0 && q.From >= q.To {
		return fault.New(fault.InvalidRequest, "from is not before to")
	}
	if q.Language, err = languageOf(c.Query("language")); err != nil {
		return err
	}
	if q.Country = strings.ToUpper(c.Query("country")); q.Country != "" && !isCountry(q.Country) {
		return fault.New(fault.InvalidRequest, "country is one like BR")
	}
	q.Sentiment = c.Query("sentiment")
	if words := []string{"neg", "neu", "pos"}; q.Sentiment != "" && !slices.Contains(words, q.Sentiment) {
		return fault.New(fault.InvalidRequest, "sentiment is one of %s", strings.Join(words, ", "))
	}
	if state := c.Query("state"); state != "" && state != string(audience.Rejected) {
		return fault.New(fault.InvalidRequest, "state is rejected, for rejected posts too")
	}
	return nil
}

// languageOf is a language as posts are understood to be in: pt for pt-BR.
func languageOf(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if _, err := language.Parse(text); err != nil {
		return "", fault.New(fault.InvalidRequest, "language is one like pt")
	}
	return topic.BaseLanguage(text), nil
}

func isCountry(s string) bool {
	return len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
