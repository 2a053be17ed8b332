package xv2

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
)

// x is a server of API v2.
type x struct {
	faketest.Air
	faketest.Limit
	t      *testing.T
	server *httptest.Server
	stop   chan struct{}

	mu       sync.Mutex
	rules    []filter
	made     int
	tweets   []map[string]any
	last     int64
	expired  bool
	fail     int // the status that the next request is answered with; 0: none
	body     string
	noSearch int // searches still refused
	searches int
	perPage  int
}

func newX(t *testing.T) *x {
	s := &x{t: t, stop: make(chan struct{}), perPage: 2}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2/tweets/search/stream", s.answer(s.stream))
	mux.HandleFunc("GET /2/tweets/search/stream/rules", s.answer(s.list))
	mux.HandleFunc("POST /2/tweets/search/stream/rules", s.answer(s.change))
	mux.HandleFunc("GET /2/tweets/search/recent", s.answer(s.find))
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		close(s.stop)
		s.server.Close()
	})
	return s
}

func (s *x) Connector(env connect.Env) (connect.Connector, error) {
	c, err := open(map[string]any{"bearer_token": "tok", "base_url": s.server.URL}, env)
	if err == nil {
		c.quiet = 300 * time.Millisecond
	}
	return c, err
}

func (s *x) answer(then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		status, body, expired := s.fail, s.body, s.expired
		s.fail = 0
		s.mu.Unlock()
		until, limited := s.Until()
		switch {
		case expired || r.Header.Get("Authorization") != "Bearer tok":
			write(w, 401, `{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}`)
		case limited:
			w.Header().Set("x-rate-limit-limit", "50")
			w.Header().Set("x-rate-limit-remaining", "0")
			w.Header().Set("x-rate-limit-reset", strconv.FormatInt(until.Unix(), 10))
			write(w, 429, `{"title":"Too Many Requests","detail":"Too Many Requests","type":"about:blank","status":429}`)
		case status != 0:
			write(w, status, body)
		default:
			then(w, r)
		}
	}
}

func write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func (s *x) reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.t.Error(err)
	}
	write(w, status, string(body))
}

func (s *x) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply(w, 200, map[string]any{"data": s.rules, "meta": map[string]any{"sent": time.Now().UTC().Format(time.RFC3339), "result_count": len(s.rules)}})
}

// change adds and deletes rules; one that holds "forbidden" is invalid.
func (s *x) change(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Add    []filter `json:"add"`
		Delete struct {
			IDs []string `json:"ids"`
		} `json:"delete"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		write(w, 400, `{"title":"Invalid Request"}`)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(in.Delete.IDs) > 0 {
		s.rules = slices.DeleteFunc(s.rules, func(f filter) bool { return slices.Contains(in.Delete.IDs, f.ID) })
		s.reply(w, 200, map[string]any{"meta": map[string]any{"summary": map[string]any{"deleted": len(in.Delete.IDs), "not_deleted": 0}}})
		return
	}
	var made []filter
	var wrong []any
	for _, f := range in.Add {
		if strings.Contains(f.Value, "forbidden") {
			wrong = append(wrong, map[string]any{"value": f.Value, "title": "UnprocessableEntity", "type": "https://api.twitter.com/2/problems/invalid-rules", "details": []string{"no"}})
			continue
		}
		s.made++
		f.ID = strconv.Itoa(s.made)
		made = append(made, f)
	}
	s.rules = append(s.rules, made...)
	s.reply(w, 201, map[string]any{"data": made, "errors": wrong, "meta": map[string]any{"summary": map[string]any{
		"created": len(made), "not_created": len(wrong), "valid": len(made), "invalid": len(wrong)}}})
}

func (s *x) values() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.rules {
		all = append(all, f.Value)
	}
	return all
}

func matches(text string, rules ...string) bool {
	for _, rule := range rules {
		for term := range strings.SplitSeq(rule, " OR ") {
			if strings.Contains(strings.ToLower(text), strings.Trim(strings.ToLower(term), `"#@`)) {
				return true
			}
		}
	}
	return false
}

func (s *x) stream(w http.ResponseWriter, r *http.Request) {
	conn := s.Connect(-1)
	if !strings.Contains(r.URL.Query().Get("expansions"), "author_id") {
		s.t.Error("authors are not asked for")
	}
	w.WriteHeader(http.StatusOK)
	flush(w, "\r\n")
	for r.Context().Err() == nil {
		select {
		case <-s.stop:
			return
		default:
		}
		beat, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
		m, ok, broken := conn.Next(beat)
		cancel()
		switch {
		case broken:
			flush(w, `{"data":{"id":"17","text":"cut o`)
			panic(http.ErrAbortHandler)
		case ok && (!strings.Contains(m, `"author_id"`) || matches(m, s.values()...)):
			flush(w, m+"\r\n")
		case !ok && !conn.Silent():
			flush(w, "\r\n")
		}
	}
}

