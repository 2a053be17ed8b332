// Package rss reads a feed (RSS, Atom or JSON Feed) again and again.
//
// Settings, none of them secret:
//
//	url       text, required: the feed, https or http
//	interval  number, optional: seconds between two fetches at least; otherwise 300
//
// Feeds are fetched only if they changed (ETag, Last-Modified), and not before
// what Cache-Control and Retry-After say. A feed that cannot be read is counted
// as a malformed message, and fetched again at its time. A post's id is the
// item's guid, or else its link.
//
// A place holds the ETag, the time of the newest item, and hashes of the last
// items. What came before a resume may come again: items with no hash in it that
// are hardly older than the newest one may be late ones.
package rss

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
)

const (
	maxFeed = 2 << 20
	// maxAge is how long a feed's own word may keep us away.
	maxAge = 24 * time.Hour
	// maxPosts travel together.
	maxPosts = 500
)

// Connector reads one feed.
type Connector struct {
	env      connect.Env
	url      *url.URL
	interval time.Duration
	// patience is how long a fetch may take.
	patience time.Duration
}

var _ connect.Connector = (*Connector)(nil)

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	s.Need("url")
	c := &Connector{
		env: env, url: s.URL("url", "", "https", "http"),
		interval: time.Duration(s.Float("interval", 300, 10, 86_400) * float64(time.Second)), patience: 30 * time.Second,
	}
	return c, s.Done()
}

// Run delivers the items that are new since a place.
func (c *Connector) Run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	err := c.run(ctx, from, out)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as it was asked to
	}
	return err
}

func (c *Connector) run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	m := parsePlace(from)
	for begun := false; ; begun = true {
		f, err := c.fetch(ctx, m)
		if err != nil {
			return fmt.Errorf("fetch the feed: %w", err)
		}
		if !begun {
			out.Streaming()
		}
		if err := c.deliver(ctx, f, m, out); err != nil {
			return err
		}
		if err := sleep.For(ctx, max(c.interval, f.fresh)); err != nil {
			return err
		}
	}
}

// fetched is what a fetch brought.
type fetched struct {
	body     []byte // nil: it did not change, or is too large
	err      error  // why it cannot be read
	etag     string
	modified time.Time
	fresh    time.Duration // how long it needs no other fetch
}

func (c *Connector) fetch(ctx context.Context, m *memory) (*fetched, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.patience, connect.ErrStalled)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5")
	req.Header.Set("User-Agent", "Clamor")
	if m.etag != "" {
		req.Header.Set("If-None-Match", m.etag)
	}
	if !m.modified.IsZero() {
		req.Header.Set("If-Modified-Since", m.modified.UTC().Format(http.TimeFormat))
	}
	resp, err := c.env.HTTP.Do(req)
	if err != nil {
		return nil, answer.Failure(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	f := &fetched{etag: resp.Header.Get("ETag"), fresh: freshness(resp.Header)}
	if at, err := http.ParseTime(resp.Header.Get("Last-Modified")); err == nil {
		f.modified = at
	}
	if resp.StatusCode == http.StatusNotModified {
		f.etag, f.modified = m.etag, m.modified
		return f, nil
	}
	if err := answer.Judge(resp, c.env.Now()); err != nil {
		return nil, err
	}
	f.body, err = answer.Body(resp, maxFeed)
	if errors.Is(err, answer.ErrTooLarge) {
		f.err, err = err, nil
	}
	if err != nil {
		return nil, answer.Failure(ctx, err)
	}
	return f, nil
}

// freshness is what Cache-Control says of the time until the next fetch, less that
// for which a cache on the way had the answer already (RFC 9111, section 4.2).
func freshness(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if strings.EqualFold(name, "max-age") {
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err == nil {
				age, _ := strconv.ParseUint(h.Get("Age"), 10, 31) // 0, if there is none
				return min(time.Duration(seconds-min(age, seconds))*time.Second, maxAge)
			}
		}
	}
	return 0
}

// deliver delivers what is new in a fetched feed, oldest first. The place follows
// with the last batch only: the feed's ETag stands for all of its items.
func (c *Connector) deliver(ctx context.Context, f *fetched, m *memory, out connect.Outlet) error {
	if f.body == nil && f.err == nil {
		return nil
	}
	var items []item
	b := connect.Batch{Behind: m.place()}
	if f.err == nil {
		items, f.err = parse(f.body, c.url.Hostname(), &b, c.env.Now())
	}
	if f.err != nil {
		stream.Malformed(&b, fmt.Errorf("the feed cannot be read: %w", f.err))
		return out.Deliver(ctx, b)
	}
	next := m.behind(items, f, c.env.Now())
	for _, i := range items {
		if !m.isNew(&i) {
			continue
		}
		if stream.Add(&b, &i.post, c.env.Now()); len(b.Posts) >= maxPosts {
			if err := out.Deliver(ctx, b); err != nil {
				return err
			}
			b = connect.Batch{Behind: b.Behind, Posts: b.Posts[:0]}
		}
	}
	b.Behind = next.place()
	if err := out.Deliver(ctx, b); err != nil {
		return err
	}
	*m = *next
	return nil
}
