package amqp

import (
	"context"
	"fmt"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	broker "github.com/rabbitmq/amqp091-go"
)

// maxPosts is about how many posts travel together.
const maxPosts = 500

// haul is what was in the queue at once.
type haul struct {
	now  func() time.Time
	out  connect.Outlet
	most int // messages

	batch connect.Batch
	last  *broker.Delivery // of those with posts
	bad   []*broker.Delivery
}

// take delivers a message and those that wait behind it, and settles all of them.
func (h *haul) take(ctx context.Context, m broker.Delivery, more <-chan broker.Delivery) error {
	h.batch = connect.Batch{Posts: h.batch.Posts[:0], Behind: kept}
	h.last, h.bad = nil, h.bad[:0]
	h.add(&m)
	for n, open := 1, true; open && n < h.most && len(h.batch.Posts) < maxPosts; n++ {
		select {
		case m, ok := <-more:
			if open = ok; ok {
				h.add(&m)
			}
		default:
			open = false
		}
	}
	if err := h.deliver(ctx); err != nil {
		return err
	}
	return h.settle()
}

func (h *haul) add(m *broker.Delivery) {
	before := len(h.batch.Posts)
	posts, malformed, first := read(m, audience.MillisOf(h.now()), h.batch.Posts)
	h.batch.Posts = posts
	h.batch.Malformed += malformed
	if h.batch.First == nil {
		h.batch.First = first
	}
	if len(posts) > before {
		h.last = m
	} else {
		h.bad = append(h.bad, m)
	}
}

// deliver hands the posts over, in pieces if a message had very many.
func (h *haul) deliver(ctx context.Context) error {
	all := h.batch.Posts
	for part := h.batch; ; part = (connect.Batch{Behind: kept}) {
		n := min(len(all), maxPosts)
		part.Posts, all = all[:n], all[n:]
		if err := h.out.Deliver(ctx, part); err != nil {
			return err
		}
		if len(all) == 0 {
			return nil
		}
	}
}

// settle tells the broker what became of the messages. Those that are rejected
// come first, for the acknowledgement takes all before it along.
func (h *haul) settle() error {
	for _, m := range h.bad {
		if err := m.Reject(false); err != nil {
			return fmt.Errorf("reject a message: %w", err)
		}
	}
	if h.last == nil {
		return nil
	}
	if err := h.last.Ack(true); err != nil {
		return fmt.Errorf("acknowledge messages: %w", err)
	}
	return nil
}