func flush(w http.ResponseWriter, text string) {
	_, _ = w.Write([]byte(text))
	_ = http.NewResponseController(w).Flush()
}

// find answers in short pages, the newest first.
func (s *x) find(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, _ := strconv.ParseInt(q.Get("since_id"), 10, 64)
	skip, _ := strconv.Atoi(q.Get("next_token"))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searches++
	if s.noSearch > 0 {
		s.noSearch--
		w.Header().Set("x-rate-limit-reset", strconv.FormatInt(time.Now().Unix()+1, 10))
		write(w, 429, `{"title":"Too Many Requests","type":"about:blank","status":429}`)
		return
	}
	all := slices.Clone(s.tweets)
	slices.SortFunc(all, func(a, b map[string]any) int { return strings.Compare(b["id"].(string), a["id"].(string)) })
	all = slices.DeleteFunc(all, func(t map[string]any) bool {
		id, _ := strconv.ParseInt(t["id"].(string), 10, 64)
		return id <= since || !matches(t["text"].(string), q.Get("query"))
	})
	page := all[min(skip, len(all)):min(skip+s.perPage, len(all))]
	meta := map[string]any{"result_count": len(page)}
	if skip+s.perPage < len(all) {
		meta["next_token"] = strconv.Itoa(skip + s.perPage)
	}
	s.reply(w, 200, map[string]any{"data": page, "includes": users(), "meta": meta})
}

func users() map[string]any {
	return map[string]any{"users": []any{map[string]any{
		"id": "7", "name": "Ana", "username": "ana", "location": "São Paulo", "created_at": "2009-03-21T20:50:14.000Z",
		"public_metrics": map[string]any{"followers_count": 12, "following_count": 1, "tweet_count": 2, "listed_count": 0},
	}}}
}

// epoch is when X's ids begin, in Unix milliseconds.
const epoch = 1288834974657

func (s *x) tweet(text string, ago time.Duration) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := (time.Now().Add(-ago).UnixMilli() - epoch) << 22
	if ago == 0 {
		id = max(id, s.last+1)
		s.last = id
	}
	t := map[string]any{
		"id": strconv.FormatInt(id, 10), "text": text, "author_id": "7", "lang": "en", "created_at": time.Now().Add(-ago).UTC().Format("2006-01-02T15:04:05.000Z"),
		"edit_history_tweet_ids": []string{strconv.FormatInt(id, 10)},
	}
	s.tweets = append(s.tweets, t)
	return t
}

func (s *x) send(t map[string]any) {
	body, err := json.Marshal(map[string]any{"data": t, "includes": users(), "matching_rules": []any{map[string]any{"id": "1", "tag": "clamor:all"}}})
	if err != nil {
		s.t.Error(err)
	}
	s.Publish(string(body))
}

func (s *x) Say(texts ...string) {
	for _, text := range texts {
		s.send(s.tweet(text, 0))
	}
}

func (s *x) Late(text string) { s.send(s.tweet(text, 2*time.Second)) }

func (s *x) Resends() {}

func (s *x) Malformed() {
	s.Publish(`{"data":{"id":`, `{"data":{"id":5}}`, `{"data":{}}`, `[]`, `{"errors":[{"title":"Not Found Error","type":"https://api.twitter.com/2/problems/resource-not-found"}]}`)
}

func (s *x) Duplicate() {
	all := s.Messages()
	s.Publish(all[len(all)-1])
}

func (s *x) answerNext(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail, s.body = status, body
}

func (s *x) Fail() {
	s.answerNext(503, `{"title":"Service Unavailable","type":"about:blank","status":503}`)
}
func (s *x) Slow() { s.answerNext(420, ``) }

func (s *x) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired = true
}

var (
	_ connecttest.Platform     = (*x)(nil)
	_ connecttest.Resender     = (*x)(nil)
	_ connecttest.Disconnector = (*x)(nil)
	_ connecttest.Limiter      = (*x)(nil)
	_ connecttest.Slower       = (*x)(nil)
	_ connecttest.Failer       = (*x)(nil)
	_ connecttest.Expirer      = (*x)(nil)
	_ connecttest.Garbler      = (*x)(nil)
	_ connecttest.Repeater     = (*x)(nil)
	_ connecttest.Laggard      = (*x)(nil)
	_ connecttest.Staller      = (*x)(nil)
)
