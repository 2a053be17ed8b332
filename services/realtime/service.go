// Package realtime folds the ballots and posts logs into the speed view as they
// grow.
//
// One worker owns a partition of a log, for as long as it holds the partition's
// seat. It goes on from the offset that Redis holds, and moves state, counts and
// offset in one step, so nothing depends on who else believes to own the
// partition, nor on where a crash falls.
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

// The consumer groups that share the seats of each log out.
const (
	ballotsGroup = "realtime"
	postsGroup   = "realtime-posts"
)

// Deps are the clients that the service works with. Past may be nil: then a
// refill reaches back as far as the log does.
type Deps struct {
	Log    Log
	Store  Store
	Origin Origin
	Past   Past
	// Topics are what posts are counted by, and PostOrigin is Origin for posts;
	// without Topics posts are left alone.
	Topics     Topics
	PostOrigin Origin
	Logger     *slog.Logger
	Metrics    prometheus.Registerer
	Now        func() time.Time
}

// Service runs a worker for every seat it holds.
type Service struct {
	cfg     Config
	deps    Deps
	ballots *metrics
	posts   *postMetrics
	shared  *catalogs

	mu      sync.Mutex
	workers map[*worker]struct{}
}

// New does no I/O.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("realtime settings: %w", err)
	}
	s := &Service{
		cfg: cfg, deps: deps,
		ballots: newMetrics(deps.Metrics, ballotsPrefix, "ballots_total", deps.Now),
		workers: make(map[*worker]struct{}),
	}
	if deps.Topics != nil {
		s.posts = newPostMetrics(deps.Metrics, deps.Now)
		s.shared = newCatalogs(deps.Topics, deps.Logger, s.posts)
	}
	return s, nil
}

// Run holds seats until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var posts error
	var wg sync.WaitGroup
	if s.deps.Topics != nil {
		wg.Go(func() {
			defer cancel() // the logs are one service
			posts = s.seats(ctx, postsGroup, newPostsWorker)
		})
	}
	ballots := s.seats(ctx, ballotsGroup, newWorker)
	cancel()
	wg.Wait()
	return errors.Join(ballots, posts)
}

// seats holds those of one log.
func (s *Service) seats(ctx context.Context, group string, work func(*Service, int32) *worker) error {
	err := s.deps.Log.Seats(ctx, group, func(ctx context.Context, seat int32) error {
		s.hold(ctx, work(s, seat))
		return nil
	})
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// hold works on a seat until it goes to another. Failures are the worker's to
// retry: an error would end the other seats too.
func (s *Service) hold(ctx context.Context, w *worker) {
	s.mu.Lock()
	s.workers[w] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.workers, w)
		s.mu.Unlock()
		w.metrics.leave(w.partition)
	}()
	w.run(ctx)
}

// Ready says why the service is of no use, or nil: every partition it holds is
// whole, near the end of the log, and moving. Holding none is fine: others do.
func (s *Service) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for w := range s.workers {
		if err := w.ready(); err != nil {
			errs = append(errs, fmt.Errorf("partition %d of %s: %w", w.partition, w.topic, err))
		}
	}
	return errors.Join(errs...)
}
