package client

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Object is a JSON object to send.
type Object = map[string]any

// Result is the merged result of a round, as far as clients here need it.
type Result struct {
	Poll       string           `json:"poll"`
	Round      uint32           `json:"round"`
	Phase      string           `json:"phase"`
	Status     string           `json:"status"`
	Seq        uint64           `json:"seq"`
	Stale      bool             `json:"stale"`
	Generation uint64           `json:"generation"`
	Offsets    map[string]int64 `json:"as_of_offsets"`
	Totals     struct {
		Votes      int64            `json:"votes"`
		Voters     int64            `json:"voters"`
		Batch      int64            `json:"votes_batch"`
		Speed      int64            `json:"votes_speed"`
		Late       int64            `json:"late"`
		Duplicates int64            `json:"duplicates"`
		Rejected   map[string]int64 `json:"rejected"`
	} `json:"totals"`
	Options []struct {
		ID    string `json:"id"`
		Label string `json:"label"`
		Slot  int    `json:"slot"`
		Votes int64  `json:"votes"`
		Sum   int64  `json:"sum"`
	} `json:"options"`
}

// Votes is the options' votes by id.
func (r *Result) Votes() map[string]int64 {
	m := make(map[string]int64, len(r.Options))
	for _, o := range r.Options {
		m[o.ID] = o.Votes
	}
	return m
}

// Results reads the producer's view of the current round.
func (c *Client) Results(ctx context.Context, poll string) (*Result, error) {
	var r Result
	if err := c.Get(ctx, "/v1/polls/"+poll+"/results?audience=producer", &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// Create posts a definition; one that is there already is no error, and is said
// by made.
func (c *Client) Create(ctx context.Context, path string, in, out any) (made bool, err error) {
	err = c.Post(ctx, path, in, out)
	var p *Problem
	if errors.As(err, &p) && p.Code == "already-exists" {
		return false, nil
	}
	return err == nil, err
}

// Command gives an order to a poll.
func (c *Client) Command(ctx context.Context, poll, verb string) error {
	return c.Post(ctx, "/v1/polls/"+poll+"/commands", Object{"command": verb}, nil)
}

// VoterToken makes a voter.
func (c *Client) VoterToken(ctx context.Context) (string, error) {
	var v struct {
		VoterToken string `json:"voter_token"`
	}
	if err := c.Call(ctx, http.MethodPost, "/v1/voters", nil, &v); err != nil {
		return "", err
	}
	return v.VoterToken, nil
}

// Destination is a consumer of feeds as it was made.
type Destination struct {
	ID    string `json:"id"`
	Token string `json:"token"`
}

// WaitFor asks again every interval until ok says yes or ctx ends.
func WaitFor(ctx context.Context, interval time.Duration, ok func() bool) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}
