package mastodon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
)

// server is a fake of a Mastodon server: streams as server-sent events, and
// timelines in pages.
type server struct {
	faketest.Air // of events
	faketest.Limit
	faketest.Failure
	faketest.Calm
	faketest.Credentials
	http  *httptest.Server
	quiet time.Duration
	thump time.Duration

	mu       sync.Mutex
	old      bool // it does not know min_id
	clock    int64
	statuses []map[string]any // oldest first
	calls    []string
}

func newServer(t *testing.T) *server {
	s := &server{quiet: 500 * time.Millisecond, thump: 50 * time.Millisecond, clock: time.Now().UnixMilli() << 16}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/instance", func(w http.ResponseWriter, r *http.Request) {
		if s.refuse(w) {
			return
		}
		_, _ = fmt.Fprintf(w, `{"uri":"m.test","title":"M","urls":{"streaming_api":"ws://%s"}}`, r.Host)
	})
	for _, kind := range []string{"public", "tag/{tag}", "home"} {
		mux.HandleFunc("GET /api/v1/timelines/"+kind, s.timeline)
	}
	for _, kind := range []string{"public", "public/local", "hashtag", "user"} {
		mux.HandleFunc("GET /api/v1/streaming/"+kind, s.stream)
	}
	s.http = httptest.NewServer(s.noted(mux))
	t.Cleanup(s.http.Close)
	return s
}

func (s *server) noted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls = append(s.calls, r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		s.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (*server) Resends() {}

func (s *server) Connector(env connect.Env) (connect.Connector, error) {
	return s.of(env, map[string]any{"token": "secret"})
}

func (s *server) of(env connect.Env, settings map[string]any) (*Connector, error) {
	settings["url"] = s.http.URL
	c, err := open(settings, env)
	c.quiet = s.quiet
	return c, err
}

// status is one as the API writes it; more changes it.
func status(id int64, text string, more map[string]any) map[string]any {
	st := map[string]any{
		"id": strconv.FormatInt(id, 10), "created_at": "2026-05-01T20:00:00.123Z", "in_reply_to_id": nil, "sensitive": false, "spoiler_text": "",
		"visibility": "public", "language": "en", "uri": fmt.Sprintf("https://m.test/users/ana/statuses/%d", id),
		"url": fmt.Sprintf("https://m.test/@ana/%d", id), "replies_count": 0, "reblogs_count": 0, "favourites_count": 0, "edited_at": nil,
		"content": "<p>" + text + "</p>", "reblog": nil, "media_attachments": []any{}, "mentions": []any{}, "tags": []any{}, "emojis": []any{},
		"card": nil, "poll": nil,
		"account": map[string]any{
			"id": "109", "username": "ana", "acct": "ana", "display_name": "Ana", "created_at": "2022-11-05T00:00:00.000Z", "followers_count": 12,
			"note": "<p></p>", "url": "https://m.test/@ana", "uri": "https://m.test/users/ana", "emojis": []any{}, "fields": []any{},
		},
	}
	for k, v := range more {
		st[k] = v
	}
	return st
}

func sse(name string, data any) string {
	text, ok := data.(string)
	if !ok {
		raw, err := json.Marshal(data)
		if err != nil {
			panic(err)
		}
		text = string(raw)
	}
	return "event: " + name + "\ndata: " + text + "\n\n"
}

func (s *server) publish(st map[string]any) {
	s.mu.Lock()
	s.statuses = append(s.statuses, st)
	s.mu.Unlock()
	s.Publish(sse("update", st))
}

func (s *server) next() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock += 1 << 16
	return s.clock
}

func (s *server) Say(texts ...string) {
	for _, text := range texts {
		id := s.next()
		s.publish(status(id, text, map[string]any{"uri": fmt.Sprintf("%s/users/ana/statuses/%d", s.http.URL, id)}))
	}
}

