package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
)

// doors are served by capture.
var doors = [][2]string{
	{"POST", "/v1/voters"}, {"POST", "/v1/polls/{poll}/ballots"}, {"POST", "/v1/polls/{poll}/ballots:batch"},
	{"GET", "/v1/hooks/{source}"}, {"POST", "/v1/hooks/{source}"}, {"POST", "/v1/sources/{source}/posts"},
}

func TestRoutesAndContractAgree(t *testing.T) {
	r := newRig(t)
	param := regexp.MustCompile(`:([a-z_]+)`)
	var served [][2]string
	for _, route := range r.api.Routes() {
		served = append(served, [2]string{route[0], param.ReplaceAllString(route[1], "{$1}")})
	}
	written := r.check.Operations()
	for _, route := range served {
		if !slices.Contains(written, route) {
			t.Errorf("%s %s is served and not in the contract", route[0], route[1])
		}
	}
	for _, op := range written {
		if !slices.Contains(served, op) && !slices.Contains(doors, op) {
			t.Errorf("%s %s is in the contract and not served", op[0], op[1])
		}
	}
	a := r.get("/openapi.json", anonymous).is(200, "")
	if a.text("openapi") != "3.1.0" {
		t.Fatalf("%.100s", a.body)
	}
}

func TestRolesGoBeforeBodyAndExistence(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	for _, role := range []audience.Role{audience.RoleProducer, audience.RoleModerator, audience.RoleObserver} {
		r.token(string(role), role, "", "ca_"+string(role))
	}
	r.token("expired", audience.RoleAdmin, "", "ca_expired")
	needs := func(method, path string) audience.Role {
		switch {
		case strings.HasPrefix(path, "/v1/tokens"):
			return audience.RoleAdmin
		case method == http.MethodGet, path == "/v1/rules/explain":
			return audience.RoleObserver
		case strings.HasPrefix(path, "/v1/posts/"):
			return audience.RoleModerator
		}
		return audience.RoleProducer
	}
	open := []string{"/v1/receipts/", "/v1/polls/x/events", "/openapi.json", "/feeds/", "/p/", "/assets/"}
	fill := regexp.MustCompile(`:[a-z_]+`)
	for _, route := range r.api.Routes() {
		method, path := route[0], fill.ReplaceAllString(route[1], "x")
		isOpen := path == "/" || method == http.MethodGet && path == "/v1/polls/x"
		for _, prefix := range open {
			isOpen = isOpen || strings.HasPrefix(path, prefix)
		}
		if isOpen {
			continue
		}
		r.do(method, path, "{broken", anonymous).is(401, "token-required")
		r.do(method, path, "{broken", as("ca_wrong")).is(401, "token-invalid")
		r.do(method, path, "{broken", header("Authorization", "Basic eDp5")).is(401, "token-invalid")
		for _, role := range []audience.Role{audience.RoleProducer, audience.RoleModerator, audience.RoleObserver} {
			a := r.do(method, path, "{broken", as("ca_"+string(role)))
			if !role.Includes(needs(method, path)) {
				a.is(403, "forbidden")
			} else if a.status == 401 || a.status == 403 {
				t.Errorf("%s %s as %s: %d", method, path, role, a.status)
			}
		}
	}
	exp := audience.MillisOf(r.now().Add(time.Hour))
	made := r.post("/v1/tokens", map[string]any{"name": "short", "role": "observer", "expires_at": exp}).is(201, "")
	r.get("/v1/shows", as(made.text("token"))).is(200, "")
	r.pass(exp.Time())
	r.get("/v1/shows", as(made.text("token"))).is(401, "token-invalid")
}

