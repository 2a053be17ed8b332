// Package batch counts the log again, for good: it cuts it, archives it,
// recomputes every unsealed round from the archive, listens to the posts again
// with the models and rules of the day, publishes the sum as a generation, fills
// the search engine and forgets what is no longer needed.
//
// Its one trick is that every step is a function of a cut that was decided in
// the control log before anything was done about it. A run that dies anywhere
// is done again under the same number, with the same result; two leaders who
// both believe in themselves do the same work twice.
package batch

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/views"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// group is the consumer group whose seat 0 leads.
const group = "batch"

// Log is what batch does with the log.
type Log interface {
	Append(ctx context.Context, topic string, partition int32, rec *clamorv1.Record) (offset int64, err error)
	Bounds(ctx context.Context, topic string, partition int32) (oldest, next int64, err error)
	ReadRaw(ctx context.Context, topic string, partition int32, from int64) (*eventlog.Reader, error)
	Partitions(topic string) int
	Seats(ctx context.Context, group string, hold func(ctx context.Context, seat int32) error) error
}

// Control is what batch asks of the registry.
type Control interface {
	Ready() <-chan struct{}
	State() *control.State
	Changed() <-chan struct{}
	Submit(ctx context.Context, e control.Event) (control.Verdict, error)
}

// Speed is what batch asks of the speed view.
type Speed interface {
	Read(ctx context.Context, topic string, partition int32, fromEpoch uint64) (speed.Slice, error)
	ReadMinutes(ctx context.Context, topic string, partition int32, fromEpoch uint64, since speed.Position) (speed.Minutes, error)
	Expire(ctx context.Context, topic string, partition int32, below uint64) error
}

// Runner folds all partitions. Runs may repeat; the same job over the same
// archive gives the same parts, byte for byte, from every runner.
type Runner interface {
	// Recompute gives one part a partition, in any order. done is called, not
	// concurrently, as partitions are finished.
	Recompute(ctx context.Context, a *archive.Archive, job fold.Job, partitions int, done func(*fold.Part)) ([]*fold.Part, error)
}

// Deps are what a Service works with.
type Deps struct {
	Log     Log
	Control Control
	Speed   Speed
	Views   views.Store
	Archive *archive.Archive
	// Key signs certificates.
	Key ed25519.PrivateKey
	// Search may be nil: then nothing can be searched for.
	Search Search
	// Runner recomputes the ballots; nil: Local.
	Runner Runner
	Now    func() time.Time
	Logger *slog.Logger
	// Metrics and Tracer may be nil.
	Metrics prometheus.Registerer
	Tracer  trace.Tracer
}

// Service runs the batch layer.
type Service struct {
	cfg     Config
	d       Deps
	metrics *metrics
	topics  compiled
	latest  latest
	// pass is called between any two acts of a run; tests let runs die there.
	pass func(point string) error
}

// New makes a service.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if len(d.Key) != ed25519.PrivateKeySize {
		return nil, errors.New("batch: the certificates' key is no Ed25519 key")
	}
	if d.Runner == nil {
		d.Runner = Local{Parallel: cfg.Parallel}
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Tracer == nil {
		d.Tracer = noop.NewTracerProvider().Tracer("")
	}
	return &Service{cfg: cfg, d: d, metrics: newMetrics(d.Metrics), pass: func(string) error { return nil }}, nil
}

func (s *Service) now() audience.Millis { return audience.MillisOf(s.d.Now()) }

// Run leads whenever this process holds the leader's seat, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	err := s.d.Log.Seats(ctx, group, func(ctx context.Context, seat int32) error {
		if seat != 0 {
			return nil
		}
		return s.Lead(ctx)
	})
	if err != nil {
		return fmt.Errorf("batch leader's seat: %w", err)
	}
	return nil
}

// Lead starts runs when they are due, one after the other, until ctx ends. It
// is for the one who holds the seat.
func (s *Service) Lead(ctx context.Context) error {
	select {
	case <-s.d.Control.Ready():
	case <-ctx.Done():
		return nil
	}
	s.metrics.leader.Set(1)
	defer s.metrics.leader.Set(0)
	s.d.Logger.Info("batch leads")
	clock := newSchedule(s.cfg)
	for ctx.Err() == nil {
		changed := s.d.Control.Changed()
		wait, err := s.step(ctx, clock)
		if err != nil && ctx.Err() == nil {
			s.d.Logger.Error("batch run", "error", err)
		}
		pause(ctx, wait, changed)
	}
	return nil
}

