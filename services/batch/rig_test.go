package batch

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The meters of sarama's metrics share one ticker that never ends.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
		// Bleve starts its analysis when it is linked in.
		goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"),
	)
}

// brokers are those of CLAMOR_TEST_KAFKA, or one embedded Kafka for a test.
func brokers(t testing.TB) []string {
	t.Helper()
	if given := os.Getenv("CLAMOR_TEST_KAFKA"); given != "" {
		return strings.Split(given, ",")
	}
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Redis = "", false
	servers, err := embedded.Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := servers.Close(); err != nil {
			t.Error(err)
		}
	})
	return servers.Brokers()
}

// clock stands still unless moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// rig is everything around a Service, on a log of its own.
type rig struct {
	t       testing.TB
	log     *eventlog.Log
	control *control.Client
	clock   *clock
	dir     string
	deps    Deps
	speed   *mirror
	cfg     Config
}

var signer = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func newRig(t testing.TB, brokers []string) *rig {
	t.Helper()
	r := &rig{t: t, clock: &clock{at: time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)}, dir: t.TempDir(), cfg: DefaultConfig()}
	r.cfg.CompareWait = 30 * time.Second // the mirror is never behind, only slow
	r.log = eventlogtest.Open(t, eventlogtest.Config(brokers))
	r.control = control.New[*eventlog.Reader](r.log, control.DefaultConfig(), r.clock.now, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := r.control.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
	<-r.control.Ready()
	r.speed = &mirror{log: r.log, control: r.control, expired: map[int32]uint64{}}
	a, err := archive.Open(t.Context(), r.dir)
	r.must(err)
	t.Cleanup(func() { r.check(a.Close()) })
	r.deps = Deps{
		Log: r.log, Control: r.control, Speed: r.speed, Archive: a, Views: r.openViews(),
		Key: signer, Now: r.clock.now, Logger: slog.New(slog.DiscardHandler),
	}
	return r
}

// newGala is a rig whose show has a poll and a topic.
func newGala(t testing.TB) *rig {
	t.Helper()
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.topic("goal", "gol OR goal")
	return r
}

// forgetful is a log that has only what stands from an offset on, of one topic
// or, without a topic, of all.
type forgetful struct {
	Log

	topic string
	from  int64
}

func (f forgetful) ReadRaw(ctx context.Context, topic string, p int32, from int64) (*eventlog.Reader, error) {
	if from < f.from && (f.topic == "" || f.topic == topic) {
		return nil, eventlog.ErrOffsetGone
	}
	return f.Log.ReadRaw(ctx, topic, p, from)
}

// openViews is an empty store: a database of CLAMOR_TEST_MONGO, or a file.
func (r *rig) openViews() views.Store {
	r.t.Helper()
	address := "file:" + r.t.TempDir() + "/views.db"
	if given := os.Getenv("CLAMOR_TEST_MONGO"); given != "" {
		address = strings.TrimRight(given, "/") + "/clamor_test_" + strings.ToLower(rand.Text())
	}
	s, err := views.Open(r.t.Context(), address)
	r.must(err)
	r.t.Cleanup(func() { r.check(s.Close()) })
	return s
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Error(err)
	}
}

// service is one as another process would have it.
func (r *rig) service() *Service {
	r.t.Helper()
	s, err := New(r.cfg, r.deps)
	r.must(err)
	return s
}

func (r *rig) run() views.Run {
	r.t.Helper()
	run, err := r.service().RunOnce(r.t.Context())
	r.must(err)
	return run
}

func (r *rig) submit(kind, subject string, base uint64, payload any) control.Verdict {
	r.t.Helper()
	body, err := json.Marshal(payload)
	r.must(err)
	if payload == nil {
		body = nil
	}
	v, err := r.control.Submit(r.t.Context(), control.Event{Actor: "ana", Kind: kind, Subject: subject, Base: base, Payload: body})
	r.must(err)
	return v
}

// poll makes a poll of two options.
func (r *rig) poll(id string, limits audience.Limits) {
	r.t.Helper()
	if _, ok := r.control.State().Show("gala"); !ok {
		r.submit(control.KindShowPut, "gala", 0, audience.Show{ID: "gala", Title: "Gala", Timezone: "UTC", Locale: "en"})
	}
	r.submit(control.KindPollPut, id, 0, audience.Poll{
		ID: id, Show: "gala", Kind: audience.Choose, Question: "Who?", Options: []audience.Option{{ID: "a", Label: "Anna"}, {ID: "b", Label: "Bo <b>"}},
		Limits: limits, Reveal: audience.RevealManual, Denominator: audience.OfVotes,
	})
	r.command(id, audience.VerbOpen)
}

var once = audience.Limits{BallotsPerVoter: 1, OnRepeat: audience.Reject, MinChoices: 1, MaxChoices: 1}

// command takes effect before it returns.
func (r *rig) command(poll string, verb audience.Verb) {
	r.t.Helper()
	r.submit(control.KindPollCommand, poll, 0, audience.Command{Command: verb})
	r.clock.move(time.Second)
}

// act is one voting act, by numbers.
type act struct {
	poll      string
	voter, id uint64
	slot      uint16
	perVoter  uint32
	late      bool
}

