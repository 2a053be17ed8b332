package listen

import (
	linked "container/list"
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/views"
)

// pieces are those that were read for the past, the latest used, as many as there
// is room for. A piece never changes, so what is kept is right in every
// generation.
type pieces struct {
	from    views.PieceReader
	timeout time.Duration // of one reading
	room    int           // bytes

	mu    sync.Mutex
	byID  map[views.PieceID]*linked.Element // of views.Piece
	order *linked.List                      // those used last in front
	bytes int
}

func newPieces(from views.PieceReader, timeout time.Duration, room int) *pieces {
	return &pieces{from: from, timeout: timeout, room: room, byID: map[views.PieceID]*linked.Element{}, order: linked.New()}
}

// Pieces reads pieces and keeps them; those that are kept cost the store nothing.
// The bodies are shared and not to be changed.
func (c *pieces) Pieces(ctx context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error) {
	found, err := c.pass(ctx, ids)
	for id, body := range found {
		c.keep(id, body)
	}
	return found, err
}

// pass reads pieces that need not be kept.
func (c *pieces) pass(ctx context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error) {
	found := make(map[views.PieceID][]byte, len(ids))
	var missing []views.PieceID
	for _, id := range ids {
		if body := c.find(id); body != nil {
			found[id] = body
		} else {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	bodies, err := c.from.Pieces(ctx, missing)
	if err != nil {
		return nil, fmt.Errorf("read %d pieces: %w", len(missing), err)
	}
	maps.Copy(found, bodies)
	return found, nil
}

func (c *pieces) find(id views.PieceID) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(views.Piece).Body
}

func (c *pieces) keep(id views.PieceID, body []byte) {
	const fixed = 256 // bytes of a piece's place in the list and in the map
	weight := func(body []byte) int { return fixed + len(body) }
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID[id] != nil || weight(body) > c.room {
		return
	}
	c.byID[id] = c.order.PushFront(views.Piece{ID: id, Body: body})
	c.bytes += weight(body)
	for c.bytes > c.room {
		last := c.order.Remove(c.order.Back()).(views.Piece)
		delete(c.byID, last.ID)
		c.bytes -= weight(last.Body)
	}
}

// size is how many bytes are kept.
func (c *pieces) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}
