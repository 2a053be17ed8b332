// Package xtest is what the fakes of X's two APIs have in common: posts with ids
// that tell their time, an endless stream with heartbeats, and the ways in which
// X refuses.
package xtest

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

	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
)

// API is what the two do in their own ways.
type API interface {
	// Authorized says whether a request bears the right credentials.
	Authorized(r *http.Request) bool
	// Problem is the body of a refusal.
	Problem(status int) string
	// Post is a post as the API writes it, and Message what the stream sends of it.
	Post(id int64, text string, at time.Time) map[string]any
	Message(post map[string]any) any
}

// Server is one.
type Server struct {
	faketest.Air
	faketest.Limit
	faketest.Credentials
	T   *testing.T
	URL string

	api   API
	stop  chan struct{}
	mu    sync.Mutex
	posts []Post
	last  int64
	next  int // the status that the next request is answered with; 0: none
	body  string
	cut   bool
	hangs bool
}

// Post is a post, and its body as the API writes it.
type Post struct {
	ID   int64
	Text string
	Body map[string]any
}

// New opens a server; routes are handlers by pattern.
func New(t *testing.T, api API, routes map[string]http.HandlerFunc) *Server {
	s := &Server{T: t, api: api, stop: make(chan struct{})}
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, s.answer(h))
	}
	server := httptest.NewServer(mux)
	s.URL = server.URL
	t.Cleanup(func() {
		close(s.stop)
		server.Close()
	})
	return s
}

// Resends says that what a stream missed is searched for.
func (*Server) Resends() {}

// Answer answers the next request with a status, and a body in place of the
// API's.
func (s *Server) Answer(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.body = status, body
}

// Slow asks the next request to come back more slowly.
func (s *Server) Slow() { s.Answer(420, "Exceeded connection limit for user") }

// Fail lets the next request fail.
func (s *Server) Fail() { s.Answer(503, "") }

// answer refuses what is to be refused. Every answer says how much of its limit is
// left, and when that begins anew.
func (s *Server) answer(then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		status, body, hangs := s.next, s.body, s.hangs
		s.next, s.body, s.hangs = 0, "", false
		s.mu.Unlock()
		until, limited := s.Until()
		remaining := "179"
		if limited {
			remaining = "0"
		} else {
			until = time.Now().Add(15 * time.Minute)
		}
		w.Header().Set("x-rate-limit-limit", "180")
		w.Header().Set("x-rate-limit-remaining", remaining)
		w.Header().Set("x-rate-limit-reset", strconv.FormatInt(until.Unix(), 10))
		switch {
		case hangs:
			<-r.Context().Done()
		case s.Expired() || !s.api.Authorized(r):
			s.Refuse(w, http.StatusUnauthorized)
		case limited:
			s.Refuse(w, http.StatusTooManyRequests)
		case body != "":
			Write(w, status, body)
		case status != 0:
			s.Refuse(w, status)
		default:
			then(w, r)
		}
	}
}

// Refuse answers with a status and the API's words for it.
func (s *Server) Refuse(w http.ResponseWriter, status int) { Write(w, status, s.api.Problem(status)) }

// Write answers with JSON.
func Write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// Reply answers with what v is in JSON, or with half of it.
func (s *Server) Reply(w http.ResponseWriter, status int, v any) {
	body := s.encode(v)
	s.mu.Lock()
	cut := s.cut
	s.cut = false
	s.mu.Unlock()
	if cut {
		flush(w, body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	Write(w, status, body)
}

// Cut breaks the next answer off in its middle.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
}

// Hang gives the next request no answer.
func (s *Server) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = true
}

func (s *Server) encode(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		s.T.Error(err)
	}
	return string(body)
}

// Stream sends the messages that a listener wants, and a line end when there is
// none.
func (s *Server) Stream(w http.ResponseWriter, r *http.Request, wants func(message string) bool) {
	conn := s.Connect(-1)
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
			whole := s.encode(s.api.Message(s.api.Post(17, "cut off", time.Now())))
			flush(w, whole[:len(whole)/2])
			panic(http.ErrAbortHandler)
		case ok && wants(message):
			flush(w, message+"\r\n")
		case !ok && !conn.Silent():
			flush(w, "\r\n")
		}
	}
}

func flush(w http.ResponseWriter, text string) {
	_, _ = w.Write([]byte(text))
	_ = http.NewResponseController(w).Flush()
}

// Put makes a post of some time ago that no stream sends; more changes it.
func (s *Server) Put(text string, ago time.Duration, more ...func(post map[string]any)) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now().Add(-ago)
	id := x.IDAt(at)
	if ago == 0 {
		id = max(id, s.last+1)
		s.last = id
	}
	p := Post{ID: id, Text: text, Body: s.api.Post(id, text, at)}
	for _, change := range more {
		change(p.Body)
	}
	s.posts = append(s.posts, p)
	return p.Body
}

func (s *Server) send(post map[string]any) { s.Publish(s.encode(s.api.Message(post))) }

// Say publishes posts.
func (s *Server) Say(texts ...string) {
	for _, text := range texts {
		s.send(s.Put(text, 0))
	}
}

// Late publishes a post that is older than others before it.
func (s *Server) Late(text string) { s.send(s.Put(text, 2*time.Second)) }

// Duplicate sends the last message again.
func (s *Server) Duplicate() {
	all := s.Messages()
	s.Publish(all[len(all)-1])
}

// Last is the id of the newest post.
func (s *Server) Last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Take removes the post of a text.
func (s *Server) Take(text string) (p Post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.posts, func(p Post) bool { return p.Text == text })
	p = s.posts[i]
	s.posts = slices.Delete(s.posts, i, i+1)
	return p
}

// Found are the bodies of the posts behind an id that hold one of some terms, the
// newest first.
func (s *Server) Found(since int64, terms []string) (bodies []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.posts)
	slices.SortFunc(all, func(a, b Post) int { return int(min(1, max(-1, b.ID-a.ID))) })
	for _, p := range all {
		if p.ID > since && Matches(p.Text, terms) {
			bodies = append(bodies, p.Body)
		}
	}
	return bodies
}

// Matches says whether a text holds one of the terms.
func Matches(text string, terms []string) bool {
	return slices.ContainsFunc(terms, func(term string) bool {
		return strings.Contains(strings.ToLower(text), strings.Trim(strings.ToLower(term), `"#@`))
	})
}
