package xv2

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
)

const (
	streamPath = "/2/tweets/search/stream"
	queue      = 256 // messages that were read and not yet delivered
	maxMessage = 1 << 20
)

// run is one Run.
type run struct {
	*Connector

	out   connect.Outlet
	gap   x.Gap
	rules map[string]filter // that are wanted, by value
	ids   map[string]bool   // of the rules on the platform that stand for them; nil: not known
	sync  x.Debt            // the rules have to be brought in step
}

// Run delivers posts from a place on.
func (c *Connector) Run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	r := &run{Connector: c, out: out, gap: x.GapAt(from)}
	err := r.listen(ctx)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as it was asked to
	}
	return err
}

func (r *run) listen(ctx context.Context) error {
	changed, err := r.begin(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	r.out.Streaming()
	if r.backfill && r.gap.Newest() != 0 {
		r.gap.Open()
	}
	in := &input{now: r.env.Now, messages: make(chan []byte, queue)}
	in.heard.Store(r.env.Now().UnixNano())
	var reading sync.WaitGroup
	reading.Go(func() { in.read(ctx, body) })
	defer reading.Wait()
	defer cancel() // which ends the body, and so the reading
	return r.follow(ctx, in, changed)
}

// begin waits until there are rules, and brings them to the platform, which opens
// no stream without one.
func (r *run) begin(ctx context.Context) (<-chan struct{}, error) {
	for {
		changed := r.env.Changed() // before the topics: no change falls between
		if r.rules = r.wanted(); len(r.rules) > 0 {
			return changed, r.keep(ctx)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// open opens the stream. Its answer must come soon, though it has no end.
func (r *run) open(ctx context.Context) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(asking, cancel)
	resp, err := r.request(ctx, http.MethodGet, streamPath, fields(), nil)
	if !late.Stop() && err == nil {
		err = context.DeadlineExceeded
		_ = resp.Body.Close()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return &stoppable{resp.Body, cancel}, nil
}

// stoppable is a body that ends its request when it is closed.
type stoppable struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (s *stoppable) Close() error {
	s.cancel()
	return s.ReadCloser.Close()
}

// follow delivers what the stream brings, and does between what is owed.
func (r *run) follow(ctx context.Context, in *input, changed <-chan struct{}) error {
	look := time.NewTicker(max(r.quiet/16, time.Millisecond))
	defer look.Stop()
	step := time.NewTicker(r.inStep)
	defer step.Stop()
	for {
		if err := r.settle(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			changed = r.env.Changed()
			if want := r.wanted(); !maps.Equal(want, r.rules) && len(want) > 0 {
				r.rules = want
				r.sync.Owe()
			}
		case <-step.C:
			r.sync.Owe()
		case <-look.C:
			if in.silent(r.quiet) {
				return connect.ErrStalled
			}
		case m, ok := <-in.messages:
			if !ok {
				return in.err
			}
			b := connect.Batch{}
			ended := stream.Gather(m, in.messages, &b, func(m []byte) error { return r.take(m, &b) })
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

// settle does what is owed and due. Rules of which the platform takes none
// somebody has to change.
func (r *run) settle(ctx context.Context) error {
	if err := r.sync.Pay(ctx, &r.env, "rules in step with the topics", func() error { return r.keep(ctx) }); err != nil {
		return err
	}
	return r.gap.Fill(ctx, &r.env, r.out, func() error { return r.fill(ctx) })
}

// input reads a stream's messages.
type input struct {
	now      func() time.Time
	heard    atomic.Int64 // when the last line came, in Unix nanoseconds
	messages chan []byte
	err      error // once messages is closed
}

func (in *input) silent(d time.Duration) bool {
	return in.now().UnixNano()-in.heard.Load() > int64(d)
}

// read hands over each line but the empty ones, which are heartbeats. A line that
// is cut off is none.
func (in *input) read(ctx context.Context, body io.Reader) {
	defer close(in.messages)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxMessage)
	lines.Split(wholeLines)
	for lines.Scan() {
		in.heard.Store(in.now().UnixNano())
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		select {
		case in.messages <- bytes.Clone(line):
		case <-ctx.Done():
			in.err = ctx.Err()
			return
		}
	}
	if in.err = lines.Err(); in.err == nil {
		in.err = io.ErrUnexpectedEOF // a stream has no end
	}
	in.err = fmt.Errorf("read the stream: %w", in.err)
}

func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}
