package xv1

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/dghubble/go-twitter/twitter"
)

// searchOn asks again and again.
func (r *run) searchOn(ctx context.Context) error {
	for {
		terms, _ := r.terms()
		if err := r.searchAll(ctx, terms); err != nil {
			return err
		}
		if err := connect.Rest(ctx, r.every); err != nil {
			return err
		}
	}
}

// searchAll delivers all that came behind the newest post seen. The place moves
// when every query was asked, for each looks behind the same post.
func (r *run) searchAll(ctx context.Context, terms []string) error {
	newest := r.newest
	for _, q := range queries(terms) {
		found, err := r.searchOne(ctx, q)
		if err != nil {
			return err
		}
		b := connect.Batch{Behind: r.place()}
		for i := range found {
			if t := &found[i]; !r.seen[t.ID] {
				newest = max(newest, t.ID)
				r.add(&b, t)
				r.seen[t.ID] = true
			}
		}
		if err := r.deliver(ctx, &b); err != nil {
			return err
		}
	}
	if newest == r.newest {
		return nil
	}
	r.newest = newest
	old := before(newest, 2*rewind)
	maps.DeleteFunc(r.seen, func(id int64, _ bool) bool { return id < old })
	return r.out.Deliver(ctx, connect.Batch{Behind: r.place()})
}

func (r *run) deliver(ctx context.Context, b *connect.Batch) error {
	if b.Empty() {
		return nil
	}
	return r.out.Deliver(ctx, *b)
}

// searchOne is what a query finds behind the newest post seen, the oldest first.
func (r *run) searchOne(ctx context.Context, q string) (found []twitter.Tweet, err error) {
	p := &twitter.SearchTweetParams{
		Query: q, ResultType: "recent", Count: perPage, TweetMode: "extended", SinceID: before(r.newest, rewind),
	}
	if len(r.languages) == 1 {
		p.Lang = r.languages[0]
	}
	for range pages {
		page, err := r.page(ctx, p)
		if err != nil {
			return nil, err
		}
		found = append(found, page...)
		if len(page) < perPage || p.SinceID == 0 {
			break // all of it, or, without a place, the newest
		}
		p.MaxID = page[len(page)-1].ID - 1
	}
	slices.Reverse(found)
	return found, nil
}

func (r *run) page(ctx context.Context, p *twitter.SearchTweetParams) ([]twitter.Tweet, error) {
	if err := r.out.Spend(ctx, 1); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	now := r.env.Now
	client := r.client(ctx, searchHost, func(next http.RoundTripper) http.RoundTripper { return judged{next, now} })
	got, _, err := client.Search.Tweets(p) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("search: %w", reason(err))
	}
	r.out.Streaming()
	return got.Statuses, nil
}

// judged turns what the server refuses into errors.
type judged struct {
	next http.RoundTripper
	now  func() time.Time
}

func (t judged) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := judge(resp, t.now()); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// judge knows what v1.1 says besides others: 406 for no terms, 413 and 416 for
// terms that it does not take.
func judge(resp *http.Response, now time.Time) error {
	err := answer.Judge(resp, now)
	switch resp.StatusCode {
	case http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusRequestedRangeNotSatisfiable:
		return &connect.Refused{Err: err}
	}
	return err
}

// reason is what a connector says of an error, out of what libraries made of it.
func reason(err error) error {
	var refused *connect.Refused
	var wait *connect.Wait
	var slow *connect.Slow
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &wait):
		return wait
	case errors.As(err, &slow):
		return slow
	}
	return err
}

// before is the id that a post would have which was written some time before
// another. https://github.com/twitter-archive/snowflake: ids are milliseconds,
// shifted by 22 bits.
func before(id int64, d time.Duration) int64 {
	const shift = 22
	return max(0, id-d.Milliseconds()<<shift)
}

// add adds a tweet to a batch, and remembers whose it is and what it repeats.
func (r *run) add(b *connect.Batch, t *twitter.Tweet) {
	var author, repeats string
	if t.User != nil {
		author = idText(t.User.IDStr, t.User.ID)
	}
	if o := t.RetweetedStatus; o != nil {
		repeats = idText(o.IDStr, o.ID)
	}
	r.note(idText(t.IDStr, t.ID), author, repeats)
	take(b, t, r.env.Now())
}

// take adds a tweet to a batch.
func take(b *connect.Batch, t *twitter.Tweet, now time.Time) {
	p, err := postOf(t)
	if err != nil {
		stream.Malformed(b, err)
		return
	}
	stream.Add(b, &p, now)
}
