// Package realtime folds the ballots log into the speed view as it grows.
//
// One worker owns a partition, for as long as it holds the partition's seat. It
// goes on from the offset that Redis holds, and moves state, counts and offset
// in one step, so nothing depends on who else believes to own the partition,
// nor on where a crash falls.
package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// seatsGroup names the consumer group that shares the seats out.
const seatsGroup = "realtime"

// Deps are the clients that the service works with. Past may be nil: then a
// refill reaches back as far as the log does.
type Deps struct {
	Log     Log
	Store   Store
	Origin  Origin
	Past    Past
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Service runs a worker for every seat it holds.
type Service struct {
	cfg     Config
	deps    Deps
	metrics *metrics

	mu      sync.Mutex
	workers map[int32]*worker
}

// New does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("realtime settings: %w", err)
	}
	return &Service{
		cfg: cfg, deps: deps,
		metrics: newMetrics(deps.Metrics, deps.Now),
		workers: make(map[int32]*worker),
	}, nil
}

// Run holds seats until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if err := s.deps.Log.Seats(ctx, seatsGroup, s.hold); ctx.Err() == nil {
		return err
	}
	return nil
}

// hold works on a seat until it goes to another. Failures are the worker's to
// retry: an error here would end the other seats too.
func (s *Service) hold(ctx context.Context, seat int32) error {
	w := newWorker(s, seat)
	s.mu.Lock()
	s.workers[seat] = w
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.workers, seat)
		s.mu.Unlock()
		s.metrics.leave(seat)
	}()
	w.run(ctx)
	return nil
}

// Ready says why the service is of no use, or nil: every partition it holds is
// whole, near the end of the log, and moving. Holding none is fine: others do.
func (s *Service) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for seat, w := range s.workers {
		if err := w.ready(); err != nil {
			errs = append(errs, fmt.Errorf("partition %d: %w", seat, err))
		}
	}
	return errors.Join(errs...)
}
