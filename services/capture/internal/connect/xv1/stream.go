package xv1

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
	"github.com/dghubble/go-twitter/twitter"
)

const (
	queue = 256 // messages that were read and not yet delivered
	// maxMessage is larger than any tweet; the library would gather without end.
	maxMessage = 1 << 20
)

var (
	errAgain  = errors.New("the stream has ended")
	errLong   = fmt.Errorf("a message is longer than %d bytes", maxMessage)
	errChange = errors.New("the terms have changed")
)

// streamOn listens until the stream ends, and opens it again when other terms are
// wanted: a filter cannot be changed.
func (r *run) streamOn(ctx context.Context) error {
	for {
		terms, changed := r.terms()
		fit := filterTerms(terms)
		if len(fit) == 0 {
			if err := await(ctx, changed); err != nil {
				return err
			}
			continue
		}
		if err := r.listen(ctx, terms, fit, changed); !errors.Is(err, errChange) {
			return err
		}
	}
}

// await waits until there may be something to ask for.
func await(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
		return nil
	}
}

// listen runs one connection.
func (r *run) listen(ctx context.Context, terms, fit []string, changed <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := &gate{now: r.env.Now, opened: make(chan struct{}), failed: make(chan struct{})}
	client := r.client(ctx, streamHost, func(next http.RoundTripper) http.RoundTripper { g.next = next; return g })
	s, err := client.Streams.Filter(&twitter.StreamFilterParams{Track: fit, Language: r.languages, StallWarnings: twitter.Bool(true)})
	if err != nil {
		return fmt.Errorf("ask for the stream: %w", err)
	}
	messages := make(chan any, queue)
	var pump sync.WaitGroup
	pump.Go(func() {
		defer close(messages)
		for m := range s.Messages { // to the end: only then the library has stopped
			select {
			case messages <- m:
			case <-ctx.Done():
			}
		}
	})
	defer pump.Wait()
	defer cancel()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-g.failed:
		return reason(g.err)
	case <-g.opened:
	case <-time.After(asking):
		return fmt.Errorf("ask for the stream: %w", context.DeadlineExceeded)
	}
	r.out.Streaming()
	if r.gap.Newest() != 0 {
		r.gap.Open()
	}
	return r.follow(ctx, g, messages, terms, changed)
}

// follow delivers what the stream brings, and searches between for what was said
// while nobody listened.
func (r *run) follow(ctx context.Context, g *gate, messages <-chan any, terms []string, changed <-chan struct{}) error {
	look := time.NewTicker(max(r.quiet/8, time.Millisecond))
	defer look.Stop()
	limited := int64(0)
	for {
		if err := r.gap.Fill(ctx, &r.env, r.out, func() error { return r.searchAll(ctx, terms) }); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			var now []string
			if now, changed = r.terms(); !slices.Equal(now, terms) {
				return errChange
			}
		case <-look.C:
			if g.silent(r.quiet) {
				return connect.ErrStalled
			}
		case m, ok := <-messages:
			if !ok {
				return g.end()
			}
			var b connect.Batch
			ended := stream.Gather(m, messages, &b, func(m any) error { return r.take(m, &b, &limited) })
			b.Behind = r.gap.Place()
			if err := x.Deliver(ctx, r.out, b); err != nil {
				return err
			}
			if ended != nil {
				return ended
			}
		}
	}
}

// take understands a message.
func (r *run) take(m any, b *connect.Batch, limited *int64) error {
	var broken *url.Error
	switch m := m.(type) {
	case *twitter.Tweet:
		r.gap.Saw(m.ID)
		r.add(b, m)
	case *twitter.StatusDeletion:
		r.deleted(b, m)
	case *twitter.StatusWithheld:
		r.withheld(b, m)
	case map[string]any:
		r.comply(b, m)
	case *twitter.StreamLimit:
		if m != nil && m.Track > *limited { // they count from the beginning of the stream
			b.Lost += m.Track - *limited
			*limited = m.Track
		}
	case *twitter.StallWarning:
		if m != nil {
			r.env.Logger.Warn("the stream is read too slowly", "full", m.PercentFull)
		}
	case *twitter.StreamDisconnect:
		return disconnected(m)
	case error:
		var syntax *json.SyntaxError
		var mistyped *json.UnmarshalTypeError
		switch {
		case errors.As(m, &broken):
			return nil // the connection's end, which the gate knows better
		case errors.As(m, &syntax), errors.As(m, &mistyped):
			stream.Malformed(b, fmt.Errorf("read a message: %w", m))
		}
	}
	return nil
}

// disconnected is what the platform says at the end.
// https://developer.x.com/en/docs/x-api/v1/tweets/filter-realtime/guides/streaming-message-types
func disconnected(m *twitter.StreamDisconnect) error {
	if m == nil {
		return errAgain
	}
	err := fmt.Errorf("the platform ends the stream: %d %s", m.Code, m.Reason)
	switch m.Code {
	case 6, 7: // the token was revoked; the user was logged out
		return &connect.Refused{Err: err}
	case 2, 12: // another connection of the same account; too much load
		return &connect.Slow{Err: err}
	}
	return err
}

// gate lets the library open one connection and sees how it fares. By itself the
// library would connect again and again, without telling why.
type gate struct {
	next   http.RoundTripper
	now    func() time.Time
	asked  atomic.Bool
	opened chan struct{}
	failed chan struct{}
	err    error // once failed is closed

	heard atomic.Int64 // when the last byte came, in Unix nanoseconds
	mu    sync.Mutex
	cause error
}

func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if g.asked.Swap(true) {
		return nil, errAgain
	}
	resp, err := g.next.RoundTrip(req)
	if err == nil {
		if err = judge(resp, g.now()); err != nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		g.err = err
		close(g.failed)
		return nil, err
	}
	resp.Body = &listened{ReadCloser: resp.Body, gate: g}
	g.heard.Store(g.now().UnixNano())
	close(g.opened)
	return resp, nil
}

func (g *gate) silent(d time.Duration) bool {
	return g.now().UnixNano()-g.heard.Load() > int64(d)
}

// end is why the stream ended.
func (g *gate) end() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cause == nil || errors.Is(g.cause, io.EOF) {
		return fmt.Errorf("the platform closed the stream: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("read the stream: %w", g.cause)
}

// listened is a stream's body: it notes when something came, bounds messages, and
// keeps what the library forgets, the error at its end. A message that is cut off
// there is no message.
type listened struct {
	io.ReadCloser

	gate   *gate
	length int
}

func (l *listened) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if n > 0 {
		l.gate.heard.Store(l.gate.now().UnixNano())
		if at := bytes.LastIndexByte(p[:n], '\n'); at >= 0 {
			l.length = n - at - 1
		} else {
			l.length += n
		}
	}
	if l.length > maxMessage {
		err = errLong
	}
	if errors.Is(err, io.EOF) && l.length > 0 {
		err = io.ErrUnexpectedEOF // the library would take the rest for a message
	}
	if err != nil {
		l.gate.mu.Lock()
		l.gate.cause = err
		l.gate.mu.Unlock()
	}
	return n, err
}
