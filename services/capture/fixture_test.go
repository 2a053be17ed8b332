package capture_test

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
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"gocloud.dev/blob/memblob"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) {
	// A dependency of the Kafka client keeps one goroutine of its own for ever.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

// memoryLog keeps records in memory.
type memoryLog struct {
	mu      sync.Mutex
	err     error
	records map[string][]*clamorv1.Record
	cast    int // ballots in all records
	seats   map[int32]string
	cursor  string // of moderation
}

func (l *memoryLog) AppendRaw(_ context.Context, topic string, partition int32, value []byte) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	rec := &clamorv1.Record{}
	if err := proto.Unmarshal(value, rec); err != nil {
		return 0, err
	}
	name := fmt.Sprintf("%s/%d", topic, partition)
	l.records[name] = append(l.records[name], rec)
	l.cast += len(rec.GetBallots().GetItems())
	return int64(len(l.records[name]) - 1), nil
}

func (l *memoryLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *memoryLog) Partitions(string) int { return 4 }

func (l *memoryLog) Seats(ctx context.Context, _ string, hold func(context.Context, int32) error) error {
	var all sync.WaitGroup
	for seat := range int32(4) {
		all.Go(func() {
			for hold(ctx, seat) != nil { // failed: again
				runtime.Gosched()
			}
		})
	}
	all.Wait()
	return nil
}

func (l *memoryLog) CommitSeat(_ context.Context, group string, seat int32, metadata string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if group == "moderation" {
		l.cursor = metadata
		return l.err
	}
	l.seats[seat] = metadata
	return nil
}

func (l *memoryLog) SeatMetadata(_ context.Context, group string, seat int32) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if group == "moderation" {
		return l.cursor, nil
	}
	return l.seats[seat], nil
}

// ballots are all ballots in the log.
func (l *memoryLog) ballots(t testing.TB) (all []audience.Ballot) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range 4 {
		for _, rec := range l.records[fmt.Sprintf("%s/%d", eventlog.Ballots, p)] {
			bs, err := eventlog.BallotsFrom(rec.GetBallots(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range bs {
				if got := audience.PartitionOf(b.Key(), b.Voter, 4); int(got) != p {
					t.Errorf("a ballot of partition %d stands in %d", got, p)
				}
			}
			all = append(all, bs...)
		}
	}
	return all
}

// appended counts the records of a topic.
func (l *memoryLog) appended(topic string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range 4 {
		n += len(l.records[fmt.Sprintf("%s/%d", topic, p)])
	}
	return n
}

// counted is how many ballots the log has.
func (l *memoryLog) counted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cast
}

func (l *memoryLog) posts() (all []*clamorv1.Post) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range 4 {
		for _, rec := range l.records[fmt.Sprintf("%s/%d", eventlog.Posts, p)] {
			if post := rec.GetPost(); post != nil {
				all = append(all, post)
			}
		}
	}
	return all
}

// registry is the definitions, changed by hand.
type registry struct {
	mu      sync.Mutex
	machine *control.Machine
	offset  int64
	events  []control.Placed
	state   *control.State
	changed chan struct{}
	ready   chan struct{}
}

func newRegistry() *registry {
	r := &registry{machine: control.NewMachine(), changed: make(chan struct{}), ready: make(chan struct{})}
	r.state = r.machine.State()
	close(r.ready)
	return r
}

func (r *registry) Ready() <-chan struct{} { return r.ready }

func (r *registry) State() *control.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

func (r *registry) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

