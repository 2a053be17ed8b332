package xv1

import (
	"context"
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
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
)

// x is a server of API v1.1.
type x struct {
	faketest.Air
	faketest.Limit
	t      *testing.T
	server *httptest.Server
	search bool

	mu      sync.Mutex
	tweets  []map[string]any
	last    int64
	expired bool
	next    int // the status that the next request is answered with; 0: none
	cut     bool
	asked   []string // what streams were asked for
	limited int64
	stop    chan struct{}
}

func newX(t *testing.T, search bool) *x {
	s := &x{t: t, search: search, stop: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /1.1/statuses/filter.json", s.answer(s.stream))
	mux.HandleFunc("GET /1.1/search/tweets.json", s.answer(s.find))
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		close(s.stop)
		s.server.Close()
	})
	return s
}

func (s *x) settings() map[string]any {
	settings := map[string]any{
		"consumer_key": "ck", "consumer_secret": "cs", "access_token": "at", "access_secret": "as", "base_url": s.server.URL + "/1.1",
	}
	if s.search {
		settings["mode"] = "search"
	}
	return settings
}

func (s *x) Connector(env connect.Env) (connect.Connector, error) {
	c, err := open(s.settings(), env)
	if err == nil {
		c.quiet, c.every = 300*time.Millisecond, 5*time.Millisecond
	}
	return c, err
}

// answer refuses what is to be refused, as v1.1 does.
func (s *x) answer(then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		status, expired := s.next, s.expired
		s.next = 0
		s.mu.Unlock()
		until, limited := s.Until()
		auth := r.Header.Get("Authorization")
		switch {
		case expired || !strings.HasPrefix(auth, "OAuth ") || !strings.Contains(auth, `oauth_consumer_key="ck"`) || !strings.Contains(auth, `oauth_token="at"`):
			refuse(w, 401, 89, "Invalid or expired token.")
		case limited:
			w.Header().Set("x-rate-limit-limit", "180")
			w.Header().Set("x-rate-limit-remaining", "0")
			w.Header().Set("x-rate-limit-reset", strconv.FormatInt(until.Unix(), 10))
			refuse(w, 429, 88, "Rate limit exceeded")
		case status == 420:
			w.WriteHeader(420)
			_, _ = w.Write([]byte("Exceeded connection limit for user"))
		case status != 0:
			refuse(w, status, 130, "Over capacity")
		default:
			then(w, r)
		}
	}
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%d,"message":%q}]}`, code, message)
}

// stream sends what holds one of the terms, and a line end when nothing does.
func (s *x) stream(w http.ResponseWriter, r *http.Request) {
	track := strings.Split(strings.ToLower(r.URL.Query().Get("track")), ",")
	conn := s.Connect(-1)
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Query().Get("track"))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	flush(w, "\r\n")
	for r.Context().Err() == nil {
		select {
		case <-s.stop:
			return
		default:
		}
		beat, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
		message, ok, broken := conn.Next(beat)
		cancel()
		switch {
		case broken:
			flush(w, `{"created_at":"Fri May 01 20:00:00 +0000 2026","id":17,"text":"cut o`)
			panic(http.ErrAbortHandler)
		case ok && (!strings.Contains(message, `"text"`) || matches(message, track)):
			flush(w, message+"\r\n")
		case !ok && !conn.Silent():
			flush(w, "\r\n")
		}
	}
}

func matches(message string, track []string) bool {
	return slices.ContainsFunc(track, func(term string) bool { return strings.Contains(strings.ToLower(message), term) })
}

func flush(w http.ResponseWriter, text string) {
	_, _ = w.Write([]byte(text))
	_ = http.NewResponseController(w).Flush()
}

