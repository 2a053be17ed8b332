// Package capture is the doors: voters, ballots, batches of ballots, and posts
// come in here, are checked against the definitions in force, and are in the log
// before anybody is told so.
//
// Its one trick is the group commit: ballots that arrive while a record of
// their partition is on its way travel together in the next one, so a lone
// ballot waits for nobody and a stadium costs a few records.
package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/enrich/lang"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/capture/internal/book"
	"github.com/clamor-live/clamor/services/capture/internal/budget"
	"github.com/clamor-live/clamor/services/capture/internal/commit"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/habit"
	"github.com/clamor-live/clamor/services/capture/internal/limit"
	"github.com/clamor-live/clamor/services/internal/web"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
)

// Log is the part of the event log that capture needs; *eventlog.Log has it.
type Log interface {
	AppendRaw(ctx context.Context, topic string, partition int32, value []byte) (int64, error)
	Partitions(topic string) int
	Seats(ctx context.Context, group string, hold func(ctx context.Context, seat int32) error) error
	CommitSeat(ctx context.Context, group string, seat int32, metadata string) error
	SeatMetadata(ctx context.Context, group string, seat int32) (string, error)
}

// Registry is where the definitions come from; *control.Client has it.
type Registry interface {
	// Ready is closed when the definitions are loaded.
	Ready() <-chan struct{}
	State() *control.State
	// Changed is closed at the next change.
	Changed() <-chan struct{}
	// Submit appends an event and returns what became of it, once State holds it.
	Submit(ctx context.Context, e control.Event) (control.Verdict, error)
	// Replay gives every event from an offset on, once State holds it.
	Replay(ctx context.Context, from int64, take func(events []control.Placed, next int64) error) error
}

// Deps are the clients that a Service works with; it closes none of them.
type Deps struct {
	Log     Log
	Control Registry
	Keys    *keys.Ring
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	Tracer  trace.Tracer // nil: nothing is traced
	Now     func() time.Time
	// Board is where people look up how sources fare; nil: nowhere.
	Board Board
	// Past lets a source that comes from another instance know what it brought
	// there; nil: then only what was decided about is known.
	Past Past
	// Locate tells the coarse region of an address ("BR", "BR-SP"); false: it is
	// not known, and polls with regions let the ballot pass. nil is the country,
	// by the shipped database.
	Locate func(netip.Addr) (region string, ok bool)
}

// Service is the doors and what runs behind them.
type Service struct {
	cfg     Config
	log     Log
	control Registry
	keys    *keys.Ring
	logger  *slog.Logger
	metrics *metrics
	now     func() time.Time
	locate  func(netip.Addr) (string, bool)

	born     time.Time // zero of the limiters' clock
	trusted  limit.Networks
	exempt   limit.Networks
	networks *limit.Limiter
	voters   *limit.Limiter
	gone     *limit.Limiter // commands of sources, for posts that are gone

	book    book.Book
	ears    ears
	judges  judges
	budgets budget.Book
	habits  func() (*habit.Memory, error) // loaded with the first posts

	pullers  map[string]func(map[string]any, connect.Env) (connect.Connector, error)
	hookers  map[string]func(map[string]any, connect.Env) (connect.Hook, error)
	outward  *http.Client
	hooks    hooks
	accounts accounts
	board    Board
	past     Past
	instance string

	ballots *commit.Group
	app     *app
	batches chan struct{} // a token for each batch in memory
	desks   sync.Pool     // of *desk
	stacks  sync.Pool     // of *stack
	bodies  sync.Pool     // of *[]byte, for batches
	handler http.Handler
}

