package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/clamor-live/clamor/pkg/eventlog"
)

// Placed is an event and where it stands in the log.
type Placed struct {
	Event

	Offset int64
}

// Replay gives every event from an offset on to take, in order, until ctx ends
// or take fails, whose error it returns. Next is the offset behind those given.
// An event comes only when State holds it; whether it was accepted is for the
// caller to see there. It is for whoever carries events out, once and again:
// State alone does not keep what an event said.
func (c *Client) Replay(ctx context.Context, from int64, take func(events []Placed, next int64) error) error {
	r, err := c.log.Read(ctx, eventlog.Control, 0, from)
	if err != nil {
		return fmt.Errorf("read the control log from %d: %w", from, err)
	}
	defer r.Close() //nolint:errcheck // nothing was written to it
	for {
		entries, err := r.Next(ctx)
		if err != nil {
			return fmt.Errorf("read the control log on: %w", err)
		}
		if len(entries) == 0 {
			continue
		}
		last := entries[len(entries)-1].Offset
		if _, err := c.Wait(ctx, last); err != nil {
			return err
		}
		if err := take(placed(entries), last+1); err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

func placed(entries []eventlog.Entry) (events []Placed) {
	for i := range entries {
		if body := entries[i].Record.GetControl(); entries[i].Err == nil && body != nil {
			events = append(events, Placed{EventFrom(body), entries[i].Offset})
		}
	}
	return events
}