func TestATokenOfOneShow(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.post("/v1/shows", map[string]any{"id": "other", "title": "Another"}).is(201, "")
	r.post("/v1/destinations", map[string]any{"id": "gfx", "show": "final"}).is(201, "")
	r.post("/v1/sources", map[string]any{"id": "sms", "show": "final", "connector": "gateway"}).is(201, "")
	r.post("/v1/topics", map[string]any{"id": "goal", "show": "final", "title": "Goals", "rule": "goal"}).is(201, "")
	r.token("guest", audience.RoleAdmin, "other", "ca_guest")
	guest := as("ca_guest")
	for _, path := range []string{"/v1/shows/final", "/v1/polls/p7/state", "/v1/polls/p7/results", "/v1/polls/p7/audit", "/v1/polls/p7/series", "/v1/polls/p7/certificate", "/v1/destinations/gfx", "/v1/sources/sms", "/v1/topics/goal"} {
		r.get(path, guest).is(404, "")
	}
	for _, path := range []string{"/v1/shows", "/v1/polls", "/v1/destinations", "/v1/sources", "/v1/topics", "/v1/tokens"} {
		a := r.get(path, guest).is(200, "")
		if strings.Contains(string(a.body), "final") || strings.Contains(string(a.body), `"p7"`) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	r.post("/v1/polls/p7/commands", map[string]any{"command": "open"}, guest).is(404, "poll-not-found")
	r.do("PUT", "/v1/polls/p7", "{}", guest, header("If-Match", "*")).is(404, "poll-not-found")
	for _, path := range []string{"/v1/destinations/gfx", "/v1/sources/sms", "/v1/topics/goal", "/v1/tokens/admin"} {
		r.do("DELETE", path, nil, guest).is(404, "not-found")
	}
	r.post("/v1/destinations", map[string]any{"show": "final"}, guest).is(404, "not-found")
	r.post("/v1/shows", map[string]any{"title": "Mine"}, guest).is(403, "forbidden")
	if a := r.post("/v1/tokens", map[string]any{"name": "x", "role": "producer"}, guest).is(201, ""); a.text("show") != "other" {
		t.Fatalf("%s", a.body)
	}
}

func TestBadBodies(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	const show = `{"id":"s2","title":"T"}`
	for _, c := range []struct {
		body   string
		status int
		code   string
		at     string
	}{
		{"", 400, "bad-json", ""},
		{"{", 400, "bad-json", ""},
		{"[]", 400, "bad-json", ""},
		{`"x"`, 400, "bad-json", ""},
		{show + " x", 400, "bad-json", ""},
		{show + show, 400, "bad-json", ""},
		{`{"title":"a","title":"b"}`, 400, "bad-json", ""},
		{"{\"title\":\"\xff\"}", 400, "bad-json", ""},
		{`{"title":"\u0000"}`, 400, "bad-json", ""},
		{`{"titel":"a"}`, 422, "invalid-request", "/titel"},
		{`{"title":1}`, 422, "invalid-request", "/title"},
		{`{}`, 422, "invalid-request", "/title"},
		{`{"title":"T","id":"../x"}`, 422, "invalid-request", "/id"},
		{`{"title":"` + strings.Repeat("x", 70_000) + `"}`, 413, "body-too-large", ""},
	} {
		a := r.post("/v1/shows", c.body).is(c.status, c.code)
		if c.at != "" && a.text("errors.0.pointer") != c.at {
			t.Errorf("%q: %s", c.body, a.body)
		}
	}
	r.post("/v1/shows", show, header("Content-Encoding", "gzip")).is(415, "unsupported-media-type")
	r.post("/v1/shows", show, header("Content-Type", "application/x-www-form-urlencoded")).is(201, "")
	r.post("/v1/shows", show).is(409, "already-exists")
	r.post("/v1/polls", map[string]any{"id": "q", "show": "nowhere", "kind": "choice", "question": "?", "options": []any{map[string]any{"label": "A"}, map[string]any{"label": "B"}}}).is(422, "invalid-request")
}

func TestPollsPreconditions(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	a := r.get("/v1/polls/p7/state").is(200, "")
	if a.header.Get("ETag") != `"1"` || a.number("revision") != 1 {
		t.Fatalf("%v %s", a.header, a.body)
	}
	put := map[string]any{"show": "final", "kind": "choice", "question": "Who then?", "options": []any{
		map[string]any{"id": "a", "label": "ANNE"}, map[string]any{"id": "b", "label": "BEN"}, map[string]any{"id": "c", "label": "CLEO"},
	}}
	r.do("PUT", "/v1/polls/none", put).is(404, "poll-not-found")
	r.do("PUT", "/v1/polls/p7", put).is(428, "precondition-required")
	if b := r.do("PUT", "/v1/polls/p7", put, header("If-Match", `"9"`)).is(412, "precondition-failed"); b.number("revision") != 1 {
		t.Fatalf("%s", b.body)
	}
	b := r.do("PUT", "/v1/polls/p7", put, header("If-Match", `"1"`)).is(200, "")
	if b.header.Get("ETag") != `"2"` || b.text("question") != "Who then?" || b.text("options.0.label") != "ANNE" {
		t.Fatalf("%s", b.body)
	}
	r.order("p7", "open")
	put["options"] = append(put["options"].([]any), map[string]any{"id": "d", "label": "DAN"})
	r.do("PUT", "/v1/polls/p7", put, header("If-Match", "*")).is(409, "needs-reset")
	put["id"] = "p8"
	r.do("PUT", "/v1/polls/p7", put, header("If-Match", "*")).is(422, "invalid-request")
	if b = r.get("/v1/polls/p7", anonymous); b.text("options.0.label") != "ANNE" || b.text("phase") != "open" {
		t.Fatalf("%s", b.body)
	}
}

func TestCommands(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	url := "/v1/polls/p7/commands"
	r.post(url, map[string]any{"command": "dance"}).is(422, "invalid-request")
	r.post(url, map[string]any{"command": "close"}).is(409, "wrong-phase")
	r.post(url, map[string]any{"command": "open", "revision": 9}).is(409, "revision-conflict")
	r.post(url, map[string]any{"command": "open", "at": "2020-01-01T00:00:00Z"}).is(422, "invalid-request")
	r.post("/v1/polls/none/commands", map[string]any{"command": "open"}).is(404, "poll-not-found")
	a := r.post(url, map[string]any{"command": "open", "revision": 1}).is(200, "")
	at, err := time.Parse(time.RFC3339, a.text("effective_at"))
	must(t, err)
	if a.text("phase") != "open" || a.number("revision") != 2 || a.header.Get("ETag") != `"2"` || at.Before(r.now()) {
		t.Fatalf("%s", a.body)
	}
	r.post(url, map[string]any{"command": "extend", "seconds": 10}).is(422, "no-closing-time")
	r.pass(at)
	r.order("p7", "pause")
	r.order("p7", "resume")
	r.order("p7", "freeze", "reason", "fraud?")
	r.order("p7", "unfreeze")
	r.order("p7", "close")
	audit := r.get("/v1/polls/p7/audit?limit=3").is(200, "")
	if len(audit.at("items").([]any)) != 3 || audit.text("next") != "3" || !strings.HasPrefix(audit.text("items.0.actor"), "admin") {
		t.Fatalf("%s", audit.body)
	}
	rest := r.get("/v1/polls/p7/audit?after=3").is(200, "")
	if !bytes.Contains(rest.body, []byte("fraud?")) {
		t.Fatalf("%s", rest.body)
	}
	r.stage("p8", map[string]any{"reveal": "never"})
	r.post("/v1/polls/p8/commands", map[string]any{"command": "reveal"}).is(409, "reveal-never")
}

func TestTheLogAway(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.tape.down.Store(true)
	a := r.post("/v1/polls/p7/commands", map[string]any{"command": "open"})
	if a.status != 503 || a.text("code") != "log-unavailable" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	r.get("/v1/polls/p7", anonymous).is(200, "")
}

func TestListsPage(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.stage(fmt.Sprintf("p%d", i), nil)
	}
	var seen []string
	for after := ""; ; {
		a := r.get("/v1/polls?limit=2&show=final&after="+after).is(200, "")
		for _, p := range a.at("items").([]any) {
			seen = append(seen, p.(map[string]any)["id"].(string))
		}
		if after = a.text("next"); after == "" {
			break
		}
	}
	if !slices.Equal(seen, []string{"p0", "p1", "p2", "p3", "p4"}) {
		t.Fatalf("%v", seen)
	}
	r.get("/v1/polls?limit=0").is(422, "invalid-request")
	r.get("/v1/polls?limit=ten").is(422, "invalid-request")
	if a := r.get("/v1/polls?show=none").is(200, ""); len(a.at("items").([]any)) != 0 {
		t.Fatalf("%s", a.body)
	}
}

