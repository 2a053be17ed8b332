package xv1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dghubble/go-twitter/twitter"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
)

// searchOn asks again and again. The place moves when every query was asked, for
// each looks behind the same post.
func (r *run) searchOn(ctx context.Context) error {
	for {
		terms, _ := r.terms()
		before := r.gap.Newest()
		r.gap.Open()
		if err := r.searchAll(ctx, terms); err != nil {
			return err
		}
		r.gap.Close()
		if r.gap.Newest() > before {
			if err := r.out.Deliver(ctx, connect.Batch{Behind: r.gap.Place()}); err != nil {
				return err
			}
		}
		if err := sleep.For(ctx, r.every); err != nil {
			return err
		}
	}
}

// searchAll delivers all that was said in the gap.
func (r *run) searchAll(ctx context.Context, terms []string) error {
	for _, q := range queries(terms) {
		if err := r.searchOne(ctx, q); err != nil {
			return err
		}
	}
	old := x.Rewound(x.Rewound(r.gap.Newest()))
	maps.DeleteFunc(r.seen, func(id int64, _ bool) bool { return id < old })
	return nil
}

// searchOne delivers what a query finds in the gap, from the newest post down, and
// goes on where it was refused before.
func (r *run) searchOne(ctx context.Context, q string) error {
	until, done := r.gap.Searched(q)
	if done {
		return nil
	}
	p := &twitter.SearchTweetParams{
		Query: q, ResultType: "recent", Count: perPage, TweetMode: "extended", SinceID: x.Rewound(r.gap.Begins()), MaxID: max(0, until-1),
	}
	if len(r.languages) == 1 {
		p.Lang = r.languages[0]
	}
	for range pages {
		found, err := r.page(ctx, p)
		if err != nil {
			return err
		}
		b := connect.Batch{}
		for _, t := range slices.Backward(found.Statuses) { // the oldest first
			if !r.seen[t.ID] {
				r.gap.Saw(t.ID)
				r.add(&b, &t)
				r.seen[t.ID] = true
			}
		}
		b.Behind = r.gap.Place()
		if err := x.Deliver(ctx, r.out, b); err != nil {
			return err
		}
		// Pages are short where something was left out of them. Without a place, the
		// newest is enough.
		more := len(found.Statuses) == perPage || found.Metadata != nil && found.Metadata.NextResults != ""
		if len(found.Statuses) == 0 || !more || p.SinceID == 0 {
			r.gap.Found(q, 0, true)
			return nil
		}
		oldest := found.Statuses[len(found.Statuses)-1].ID
		p.MaxID = oldest - 1
		r.gap.Found(q, oldest, false)
	}
	r.env.Logger.Warn("the gap is too long to be closed", "query", q, "pages", pages)
	r.gap.Found(q, 0, true)
	return nil
}

func (r *run) page(ctx context.Context, p *twitter.SearchTweetParams) (*twitter.Search, error) {
	if err := x.Spend(ctx, r.out); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.patience, connect.ErrStalled)
	defer cancel()
	now := r.env.Now
	client := r.client(ctx, searchHost, func(next http.RoundTripper) http.RoundTripper { return judged{next, now} })
	got, _, err := client.Search.Tweets(p) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("search: %w", answer.Failure(ctx, reason(err)))
	}
	r.out.Streaming()
	return got, nil
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
// terms that it does not take. It adds the platform's own words, if there are any.
func judge(resp *http.Response, now time.Time) error {
	err := answer.Judge(resp, now)
	if err == nil {
		return nil
	}
	if data, readErr := answer.Body(resp, maxProblem); readErr == nil {
		err = said(data, err)
	}
	switch resp.StatusCode {
	case http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusRequestedRangeNotSatisfiable:
		return &connect.Refused{Err: err}
	}
	return err
}

// maxProblem bounds what is read of a refusal.
const maxProblem = 64 << 10

// said adds to an error what v1.1 says of it, in JSON or, of streams, in a line.
func said(data []byte, err error) error {
	var problems struct {
		Errors []struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(data, &problems) == nil && len(problems.Errors) > 0 {
		return fmt.Errorf("%w: %d %.200s", err, problems.Errors[0].Code, problems.Errors[0].Message)
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(string(data)), "\n"); line != "" && line[0] != '<' && line[0] != '{' {
		return fmt.Errorf("%w: %.200s", err, line)
	}
	return err
}

// reason is what a connector says of an error, out of what libraries made of it:
// net/http puts addresses before it.
func reason(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
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
