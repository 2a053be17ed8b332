package connecttest

import (
	"context"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// Into is an Outlet that hands batches to a function.
type Into func(connect.Batch) error

// Deliver calls the function.
func (f Into) Deliver(_ context.Context, b connect.Batch) error { return f(b) }

// Streaming does nothing.
func (Into) Streaming() {}

// Spend has enough.
func (Into) Spend(context.Context, int64) error { return nil }

// Opened is an Outlet that also calls a function whenever the platform answers.
type Opened struct {
	Into
	Answers func()
}

// Streaming calls the function.
func (o Opened) Streaming() { o.Answers() }