func TestSecretsAreShownOnce(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	source := r.post("/v1/sources", map[string]any{"id": "sms", "show": "final", "connector": "gateway"}).is(201, "")
	feed := r.post("/v1/destinations", map[string]any{"id": "gfx", "show": "final", "name": "Gfx"}).is(201, "")
	token := r.post("/v1/tokens", map[string]any{"name": "anna", "role": "producer"}).is(201, "")
	secrets := []string{source.text("key"), feed.text("token"), token.text("token")}
	if feed.text("urls.polls.p7.json") == "" {
		t.Fatalf("%s", feed.body)
	}
	for _, s := range secrets {
		if len(s) < 40 {
			t.Fatalf("secret %q", s)
		}
	}
	src := r.do("PUT", "/v1/sources/sms", map[string]any{"show": "final", "connector": "gateway", "enabled": false}, header("If-Match", `"1"`)).is(200, "")
	dst := r.do("PUT", "/v1/destinations/gfx", map[string]any{"show": "final", "audience": "public"}, header("If-Match", `"1"`)).is(200, "")
	r.do("PUT", "/v1/destinations/gfx", map[string]any{"show": "final"}, header("If-Match", `"1"`)).is(412, "precondition-failed")
	answers := []answer{src, dst, r.get("/v1/sources"), r.get("/v1/sources/sms"), r.get("/v1/destinations"), r.get("/v1/destinations/gfx"), r.get("/v1/tokens")}
	for _, a := range answers {
		for _, word := range append(secrets, "hash") {
			if bytes.Contains(a.body, []byte(word)) {
				t.Errorf("%q in %s", word, a.body)
			}
		}
	}
	for _, rec := range r.tape.records {
		text, err := json.Marshal(control.EventFrom(rec.GetControl()))
		must(t, err)
		for _, s := range secrets {
			if bytes.Contains(rec.GetControl().GetPayload(), []byte(s)) || bytes.Contains(text, []byte(s)) {
				t.Errorf("a secret in the log: %s", text)
			}
		}
	}
	r.get("/feeds/"+feed.text("token"), anonymous).is(200, "") // a PUT keeps the token
	r.get("/v1/polls", as(token.text("token"))).is(200, "")
	r.do("DELETE", "/v1/tokens/"+token.text("id"), nil).is(204, "")
	r.get("/v1/polls", as(token.text("token"))).is(401, "token-invalid")
	r.do("DELETE", "/v1/tokens/"+token.text("id"), nil).is(404, "not-found")
}

