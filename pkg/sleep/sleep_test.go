package sleep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
)

func TestFor(t *testing.T) {
	for _, c := range []struct {
		name          string
		d, life, want time.Duration
		err           error
	}{
		{"to its end", time.Minute, time.Hour, time.Minute, nil},
		{"to its caller's end", time.Hour, time.Minute, time.Minute, context.DeadlineExceeded},
		{"nothing to wait for", -time.Second, time.Hour, 0, nil},
		{"nothing to wait for, and nobody", 0, 0, 0, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.life)
				defer cancel()
				began := time.Now()
				err := sleep.For(ctx, c.d)
				if took := time.Since(began); !errors.Is(err, c.err) || took != c.want {
					t.Errorf("took %v, error %v, want %v and %v", took, err, c.want, c.err)
				}
			})
		})
	}
}
