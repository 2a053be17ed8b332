package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/google/go-cmp/cmp"
)

// board is where capture would tell how sources fare.
type board struct {
	mu  sync.Mutex
	all map[string][]audience.SourceStatus
	err error
}

func (b *board) Sources(context.Context, []string) (map[string][]audience.SourceStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all, b.err
}

func (b *board) tell(id string, all ...audience.SourceStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string][]audience.SourceStatus{}
	}
	b.all[id] = all
}

func (r *rig) show() {
	r.t.Helper()
	r.post("/v1/shows", map[string]any{"id": "final", "title": "Final", "timezone": "UTC", "locale": "en"}).is(201, "")
}

// settings are those of an answer.
func (a answer) settings() map[string]any {
	var body struct {
		Settings map[string]any `json:"settings"`
	}
	if err := json.Unmarshal(a.body, &body); err != nil {
		a.t.Fatal(err)
	}
	return body.Settings
}

// TestSecretsOfSources: a secret goes in and never comes out, stays when it is
// left out or masked, and opens in capture only.
func TestSecretsOfSources(t *testing.T) {
	r := newRig(t)
	r.show()
	x := func(settings map[string]any) map[string]any {
		return map[string]any{"id": "x", "show": "final", "connector": "x-v2", "settings": settings}
	}
	const secret = "AAAA-bearer-token"
	made := r.post("/v1/sources", x(map[string]any{"bearer_token": secret, "max_rules": 5})).is(201, "")
	if diff := cmp.Diff(map[string]any{"bearer_token": "***", "max_rules": 5.0}, made.settings()); diff != "" {
		t.Error(diff)
	}
	kept := func() string {
		t.Helper()
		src, ok := r.control.State().Source("x")
		if !ok {
			t.Fatal("the source is gone")
		}
		sealed, _ := src.Settings["bearer_token"].(string)
		if strings.Contains(sealed, secret) || sealed != "" && !strings.HasPrefix(sealed, audience.SealMark) {
			t.Errorf("the secret stands in the log: %s", sealed)
		}
		open, err := r.keys.Unseal("x", "bearer_token", sealed)
		if err != nil {
			return err.Error()
		}
		return open
	}
	if got := kept(); got != secret {
		t.Error(got)
	}
	put := func(settings map[string]any, status int, code string) answer {
		t.Helper()
		return r.do("PUT", "/v1/sources/x", x(settings), header("If-Match", "*")).is(status, code)
	}
	for _, same := range []map[string]any{nil, {}, {"bearer_token": "***"}, {"max_rules": 7}} {
		a := put(same, 200, "")
		if kept() != secret || a.settings()["bearer_token"] != "***" {
			t.Errorf("%v changes the secret", same)
		}
	}
	put(map[string]any{"bearer_token": "another"}, 200, "")
	if got := kept(); got != "another" {
		t.Error(got)
	}
	put(map[string]any{"bearer_token": ""}, 422, "invalid-request") // it is needed
	put(map[string]any{"bearer_token": 5}, 422, "invalid-request")
	put(map[string]any{"bearer_token": audience.SealMark + "1:x"}, 422, "invalid-request")
	r.post("/v1/sources", map[string]any{"id": "y", "show": "final", "connector": "x-v2", "settings": map[string]any{"bearer_token": "***"}}).is(422, "invalid-request")
	bad := r.post("/v1/sources", map[string]any{"id": "y", "show": "final", "connector": "x-v2", "settings": map[string]any{"max_rules": "many"}}).is(422, "invalid-request")
	for _, pointer := range []string{"/settings/bearer_token", "/settings/max_rules"} {
		if !strings.Contains(string(bad.body), pointer) {
			t.Errorf("%s is not named: %s", pointer, bad.body)
		}
	}
	for _, a := range []answer{r.get("/v1/sources"), r.get("/v1/sources/x"), made} {
		if body := string(a.body); strings.Contains(body, secret) || strings.Contains(body, audience.SealMark) {
			t.Errorf("the answer tells the secret: %s", body)
		}
	}
}

