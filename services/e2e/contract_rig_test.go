package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clamor-live/clamor/services/e2e"
	"github.com/clamor-live/clamor/services/internal/contract/contracttest"
)

// object is a JSON object.
type object = map[string]any

// customer holds the program to the contract as its most demanding user would:
// from outside, over HTTP, with every answer held to /openapi.json.
type customer struct {
	process *e2e.Process
	base    string
	token   string // of the data folder's admin
	checker *contracttest.Checker
	http    *http.Client
	answers *atomic.Int64
	secrets *secrets
}

// TestContract runs every group against one process.
func TestContract(t *testing.T) {
	p := startProcess(t, false)
	c := &customer{
		process: p, base: p.Client().Base, token: p.Client().Token, checker: contracttest.New(t),
		http: &http.Client{
			Timeout:       20 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		answers: &atomic.Int64{}, secrets: &secrets{},
	}
	t.Cleanup(c.http.CloseIdleConnections)
	t.Run("group", func(t *testing.T) {
		for name, group := range map[string]func(*testing.T, *customer){
			"voters": voters, "gateways": gateways, "posts": posts, "polls": polls, "commands": commands,
			"reveal": reveal, "results": results, "verified": verified, "tokens": tokens, "things": things,
			"feeds": feeds, "presets": presets, "streams": streams, "surface": surface, "topics": topics,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				group(t, c)
			})
		}
	})
	recounted(t, c)
	noSecretStands(t, c)
	t.Logf("%d answers were held to the contract", c.answers.Load())
}

// request is one call; body is JSON unless it is a string or bytes.
type request struct {
	method, path string
	as           string // a Bearer credential
	body         any
	header       map[string]string
}

type answer struct {
	request request
	status  int
	header  http.Header
	body    []byte
}

func (c *customer) do(t testing.TB, r request) *answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, c.base+r.path, reader(t, r.body))
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	if r.as != "" {
		req.Header.Set("Authorization", "Bearer "+r.as)
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatalf("read %s %s: %v", r.method, r.path, err)
	}
	c.answers.Add(1)
	c.checker.Check(t, req, res.StatusCode, res.Header, body)
	return &answer{r, res.StatusCode, res.Header, body}
}

func reader(t testing.TB, body any) io.Reader {
	switch v := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(v)
	case []byte:
		return bytes.NewReader(v)
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b)
}

func (c *customer) get(t testing.TB, path string) *answer {
	t.Helper()
	return c.do(t, request{method: http.MethodGet, path: path, as: c.token})
}

func (c *customer) public(t testing.TB, path string) *answer {
	t.Helper()
	return c.do(t, request{method: http.MethodGet, path: path})
}

func (c *customer) post(t testing.TB, path string, body any) *answer {
	t.Helper()
	return c.do(t, request{method: http.MethodPost, path: path, as: c.token, body: body})
}

func (c *customer) put(t testing.TB, path, match string, body any) *answer {
	t.Helper()
	r := request{method: http.MethodPut, path: path, as: c.token, body: body}
	if match != "" {
		r.header = map[string]string{"If-Match": match}
	}
	return c.do(t, r)
}

func (c *customer) delete(t testing.TB, path string) *answer {
	t.Helper()
	return c.do(t, request{method: http.MethodDelete, path: path, as: c.token})
}

// is wants a status and, of problems, a code.
func (a *answer) is(t testing.TB, status int, code string) *answer {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: %d, want %d %s\n%.600s", a, a.status, status, code, a.body)
		return a
	}
	if code == "" || a.request.method == http.MethodHead {
		return a
	}
	p := a.object(t)
	if p["code"] != code || p["status"] != float64(status) || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %v %v as %s, want %d %s\n%.600s", a, p["status"], p["code"], a.header.Get("Content-Type"), status, code, a.body)
	}
	return a
}

// names wants one of a problem's errors to point there.
func (a *answer) names(t testing.TB, pointer string) *answer {
	t.Helper()
	list, _ := a.object(t)["errors"].([]any)
	for _, e := range list {
		if f, _ := e.(object); f["pointer"] == pointer && f["detail"] != "" {
			return a
		}
	}
	t.Errorf("%s: no error points at %s\n%.600s", a, pointer, a.body)
	return a
}

// has wants a header.
func (a *answer) has(t testing.TB, header, want string) *answer {
	t.Helper()
	if got := a.header.Get(header); got != want {
		t.Errorf("%s: %s is %q, want %q", a, header, got, want)
	}
	return a
}

func (a *answer) String() string {
	body := ""
	if a.request.body != nil {
		body = fmt.Sprintf(" %.120v", a.request.body)
	}
	return a.request.method + " " + a.request.path + body
}

func (a *answer) object(t testing.TB) object {
	t.Helper()
	var v object
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Errorf("%s: %d is no object: %v\n%.300s", a, a.status, err, a.body)
	}
	return v
}

func (a *answer) text(t testing.TB, name string) string {
	t.Helper()
	s, _ := a.object(t)[name].(string)
	if s == "" {
		t.Errorf("%s: %d has no %s\n%.300s", a, a.status, name, a.body)
	}
	return s
}

func (a *answer) number(t testing.TB, name string) int64 {
	t.Helper()
	n, ok := a.object(t)[name].(float64)
	if !ok {
		t.Errorf("%s: %d has no %s\n%.300s", a, a.status, name, a.body)
	}
	return int64(n)
}

