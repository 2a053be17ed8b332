package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Client speaks the HTTP contract to one running system.
type Client struct {
	Base  string // http://host:port
	Token string // of the producers' API
	HTTP  *http.Client
}

// NewClient keeps enough idle connections for a load of its own.
func NewClient(base, token string) *Client {
	return &Client{Base: base, Token: token, HTTP: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
}

// ProblemError is an answer that is no success.
type ProblemError struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *ProblemError) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// Call sends a JSON body (nil: none) and reads the answer into out (nil: none).
// An answer of 400 and above is a *ProblemError.
func (c *Client) Call(ctx context.Context, method, path, bearer string, body, out any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode the body of %s %s: %w", method, path, err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, in)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.do(req, out)
}

func (c *Client) do(req *http.Request, out any) error {
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read %s %s: %w", req.Method, req.URL.Path, err)
	}
	if resp.StatusCode >= 400 {
		p := &ProblemError{}
		if json.Unmarshal(b, p) != nil || p.Code == "" {
			p.Detail = string(b)
		}
		p.Status = resp.StatusCode
		return p
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("read %s %s: %w in %.200q", req.Method, req.URL.Path, err, b)
	}
	return nil
}

// Admin calls the producers' API.
func (c *Client) Admin(ctx context.Context, method, path string, body, out any) error {
	return c.Call(ctx, method, path, c.Token, body, out)
}

// Batch sends lines of ballots with a gateway's key, and tells how many were
// taken.
func (c *Client) Batch(ctx context.Context, poll, key string, lines []byte) (accepted int, err error) {
	return c.sendLines(ctx, "/v1/polls/"+poll+"/ballots:batch", key, lines)
}

func (c *Client) sendLines(ctx context.Context, path, key string, lines []byte) (accepted int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+path, bytes.NewReader(lines))
	if err != nil {
		return 0, fmt.Errorf("send lines to %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	var report struct {
		Accepted int `json:"accepted"`
	}
	err = c.do(req, &report)
	return report.Accepted, err
}

// untilTaken sends n lines, the same again until all of them are taken. It gives
// up when the system takes others or refuses them for good.
func untilTaken(ctx context.Context, what string, n int, send func() (accepted int, err error)) error {
	for {
		accepted, err := send()
		problem := (*ProblemError)(nil)
		switch {
		case err == nil && accepted != n:
			return fmt.Errorf("%d of %d %s are taken", accepted, n, what)
		case err == nil:
			return nil
		case errors.As(err, &problem) && problem.Status < 500 && problem.Status != http.StatusTooManyRequests:
			return fmt.Errorf("send %d %s: %w", n, what, err)
		}
		if waitErr := sleep.For(ctx, 50*time.Millisecond); waitErr != nil {
			return fmt.Errorf("%w (last: %w)", waitErr, err)
		}
	}
}

// Voter asks for a voter's token.
func (c *Client) Voter(ctx context.Context) (string, error) {
	var v struct {
		Token string `json:"voter_token"`
	}
	err := c.Call(ctx, http.MethodPost, "/v1/voters", "", nil, &v)
	return v.Token, err
}

// Result is the merged result, as far as it is checked.
type Result struct {
	Poll       string           `json:"poll"`
	Round      uint32           `json:"round"`
	Phase      string           `json:"phase"`
	Status     string           `json:"status"`
	Seq        int64            `json:"seq"`
	Stale      bool             `json:"stale"`
	Correction bool             `json:"correction"`
	Generation uint64           `json:"generation"`
	Offsets    map[string]int64 `json:"as_of_offsets"`
	Totals     struct {
		Votes      int64 `json:"votes"`
		Voters     int64 `json:"voters"`
		Batch      int64 `json:"votes_batch"`
		Speed      int64 `json:"votes_speed"`
		Late       int64 `json:"late"`
		Duplicates int64 `json:"duplicates"`
		Rejected   struct {
			Limit   int64 `json:"limit"`
			Revoked int64 `json:"revoked"`
		} `json:"rejected"`
	} `json:"totals"`
	Options []struct {
		ID    string `json:"id"`
		Slot  int    `json:"slot"`
		Votes int64  `json:"votes"`
		Batch int64  `json:"votes_batch"`
		Speed int64  `json:"votes_speed"`
		Sum   int64  `json:"sum"`
	} `json:"options"`
}

// Results reads the producer's view of the current round.
func (c *Client) Results(ctx context.Context, poll string) (*Result, error) {
	r := &Result{}
	return r, c.Admin(ctx, http.MethodGet, "/v1/polls/"+poll+"/results?audience=producer", nil, r)
}

// Command sends one to a poll.
func (c *Client) Command(ctx context.Context, poll, verb string, more map[string]any) error {
	body := map[string]any{"command": verb}
	for k, v := range more {
		body[k] = v
	}
	return c.Admin(ctx, http.MethodPost, "/v1/polls/"+poll+"/commands", body, nil)
}

// RunBatch asks for a recompute and waits for its end.
func (c *Client) RunBatch(ctx context.Context) error {
	var run struct {
		Run   string `json:"run"`
		State string `json:"state"`
		Error string `json:"error"`
	}
	if err := c.Admin(ctx, http.MethodPost, "/v1/batch/runs", map[string]any{}, &run); err != nil {
		return err
	}
	for {
		if err := c.Admin(ctx, http.MethodGet, "/v1/batch/runs/"+run.Run, nil, &run); err != nil {
			return err
		}
		switch run.State {
		case "done":
			return nil
		case "failed":
			return fmt.Errorf("run %s failed: %s", run.Run, run.Error)
		}
		if err := sleep.For(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
