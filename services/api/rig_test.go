package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/views"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/api"
	"github.com/clamor-live/clamor/services/console"
	"github.com/clamor-live/clamor/services/internal/contract/contracttest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"),
		goleak.IgnoreAnyFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"), // started by its import
	)
}

const partitions = 2

// tape is a log in memory: control's records, and how far ballots reach.
type tape struct {
	mu      sync.Mutex
	records []*clamorv1.Record
	grown   chan struct{}
	down    atomic.Bool
	speed   *fakeSpeed
	hearing *fakeHearing
}

func (l *tape) Append(_ context.Context, _ string, _ int32, rec *clamorv1.Record) (int64, error) {
	if l.down.Load() {
		return 0, eventlog.ErrUnavailable
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, rec)
	close(l.grown)
	l.grown = make(chan struct{})
	return int64(len(l.records) - 1), nil
}

func (l *tape) Bounds(_ context.Context, topic string, p int32) (int64, int64, error) {
	switch topic {
	case eventlog.Ballots:
		return 0, l.speed.next(p), nil
	case eventlog.Posts:
		return 0, l.hearing.next(p), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return 0, int64(len(l.records)), nil
}

func (l *tape) Partitions(string) int { return partitions }

func (l *tape) Read(_ context.Context, _ string, _ int32, from int64) (*head, error) {
	return &head{l, from}, nil
}

type head struct {
	log  *tape
	next int64
}

func (h *head) Next(ctx context.Context) ([]eventlog.Entry, error) {
	for {
		h.log.mu.Lock()
		grown, records := h.log.grown, h.log.records
		h.log.mu.Unlock()
		if int(h.next) < len(records) {
			e := eventlog.Entry{Topic: eventlog.Control, Offset: h.next, Record: records[h.next]}
			h.next++
			return []eventlog.Entry{e}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-grown:
		}
	}
}

func (h *head) Close() error { return nil }

// rig is a service with a log in memory, a speed view that folds what the test
// casts, and the embedded views store.
type rig struct {
	board   board
	t       testing.TB
	tape    *tape
	speed   *fakeSpeed
	hearing *fakeHearing
	views   *flakyViews
	archive *archive.Archive
	keys    *keys.Ring
	search  api.Search
	control *control.Client
	api     *api.Service
	server  *httptest.Server
	check   *contracttest.Checker
	skew    atomic.Int64 // what the clock was moved by, in nanoseconds
	began   time.Time
	cfg     api.Config
	admin   string
	stop    func()
}

// now stands still unless moved. It begins in mid-minute, so that no figure of
// the last minute changes by itself.
func (r *rig) now() time.Time { return r.began.Add(time.Duration(r.skew.Load())) }

// flakyViews can be away.
type flakyViews struct {
	views.Store

	away atomic.Bool
}

var errAway = errors.New("the store is away")

func (v *flakyViews) Generation(ctx context.Context, n uint64) (*views.Generation, error) {
	if v.away.Load() {
		return nil, errAway
	}
	return v.Store.Generation(ctx, n)
}

func (v *flakyViews) Pieces(ctx context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error) {
	if v.away.Load() {
		return nil, errAway
	}
	return v.Store.Pieces(ctx, ids)
}

func (v *flakyViews) Sealed(ctx context.Context, k audience.RoundKey) (*views.SealedRound, error) {
	if v.away.Load() {
		return nil, errAway
	}
	return v.Store.Sealed(ctx, k)
}

func newRig(t testing.TB, change ...func(*api.Config)) *rig {
	t.Helper()
	return newSearchRig(t, nil, change...)
}

// newSearchRig is a rig whose posts can be searched.
func newSearchRig(t testing.TB, engine api.Search, change ...func(*api.Config)) *rig {
	t.Helper()
	r := &rig{t: t, began: time.Now().Truncate(time.Minute).Add(10 * time.Second), speed: newFakeSpeed(), hearing: newFakeHearing(), search: engine, check: contracttest.New(t), cfg: api.DefaultConfig()}
	r.cfg.Refresh, r.cfg.SeriesRefresh, r.cfg.Coalesce = 10*time.Millisecond, 20*time.Millisecond, 5*time.Millisecond
	r.cfg.TopicRefresh = 10 * time.Millisecond
	for _, f := range change {
		f(&r.cfg)
	}
	r.tape = &tape{grown: make(chan struct{}), speed: r.speed, hearing: r.hearing}
	store, err := views.Open(t.Context(), "file:"+t.TempDir()+"/views.db")
	must(t, err)
	r.views = &flakyViews{Store: store}
	r.archive, err = archive.Open(t.Context(), "mem://")
	must(t, err)
	r.keys, err = keys.Open(bytes.Repeat([]byte{7}, keys.MasterSize), r.archive.Bucket())
	must(t, err)
	t.Cleanup(func() { _ = store.Close(); _ = r.archive.Close() })
	r.admin = "ca_test-admin"
	r.start()
	t.Cleanup(func() { r.stop() })
	r.token("admin", audience.RoleAdmin, "", r.admin)
	return r
}

// start runs the client of control and the service, over what is in the stores.
func (r *rig) start() {
	t := r.t
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	quiet := slog.New(slog.DiscardHandler)
	r.control = control.New(r.tape, control.DefaultConfig(), r.now, quiet)
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.control.Run(ctx) })
	wait(t, r.control.Ready())
	pages, err := console.New()
	must(t, err)
	r.api, err = api.New(r.cfg, api.Deps{
		Control: r.control, Speed: speaking{r.speed, r.hearing}, Views: r.views, Archive: r.archive, Search: r.search, Log: r.tape, Receipts: r.keys,
		Secrets: r.keys, Board: &r.board,
		Pages: pages, Logger: quiet, Metrics: prometheus.NewRegistry(), Now: r.now, Version: "test",
	})
	must(t, err)
	wg.Go(func() { _ = r.api.Run(ctx) })
	wait(t, r.api.Ready())
	r.server = httptest.NewServer(r.api.Handler())
	r.server.Client().Transport.(*http.Transport).DisableCompression = true
	server, once := r.server, sync.Once{}
	r.stop = func() {
		once.Do(func() {
			server.CloseClientConnections()
			cancel()
			server.Close()
			wg.Wait()
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wait(t testing.TB, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("not ready")
	}
}

// submit writes an event past the API.
func (r *rig) submit(kind, subject string, base uint64, payload any) control.Verdict {
	r.t.Helper()
	body, err := json.Marshal(payload)
	must(r.t, err)
	v, err := r.control.Submit(r.t.Context(), control.Event{Actor: "test", Kind: kind, Subject: subject, Base: base, Payload: body})
	must(r.t, err)
	return v
}

func (r *rig) token(id string, role audience.Role, show, secret string) {
	r.t.Helper()
	r.submit(control.KindTokenPut, id, 0, audience.Token{Name: id, Role: role, Show: show, Hash: keys.HashToken(secret)})
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

type option func(*http.Request)

func header(key, value string) option {
	return func(r *http.Request) { r.Header.Set(key, value) }
}

func as(secret string) option { return header("Authorization", "Bearer "+secret) }

func anonymous(r *http.Request) { r.Header.Del("Authorization") }

// do asks as admin unless an option says otherwise, and holds the answer to the
// contract.
func (r *rig) do(method, path string, body any, options ...option) answer {
	r.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		must(r.t, err)
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.server.URL+path, in)
	must(r.t, err)
	req.Header.Set("Authorization", "Bearer "+r.admin)
	for _, o := range options {
		o(req)
	}
	res, err := r.server.Client().Do(req)
	must(r.t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	must(r.t, err)
	r.check.Check(r.t, req, res.StatusCode, res.Header, got)
	return answer{r.t, res.StatusCode, res.Header, got}
}

func (r *rig) get(path string, options ...option) answer {
	r.t.Helper()
	return r.do(http.MethodGet, path, nil, options...)
}

func (r *rig) post(path string, body any, options ...option) answer {
	r.t.Helper()
	return r.do(http.MethodPost, path, body, options...)
}

// is holds the status, and the code of a problem ("" for none).
func (a answer) is(status int, code string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if got, _ := a.json()["code"].(string); code != "" && got != code {
		a.t.Fatalf("code %q, want %q: %s", got, code, a.body)
	}
	return a
}

func (a answer) json() map[string]any {
	a.t.Helper()
	v := map[string]any{}
	if strings.Contains(a.header.Get("Content-Type"), "json") && len(a.body) > 0 && a.body[0] == '{' {
		must(a.t, json.Unmarshal(a.body, &v))
	}
	return v
}

// at is a member of the body by a dotted path.
func (a answer) at(path string) any {
	a.t.Helper()
	var v any = a.json()
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			var i int
			fmt.Sscan(key, &i)
			if i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) number(path string) int64 {
	a.t.Helper()
	n, ok := a.at(path).(float64)
	if !ok {
		a.t.Fatalf("%s is %v: %s", path, a.at(path), a.body)
	}
	return int64(n)
}

func (a answer) text(path string) string { s, _ := a.at(path).(string); return s }

// until asks again until the answer is as wanted.
func (r *rig) until(path string, ok func(answer) bool, options ...option) answer {
	r.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		a := r.get(path, options...)
		if ok(a) {
			return a
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%s stays %d %s", path, a.status, a.body)
		}
		<-time.After(3 * time.Millisecond)
	}
}

// stage makes a show and a poll of options a, b, c.
func (r *rig) stage(id string, more map[string]any) {
	r.t.Helper()
	if _, ok := r.control.State().Show("final"); !ok {
		r.post("/v1/shows", map[string]any{"id": "final", "title": "The Final", "locale": "en"}).is(201, "")
	}
	poll := map[string]any{
		"id": id, "show": "final", "kind": "choice", "question": "Who wins?",
		"options": []any{
			map[string]any{"id": "a", "label": "ANNA"}, map[string]any{"id": "b", "label": "BEN"}, map[string]any{"id": "c", "label": "CLEO"},
		},
	}
	for k, v := range more {
		poll[k] = v
	}
	r.post("/v1/polls", poll).is(201, "")
}

// order commands a poll and moves the clock past its effect.
func (r *rig) order(poll, command string, more ...any) {
	r.t.Helper()
	body := map[string]any{"command": command}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	a := r.post("/v1/polls/"+poll+"/commands", body).is(200, "")
	at, err := time.Parse(time.RFC3339, a.text("effective_at"))
	must(r.t, err)
	r.pass(at)
	r.until("/v1/polls/"+poll+"/state", func(s answer) bool { return s.text("results.phase") == a.text("phase") })
}

// pass moves the clock past an instant and lets the service know.
func (r *rig) pass(at time.Time) {
	if ahead := at.Sub(r.now()) + time.Millisecond; ahead > 0 {
		r.skew.Add(int64(ahead))
	}
	r.submit(control.KindRunRequest, fmt.Sprintf("nudge-%d", r.skew.Load()), 0, nil) // any change wakes the presenter
}

// feed makes a destination and gives its token.
func (r *rig) feed(more map[string]any) string {
	r.t.Helper()
	body := map[string]any{"show": "final"}
	for k, v := range more {
		body[k] = v
	}
	return r.post("/v1/destinations", body).is(201, "").text("token")
}
