// Package xv2 listens to X through API v2: the filtered stream, with rules that
// follow the topics, and recent search for what was missed in a gap.
//
// Settings:
//
//	name          type             needed  secret
//	bearer_token  text             yes     yes     the app's bearer token
//	base_url      address          no      no      in place of https://api.x.com
//	rules         list of texts    no      no      in X's own language, in place of those made from the topics
//	backfill      switch           no      no      search for what was missed; true
//	rule_length   whole number     no      no      characters that a rule may have; 512
//	max_rules     whole number     no      no      rules that the app may have; 25
//
// The rules of an app are one set, so ours are tagged "clamor:source:topic". Those
// of other sources, and of anybody else, stay as they are; those of sources that
// are no more go. A post that matched others' rules only is passed over. Most apps
// may have one stream at a time: there, a second source needs an app of its own.
//
// Its one trick: what has to be done beside the stream, bringing the rules in
// step or searching what was missed, is owed until it is done. The place stays
// before a gap until the gap is filled, however often the search is refused.
package xv2

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
)

const (
	host = "https://api.x.com"
	// stalledAfter is the heartbeat of 20 s, and some patience.
	stalledAfter = 45 * time.Second
	asking       = 15 * time.Second
	maxAnswer    = 8 << 20
	pages        = 100 // of a search at most, 100 posts each
	perPage      = 100
	// inStep is how often the rules are compared though no topic changed: others
	// who use the app may delete one that served us, too.
	inStep = 5 * time.Minute
)

// fields are what is asked of each post.
func fields() url.Values {
	return url.Values{
		"tweet.fields": {"author_id,created_at,lang,geo,referenced_tweets,entities,attachments,note_tweet,possibly_sensitive"},
		"expansions":   {"author_id,attachments.media_keys,geo.place_id,referenced_tweets.id,referenced_tweets.id.attachments.media_keys"},
		"user.fields":  {"created_at,location,name,username,public_metrics"},
		"media.fields": {"url,preview_image_url,type"},
		"place.fields": {"country_code,full_name,geo"},
	}
}

// Connector listens with one app.
type Connector struct {
	env      connect.Env
	token    string
	base     string
	rules    []string
	backfill bool
	length   int
	most     int
	quiet    time.Duration
	inStep   time.Duration
}

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	c := &Connector{
		env: env, token: s.Need("bearer_token"), rules: s.Strings("rules"), backfill: s.Bool("backfill", true),
		length: s.Int("rule_length", 512, 128, 4096), most: s.Int("max_rules", 25, 1, 1000), quiet: stalledAfter, inStep: inStep,
	}
	if base := s.URL("base_url", host, "https", "http"); base != nil {
		c.base = strings.TrimSuffix(base.String(), "/")
	}
	return c, s.Done()
}

// request asks the platform, and judges what it answers. Whoever gets the answer
// closes its body.
func (c *Connector) request(ctx context.Context, method, path string, q url.Values, body io.Reader) (*http.Response, error) {
	address := c.base + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.env.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	if err := c.judge(resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// problem is how API v2 says what is wrong.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Type   string `json:"type"`
	// ConnectionIssue is set where a stream cannot be opened as things are.
	ConnectionIssue string   `json:"connection_issue"`
	Value           string   `json:"value"`   // of a rule
	ID              string   `json:"id"`      // of a rule that is there already
	Details         []string `json:"details"` // of a rule that is none
}

// judge adds to an answer that is no success what the platform says of it.
func (c *Connector) judge(resp *http.Response) error {
	judged := answer.Judge(resp, c.env.Now())
	if judged == nil {
		return nil
	}
	var p problem
	data, err := answer.Body(resp, maxAnswer)
	if err != nil || json.Unmarshal(data, &p) != nil {
		return judged
	}
	switch {
	case p.ConnectionIssue != "":
		// Whoever had the source before may still be connected, or somebody deleted
		// all rules: that passes soon, whatever the rate limit's headers say.
		return fmt.Errorf("the stream cannot be opened now: %.100s: %.200s", p.ConnectionIssue, p.Detail)
	case resp.StatusCode == http.StatusBadRequest: // the same request has the same fault
		return &connect.Refused{Err: fmt.Errorf("%w: %.100s: %.200s", judged, p.Title, p.Detail)}
	}
	return fmt.Errorf("%w: %.100s: %.200s", judged, p.Title, p.Detail)
}

// ask reads one answer.
func (c *Connector) ask(ctx context.Context, method, path string, q url.Values, body io.Reader, into any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, asking, connect.ErrStalled)
	defer cancel()
	resp, err := c.request(ctx, method, path, q, body)
	if err != nil {
		return answer.Failure(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := answer.Body(resp, maxAnswer)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, answer.Failure(ctx, err))
	}
	return nil
}
