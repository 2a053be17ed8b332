// Package mastodon listens to a Mastodon server, or one that speaks its API: to
// its stream, and after a gap to its timeline for what was missed.
//
// Settings:
//
//	url            text, required: the server, like "https://mastodon.social"
//	token          text, secret, optional: an access token with the scope "read";
//	               "user" needs one, and so do streams of most servers
//	stream         text, optional: "public", "local", "hashtag" or "user" (the home
//	               timeline of the token's account); otherwise "public"
//	hashtag        text, required for "hashtag" only, without its sign
//	streaming_url  text, optional: where streams are served, http or https;
//	               otherwise where the server says
//
// A post's id is its address in the fediverse, and an author is user@server, so
// that a post that comes from two servers is one. Only public and unlisted posts
// are taken. A place is the newest status id; on Mastodon ids hold times, and a
// resume looks back a minute further, for posts from other servers come late.
//
// A post is taken back when the server says that its status is deleted, which a
// suspension of its author is too, status by status. It says the status id alone,
// so that a post can be taken back as long as recall remembers it. Another
// instance that takes the source over knows the status ids of the server's own
// users only, for those stand in the posts' addresses.
//
// The stream is read here, not by go-mastodon: that connects again at once and
// for ever, hides heartbeats, and keeps a line however long it is.
package mastodon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/mattn/go-mastodon"
)

// asking bounds one call of the API, and the beginning of a stream.
const asking = 30 * time.Second

// Connector listens to one stream of one server.
type Connector struct {
	env       connect.Env
	url       *url.URL
	streaming *url.URL // nil: ask
	token     string
	stream    string
	hashtag   string
	// said are the posts of the last runs, by their status ids.
	said recall.Memory
	// quiet is how long a stream may be silent; heartbeats come every 15 seconds.
	quiet time.Duration
}

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	s.Need("url")
	c := &Connector{
		env: env, url: s.URL("url", "", "https", "http"), streaming: s.URL("streaming_url", "", "https", "http"), token: s.String("token", ""),
		stream: s.OneOf("stream", "public", "local", "hashtag", "user"), hashtag: strings.TrimPrefix(s.String("hashtag", ""), "#"),
		quiet: 45 * time.Second,
	}
	switch {
	case c.stream == "hashtag" && c.hashtag == "":
		s.Fail("hashtag", "is missing")
	case c.stream != "hashtag" && c.hashtag != "":
		s.Fail("hashtag", "is for the stream %q only", "hashtag")
	case c.stream == "user" && c.token == "":
		s.Fail("token", "is missing")
	}
	return c, s.Done()
}

// Recall keeps the status id of a post of the server's own users.
func (c *Connector) Recall(d connect.Delivered) {
	u, err := url.Parse(d.ID)
	if err == nil && u.Hostname() == c.url.Hostname() { // a boost's address goes on behind its id
		c.said.Note(idOf(connect.Place(path.Base(strings.TrimSuffix(u.Path, "/activity")))), d.ID)
	}
}

// Run delivers posts from a place on.
func (c *Connector) Run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	err := c.run(ctx, from, out)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as it was asked to
	}
	return err
}

func (c *Connector) run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	life, cancel := context.WithCancel(ctx) // of the stream
	defer cancel()
	client := c.client()
	late := time.AfterFunc(2*asking, cancel)
	// First the stream, so that nothing falls between it and the timeline.
	resp, err := c.open(life, client)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	late.Stop()
	out.Streaming()
	l := &listener{now: c.env.Now, host: c.url.Hostname(), newest: idOf(from), said: &c.said}
	if err := c.catchUp(ctx, client, l, out); err != nil {
		return err
	}
	events := newEvents(resp.Body)
	s := stream.Stream{
		Next:  func(context.Context) ([]byte, error) { return events.next() },
		Close: cancel,
		Take:  func(message []byte, b *connect.Batch) error { l.take(message, b); return nil },
		Place: l.place,
		Quiet: c.quiet,
	}
	return s.Run(ctx, out)
}

// client is a client of the server's API whose answers are judged and bounded.
func (c *Connector) client() *mastodon.Client {
	client := mastodon.NewClient(&mastodon.Config{Server: c.url.String(), AccessToken: c.token})
	client.Client = http.Client{Transport: &guard{next: c.env.HTTP, now: c.env.Now}}
	return client
}

// open begins the stream.
func (c *Connector) open(ctx context.Context, client *mastodon.Client) (*http.Response, error) {
	u, err := c.where(ctx, client)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	switch c.stream {
	case "public", "user":
		u = u.JoinPath("api/v1/streaming", c.stream)
	case "local":
		u = u.JoinPath("api/v1/streaming/public/local")
	case "hashtag":
		u = u.JoinPath("api/v1/streaming/hashtag")
		q.Set("tag", c.hashtag)
	}
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("open the stream: %w", err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.env.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("open the stream: %w", err)
	}
	if err := answer.Judge(resp, c.env.Now()); err != nil {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("open the stream: %w", err)
	}
	return resp, nil
}

// where streams are served: large servers have another host for them.
func (c *Connector) where(ctx context.Context, client *mastodon.Client) (*url.URL, error) {
	if c.streaming != nil {
		return c.streaming, nil
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	instance, err := client.GetInstance(ctx)
	no := (*connect.Refused)(nil)
	if failed := (*url.Error)(nil); errors.As(err, &failed) && !errors.As(err, &no) {
		return nil, fmt.Errorf("ask the server where it streams: %w", err)
	}
	if err != nil {
		return c.url, nil // it does not say: then it is the server itself
	}
	u, err := url.Parse(instance.URLs["streaming_api"])
	if err != nil || u.Host == "" {
		return c.url, nil // as above
	}
	u.Scheme = c.url.Scheme // wss is https here; and never is the token sent less safely
	return u, nil
}
