package connect

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/sleep"
)

// The pauses before a source is tried again. They are drawn evenly from nothing to
// twice the length, beside what is waited in any case, so that sources which failed
// together do not come back together.
const (
	firstPause = 500 * time.Millisecond
	firstSlow  = time.Minute
	maxPause   = time.Minute
	maxSlow    = 15 * time.Minute
	// restRefused is how long a refused source rests at least: someone may mend it
	// on the platform, but nobody likes a wrong password again and again.
	restRefused  = 30 * time.Second
	firstRefused = 15 * time.Second
	maxRefused   = 10 * time.Minute
	// steady is how long a platform must go on answering for its failures before
	// that to be forgotten.
	steady = 10 * time.Second
	// maxWait bounds what a platform may say about the end of its rate limit.
	maxWait = time.Hour
)

// Supervisor runs the connector of one source for as long as the source is
// wanted: it goes on from the place kept, paces what fails, and keeps account.
type Supervisor struct {
	*Account

	// Make makes the connector; its failure is one of the settings.
	Make func() (Connector, error)
	// Place is where to go on.
	Place  func() Place
	Outlet Outlet
	Logger *slog.Logger
}

// Run ends when ctx does, or when the source has no more.
func (s *Supervisor) Run(ctx context.Context) {
	c, err := s.Make()
	if err != nil {
		s.Logger.Error("a source cannot begin", "error", s.fail(audience.SourceFailed, err, 0))
		<-ctx.Done() // until the definition changes
		return
	}
	pace := newPace(s.now)
	for {
		s.starting()
		s.Logger.Info("a source begins")
		err := c.Run(ctx, s.Place(), &counted{out: s.Outlet, account: s.Account, streaming: pace.answered})
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			s.done()
			s.Logger.Info("a source has no more")
			return
		}
		state, pause := pace.after(err)
		s.Logger.Warn("a source failed", "error", s.fail(state, err, pause), "pause", pause.Round(time.Millisecond))
		if err := sleep.For(ctx, pause); err != nil {
			return
		}
	}
}

// pace is how long a source rests after its failures.
type pace struct {
	now     func() time.Time
	since   time.Time // the first answer of this run; zero: none
	fast    *backoff.ExponentialBackOff
	slow    *backoff.ExponentialBackOff
	refused *backoff.ExponentialBackOff
}

func newPace(now func() time.Time) *pace {
	p := &pace{now: now, fast: full(firstPause, maxPause), slow: full(firstSlow, maxSlow), refused: full(firstRefused, maxRefused)}
	p.reset()
	return p
}

// full is an exponential back-off with full jitter.
func full(first, most time.Duration) *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier, b.RandomizationFactor = first, most, 2, 1
	return b
}

// answered notes that the platform answers.
func (p *pace) answered() {
	if p.since.IsZero() {
		p.since = p.now()
	}
}

func (p *pace) reset() {
	p.fast.Reset()
	p.slow.Reset()
	p.refused.Reset()
}

// after is what a failure makes of a source, and how long it rests.
func (p *pace) after(err error) (audience.SourceState, time.Duration) {
	if !p.since.IsZero() && p.now().Sub(p.since) >= steady {
		p.reset()
	}
	p.since = time.Time{}
	var refused *Refused
	var wait *Wait
	var slow *Slow
	switch {
	case errors.As(err, &refused):
		return audience.SourceFailed, restRefused + p.refused.NextBackOff()
	case errors.As(err, &wait):
		// A time that has passed, or a clock that is wrong, must not become haste.
		left := min(max(wait.Until.Sub(p.now()), 0), maxWait)
		return audience.SourceWaiting, left + rand.N(left/50+time.Second) + p.fast.NextBackOff()
	case errors.As(err, &slow):
		return audience.SourceWaiting, firstSlow + p.slow.NextBackOff()
	}
	return audience.SourceWaiting, p.fast.NextBackOff()
}

// counted is an outlet whose account is kept.
type counted struct {
	out       Outlet
	account   *Account
	streaming func()
}

func (c *counted) Deliver(ctx context.Context, b Batch) error {
	if err := c.out.Deliver(ctx, b); err != nil {
		return err
	}
	c.account.count(b)
	return nil
}

func (c *counted) Streaming() {
	c.streaming()
	c.account.streaming()
	c.out.Streaming()
}

func (c *counted) Spend(ctx context.Context, units int64) error { return c.out.Spend(ctx, units) }
