package rss

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
)

// site is a fake of a site with one feed, which speaks of changes as web servers
// do.
type site struct {
	faketest.Asked
	http     *httptest.Server
	patience time.Duration

	mu       sync.Mutex
	items    []string // newest first
	body     string   // instead of the items
	header   http.Header
	clock    time.Time
	number   int
	statuses []int  // of the answers
	answers  func() // is called for each, if there is one
}

func newSite(t *testing.T) *site {
	s := &site{patience: 300 * time.Millisecond, clock: time.Now().Add(-time.Hour).UTC(), header: http.Header{}}
	mux := http.NewServeMux()
	mux.Handle("GET /old", http.RedirectHandler("/feed", http.StatusMovedPermanently))
	mux.HandleFunc("GET /feed", s.feed)
	s.http = httptest.NewServer(mux)
	t.Cleanup(s.http.Close)
	return s
}

func (*site) Resends() {}

func (s *site) Connector(env connect.Env) (connect.Connector, error) { return s.of(env, "/feed") }

func (s *site) of(env connect.Env, path string) (*Connector, error) {
	c, err := open(map[string]any{"url": s.http.URL + path}, env)
	c.interval, c.patience = 5*time.Millisecond, s.patience
	return c, err
}

func (s *site) add(item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append([]string{item}, s.items...)
}

func entry(guid, text string, at time.Time) string {
	return fmt.Sprintf("<item><title>%s</title><link>https://site.test/%s</link><guid isPermaLink=\"false\">%s</guid><pubDate>%s</pubDate></item>",
		text, guid, guid, at.Format(time.RFC1123Z))
}

func (s *site) next() (string, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	s.clock = s.clock.Add(time.Second)
	return fmt.Sprint("g", s.number), s.clock
}

func (s *site) Say(texts ...string) {
	for _, text := range texts {
		guid, at := s.next()
		s.add(entry(guid, text, at))
	}
}

func (s *site) Duplicate() { s.add(s.items[0]) }

func (s *site) Late(text string) { s.add(entry("late", text, s.clock.Add(-30*time.Minute))) }

func (s *site) Malformed() { s.add("<item><title>neither guid nor link</title></item>") }

// document is the feed; called with the lock.
func (s *site) document() string {
	if s.body != "" {
		return s.body
	}
	return `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Site &amp; Co</title><link>https://site.test</link><language>pt-br</language>` +
		strings.Join(s.items, "\n") + `</channel></rss>`
}

func (s *site) refuse(w http.ResponseWriter, r *http.Request) bool {
	answer := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status) }
	}
	return s.Refuses(w, r, faketest.Words{
		Limited: func(w http.ResponseWriter, until time.Time) {
			w.Header().Set("Retry-After", until.UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		Slow: answer(http.StatusTooManyRequests), Failed: answer(http.StatusServiceUnavailable), Barred: answer(http.StatusForbidden),
		Half: `<?xml version="1.0"?><rss><channel><item><tit`,
	})
}

func (s *site) feed(w http.ResponseWriter, r *http.Request) {
	if s.refuse(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.document()
	etag := fmt.Sprintf(`W/"%x"`, sha256.Sum256([]byte(text)))
	for k, v := range s.header {
		w.Header()[k] = v
	}
	if s.header.Get("Last-Modified") == "" {
		w.Header().Set("ETag", etag)
	}
	status := http.StatusOK
	if r.Header.Get("If-None-Match") == etag || s.header.Get("Last-Modified") != "" && r.Header.Get("If-Modified-Since") == s.header.Get("Last-Modified") {
		status = http.StatusNotModified
	}
	s.statuses = append(s.statuses, status)
	if s.answers != nil {
		s.answers()
	}
	w.WriteHeader(status)
	if status == http.StatusOK {
		_, _ = fmt.Fprint(w, text)
	}
}

func (s *site) answered(status int) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.statuses {
		if st == status {
			n++
		}
	}
	return n
}
