package listen

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/singleflight"

	"github.com/clamor-live/clamor/services/api/internal/live"
)

// pastAtOnce is how many answers that reach behind what is held are made at a
// time: each reads the store and adds up thousands of minutes.
const pastAtOnce = 4

// ErrBusy says that too many answers about the past are being made.
var ErrBusy = errors.New("too many answers about the past are being made")

// readers make answers that reach behind what is held.
type readers struct {
	pieces *pieces
	turns  chan struct{}
	// flights are the answers being made: those who ask the same wait for one.
	flights singleflight.Group
}

// Reaching answers with what answer makes of p and of the minutes before it, from
// one on. They are read from p's own generation, so no answer is made of two.
// Those who ask for the same form of the same picture meanwhile get the same. An
// error is ErrBusy, live.ErrNotYet, answer's own or the store's.
func (h *Hub) Reaching(ctx context.Context, p *Picture, from int64, form live.Form, answer func(*Picture) (any, error)) (any, error) {
	key := fmt.Sprintf("%p/%s/%s", p, form.Name, form.Query)
	made, err, _ := h.past.flights.Do(key, func() (any, error) {
		// Whoever came first may go; others wait for what is made.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.cfg.PastTimeout)
		defer cancel()
		return h.reaching(ctx, p, from, answer)
	})
	return made, err
}

func (h *Hub) reaching(ctx context.Context, p *Picture, from int64, answer func(*Picture) (any, error)) (any, error) {
	if p.beyond.lost {
		return nil, live.ErrNotYet
	}
	select {
	case h.past.turns <- struct{}{}:
		defer func() { <-h.past.turns }()
	case <-ctx.Done():
		return nil, ErrBusy
	}
	far := *p
	var err error
	if far.past, err = openPast(ctx, h.past.pieces, &p.beyond, from, p.From); err != nil {
		return nil, err
	}
	made, err := answer(&far)
	if far.past.err != nil {
		return nil, far.past.err
	}
	return made, err
}

// PastBytes is how much is kept of what was read from before the horizon.
func (h *Hub) PastBytes() int { return h.past.pieces.size() }
