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
// The rules of an app are one set, and a stream is one connection: a second
// source needs an app of its own. Rules whose tag does not begin with "clamor:"
// are somebody else's and stay as they are.
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
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
)

// Platform is that of all posts from here.
const Platform = "x"

const (
	host = "https://api.x.com"
	// stalledAfter is the heartbeat of 20 s, and some patience.
	stalledAfter = 45 * time.Second
	asking       = 15 * time.Second
	maxAnswer    = 8 << 20
	pages        = 20 // of a search at most, 100 posts each
	perPage      = 100
	rewind       = 10 * time.Second
	// retry is how long what is owed rests after a failure without a time.
	retry = 30 * time.Second
)

// fields are what is asked of each post.
func fields() url.Values {
	return url.Values{
		"tweet.fields": {"author_id,created_at,lang,geo,referenced_tweets,entities,attachments"},
		"expansions":   {"author_id,attachments.media_keys,geo.place_id,referenced_tweets.id"},
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
}

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	c := &Connector{
		env: env, token: s.Need("bearer_token"), rules: s.Strings("rules"), backfill: s.Bool("backfill", true),
		length: s.Int("rule_length", 512, 128, 4096), most: s.Int("max_rules", 25, 1, 1000), quiet: stalledAfter,
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
	// ConnectionIssue is set where the stream is connected already.
	ConnectionIssue string `json:"connection_issue"`
	Value           string `json:"value"` // of a rule
}

func (c *Connector) judge(resp *http.Response) error {
	judged := answer.Judge(resp, c.env.Now())
	if judged == nil {
		return nil
	}
	var p problem
	data, err := answer.Body(resp, maxAnswer)
	if err == nil && json.Unmarshal(data, &p) == nil && p.ConnectionIssue != "" {
		// Whoever had the source before may still be connected: that passes soon,
		// whatever the rate limit's headers say.
		return fmt.Errorf("the stream is connected already: %.100s", p.Detail)
	}
	return judged
}

// ask reads one answer.
func (c *Connector) ask(ctx context.Context, method, path string, q url.Values, body io.Reader, into any) error {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	resp, err := c.request(ctx, method, path, q, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := answer.Body(resp, maxAnswer)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}

// idOf is the post's id that a place says; 0 is none.
func idOf(p connect.Place) int64 {
	id, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

// before is the id of a post that was written some time before another: ids are
// milliseconds, shifted by 22 bits (https://docs.x.com/fundamentals/x-ids).
func before(id int64, d time.Duration) int64 {
	const shift = 22
	return max(0, id-d.Milliseconds()<<shift)
}