// step runs what is due and says how long to wait then.
func (s *Service) step(ctx context.Context, clock *schedule) (time.Duration, error) {
	state := s.d.Control.State()
	due := clock.due(s.d.Now(), state)
	if due == notDue {
		return s.rest(ctx, clock)
	}
	if due == ifNew {
		fresh, err := s.somethingNew(ctx, state)
		if err != nil {
			clock.failed(s.d.Now())
			return clock.wait(s.d.Now()), err
		}
		if !fresh {
			clock.looked(s.d.Now())
			return s.rest(ctx, clock)
		}
	}
	started := s.d.Now()
	run, err := s.RunOnce(ctx)
	if err != nil {
		clock.failed(s.d.Now())
		return clock.wait(s.d.Now()), fmt.Errorf("run %s: %w", run.ID, err)
	}
	clock.succeeded(started)
	return s.rest(ctx, clock) // a little, even when the next run is due
}

// pause waits, but not past a change; the retry after a failure is not hurried.
func pause(ctx context.Context, wait time.Duration, changed <-chan struct{}) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-changed:
	}
}

// somethingNew says whether the log holds more than the last generation, a round
// waits to be sealed, or topics are not those that the generation counted.
func (s *Service) somethingNew(ctx context.Context, state *control.State) (bool, error) {
	if len(sealable(state, s.now(), s.cfg.SealGrace)) > 0 {
		return true, nil
	}
	published, _ := state.Published()
	if changed, err := s.topicsChanged(ctx, state, published.Generation); err != nil || changed {
		return changed, err
	}
	for _, topic := range []string{eventlog.Ballots, eventlog.Posts} {
		for p := range int32(s.d.Log.Partitions(topic)) {
			_, next, err := s.d.Log.Bounds(ctx, topic, p)
			if err != nil {
				return false, err
			}
			end, err := s.archivedTo(ctx, archive.Segment{Topic: topic, Epoch: published.Generation, Partition: p})
			if unreadable(err) {
				return true, nil // a run mends it
			}
			if err != nil {
				return false, err
			}
			if next > end {
				return true, nil
			}
		}
	}
	return false, nil
}

// topicsChanged says whether a run would count other subjects than the generation
// did: what is new is counted back to the first post, without a new post.
func (s *Service) topicsChanged(ctx context.Context, state *control.State, generation uint64) (bool, error) {
	now, err := s.topics.of(definitions(state, everything))
	if err != nil {
		return false, err
	}
	if generation == 0 {
		return now.Len() > 0, nil
	}
	g, err := s.latest.read(ctx, s.d.Views, generation)
	if errors.Is(err, views.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// While posts stand still, every run tries again; that is no reason for one.
	return g.Unheard == 0 && !now.are(g), nil
}

// rest uses the time between runs, and a little where there is none, to fill the search engine, when it is behind.
func (s *Service) rest(ctx context.Context, clock *schedule) (time.Duration, error) {
	now := s.d.Now()
	published, _ := s.d.Control.State().Published()
	if !clock.mayFill(now, published.Generation) {
		return clock.wait(now), nil
	}
	done, err := s.CatchUp(ctx, func() bool { return clock.due(s.d.Now(), s.d.Control.State()) != notDue })
	if err != nil {
		clock.fillLater(s.d.Now())
		s.searchAway(published.Generation, err)
		return clock.wait(s.d.Now()), nil
	}
	if !done {
		return 0, nil
	}
	clock.filled = published.Generation
	return clock.wait(s.d.Now()), nil
}

// latest remembers a generation: it is asked for often, and never changes.
type latest struct {
	mu sync.Mutex
	g  *views.Generation
}

func (l *latest) read(ctx context.Context, from views.Store, number uint64) (*views.Generation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.g == nil || l.g.Number != number {
		g, err := from.Generation(ctx, number)
		if err != nil {
			return nil, err
		}
		l.g = g
	}
	return l.g, nil
}

// archivedTo is the offset at which a segment begins: the end of the one before.
func (s *Service) archivedTo(ctx context.Context, of archive.Segment) (int64, error) {
	if of.Epoch == 0 {
		return 0, nil
	}
	of.Epoch--
	file, err := s.d.Archive.Stat(ctx, of)
	return file.Next, err
}
