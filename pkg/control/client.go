package control

import (
	"context"
	"log/slog"
	"time"

	"github.com/clamor-live/clamor/pkg/eventlog"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// Log is what a Client needs of the log; *eventlog.Log satisfies it with R
// being *eventlog.Reader.
type Log[R Reader] interface {
	Append(ctx context.Context, topic string, partition int32, rec *clamorv1.Record) (int64, error)
	Bounds(ctx context.Context, topic string, partition int32) (oldest, next int64, err error)
	Read(ctx context.Context, topic string, partition int32, from int64) (R, error)
}

// Reader reads on from an offset.
type Reader interface {
	Next(ctx context.Context) ([]eventlog.Entry, error)
	Close() error
}

// Client follows the control log and writes to it. Its methods may be called
// from any goroutine.
type Client struct{}

// New makes a client; Run brings it to life. now is the clock that stamps what
// is submitted.
func New[R Reader](log Log[R], cfg Config, now func() time.Time, l *slog.Logger) *Client {
	return &Client{}
}

func (c *Client) Run(ctx context.Context) error                          { return nil }
func (c *Client) Ready() <-chan struct{}                                 { return nil }
func (c *Client) State() *State                                          { return nil }
func (c *Client) Changed() <-chan struct{}                               { return nil }
func (c *Client) Submit(ctx context.Context, e Event) (Verdict, error)   { return Verdict{}, nil }
func (c *Client) Wait(ctx context.Context, offset int64) (*State, error) { return nil, nil }