// with is an object with other members; nil takes one away.
func with(o object, more object) object {
	out := maps.Clone(o)
	for k, v := range more {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

// show makes a show and returns its id.
func (c *customer) show(t testing.TB, id string) string {
	t.Helper()
	c.post(t, "/v1/shows", object{"id": id, "title": "Show " + id, "timezone": "America/Sao_Paulo", "locale": "pt-BR", "markets": []string{"BR"}, "languages": []string{"pt"}}).is(t, 201, "")
	return id
}

// definition is a plain poll of two options.
func definition(show, id string) object {
	return object{
		"id": id, "show": show, "kind": "choice", "question": "Quem ganha?", "reveal": "open",
		"options": []object{{"id": "a", "label": "ANNA"}, {"id": "b", "label": "BRUNO"}},
	}
}

// poll makes one, in standby.
func (c *customer) poll(t testing.TB, show, id string, more object) string {
	t.Helper()
	c.post(t, "/v1/polls", with(definition(show, id), more)).is(t, 201, "")
	return id
}

// opened makes a poll and opens it.
func (c *customer) opened(t testing.TB, show, id string, more object) string {
	t.Helper()
	c.poll(t, show, id, more)
	c.command(t, id, "open", nil).is(t, 200, "")
	c.awaitPhase(t, id, "open")
	return id
}

func (c *customer) command(t testing.TB, poll, verb string, more object) *answer {
	t.Helper()
	return c.post(t, "/v1/polls/"+poll+"/commands", with(object{"command": verb}, more))
}

// obeyed sends a command and waits until what it leads to is served.
func (c *customer) obeyed(t testing.TB, poll, verb string, more object) {
	t.Helper()
	c.awaitPhase(t, poll, c.command(t, poll, verb, more).is(t, 200, "").text(t, "phase"))
}

func (c *customer) awaitPhase(t testing.TB, poll, phase string) {
	t.Helper()
	c.await(t, poll+" "+phase, func() bool { return c.public(t, "/v1/polls/"+poll).object(t)["phase"] == phase })
}

// await polls for something that must come true.
func (c *customer) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if ok() {
			return
		}
		settle(t, 30*time.Millisecond)
	}
	t.Errorf("%s never came", what)
}

// settle waits: some things the contract says by the clock.
func settle(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.Context().Done():
		t.FailNow()
	case <-timer.C:
	}
}

// voter is a new voter's token.
func (c *customer) voter(t testing.TB) string {
	t.Helper()
	return c.secrets.keep(c.do(t, request{method: http.MethodPost, path: "/v1/voters"}).is(t, 201, "").text(t, "voter_token"))
}

func ballot(choices ...string) object {
	return object{"ballot_id": uuid.NewString(), "choices": choices}
}

func (c *customer) cast(t testing.TB, poll, voter string, body any) *answer {
	t.Helper()
	return c.do(t, request{method: http.MethodPost, path: "/v1/polls/" + poll + "/ballots", as: voter, body: body})
}

// cast by so many new voters.
func (c *customer) crowd(t testing.TB, poll string, n int, option string) (receipts []string) {
	t.Helper()
	for range n {
		receipts = append(receipts, c.cast(t, poll, c.voter(t), ballot(option)).is(t, 202, "").text(t, "receipt"))
	}
	return receipts
}

// awaitTotals waits until totals have these members.
func (c *customer) awaitTotals(t testing.TB, poll string, want object) object {
	t.Helper()
	var r object
	for end := time.Now().Add(patience); ; {
		r = c.get(t, "/v1/polls/"+poll+"/results").is(t, 200, "").object(t)
		totals, _ := r["totals"].(object)
		ok := true
		for k, v := range want {
			ok = ok && fmt.Sprint(totals[k]) == fmt.Sprint(v)
		}
		if ok {
			return r
		}
		if time.Now().After(end) {
			t.Errorf("%s: totals %v, want %v", poll, totals, want)
			return r
		}
		settle(t, 40*time.Millisecond)
	}
}

// apiToken makes a token of a role, perhaps for one show.
func (c *customer) apiToken(t testing.TB, role, show string) string {
	t.Helper()
	body := object{"name": role, "role": role}
	if show != "" {
		body["show"] = show
	}
	return c.secrets.keep(c.post(t, "/v1/tokens", body).is(t, 201, "").text(t, "token"))
}

// source makes one and returns its key.
func (c *customer) source(t testing.TB, show, id, connector string, more object) string {
	t.Helper()
	a := c.post(t, "/v1/sources", with(object{"id": id, "show": show, "connector": connector}, more)).is(t, 201, "")
	return c.secrets.keep(a.text(t, "key"))
}

// destination makes one and returns its feeds' address.
func (c *customer) destination(t testing.TB, show, id, who string, more object) string {
	t.Helper()
	a := c.post(t, "/v1/destinations", with(object{"id": id, "show": show, "audience": who}, more)).is(t, 201, "")
	return "/feeds/" + c.secrets.keep(a.text(t, "token"))
}

// run recounts now and waits for the end.
func (c *customer) run(t testing.TB) object {
	t.Helper()
	id := c.post(t, "/v1/batch/runs", object{}).is(t, 202, "").text(t, "run")
	var run object
	c.await(t, "the end of run "+id, func() bool {
		run = c.get(t, "/v1/batch/runs/"+id).is(t, 200, "").object(t)
		return slices.Contains([]any{"done", "failed"}, run["state"])
	})
	if run["state"] != "done" {
		t.Errorf("run %s: %v", id, run)
	}
	return run
}

// patience is for what must come, on a machine that has other work.
const patience = 30 * time.Second

// revocation is how soon what was revoked is refused everywhere.
const revocation = 2 * time.Second

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
