package standalone

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRoute(t *testing.T) {
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	h := route(say("capture"), say("api"))
	for _, c := range []struct{ method, path, want string }{
		{"POST", "/v1/voters", "capture"},
		{"GET", "/v1/voters", "capture"},
		{"GET", "/v1/voters/7", "api"},
		{"POST", "/v1/polls/p7/ballots", "capture"},
		{"DELETE", "/v1/polls/p7/ballots", "capture"},
		{"POST", "/v1/polls/p7/ballots:batch", "capture"},
		{"POST", "/v1/polls/p7/ballots%3Abatch", "capture"},
		{"POST", "/v1/polls/..%2F..%2Fetc/ballots", "capture"},
		{"POST", "/v1/polls/p7/ballots/x", "api"},
		{"POST", "/v1/polls//ballots", "api"},
		{"GET", "/v1/polls/p7", "api"},
		{"GET", "/v1/polls/p7/events", "api"},
		{"POST", "/v1/polls/p7/commands", "api"},
		{"POST", "/v1/polls", "api"},
		{"POST", "/v1/sources/s1/posts", "capture"},
		{"GET", "/v1/sources/s1/posts", "capture"},
		{"GET", "/v1/sources/s1", "api"},
		{"POST", "/v1/sources", "api"},
		{"POST", "/v1/hooks/s1", "capture"},
		{"GET", "/v1/hooks/s1", "capture"},
		{"GET", "/feeds/t/polls/p7/feed.json", "api"},
		{"GET", "/", "api"},
		{"GET", "/p/p7", "api"},
		{"GET", "/openapi.json", "api"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s %s goes to %s, want %s", c.method, c.path, got, c.want)
		}
	}
}

func TestGateHoldsUntilReady(t *testing.T) {
	ready := make(chan struct{})
	h := gate(ready, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	answered := make(chan int, 1)
	go func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		answered <- w.Code
	}()
	select {
	case code := <-answered:
		t.Fatalf("answered %d before it was ready", code)
	default:
	}
	close(ready)
	if code := <-answered; code != http.StatusTeapot {
		t.Errorf("answered %d", code)
	}
}
