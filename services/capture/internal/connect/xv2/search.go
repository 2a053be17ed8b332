package xv2

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const searchPath = "/2/tweets/search/recent"

// undelivered is a failure of the outlet's, not of the platform's.
type undelivered struct{ err error }

func (e *undelivered) Error() string { return e.err.Error() }
func (e *undelivered) Unwrap() error { return e.err }

// fill searches what was said in the gap, and closes it.
func (r *run) fill(ctx context.Context) error {
	for _, value := range slices.Sorted(maps.Keys(r.rules)) {
		if err := r.find(ctx, value); err != nil {
			return err
		}
	}
	r.gap = 0
	if err := r.out.Deliver(ctx, connect.Batch{Behind: r.place()}); err != nil {
		return &undelivered{err}
	}
	return nil
}

// find delivers what one rule finds in the gap.
func (r *run) find(ctx context.Context, rule string) error {
	q := fields()
	q.Set("query", rule)
	q.Set("max_results", strconv.Itoa(perPage))
	q.Set("since_id", strconv.FormatInt(before(r.gap, rewind), 10))
	for range pages {
		if err := r.out.Spend(ctx, 1); err != nil {
			return &undelivered{err}
		}
		var page results
		if err := r.ask(ctx, http.MethodGet, searchPath, q, nil, &page); err != nil {
			return err
		}
		var b connect.Batch
		for _, data := range slices.Backward(page.Data) { // the oldest first
			r.add(data, &page.Includes, &b)
		}
		b.Behind = r.place()
		if len(b.Posts) > 0 || b.Malformed > 0 {
			if err := r.out.Deliver(ctx, b); err != nil {
				return &undelivered{err}
			}
		}
		if page.Meta.Next == "" {
			return nil
		}
		q.Set("next_token", page.Meta.Next)
	}
	return nil
}