// find answers with the newest tweets first.
func (s *x) find(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, _ := strconv.ParseInt(q.Get("since_id"), 10, 64)
	most, _ := strconv.ParseInt(q.Get("max_id"), 10, 64)
	terms := strings.Split(strings.ReplaceAll(strings.ToLower(q.Get("q")), `"`, ""), " or ")
	s.mu.Lock()
	found := []map[string]any{}
	for _, t := range slices.Backward(s.sorted()) {
		id := t["id"].(int64)
		if id > since && (most == 0 || id <= most) && len(found) < 100 && matches(t["text"].(string), terms) {
			found = append(found, t)
		}
	}
	body, err := json.Marshal(map[string]any{"statuses": found, "search_metadata": map[string]any{"count": 100, "query": q.Get("q")}})
	cut := s.cut
	s.cut = false
	s.mu.Unlock()
	if err != nil {
		s.t.Error(err)
	}
	if cut {
		flush(w, string(body[:len(body)/2]))
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// sorted are the tweets by id. Called under mu.
func (s *x) sorted() []map[string]any {
	all := slices.Clone(s.tweets)
	slices.SortFunc(all, func(a, b map[string]any) int { return int(min(1, max(-1, a["id"].(int64)-b["id"].(int64)))) })
	return all
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
		"created_at": time.Now().Add(-ago).UTC().Format(time.RubyDate), "id": id, "id_str": strconv.FormatInt(id, 10),
		"text": text, "full_text": text, "truncated": false, "retweet_count": 0, "favorite_count": 0, "lang": "en",
		"user":     map[string]any{"id": 7, "id_str": "7", "name": "Ana", "screen_name": "ana", "followers_count": 12, "created_at": "Wed Mar 21 20:50:14 +0000 2006"},
		"entities": map[string]any{"hashtags": []any{}, "urls": []any{}}, "timestamp_ms": strconv.FormatInt(time.Now().UnixMilli(), 10),
	}
	s.tweets = append(s.tweets, t)
	return t
}

func (s *x) send(t map[string]any) {
	body, err := json.Marshal(t)
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
	s.Publish(`{"created_at":"Fri May 01`, `{"retweet_count":0}`, `{"delete":{"status":{"id":1,"id_str":"1","user_id":3,"user_id_str":"3"}}}`, `{"hello":1}`, `[]`)
}

func (s *x) Delete(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.tweets, func(t map[string]any) bool { return t["text"] == text })
	s.Publish(fmt.Sprintf(`{"delete":{"status":{"id":%d,"id_str":%q,"user_id":7,"user_id_str":"7"},"timestamp_ms":"1432228155593"}}`, s.tweets[i]["id"], s.tweets[i]["id_str"]))
	s.tweets = slices.Delete(s.tweets, i, i+1)
}

func (s *x) DeleteNothing() { s.Publish(`{"delete":{"status":{"user_id":7}}}`, `{"user_delete":{}}`) }

func (s *x) Duplicate() {
	all := s.Messages()
	s.Publish(all[len(all)-1])
}

func (s *x) Withhold(posts int64) {
	s.limited += posts
	s.Publish(fmt.Sprintf(`{"limit":{"track":%d,"timestamp_ms":"1"}}`, s.limited-1), fmt.Sprintf(`{"limit":{"track":%d,"timestamp_ms":"2"}}`, s.limited))
}

func (s *x) answerNext(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = status
}

func (s *x) Slow() { s.answerNext(420) }
func (s *x) Fail() { s.answerNext(503) }

func (s *x) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired = true
}

// searched is the fake without what only streams have.
type searched struct{ x *x }

func (s searched) Connector(env connect.Env) (connect.Connector, error) { return s.x.Connector(env) }
func (s searched) Say(texts ...string)                                  { s.x.Say(texts...) }
func (s searched) Late(text string)                                     { s.x.Late(text) }
func (s searched) Resends()                                             {}
func (s searched) RateLimit(until time.Time)                            { s.x.RateLimit(until) }
func (s searched) Fail()                                                { s.x.Fail() }
func (s searched) Slow()                                                { s.x.Slow() }
func (s searched) Expire()                                              { s.x.Expire() }

func (s searched) Disconnect() {
	s.x.mu.Lock()
	defer s.x.mu.Unlock()
	s.x.cut = true
}

func (s searched) Malformed() {
	t := s.x.tweet("clamor without an author", 0)
	s.x.mu.Lock()
	defer s.x.mu.Unlock()
	delete(t, "user")
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
	_ connecttest.Withholder   = (*x)(nil)
	_ connecttest.Deleter      = (*x)(nil)
	_ connecttest.Disconnector = searched{}
	_ connecttest.Garbler      = searched{}
)