func TestBatchRuns(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.post("/v1/batch/runs", "").is(400, "bad-json")
	a := r.post("/v1/batch/runs", "{}").is(202, "")
	b := r.post("/v1/batch/runs", "{}").is(202, "")
	if a.text("run") == "" || a.text("run") != b.text("run") {
		t.Fatalf("%s %s", a.body, b.body)
	}
	if q := r.get("/v1/batch/runs/"+a.text("run")).is(200, ""); q.text("state") != "queued" {
		t.Fatalf("%s", q.body)
	}
	r.get("/v1/batch/runs/none").is(404, "not-found")
	r.run()
	if q := r.get("/v1/batch/runs/run-1").is(200, ""); q.text("state") != "done" || q.number("generation") != 1 {
		t.Fatalf("%s", q.body)
	}
	if l := r.get("/v1/batch/runs").is(200, ""); len(l.at("items").([]any)) != 2 {
		t.Fatalf("%s", l.body)
	}
	if g := r.get("/v1/generations").is(200, ""); g.at("items.0.current") != true || g.number("items.0.generation") != 1 {
		t.Fatalf("%s", g.body)
	}
	if s := r.get("/v1/system").is(200, ""); s.number("cut") != 1 || len(s.at("partitions").([]any)) != 2*partitions || s.number("partitions.0.lag") != 0 {
		t.Fatalf("%s", s.body)
	}
}

func TestReceipts(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"limits": map[string]any{"on_repeat": "replace"}})
	r.order("p7", "open")
	first := r.cast("p7", 1, 1)
	if a := r.get("/v1/receipts/"+first, anonymous).is(200, ""); a.text("state") != "counted" {
		t.Fatalf("%s", a.body)
	}
	second := r.cast("p7", 1, 2)
	state := func(receipt, state, reason string) answer {
		t.Helper()
		a := r.get("/v1/receipts/"+receipt, anonymous).is(200, "")
		if a.text("state") != state || a.text("reason") != reason || bytes.Contains(a.body, []byte("choice")) {
			t.Fatalf("want %s %s: %s", state, reason, a.body)
		}
		return a
	}
	state(first, "superseded", "")
	state(second, "counted", "")
	r.speed.each(func(p *fakePart) { p.pos.Incarnation++ }) // the journals are written anew
	state(second, "counted", "")
	r.get("/v1/receipts/forged", anonymous).is(404, "not-found")
	r.get("/v1/receipts/"+second[:len(second)-2]+"zz", anonymous).is(404, "not-found")
	r.order("p7", "close")
	late := r.cast("p7", 9, 1)
	state(late, "rejected", "late")
	r.run()
	if a := state(second, "counted", ""); a.number("generation") != 1 {
		t.Fatalf("%s", a.body)
	}
	state(first, "superseded", "")
	state(r.cast("p7", 10, 1), "rejected", "late")
}

func TestTopics(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	a := r.post("/v1/topics", map[string]any{"show": "final", "title": "Goals", "rule": "goal OR gol"}).is(201, "")
	id := a.text("id")
	r.get("/v1/topics/"+id).is(200, "")
	r.do("PUT", "/v1/topics/"+id, map[string]any{"show": "final", "title": "Goals!", "rule": "goal"}, header("If-Match", a.header.Get("ETag"))).is(200, "")
	r.do("DELETE", "/v1/topics/"+id, nil).is(204, "")
	r.get("/v1/topics/"+id).is(404, "not-found")
}