// vote writes each ballot as a record of its own.
func (r *rig) vote(acts ...act) {
	r.t.Helper()
	for _, a := range acts {
		b := r.ballot(a)
		p := audience.PartitionOf(b.Key(), b.Voter, r.log.Partitions(eventlog.Ballots))
		_, err := r.log.AppendRaw(r.t.Context(), eventlog.Ballots, p, eventlog.EncodeBallots(nil, []audience.Ballot{b}))
		r.must(err)
	}
}

func (r *rig) ballot(a act) audience.Ballot {
	at := audience.MillisOf(r.clock.now())
	poll, _ := r.control.State().Poll(a.poll)
	b := audience.Ballot{
		Poll: a.poll, Round: poll.At(at).Round, ReceivedAt: at, Kind: audience.Choose,
		PerVoter: a.perVoter, OnRepeat: audience.Reject, Choices: []audience.Choice{{Slot: a.slot}},
	}
	if a.late {
		b.ClosesAt = at
	}
	binary.BigEndian.PutUint64(b.ID[8:], a.id+1)
	binary.BigEndian.PutUint64(b.Voter[8:], a.voter+1)
	return b
}

func (r *rig) crowd(poll string, from, n uint64) {
	r.t.Helper()
	for v := from; v < from+n; v++ {
		r.vote(act{poll: poll, voter: v, id: v, slot: uint16(1 + v%3/2), perVoter: 1})
	}
}

// mirror is a speed view that folds the log whenever it is asked.
type mirror struct {
	log     *eventlog.Log
	control *control.Client
	mu      sync.Mutex
	// bend and bendMinutes change what is answered.
	bend        func(p int32, s *speed.Slice) error
	bendMinutes func(p int32, m *speed.Minutes) error
	expired     map[int32]uint64
	// expiredPosts is what no partition of posts has any more.
	expiredPosts uint64
}

func (m *mirror) Read(ctx context.Context, topic string, p int32, from uint64) (speed.Slice, error) {
	epochs, next, err := foldLog(ctx, m.log, p)
	if err != nil {
		return speed.Slice{}, err
	}
	s := speed.Slice{
		Position: speed.Position{Incarnation: 1, Next: next, Epoch: uint64(len(epochs) - 1), Ready: true},
		Epochs:   map[uint64]tally.View{},
	}
	for e, view := range epochs {
		if uint64(e) >= from {
			s.Epochs[uint64(e)] = view
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bend != nil {
		err = m.bend(p, &s)
	}
	return s, err
}

func (m *mirror) Expire(_ context.Context, topic string, p int32, below uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if topic == eventlog.Ballots {
		m.expired[p] = below
	} else {
		m.expiredPosts = below
	}
	return nil
}

// walk visits the records of a whole partition that can be read; next is the
// offset behind them.
func walk(ctx context.Context, log *eventlog.Log, topic string, p int32, visit func(body eventlog.Body)) (next int64, err error) {
	_, end, err := log.Bounds(ctx, topic, p)
	if err != nil || end == 0 {
		return 0, err
	}
	reader, err := log.ReadRaw(ctx, topic, p, 0)
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	var decoder eventlog.Decoder
	for next < end {
		entries, err := reader.Next(ctx)
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			next = e.Offset + 1
			if body, err := decoder.Decode(e.Raw); err == nil {
				visit(body)
			}
		}
	}
	return next, nil
}

// foldLog is the oracle: the fold of a whole partition, by epoch.
func foldLog(ctx context.Context, log *eventlog.Log, p int32) (epochs []tally.View, next int64, err error) {
	state, epochs := tally.NewPartition(), []tally.View{{}}
	next, err = walk(ctx, log, eventlog.Ballots, p, func(body eventlog.Body) {
		out := epochs[len(epochs)-1]
		switch {
		case body.Cut != nil:
			if state.Cut(*body.Cut) {
				epochs = append(epochs, tally.View{})
			}
		case body.Revocation != nil:
			state.Revoke(body.Revocation, out)
		default:
			for i := range body.Ballots {
				state.Ballot(&body.Ballots[i], out)
			}
		}
	})
	return epochs, next, err
}

// oracle is the fold of the whole log below a cut.
func (r *rig) oracle(cut uint64) tally.View {
	r.t.Helper()
	sum := tally.View{}
	for p := range int32(r.log.Partitions(eventlog.Ballots)) {
		epochs, _, err := foldLog(r.t.Context(), r.log, p)
		r.must(err)
		for e, view := range epochs {
			if uint64(e) < cut {
				sum.Add(view)
			}
		}
	}
	return sum
}

// published is what readers see, held against the oracle.
func (r *rig) published() *views.Generation {
	r.t.Helper()
	p, ok := r.control.State().Published()
	if !ok {
		r.t.Fatal("nothing is published")
	}
	g, err := r.deps.Views.Generation(r.t.Context(), p.Generation)
	r.must(err)
	want := r.oracle(p.Generation)
	for k, round := range want {
		got := g.Rounds[k].Clone()
		if cut, sealed := r.control.State().SealedAt(k); sealed && cut < p.Generation {
			s, err := r.deps.Views.Sealed(r.t.Context(), k)
			r.must(err)
			got = s.Round.Clone()
			got.Late += g.LateAfterSeal[k]
		}
		if !got.Equal(round) {
			r.t.Fatalf("generation %d has of %v %+v, the log %+v", p.Generation, k, got, round)
		}
	}
	if g.Unheard == 0 {
		r.wantHeard(g)
	}
	r.wantWhole(g)
	return g
}

var errKilled = errors.New("killed")