func (s *server) Duplicate() {
	all := s.Messages()
	s.Publish(all[len(all)-1])
}

func (s *server) Delete(text string) {
	s.mu.Lock()
	i := slices.IndexFunc(s.statuses, func(st map[string]any) bool { return strings.Contains(st["content"].(string), text) })
	id := s.statuses[i]["id"]
	s.statuses = slices.Delete(s.statuses, i, i+1)
	s.mu.Unlock()
	s.Publish(sse("delete", id))
}

func (s *server) DeleteNothing() { s.Publish(sse("delete", "")) }

func (s *server) Late(text string) { s.Publish(sse("update", status(s.next()-3<<16, text, nil))) }

func (s *server) Malformed() {
	s.Publish(sse("update", `{"id":"1","content":`), sse("update", []any{1}), sse("update", map[string]any{"id": "1"}))
}

// refuse answers as Mastodon does.
func (s *server) refuse(w http.ResponseWriter) bool {
	answer := func(code int, text string) bool {
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"error":%q}`, text)
		return true
	}
	until, limited := s.Until()
	switch {
	case limited:
		w.Header().Set("X-RateLimit-Limit", "300")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", until.UTC().Format("2006-01-02T15:04:05.000000Z"))
		return answer(http.StatusTooManyRequests, "Too many requests")
	case s.Slowing():
		return answer(http.StatusTooManyRequests, "Throttled")
	case s.Failing():
		return answer(http.StatusServiceUnavailable, "There was a temporary problem serving your request, please try again")
	case s.Expired():
		return answer(http.StatusUnauthorized, "The access token is invalid")
	}
	return false
}

func (s *server) timeline(w http.ResponseWriter, r *http.Request) {
	if s.refuse(w) {
		return
	}
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	s.mu.Lock()
	defer s.mu.Unlock()
	var page []map[string]any
	forward := q.Get("min_id") != "" && !s.old
	from := q.Get("since_id")
	if forward {
		from = q.Get("min_id")
	}
	for _, st := range s.statuses {
		if id, _ := st["id"].(string); newer(id, from) {
			page = append(page, st)
		}
	}
	if len(page) > limit {
		if forward {
			page = page[:limit]
		} else {
			page = page[len(page)-limit:]
		}
	}
	newestFirst := make([]map[string]any, 0, len(page))
	for i := range page {
		newestFirst = append(newestFirst, page[len(page)-1-i])
	}
	if len(page) > 0 {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?limit=%d&max_id=%s>; rel="next", <%s%s?limit=%d&min_id=%s>; rel="prev"`,
			s.http.URL, r.URL.Path, limit, page[0]["id"], s.http.URL, r.URL.Path, limit, page[len(page)-1]["id"]))
	}
	_ = json.NewEncoder(w).Encode(newestFirst)
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	if s.refuse(w) {
		return
	}
	line := s.Connect(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprint(w, ":)\n")
	rc := http.NewResponseController(w)
	_ = rc.Flush()
	done := make(chan struct{})
	defer close(done)
	var writing sync.Mutex
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(s.thump):
			}
			writing.Lock()
			select {
			case <-done: // the response is over
			default:
				if !line.Silent() {
					_, _ = fmt.Fprint(w, ":thump\n")
					_ = rc.Flush()
				}
			}
			writing.Unlock()
		}
	}()
	for {
		message, ok, broken := line.Next(r.Context())
		writing.Lock()
		if broken {
			_, _ = fmt.Fprint(w, "event: update\ndata: {\"id\":\"1145")
			_ = rc.Flush()
			writing.Unlock()
			panic(http.ErrAbortHandler)
		}
		_, err := fmt.Fprint(w, message)
		if err == nil {
			err = rc.Flush()
		}
		writing.Unlock()
		if !ok || err != nil {
			return
		}
	}
}

func (s *server) called(part string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if strings.Contains(c, part) {
			n++
		}
	}
	return n
}