// TestHowSourcesFare: what capture tells is in the answers, as far as it is known.
func TestHowSourcesFare(t *testing.T) {
	r := newRig(t)
	r.show()
	for id, connector := range map[string]string{"feed": "push", "gate": "gateway"} {
		r.post("/v1/sources", map[string]any{"id": id, "show": "final", "connector": connector}).is(201, "")
	}
	r.post("/v1/sources", map[string]any{"id": "news", "show": "final", "connector": "rss", "settings": map[string]any{"url": "https://example.org/feed"}}).is(201, "")
	r.post("/v1/sources", map[string]any{"id": "off", "show": "final", "connector": "rss", "settings": map[string]any{"url": "https://example.org/feed"}, "enabled": false}).is(201, "")
	status := func(id string) (s *audience.SourceStatus) {
		t.Helper()
		var body struct {
			Status *audience.SourceStatus `json:"status"`
		}
		if err := json.Unmarshal(r.get("/v1/sources/"+id).is(200, "").body, &body); err != nil {
			t.Fatal(err)
		}
		return body.Status
	}
	if s := status("news"); s.State != audience.SourceStarting || s.Detail == "" {
		t.Errorf("%+v", s)
	}
	streaming := audience.SourceStatus{
		State: audience.SourceStreaming, Since: audience.MillisOf(r.now()), Posts: 7, PerMinute: 3.5, LagMillis: 900, LastPostAt: audience.MillisOf(r.now()),
		Budget: &audience.BudgetStatus{Per: "hour", Posts: &audience.BudgetLine{Spent: 7, Of: 8}, Warned: true, SampleRate: 0.5},
	}
	r.board.tell("news", streaming, audience.SourceStatus{State: audience.SourceWaiting, Posts: 100})
	r.board.tell("feed", streaming, streaming)
	if diff := cmp.Diff(&streaming, status("news")); diff != "" {
		t.Error(diff)
	}
	if s := status("feed"); s.Posts != 14 || s.Budget.Posts.Spent != 14 {
		t.Errorf("%+v", s)
	}
	if s := status("off"); s.State != audience.SourceDisabled {
		t.Errorf("%+v", s)
	}
	if s := status("gate"); s != nil {
		t.Errorf("%+v", s)
	}
	page := r.get("/v1/sources?show=final&limit=3&after=feed").is(200, "")
	if strings.Count(string(page.body), `"status"`) != 2 || !strings.Contains(string(page.body), `"streaming"`) {
		t.Errorf("%s", page.body)
	}
	r.board.mu.Lock()
	r.board.err = errors.New("redis is away")
	r.board.mu.Unlock()
	if s := status("news"); s != nil {
		t.Errorf("%+v", s)
	}
}

// TestSettingsThatDoNotFitTogether are refused where they are written, made or
// changed, not when the source begins.
func TestSettingsThatDoNotFitTogether(t *testing.T) {
	r := newRig(t)
	r.show()
	for connector, c := range map[string]struct {
		good, bad map[string]any
		pointer   string
	}{
		"mastodon": {map[string]any{"url": "https://m.test"}, map[string]any{"url": "https://m.test", "stream": "public", "hashtag": "gol"}, "/settings/hashtag"},
		"twitch":   {map[string]any{"channels": []any{"clamor"}}, map[string]any{"channels": []any{"clamor"}, "token": "oauth:x"}, "/settings/nick"},
	} {
		source := func(settings map[string]any) map[string]any {
			return map[string]any{"id": connector, "show": "final", "connector": connector, "settings": settings}
		}
		refused := func(a answer) {
			t.Helper()
			if a.is(422, "invalid-request"); !strings.Contains(string(a.body), c.pointer) {
				t.Errorf("%s: %s", connector, a.body)
			}
		}
		refused(r.post("/v1/sources", source(c.bad)))
		r.post("/v1/sources", source(c.good)).is(201, "")
		refused(r.do("PUT", "/v1/sources/"+connector, source(c.bad), header("If-Match", "*")))
	}
}

func TestConnectorsAreListed(t *testing.T) {
	r := newRig(t)
	var body struct {
		Items []control.Connector `json:"items"`
	}
	if err := json.Unmarshal(r.get("/v1/connectors").is(200, "").body, &body); err != nil || len(body.Items) != len(control.Connectors()) {
		t.Error(err, len(body.Items))
	}
}
