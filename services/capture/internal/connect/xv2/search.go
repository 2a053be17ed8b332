package xv2

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
)

const (
	searchPath = "/2/tweets/search/recent"
	// searched is how far back a recent search may ask: the platform's week, and
	// some patience.
	searched = 7*24*time.Hour - 5*time.Minute
)

// fill searches what was said in the gap. A rule that the search does not take
// does not hinder the others.
func (r *run) fill(ctx context.Context) error {
	var no *connect.Refused
	taken := 0
	for _, value := range slices.Sorted(maps.Keys(r.rules)) {
		err := r.find(ctx, value)
		switch {
		case errors.As(err, &no):
			r.env.Logger.Warn("a rule cannot be searched for", "rule", value, "error", err)
		case err != nil:
			return err
		default:
			taken++
		}
	}
	if no != nil && taken == 0 {
		return no
	}
	return nil
}

// find delivers what one rule finds in the gap, from the newest post down, and
// goes on where it was refused before.
func (r *run) find(ctx context.Context, rule string) error {
	until, done := r.gap.Searched(rule)
	if done {
		return nil
	}
	q := fields()
	q.Set("query", rule)
	q.Set("max_results", strconv.Itoa(perPage))
	since := max(x.Rewound(r.gap.Begins()), x.IDAt(r.env.Now().Add(-searched)))
	q.Set("since_id", strconv.FormatInt(since, 10))
	if until > since {
		q.Set("until_id", strconv.FormatInt(until, 10))
	}
	for n := range pages {
		page, err := r.page(ctx, q)
		if err != nil {
			return err
		}
		if oldest := x.ID(connect.Place(page.Meta.Oldest)); oldest > 0 {
			until = oldest
		}
		done = page.Meta.Next == ""
		r.gap.Found(rule, until, done)
		if done {
			return nil
		}
		q.Set("next_token", page.Meta.Next)
		if n+1 == pages {
			r.env.Logger.Warn("the gap is too long to be closed", "rule", rule, "pages", pages)
		}
	}
	return nil
}

// page delivers one page of a search.
func (r *run) page(ctx context.Context, q url.Values) (page results, err error) {
	if err := x.Spend(ctx, r.out); err != nil {
		return page, err
	}
	if err := r.ask(ctx, http.MethodGet, searchPath, q, nil, &page); err != nil {
		return page, err
	}
	var b connect.Batch
	for _, data := range slices.Backward(page.Data) { // the oldest first
		r.add(data, &page.Includes, &b)
	}
	b.Behind = r.gap.Place()
	return page, x.Deliver(ctx, r.out, b)
}
