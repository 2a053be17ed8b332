// Package api serves what was counted: the merged result to producers, the
// public definition to voters, and feeds to graphics engines.
//
// Its one trick is that nobody's request makes it count. A refresher merges the
// two views a few times a second into immutable answers, one for each audience
// of a poll; requests find the bytes rendered from them, and an answer takes its
// rendered forms with it when it is replaced.
package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/services/api/internal/ballots"
	"github.com/clamor-live/clamor/services/api/internal/listen"
	"github.com/clamor-live/clamor/services/api/internal/live"
	"github.com/clamor-live/clamor/services/internal/web"
)

// Service is the API and what keeps its answers fresh.
type Service struct {
	cfg    Config
	deps   Deps
	engine *gin.Engine
	board  *live.Board
	topics *listen.Hub
	// ballots answers receipts of rounds that are not sealed.
	ballots  *ballots.Book
	streams  atomic.Int64
	sockets  *sockets
	admitted admitted
	kept     keptPosts
	sheets   topicFeeds
	ready    chan struct{}
}

// New checks the configuration and lays out the routes; it starts nothing.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure api: %w", err)
	}
	m, err := web.NewMetrics("api", deps.Metrics)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	engine, err := web.New(web.Config{TrustedProxies: cfg.TrustedProxies, Tracer: deps.Tracer}, m, deps.Logger)
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, deps: deps, engine: engine, ballots: ballots.New(deps.Speed, cfg.ReceiptRounds), sockets: newSockets()}
	s.board = live.New(live.Config{
		Refresh: cfg.Refresh, ReadTimeout: cfg.ReadTimeout, SeriesRefresh: cfg.SeriesRefresh,
	}, live.Deps{
		Control: deps.Control, Speed: deps.Speed, Views: deps.Views, Partitions: deps.Log.Partitions(eventlog.Ballots),
		End: func(ctx context.Context, p int32) (int64, error) {
			_, end, err := deps.Log.Bounds(ctx, eventlog.Ballots, p)
			return end, err
		},
		Now: deps.Now, Log: deps.Logger,
	})
	s.topics = listen.New(listen.Config{
		Refresh: cfg.TopicRefresh, ReadTimeout: cfg.ReadTimeout, Horizon: cfg.TopicHorizon, Minutes: cfg.TopicMinutes,
		PastBytes: cfg.TopicPastBytes, PastTimeout: cfg.TopicPastTimeout,
		ShownFor: cfg.ShownFor, ShownBytes: cfg.ShownBytes,
	}, listen.Deps{
		Control: deps.Control, Speed: deps.Speed, Views: deps.Views, Partitions: deps.Log.Partitions(eventlog.Posts),
		End: func(ctx context.Context, p int32) (int64, error) {
			_, end, err := deps.Log.Bounds(ctx, eventlog.Posts, p)
			return end, err
		},
		Archived: s.archived(),
		Now:      deps.Now, Log: deps.Logger,
	})
	s.ready = make(chan struct{})
	if err := registerMetrics(s, deps.Metrics); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if err := s.routes(); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler is the routes. It is to be served only once Ready is closed.
func (s *Service) Handler() http.Handler { return s.engine }

// Ready is closed when every poll and every topic has its first answer, merged
// from whole views.
func (s *Service) Ready() <-chan struct{} { return s.ready }

// Useful says why the service is not ready; nil when it is.
func (s *Service) Useful() error {
	select {
	case <-s.ready:
		return nil
	default:
		return notYet(s.board.Health())
	}
}

// Run keeps answers fresh until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return s.board.Run(ctx) })
	all.Go(func() error { return s.topics.Run(ctx) })
	all.Go(func() error {
		<-ctx.Done()
		s.sockets.stop()
		return nil
	})
	all.Go(func() error {
		for _, part := range []<-chan struct{}{s.board.Ready(), s.topics.Ready()} {
			select {
			case <-part:
			case <-ctx.Done():
				return nil
			}
		}
		close(s.ready)
		return nil
	})
	return all.Wait()
}

// notYet says what the first merge waits for.
func notYet(h live.Health) error {
	switch {
	case h.SpeedErr != nil:
		return fmt.Errorf("the views are not merged yet: %w", h.SpeedErr)
	case h.ViewsErr != nil:
		return fmt.Errorf("the views are not merged yet: %w", h.ViewsErr)
	}
	return errors.New("the views are not merged yet")
}
