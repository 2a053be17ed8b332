package capture_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture"
)

// platform speaks as much of X's API v2 as a source needs: it takes rules, and
// streams one post that holds the first of them.
type platform struct {
	*httptest.Server
	mu     sync.Mutex
	rules  []string
	tokens map[string]bool
}

func newPlatform(t *testing.T) *platform {
	p := &platform{tokens: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2/tweets/search/stream/rules", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tokens[r.Header.Get("Authorization")] = true
		_, _ = w.Write([]byte(`{"meta":{"result_count":0}}`))
	})
	mux.HandleFunc("POST /2/tweets/search/stream/rules", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Add []struct{ Value, Tag string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		var made []string
		for _, rule := range in.Add {
			p.rules = append(p.rules, rule.Value)
			made = append(made, fmt.Sprintf(`{"id":"%d","value":%q,"tag":%q}`, len(p.rules), rule.Value, rule.Tag))
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"data":[`+strings.Join(made, ",")+`],"meta":{"summary":{"created":%d,"not_created":0,"valid":%d,"invalid":0}}}`, len(in.Add), len(in.Add))
	})
	mux.HandleFunc("GET /2/tweets/search/stream", func(w http.ResponseWriter, r *http.Request) {
		for n, text := range []string{"anna, of course", "what a goal"} {
			fmt.Fprintf(w, `{"data":{"id":"%d","text":%q,"author_id":"7","created_at":"2026-05-01T19:59:50.000Z"}}`+"\r\n", 1790000000000000000+n, text)
		}
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// TestAPlatformIsAskedForTopicsAndVotes: the rules of a source are the words of
// its topics and the keywords of its polls; what comes is in the log, votes and
// all, and its status is told without its secret.
func TestAPlatformIsAskedForTopicsAndVotes(t *testing.T) {
	p := newPlatform(t)
	w := &wall{}
	h := buildHouse(t, func(_ *capture.Config, d *capture.Deps) { d.Board = w })
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.put(control.KindTopicPut, "goals", audience.Topic{ID: "goals", Show: "show", Title: "Goals", Rule: "goal OR #gol"})
	h.put(control.KindTopicPut, "elsewhere", audience.Topic{ID: "elsewhere", Show: "other", Title: "Elsewhere", Rule: "nothing"})
	h.put(control.KindSourcePut, "x", audience.Source{ID: "x", Show: "show", Connector: "x-v2", Enabled: true, Settings: map[string]any{
		"bearer_token": h.keys.Seal("x", "bearer_token", "very-secret"), "base_url": p.URL,
	}})
	h.run()
	until(t, "both posts", func() bool { return len(h.log.posts()) == 2 })
	until(t, "the vote", func() bool { return h.log.counted() == 1 })
	until(t, "the status", func() bool { return w.status("x").Posts == 2 })
	s := w.status("x")
	if s.State != audience.SourceStreaming || s.LagMillis != int64(audience.MillisOf(h.clock.Now())-s.LastPostAt) || s.LastPostAt != audience.MillisOf(time.Date(2026, 5, 1, 19, 59, 50, 0, time.UTC)) {
		t.Errorf("%+v", s)
	}
	p.mu.Lock()
	rules := strings.Join(p.rules, "\n")
	if !p.tokens["Bearer very-secret"] {
		t.Errorf("%v", p.tokens)
	}
	p.mu.Unlock()
	if !strings.Contains(rules, "goal OR #gol") || !strings.Contains(strings.ToLower(rules), `"anna"`) || strings.Contains(rules, "nothing") {
		t.Errorf("the rules are %q", rules)
	}
	p.CloseClientConnections() // the stream breaks off: the source waits, and comes again
	until(t, "the source again", func() bool { return w.status("x").Posts == 4 })
	h.stop()
	if strings.Contains(h.logged.String(), "very-secret") {
		t.Error("the log tells the secret")
	}
}

// TestSettingsThatAreWrongAreTold: the definition has to change before the source
// is tried again.
func TestSettingsThatAreWrongAreTold(t *testing.T) {
	w := &wall{}
	h := buildHouse(t, func(_ *capture.Config, d *capture.Deps) { d.Board = w })
	h.put(control.KindSourcePut, "x", audience.Source{ID: "x", Show: "show", Connector: "x-v2", Enabled: true, Settings: map[string]any{
		"bearer_token": h.keys.Seal("another", "bearer_token", "very-secret"),
	}})
	h.run()
	until(t, "the failure", func() bool { return w.status("x").State == audience.SourceFailed })
	if detail := w.status("x").Detail; !strings.Contains(detail, "settings.bearer_token") {
		t.Error(detail)
	}
	h.put(control.KindSourcePut, "x", audience.Source{ID: "x", Show: "show", Connector: "x-v2", Enabled: false, Settings: map[string]any{"bearer_token": "t"}})
	h.stop()
}
