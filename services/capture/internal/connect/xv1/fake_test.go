package xv1

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x/xtest"
)

// server is a server of API v1.1.
type server struct {
	*xtest.Server
	search bool

	mu       sync.Mutex
	asked    []string // what streams were asked for
	limited  int64
	noSearch int // searches refused behind the first allowed ones
	allowed  int
	searches int
	perPage  int
}

func newServer(t *testing.T, search bool) *server {
	s := &server{search: search, perPage: perPage}
	s.Server = xtest.New(t, s, map[string]http.HandlerFunc{
		"POST /1.1/statuses/filter.json": s.stream, "GET /1.1/search/tweets.json": s.find,
	})
	return s
}

func (s *server) settings() map[string]any {
	settings := map[string]any{
		"consumer_key": "ck", "consumer_secret": "cs", "access_token": "at", "access_secret": "as", "base_url": s.URL + "/1.1",
	}
	if s.search {
		settings["mode"] = "search"
	}
	return settings
}

func (s *server) Connector(env connect.Env) (connect.Connector, error) {
	c, err := open(s.settings(), env)
	if err == nil {
		c.quiet, c.every, c.patience = 300*time.Millisecond, 5*time.Millisecond, 300*time.Millisecond
	}
	return c, err
}

func (s *server) Authorized(r *http.Request) bool {
	auth := r.Header.Get("Authorization")
	return strings.HasPrefix(auth, "OAuth ") && strings.Contains(auth, `oauth_consumer_key="ck"`) && strings.Contains(auth, `oauth_token="at"`)
}

func (s *server) Problem(status int) string {
	code, message := 130, "Over capacity"
	switch status {
	case http.StatusUnauthorized:
		code, message = 89, "Invalid or expired token."
	case http.StatusTooManyRequests:
		code, message = 88, "Rate limit exceeded"
	}
	return fmt.Sprintf(`{"errors":[{"code":%d,"message":%q}]}`, code, message)
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query().Get("track")
	s.mu.Lock()
	s.asked = append(s.asked, asked)
	s.mu.Unlock()
	track := strings.Split(asked, ",")
	s.Stream(w, r, func(m string) bool { return !strings.Contains(m, `"text"`) || xtest.Matches(m, track) })
}

// find answers with the newest tweets first.
func (s *server) find(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, _ := strconv.ParseInt(q.Get("since_id"), 10, 64)
	most, _ := strconv.ParseInt(q.Get("max_id"), 10, 64)
	s.mu.Lock()
	s.searches++
	refused := s.noSearch > 0 && s.searches > s.allowed
	if refused {
		s.noSearch--
	}
	s.mu.Unlock()
	if refused {
		w.Header().Set("x-rate-limit-remaining", "0")
		w.Header().Set("x-rate-limit-reset", strconv.FormatInt(time.Now().Unix()+1, 10))
		s.Refuse(w, http.StatusTooManyRequests)
		return
	}
	found := slices.DeleteFunc(s.Found(since, strings.Split(q.Get("q"), " OR ")), func(t map[string]any) bool { return most > 0 && t["id"].(int64) > most })
	about := map[string]any{"count": s.perPage, "query": q.Get("q")}
	if len(found) > s.perPage {
		found = found[:s.perPage]
		about["next_results"] = fmt.Sprintf("?max_id=%d&q=%s", found[len(found)-1]["id"].(int64)-1, q.Get("q"))
	}
	s.Reply(w, http.StatusOK, map[string]any{"statuses": append([]map[string]any{}, found...), "search_metadata": about})
}

func (s *server) Post(id int64, text string, at time.Time) map[string]any {
	return map[string]any{
		"created_at": at.UTC().Format(time.RubyDate), "id": id, "id_str": strconv.FormatInt(id, 10),
		"text": text, "full_text": text, "truncated": false, "retweet_count": 0, "favorite_count": 0, "lang": "en",
		"user":     map[string]any{"id": 7, "id_str": "7", "name": "Ana", "screen_name": "ana", "followers_count": 12, "created_at": "Wed Mar 21 20:50:14 +0000 2006"},
		"entities": map[string]any{"hashtags": []any{}, "urls": []any{}}, "timestamp_ms": strconv.FormatInt(time.Now().UnixMilli(), 10),
	}
}

func (*server) Message(post map[string]any) any { return post }

func (s *server) Malformed() {
	s.Publish(`{"created_at":"Fri May 01`, `{"retweet_count":0}`, `{"delete":{"status":{"id":1,"id_str":"1","user_id":3,"user_id_str":"3"}}}`, `{"hello":1}`, `[]`)
}

func (s *server) Delete(text string) {
	p := s.Take(text)
	s.Publish(fmt.Sprintf(`{"delete":{"status":{"id":%d,"id_str":"%d","user_id":7,"user_id_str":"7"},"timestamp_ms":"1432228155593"}}`, p.ID, p.ID))
}

func (s *server) DeleteNothing() {
	s.Publish(`{"delete":{"status":{"user_id":7}}}`, `{"user_delete":{}}`)
}

func (s *server) Withhold(posts int64) {
	s.limited += posts
	s.Publish(fmt.Sprintf(`{"limit":{"track":%d,"timestamp_ms":"1"}}`, s.limited-1), fmt.Sprintf(`{"limit":{"track":%d,"timestamp_ms":"2"}}`, s.limited))
}

// searched is the fake without what only streams have.
type searched struct{ of *server }

func (s searched) Connector(env connect.Env) (connect.Connector, error) { return s.of.Connector(env) }
func (s searched) Say(texts ...string)                                  { s.of.Say(texts...) }
func (s searched) Late(text string)                                     { s.of.Late(text) }
func (s searched) Resends()                                             {}
func (s searched) RateLimit(until time.Time)                            { s.of.RateLimit(until) }
func (s searched) Fail()                                                { s.of.Fail() }
func (s searched) Slow()                                                { s.of.Slow() }
func (s searched) Expire()                                              { s.of.Expire() }
func (s searched) Disconnect()                                          { s.of.Cut() }
func (s searched) Stall()                                               { s.of.Hang() }

func (s searched) Malformed() {
	s.of.Put("clamor without an author", 0, func(post map[string]any) { delete(post, "user") })
}

var (
	_ connecttest.Platform     = (*server)(nil)
	_ connecttest.Resender     = (*server)(nil)
	_ connecttest.Disconnector = (*server)(nil)
	_ connecttest.Limiter      = (*server)(nil)
	_ connecttest.Slower       = (*server)(nil)
	_ connecttest.Failer       = (*server)(nil)
	_ connecttest.Expirer      = (*server)(nil)
	_ connecttest.Garbler      = (*server)(nil)
	_ connecttest.Repeater     = (*server)(nil)
	_ connecttest.Laggard      = (*server)(nil)
	_ connecttest.Staller      = (*server)(nil)
	_ connecttest.Withholder   = (*server)(nil)
	_ connecttest.Deleter      = (*server)(nil)
	_ connecttest.Disconnector = searched{}
	_ connecttest.Garbler      = searched{}
	_ connecttest.Staller      = searched{}
)
