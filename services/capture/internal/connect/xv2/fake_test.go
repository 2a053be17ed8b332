package xv2

import (
	"encoding/json"
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

// server is a server of API v2.
type server struct {
	*xtest.Server

	mu       sync.Mutex
	rules    []filter
	made     int
	terse    bool   // it does not say which rules it made
	changed  func() // is called when rules were added
	noSearch int    // searches refused behind the first allowed ones
	allowed  int
	searches int
	since    int64 // of the last search
	perPage  int
}

func newServer(t *testing.T) *server {
	s := &server{perPage: 2}
	s.Server = xtest.New(t, s, map[string]http.HandlerFunc{
		"GET " + streamPath: s.stream, "GET " + rulesPath: s.list, "POST " + rulesPath: s.change, "GET " + searchPath: s.find,
	})
	return s
}

func (s *server) Connector(env connect.Env) (connect.Connector, error) {
	c, err := open(map[string]any{"bearer_token": "tok", "base_url": s.URL}, env)
	if err == nil {
		c.quiet = 300 * time.Millisecond
	}
	return c, err
}

func (s *server) Authorized(r *http.Request) bool {
	return r.Header.Get("Authorization") == "Bearer tok"
}

func (s *server) Problem(status int) string {
	text := http.StatusText(status)
	return fmt.Sprintf(`{"title":%q,"detail":%q,"type":"about:blank","status":%d}`, text, text, status)
}

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Reply(w, 200, map[string]any{"data": s.rules, "meta": map[string]any{"sent": time.Now().UTC().Format(time.RFC3339), "result_count": len(s.rules)}})
}

// change adds and deletes rules; one that holds "forbidden" is invalid, and of a
// value there is one.
func (s *server) change(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Add    []filter `json:"add"`
		Delete struct {
			IDs []string `json:"ids"`
		} `json:"delete"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.Refuse(w, 400)
		return
	}
	s.mu.Lock()
	defer func() {
		said := s.changed
		s.changed = nil
		s.mu.Unlock()
		if said != nil {
			said()
		}
	}()
	if len(in.Delete.IDs) > 0 {
		s.rules = slices.DeleteFunc(s.rules, func(f filter) bool { return slices.Contains(in.Delete.IDs, f.ID) })
		s.Reply(w, 200, map[string]any{"meta": map[string]any{"summary": map[string]any{"deleted": len(in.Delete.IDs), "not_deleted": 0}}})
		return
	}
	var made []filter
	var wrong []any
	for _, f := range in.Add {
		if strings.Contains(f.Value, "forbidden") {
			wrong = append(wrong, map[string]any{"value": f.Value, "title": "UnprocessableEntity", "type": "https://api.twitter.com/2/problems/invalid-rules", "details": []string{"no"}})
			continue
		}
		if i := slices.IndexFunc(s.rules, func(r filter) bool { return r.Value == f.Value }); i >= 0 {
			wrong = append(wrong, map[string]any{"value": f.Value, "id": s.rules[i].ID, "title": "DuplicateRule", "type": "https://api.twitter.com/2/problems/duplicate-rules"})
			continue
		}
		s.made++
		f.ID = strconv.Itoa(s.made)
		made = append(made, f)
	}
	s.rules = append(s.rules, made...)
	created := len(made)
	if s.terse {
		made = nil
	}
	s.Reply(w, 201, map[string]any{"data": made, "errors": wrong, "meta": map[string]any{"summary": map[string]any{
		"created": created, "not_created": len(wrong), "valid": created, "invalid": len(wrong)}}})
}

func (s *server) values() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.rules {
		all = append(all, f.Value)
	}
	return all
}

// matching are the rules that a text matches.
func (s *server) matching(text string) (rules []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.rules {
		if xtest.Matches(text, strings.Split(f.Value, " OR ")) {
			rules = append(rules, map[string]any{"id": f.ID, "tag": f.Tag})
		}
	}
	return rules
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	if len(s.values()) == 0 {
		xtest.Write(w, 409, `{"title":"ConnectionException","detail":"You must define rules using the POST /2/tweets/search/stream/rules endpoint before connecting to filtered stream.","connection_issue":"RuleConfigurationIssue","type":"https://api.twitter.com/2/problems/streaming-connection"}`)
		return
	}
	if !strings.Contains(r.URL.Query().Get("expansions"), "author_id") {
		s.T.Error("authors are not asked for")
	}
	s.Stream(w, r, func(m string) bool {
		return !strings.Contains(m, `"author_id"`) || strings.Contains(m, `"matching_rules":[{`)
	})
}

// find answers in short pages, the newest first.
func (s *server) find(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, _ := strconv.ParseInt(q.Get("since_id"), 10, 64)
	skip, _ := strconv.Atoi(q.Get("next_token"))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searches++
	s.since = since
	switch {
	case s.noSearch > 0 && s.searches > s.allowed:
		s.noSearch--
		w.Header().Set("x-rate-limit-remaining", "0")
		w.Header().Set("x-rate-limit-reset", strconv.FormatInt(time.Now().Unix()+1, 10))
		s.Refuse(w, 429)
		return
	case strings.Contains(q.Get("query"), "unsearchable"):
		xtest.Write(w, 400, `{"errors":[{"parameters":{"query":["unsearchable"]},"message":"There were errors processing your request"}],"title":"Invalid Request","detail":"One or more parameters to your request was invalid.","type":"https://api.twitter.com/2/problems/invalid-request"}`)
		return
	}
	until, _ := strconv.ParseInt(q.Get("until_id"), 10, 64)
	all := slices.DeleteFunc(s.Found(since, strings.Split(q.Get("query"), " OR ")), func(post map[string]any) bool {
		id, _ := strconv.ParseInt(post["id"].(string), 10, 64)
		return until > 0 && id >= until
	})
	page := all[min(skip, len(all)):min(skip+s.perPage, len(all))]
	meta := map[string]any{"result_count": len(page)}
	if len(page) > 0 {
		meta["newest_id"], meta["oldest_id"] = page[0]["id"], page[len(page)-1]["id"]
	}
	if skip+s.perPage < len(all) {
		meta["next_token"] = strconv.Itoa(skip + s.perPage)
	}
	s.Reply(w, 200, map[string]any{"data": page, "includes": users(), "meta": meta})
}

func users() map[string]any {
	return map[string]any{"users": []any{map[string]any{
		"id": "7", "name": "Ana", "username": "ana", "location": "São Paulo", "created_at": "2009-03-21T20:50:14.000Z",
		"public_metrics": map[string]any{"followers_count": 12, "following_count": 1, "tweet_count": 2, "listed_count": 0},
	}}}
}

func (s *server) Post(id int64, text string, at time.Time) map[string]any {
	return map[string]any{
		"id": strconv.FormatInt(id, 10), "text": text, "author_id": "7", "lang": "en", "created_at": at.UTC().Format("2006-01-02T15:04:05.000Z"),
		"edit_history_tweet_ids": []string{strconv.FormatInt(id, 10)}, "possibly_sensitive": false,
	}
}

func (s *server) Message(post map[string]any) any {
	return map[string]any{"data": post, "includes": users(), "matching_rules": s.matching(post["text"].(string))}
}

func (s *server) Malformed() {
	s.Publish(`{"data":{"id":`, `{"data":{"id":5}}`, `{"data":{}}`, `[]`, `{"errors":[{"title":"Not Found Error","type":"https://api.twitter.com/2/problems/resource-not-found"}]}`)
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
)