func (r *registry) Replay(ctx context.Context, from int64, take func([]control.Placed, int64) error) error {
	for {
		changed := r.Changed()
		r.mu.Lock()
		events := slices.Clone(r.events[from:])
		r.mu.Unlock()
		if len(events) > 0 {
			if from = events[len(events)-1].Offset + 1; take(events, from) != nil {
				return errors.New("taken no more")
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *registry) apply(t testing.TB, e control.Event, payload any) {
	t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	e.Payload, e.Actor = raw, "test"
	if v := r.place(e); v.Err != nil {
		t.Fatalf("%s %s: %v", e.Kind, e.Subject, v.Err)
	}
}

// Submit is what capture itself writes.
func (r *registry) Submit(_ context.Context, e control.Event) (control.Verdict, error) {
	if err := control.Check(&e); err != nil {
		return control.Verdict{Err: err}, err
	}
	v := r.place(e)
	if v.Err != nil {
		return v, v.Err
	}
	return v, nil
}

// last is the event behind all others.
func (r *registry) last() *control.Placed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &r.events[len(r.events)-1]
}

// place puts an event behind the others; what is refused stands there, too.
func (r *registry) place(e control.Event) control.Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.ID == "" {
		e.ID = fmt.Sprintf("e%d", r.offset)
	}
	v := r.machine.Apply(e, r.offset)
	r.events = append(r.events, control.Placed{Event: e, Offset: r.offset})
	r.offset++
	r.state = r.machine.State()
	close(r.changed)
	r.changed = make(chan struct{})
	return v
}

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is a capture service with everything around it.
type house struct {
	t        testing.TB
	log      *memoryLog
	registry *registry
	clock    *clock
	keys     *keys.Ring
	metrics  *prometheus.Registry
	service  *capture.Service
	handler  http.Handler
	logged   *bytes.Buffer
	stop     func()
	known    map[string]bool
}

func newHouse(t testing.TB, change func(*capture.Config, *capture.Deps)) *house {
	t.Helper()
	h := buildHouse(t, change)
	h.run()
	return h
}

// buildHouse is newHouse before it runs.
func buildHouse(t testing.TB, change func(*capture.Config, *capture.Deps)) *house {
	t.Helper()
	h := &house{
		t: t, registry: newRegistry(), logged: &bytes.Buffer{}, known: map[string]bool{},
		log:     &memoryLog{records: map[string][]*clamorv1.Record{}, seats: map[int32]string{}},
		clock:   &clock{now: time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)},
		metrics: prometheus.NewPedanticRegistry(),
	}
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = bucket.Close() })
	ring, err := keys.Open(bytes.Repeat([]byte{7}, keys.MasterSize), bucket, keys.WithClock(h.clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	h.keys = ring
	cfg := capture.DefaultConfig()
	deps := capture.Deps{
		Log: h.log, Control: h.registry, Keys: ring, Metrics: h.metrics, Now: h.clock.Now,
		Logger: slog.New(slog.NewJSONHandler(&lockedWriter{w: h.logged}, nil)),
	}
	if change != nil {
		change(&cfg, &deps)
	}
	if h.service, err = capture.New(cfg, deps); err != nil {
		t.Fatal(err)
	}
	h.handler = h.service.Handler()
	h.define()
	return h
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func (h *house) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.service.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(h.stop)
	for h.service.Ready() != nil {
		runtime.Gosched()
	}
}

// define makes a show with a choice poll "final" (a, b), a score poll "jury" and
// two gateways.
func (h *house) define() {
	h.put(control.KindShowPut, "show", audience.Show{ID: "show", Title: "Show", Timezone: "UTC", Locale: "en"})
	h.put(control.KindShowPut, "other", audience.Show{ID: "other", Title: "Other", Timezone: "UTC", Locale: "en"})
	h.putPoll(audience.Poll{ID: "final"})
	h.putPoll(audience.Poll{ID: "jury", Kind: audience.Score, Limits: audience.Limits{
		BallotsPerVoter: 1, OnRepeat: audience.Replace, MinChoices: 1, MaxChoices: 2, ScoreMin: 1, ScoreMax: 10}})
	h.putPoll(audience.Poll{ID: "elsewhere", Show: "other"})
	h.putSource(audience.Source{ID: "sms", Connector: audience.ConnectorGateway}, "sms-key")
	h.putSource(audience.Source{ID: "sms2", Connector: audience.ConnectorGateway, Polls: []string{"jury"}}, "sms2-key")
	h.putSource(audience.Source{ID: "feed", Connector: audience.ConnectorPush}, "push-key")
	h.command("final", audience.VerbOpen)
	h.command("jury", audience.VerbOpen)
}

func (h *house) put(kind, id string, payload any) {
	h.t.Helper()
	e := control.Event{Kind: kind, Subject: id, At: audience.MillisOf(h.clock.Now())}
	if h.known[kind+id] {
		e.Base = control.Current
	}
	h.known[kind+id] = true
	h.registry.apply(h.t, e, payload)
}

func (h *house) putPoll(p audience.Poll) {
	h.t.Helper()
	if p.Show == "" {
		p.Show = "show"
	}
	if p.Kind == "" {
		p.Kind = audience.Choose
	}
	if p.Options == nil {
		p.Options = []audience.Option{{ID: "a", Label: "Anna"}, {ID: "b", Label: "Ben"}, {ID: "c", Label: "Cleo"}}
	}
	if p.Limits == (audience.Limits{}) {
		p.Limits = audience.Limits{BallotsPerVoter: 1, OnRepeat: audience.Reject, MinChoices: 1, MaxChoices: 1}
	}
	p.Question, p.Reveal, p.Denominator = "Who?", audience.RevealManual, audience.OfVotes
	h.put(control.KindPollPut, p.ID, p)
}

func (h *house) putSource(s audience.Source, key string) {
	h.t.Helper()
	if s.Show == "" {
		s.Show = "show"
	}
	s.Enabled, s.KeyHash = true, keys.HashToken(key)
	h.put(control.KindSourcePut, s.ID, s)
}

// command takes effect by the time that it returns.
func (h *house) command(poll string, verb audience.Verb) {
	h.t.Helper()
	h.registry.apply(h.t, control.Event{Kind: control.KindPollCommand, Subject: poll, At: audience.MillisOf(h.clock.Now())},
		audience.Command{Command: verb})
	h.clock.advance(time.Second)
}

func (h *house) voter() string {
	return h.keys.VoterToken(keys.NewSubject(), h.clock.Now().Add(time.Hour))
}

func (h *house) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func (h *house) cast(poll, token, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.do("POST", "/v1/polls/"+poll+"/ballots", body, "Authorization", "Bearer "+token)
}

func ballotID(n int) string { return fmt.Sprintf("0198c0de-0000-7000-8000-%012d", n) }

func choose(n int, options ...string) string {
	list, _ := json.Marshal(options)
	return fmt.Sprintf(`{"ballot_id":%q,"choices":%s}`, ballotID(n), list)
}

func decode(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return m
}

func expect(t testing.TB, w *httptest.ResponseRecorder, status int, code string) map[string]any {
	t.Helper()
	m := decode(t, w)
	if got, _ := m["code"].(string); w.Code != status || got != code {
		t.Errorf("%d %s, want %d %s", w.Code, w.Body, status, code)
	}
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("the answer has no X-Request-Id")
	}
	return m
}
