package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// ailing is an Elasticsearch that answers what a test tells it, and remembers
// what it was asked. How it works when it is well is for a real one to show.
type ailing struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newAiling(t *testing.T, answer func(n int, r *http.Request, body []byte, w http.ResponseWriter)) *ailing {
	a := &ailing{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "*/_alias") { // Open's question
			fmt.Fprint(w, `{}`)
			return
		}
		a.mu.Lock()
		a.asked = append(a.asked, r.Method+" "+r.URL.Path)
		n := len(a.asked)
		a.mu.Unlock()
		answer(n, r, body.Bytes(), w)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *ailing) open(t *testing.T) *elasticStore {
	t.Helper()
	s, err := Open(t.Context(), a.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	es := s.(*elasticStore)
	es.client.wait = time.Microsecond
	return es
}

// ids are those of a bulk's items.
func bulkIDs(t *testing.T, body []byte) (ids []string) {
	for i, line := range bytes.Split(bytes.TrimSpace(body), []byte("\n")) {
		if i%2 == 0 {
			var action struct {
				Index struct {
					ID string `json:"_id"`
				} `json:"index"`
			}
			if err := json.Unmarshal(line, &action); err != nil {
				t.Error(err)
			}
			ids = append(ids, action.Index.ID)
		}
	}
	return ids
}

func docs(n int) (all []Doc) {
	for i := range n {
		all = append(all, Doc{ID: fmt.Sprint("p", i), Text: "gol"})
	}
	return all
}

func TestABusyClusterIsAskedAgain(t *testing.T) {
	a := newAiling(t, func(n int, _ *http.Request, body []byte, w http.ResponseWriter) {
		if n <= 2 {
			w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[n-1])
			fmt.Fprint(w, `{"error":{"type":"es_rejected_execution_exception","reason":"full"}}`)
			return
		}
		fmt.Fprint(w, `{"items":[{"index":{"status":201}},{"index":{"status":200}}]}`)
		if got := bulkIDs(t, body); len(got) != 2 {
			t.Error(got)
		}
	})
	if err := a.open(t).Put(t.Context(), "b", docs(2)); err != nil {
		t.Fatal(err)
	}
	if len(a.asked) != 3 || a.asked[0] != "POST /clamor-posts-v1language-b.writes/_bulk" {
		t.Fatal(a.asked)
	}
}

func TestOnlyItemsThatWereNotTakenGoAgain(t *testing.T) {
	var sent []string
	a := newAiling(t, func(n int, _ *http.Request, body []byte, w http.ResponseWriter) {
		sent = append(sent, strings.Join(bulkIDs(t, body), " "))
		var items []string
		for i := range bulkIDs(t, body) {
			switch {
			case n == 1 && i == 1:
				items = append(items, `{"index":{"status":400,"error":{"type":"document_parsing_exception","reason":"bad","caused_by":{"type":"x","reason":"worse"}}}}`)
			case n <= 2 && i >= 2 || n == 2 && i == 0:
				items = append(items, `{"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}}`)
			default:
				items = append(items, `{"index":{"status":201}}`)
			}
		}
		fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
	})
	err := a.open(t).Put(t.Context(), "b", docs(5))
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Total != 1 || refused.Docs[0] != (Refused{"p1", "bad: worse"}) {
		t.Fatal(err)
	}
	if got := strings.Join(sent, "; "); got != "p0 p1 p2 p3 p4; p2 p3 p4; p2 p4" {
		t.Fatalf("sent %s", got)
	}
}

func TestAClusterThatStaysBusyIsGivenUp(t *testing.T) {
	full := `{"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}}`
	a := newAiling(t, func(_ int, _ *http.Request, _ []byte, w http.ResponseWriter) { fmt.Fprintf(w, `{"items":[%s]}`, full) })
	err := a.open(t).Put(t.Context(), "b", docs(1))
	var refused *RefusedError
	if err == nil || errors.As(err, &refused) || !strings.Contains(err.Error(), "full") || len(a.asked) != elasticAttempts {
		t.Fatalf("%v after %d attempts", err, len(a.asked))
	}
}

