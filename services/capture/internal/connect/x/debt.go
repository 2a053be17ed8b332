package x

import (
	"context"
	"errors"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// retry is how long what is owed rests after a failure without a time.
const retry = 30 * time.Second

// Debt is something that has to be done beside a stream, and is owed until it is
// done: a failure puts it off and leaves the stream alone. The zero Debt is none.
type Debt struct {
	is       bool
	after    time.Time // from when on it may be tried
	failures int       // in a row, without a time
}

// Owe says that it has to be done, at once.
func (d *Debt) Owe() { *d = Debt{is: true} }

// Pay does what is owed and due. Its error is ctx's, the outlet's (Undelivered), or
// a *connect.Refused, after which it is still owed.
func (d *Debt) Pay(ctx context.Context, env *connect.Env, what string, do func() error) error {
	if !d.is || env.Now().Before(d.after) {
		return nil
	}
	err := do()
	var wait *connect.Wait
	var refused *connect.Refused
	var failed *Undelivered
	switch {
	case err == nil:
		*d = Debt{}
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &failed), errors.As(err, &refused):
		return err
	case errors.As(err, &wait):
		d.after = wait.Until
	default:
		d.after = env.Now().Add(retry)
		d.failures++
	}
	env.Logger.Warn("what is owed beside the stream is put off", "what", what, "error", err, "again", d.after)
	return nil
}

// Undelivered is a failure of the outlet's, not of the platform's.
type Undelivered struct{ Err error }

func (e *Undelivered) Error() string { return e.Err.Error() }
func (e *Undelivered) Unwrap() error { return e.Err }

// Deliver delivers a batch, unless nothing is in it; its failure is Undelivered.
func Deliver(ctx context.Context, out connect.Outlet, b connect.Batch) error {
	if b.Empty() {
		return nil
	}
	if err := out.Deliver(ctx, b); err != nil {
		return &Undelivered{err}
	}
	return nil
}

// Spend takes a call of the API from the budget; its failure is Undelivered.
func Spend(ctx context.Context, out connect.Outlet) error {
	if err := out.Spend(ctx, 1); err != nil {
		return &Undelivered{err}
	}
	return nil
}