// New wires a service; it does no I/O and starts nothing.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure capture: %w", err)
	}
	locate := deps.Locate
	if locate == nil {
		locate = country
	}
	s := &Service{
		cfg: cfg, log: deps.Log, control: deps.Control, keys: deps.Keys, logger: deps.Logger,
		now: deps.Now, locate: locate, born: deps.Now(),
		pullers: pullers(), hookers: hookers(), outward: newOutward(), board: deps.Board, past: deps.Past, instance: uuid.NewString(),
		networks: limit.New(cfg.Limits.Network, cfg.Limits.NetworkBurst, cfg.Limits.Tracked),
		voters:   limit.New(cfg.Limits.Voter, cfg.Limits.VoterBurst, cfg.Limits.Tracked),
		gone:     limit.New(goneRate, goneBurst, cfg.Limits.Tracked),
		app:      newApp(cfg.App),
		batches:  make(chan struct{}, cfg.Limits.Batches),
		habits:   sync.OnceValues(newHabits),
	}
	s.desks.New = func() any { return &desk{} }
	s.stacks.New = func() any { return &stack{} }
	s.bodies.New = func() any { return new([]byte) }
	s.trusted, _ = networks(cfg.TrustedProxies) // Validate has read both
	s.exempt, _ = networks(append(loopback(), cfg.Limits.Exempt...))
	var err error
	if s.metrics, err = newMetrics(deps.Metrics, func() float64 { return float64(s.ballots.Waiting()) }); err != nil {
		return nil, fmt.Errorf("register capture's metrics: %w", err)
	}
	s.ballots = commit.New(deps.Log, commit.Config{
		Topic: eventlog.Ballots, Partitions: deps.Log.Partitions(eventlog.Ballots),
		Ballots: cfg.Flush.Ballots, Bytes: cfg.Flush.Bytes, Queue: cfg.Flush.Queue, Delay: cfg.Flush.Delay, InFlight: cfg.Flush.InFlight,
		AckDeadline: cfg.AckDeadline, Now: deps.Now, Flushed: s.metrics.flushed,
	})
	if s.handler, err = s.routes(deps.Metrics, deps.Tracer); err != nil {
		return nil, err
	}
	return s, nil
}

func newHabits() (*habit.Memory, error) {
	languages, err := lang.Default()
	if err != nil {
		return nil, fmt.Errorf("load the model of languages: %w", err)
	}
	return habit.New(languages), nil
}

func loopback() []string { return []string{"127.0.0.0/8", "::1/128"} }

// Handler is the doors. Ballots that come while Run is not running are answered
// 503.
func (s *Service) Handler() http.Handler { return s.handler }

func (s *Service) routes(reg prometheus.Registerer, tracer trace.Tracer) (http.Handler, error) {
	m, err := web.NewMetrics("capture", reg)
	if err != nil {
		return nil, fmt.Errorf("register the doors' metrics: %w", err)
	}
	e, err := web.New(web.Config{Tracer: tracer}, m, s.logger)
	if err != nil {
		return nil, err
	}
	e.POST("/v1/voters", s.door(s.makeVoter))
	e.POST("/v1/polls/:poll/ballots", s.door(s.cast))
	// Some clients escape the colon, which Gin then does not unescape.
	for _, colon := range []string{`\:`, "%3A", "%3a"} {
		e.POST("/v1/polls/:poll/ballots"+colon+"batch", s.door(s.castBatch))
	}
	e.POST("/v1/sources/:source/posts", s.door(s.takePosts))
	e.POST("/v1/hooks/:source", s.door(s.takeHook))
	web.Get(e, "/v1/hooks/:source", s.door(s.takeHook))
	return e, nil
}

// door spends one request of the client's network, then lets it in.
func (s *Service) door(in func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		err := s.admit(c.Request)
		if err == nil {
			err = in(c)
		}
		if err != nil {
			s.metrics.refused(err)
			web.Fail(c, err)
		}
	}
}

// Run moves ballots and posts into the log until ctx ends, then what was taken
// before. It must outlive the HTTP server.
func (s *Service) Run(ctx context.Context) error {
	defer s.outward.CloseIdleConnections()
	var all errgroup.Group
	all.Go(func() error { return s.commitBehind(ctx) })
	all.Go(func() error { return s.moderate(ctx) })
	all.Go(func() error { s.app.run(ctx, s.logger); return nil })
	all.Go(func() error { s.tellOfSources(ctx); return nil })
	return all.Wait()
}

// commitBehind commits until ctx has ended and the sources, which commit too,
// have stopped.
func (s *Service) commitBehind(ctx context.Context) error {
	committing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var all errgroup.Group
	all.Go(func() error { return s.ballots.Run(committing) })
	err := s.pullSources(ctx)
	<-ctx.Done()
	stop()
	return errors.Join(err, all.Wait())
}

func (s *Service) pullSources(ctx context.Context) error {
	select {
	case <-s.control.Ready():
		return s.log.Seats(ctx, sourceSeats, s.holdSeat)
	case <-ctx.Done():
		return nil
	}
}

// Ready says what keeps the doors from taking ballots, or nil.
func (s *Service) Ready() error {
	if _, err := s.state(); err != nil {
		return err
	}
	if !s.ballots.Running() {
		return commit.ErrStopped
	}
	return nil
}

// millis is the clock that stamps ballots.
func (s *Service) millis() audience.Millis { return audience.MillisOf(s.now()) }

// tick is the limiters' clock, in nanoseconds; it does not go back.
func (s *Service) tick() int64 { return int64(s.now().Sub(s.born)) }
