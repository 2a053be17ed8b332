// Package stream carries the messages of an endless connection to an outlet.
//
// Its one trick: one goroutine reads while another delivers, with a short queue
// between them. What came during a delivery travels together in the next one, and
// a log that is slow slows the platform down.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const (
	queue    = 64  // messages that were read and not yet understood
	maxPosts = 500 // that travel together
)

// Stream is an open connection.
type Stream struct {
	// Next waits for the next message, which is its caller's to keep; an empty one
	// is a heartbeat. It ends when its context does, or when Close, if there is
	// one, was called. io.EOF is a connection that the platform closed.
	Next  func(ctx context.Context) ([]byte, error)
	Close func()
	// Take understands a message. Its error ends the stream, after what came
	// before it is delivered.
	Take func(message []byte, b *connect.Batch) error
	// Place is the place behind all messages taken.
	Place func() connect.Place
	// Quiet is how long nothing may come. After it Ask asks whether the platform
	// is still there; without Ask, or if that fails, the stream is stalled.
	Quiet time.Duration
	Ask   func(ctx context.Context) error
}

// Run delivers what a stream brings until ctx ends, then it returns nil, or until
// the stream does.
func (s *Stream) Run(ctx context.Context, out connect.Outlet) error {
	outer := ctx
	ctx, stop := context.WithCancel(ctx)
	if s.Close != nil {
		context.AfterFunc(ctx, s.Close)
	}
	messages, ended := make(chan []byte, queue), make(chan error, 1)
	go func() {
		defer close(messages)
		ended <- s.read(ctx, messages)
	}()
	err := s.deliver(ctx, messages, out)
	stop()
	for range messages { // until the reader has ended
	}
	switch cause := <-ended; {
	case outer.Err() != nil:
		return nil //nolint:nilerr // stopped, as it was asked to
	case err != nil:
		return err
	case errors.Is(cause, io.EOF):
		return fmt.Errorf("the platform closed the stream: %w", io.ErrUnexpectedEOF)
	default:
		return fmt.Errorf("read the stream: %w", cause)
	}
}

func (s *Stream) read(ctx context.Context, messages chan<- []byte) error {
	for {
		m, err := s.Next(ctx)
		if err != nil {
			return err
		}
		select {
		case messages <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// deliver returns nil when there are no more messages.
func (s *Stream) deliver(ctx context.Context, messages <-chan []byte, out connect.Outlet) error {
	behind := s.Place()
	var b connect.Batch
	for {
		m, ok, err := s.wait(ctx, messages)
		if !ok || err != nil {
			return err
		}
		b = connect.Batch{Posts: b.Posts[:0], Gone: b.Gone[:0]}
		err = Gather(m, messages, &b, func(m []byte) error { return s.take(m, &b) })
		if b.Behind = s.Place(); !b.Empty() || b.Behind != behind {
			if err := out.Deliver(ctx, b); err != nil {
				return err
			}
			behind = b.Behind
		}
		if err != nil {
			return err
		}
	}
}

// take leaves heartbeats aside.
func (s *Stream) take(m []byte, b *connect.Batch) error {
	if len(m) == 0 {
		return nil
	}
	return s.Take(m, b)
}

// wait is the next message; not ok is the end.
func (s *Stream) wait(ctx context.Context, messages <-chan []byte) (m []byte, ok bool, err error) {
	quiet := time.NewTimer(s.Quiet)
	defer quiet.Stop()
	for {
		select {
		case m, ok = <-messages:
			return m, ok, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-quiet.C:
		}
		if s.Ask == nil || s.Ask(ctx) != nil {
			select {
			case m, ok = <-messages: // it came, or ended, just now
				return m, ok, nil
			default:
				return nil, false, connect.ErrStalled
			}
		}
		quiet.Reset(s.Quiet)
	}
}