func TestAnswersThatWaitingDoesNotChange(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		body, want string
		kind       error
	}{
		"no such index":     {200, `{"items":[{"index":{"status":404,"error":{"type":"index_not_found_exception","reason":"no"}}}]}`, "", ErrNoBuild},
		"items are missing": {200, `{"items":[]}`, "for 0 of 1 posts", nil},
		"no JSON":           {200, `<html>`, "cannot be read", nil},
		"no right":          {403, `{"error":{"type":"security_exception","reason":"unauthorized"}}`, "403 security_exception unauthorized", nil},
		"no password":       {401, `{"error":"missing authentication"}`, "401 missing authentication", nil},
		"too large":         {413, ``, "413", nil},
		"item forbidden":    {200, `{"items":[{"index":{"status":403,"error":{"type":"cluster_block_exception","reason":"read-only"}}}]}`, `"p0": elasticsearch answers 403`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAiling(t, func(_ int, _ *http.Request, _ []byte, w http.ResponseWriter) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			err := a.open(t).Put(t.Context(), "b", docs(1))
			if err == nil || !strings.Contains(err.Error(), c.want) || c.kind != nil && !errors.Is(err, c.kind) || len(a.asked) != 1 {
				t.Fatalf("%v after %d attempts", err, len(a.asked))
			}
		})
	}
}

func TestABrokenConnectionIsTriedAgain(t *testing.T) {
	a := newAiling(t, func(n int, _ *http.Request, _ []byte, w http.ResponseWriter) {
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, `{"items":[{"index":{"status":201}}]}`)
	})
	if err := a.open(t).Put(t.Context(), "b", docs(1)); err != nil || len(a.asked) != 2 {
		t.Fatal(err, a.asked)
	}
}

func TestSearchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := newAiling(t, func(_ int, r *http.Request, _ []byte, _ http.ResponseWriter) {
		cancel()
		<-r.Context().Done()
	})
	_, err := a.open(t).Search(ctx, Query{})
	if !errors.Is(err, context.Canceled) || len(a.asked) != 1 {
		t.Fatal(err, a.asked)
	}
}

func TestHalfAnAnswerIsNone(t *testing.T) {
	for _, body := range []string{`{"timed_out":true}`, `{"_shards":{"failed":1}}`} {
		a := newAiling(t, func(_ int, _ *http.Request, _ []byte, w http.ResponseWriter) { fmt.Fprint(w, body) })
		if _, err := a.open(t).Search(t.Context(), Query{}); err == nil {
			t.Errorf("%s is an answer", body)
		}
	}
}

func TestOpenSaysWhatIsNoElasticsearch(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	defer other.Close()
	at := strings.Replace(other.URL, "http://", "http://user:secret@", 1)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	dir := t.TempDir()
	for address, want := range map[string]string{
		at:                                "not Elasticsearch",
		at + "/Upper":                     "prefix",
		at + "/a/b":                       "prefix",
		at + "/_a":                        "prefix",
		at + "/a-b":                       "prefix",
		at + "?analyzers=klingon":         "language or standard",
		at + "?shards=0":                  "shards",
		at + "?sahrds=1":                  `"sahrds"`,
		at + "?ca=" + dir + "/none":       "none",
		"http://user:secret@[::":          "cannot be read",
		"http:///x":                       "cannot be read",
		"":                                "neither",
		"search":                          "neither",
		"file:":                           "names no folder",
		"mongodb://user:secret@127.0.0.1": "neither",
	} {
		s, err := Open(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("open %q: %v, want %q", address, err, want)
		}
		if err == nil {
			s.Close()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, strings.Replace(gone.URL, "http://", "http://user:secret@", 1)); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}
