// Package sleep waits no longer than its caller lives.
package sleep

import (
	"context"
	"time"
)

// For waits for d, unless ctx ends first: then it returns ctx's error. Nothing
// to wait for is no wait, and ctx's error all the same.
func For(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
