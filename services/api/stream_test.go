package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/api"
)

// event is one server-sent event.
type event struct {
	id, name string
	data     map[string]any
}

// listen opens a stream; events end with the test or the stream.
func (r *rig) listen(path string, options ...option) <-chan event {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.server.URL+path, nil)
	must(r.t, err)
	for _, o := range options {
		o(req)
	}
	res, err := r.server.Client().Do(req)
	must(r.t, err)
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		r.t.Fatalf("%s: %d %v", path, res.StatusCode, res.Header)
	}
	out, done := make(chan event), make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		var e event
		for lines.Scan() {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				_ = json.Unmarshal([]byte(value), &e.data)
			case "":
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
				e = event{}
			}
		}
	}()
	r.t.Cleanup(func() { cancel(); <-done })
	return out
}

func next(t *testing.T, events <-chan event, names ...string) event {
	t.Helper()
	for late := time.After(30 * time.Second); ; {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before %v", names)
			}
			for _, name := range names {
				if e.name == name {
					return e
				}
			}
		case <-late:
			t.Fatalf("no %v", names)
		}
	}
}

func TestVotersEvents(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	events := r.listen("/v1/polls/p7/events")
	if e := next(t, events, "snapshot"); e.data["phase"] != "standby" || e.data["results"] != nil || e.data["server_time"] == nil {
		t.Fatalf("%v", e)
	}
	r.order("p7", "open")
	e := next(t, events, "phase")
	if e.data["phase"] != "open" {
		t.Fatalf("%v", e)
	}
	again := r.listen("/v1/polls/p7/events", header("Last-Event-ID", e.id))
	next(t, again, "ping") // it has what is current
	r.cast("p7", 1, 1)
	r.until("/v1/polls/p7/results", votes(1))
	r.order("p7", "reveal")
	e = next(t, again, "phase")
	if e.data["results"].(map[string]any)["totals"].(map[string]any)["votes"] != 1.0 {
		t.Fatalf("%v", e)
	}
	r.cast("p7", 2, 1)
	for e = next(t, events, "results"); e.data["results"].(map[string]any)["totals"].(map[string]any)["votes"] != 2.0; {
		e = next(t, events, "results")
	}
	old := r.listen("/v1/polls/p7/events", header("Last-Event-ID", "1"))
	if s := next(t, old, "snapshot"); s.id != e.id {
		t.Fatalf("%v", s)
	}
	r.get("/v1/polls/none/events", anonymous).is(404, "poll-not-found")
}

func TestFeedEvents(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	token := r.post("/v1/destinations", map[string]any{"id": "gfx", "show": "final", "aliases": map[string]string{"votes": "f_votes"}}).is(201, "").text("token")
	events := r.listen("/feeds/" + token + "/polls/p7/events")
	plain := r.listen("/feeds/" + token + "/polls/p7/events?plain=1")
	if e := next(t, events, "snapshot"); e.data["poll_id"] != "p7" || len(e.data["options"].([]any)) != 3 {
		t.Fatalf("%v", e)
	}
	if e := next(t, plain, "snapshot"); e.data["options"].([]any)[0].(map[string]any)["votes"] != 0.0 {
		t.Fatalf("%v", e)
	}
	r.cast("p7", 1, 1)
	if e := next(t, events, "results"); e.data["total_votes"] != 1.0 {
		t.Fatalf("%v", e)
	}
	r.do(http.MethodDelete, "/v1/destinations/gfx", nil).is(204, "")
	for late := time.After(30 * time.Second); ; {
		select {
		case _, ok := <-events:
			if !ok {
				return
			}
		case <-late:
			t.Fatal("a revoked stream goes on")
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.Streams, c.Heartbeat = 1, time.Second })
	r.stage("p7", nil)
	events := r.listen("/v1/polls/p7/events")
	next(t, events, "snapshot")
	r.get("/v1/polls/p7/events", anonymous).is(503, "overloaded")
	next(t, events, "ping")
}
