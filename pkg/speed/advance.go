package speed

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// A step is one script, whichever log it is of: compare, then what is its own,
// then move.
var (
	//go:embed scripts/compare.lua
	compareSource string
	//go:embed scripts/advance.lua
	advanceSource string
	//go:embed scripts/advance_posts.lua
	advancePostsSource string
	//go:embed scripts/move.lua
	moveSource string
)

// Advance applies a step whole or not at all. It may be called again with the
// same step after an error: one that was applied is then found to be. *Fenced
// and ErrEmpty say that the partition does not stand at Expect; ErrDamaged that
// only a reset helps; other errors are Redis' or the network's. A step that goes
// nowhere tells whether all is as it was.
func (s *Store) Advance(ctx context.Context, topic string, partition int32, step Step) error {
	return s.advance(ctx, s.scripts.advance, topic, partition, &step)
}

// AdvancePosts applies a step whole or not at all, as Advance does.
func (s *Store) AdvancePosts(ctx context.Context, log string, partition int32, step PostStep) error {
	return s.advance(ctx, s.scripts.advancePosts, log, partition, &step)
}

// stepper is a step of either log.
type stepper interface {
	move() move
	validate() error
	// encode lays the step out as its script reads it.
	encode(k keys) (names []string, args []any)
}

func (s *Store) advance(ctx context.Context, script *redis.Script, log string, partition int32, step stepper) error {
	if err := step.validate(); err != nil {
		return fmt.Errorf("advance %s/%d: %w", log, partition, err)
	}
	names, args := step.encode(s.keys(log, partition))
	reply, err := script.Run(ctx, s.client, names, args...).Result()
	if err := verdict(reply, err); err != nil {
		m := step.move()
		return fmt.Errorf("advance %s/%d from %d to %d: %w", log, partition, m.from.Next, m.next, err)
	}
	return nil
}

// move is from where to where a step goes.
type move struct {
	from  Position
	next  int64
	epoch uint64
	ready *bool
}

func (m move) after() Position {
	after := m.from
	after.Next, after.Epoch = m.next, m.epoch
	if m.ready != nil {
		after.Ready = *m.ready
	}
	return after
}

// validate refuses what a retry would apply twice, or a script only half;
// changes says that the step does more than to move.
func (m move) validate(changes bool) error {
	switch {
	case m.from.Incarnation == 0:
		return fmt.Errorf("%w: from nowhere", ErrInvalid)
	case m.next < m.from.Next:
		return fmt.Errorf("%w: back from offset %d to %d", ErrInvalid, m.from.Next, m.next)
	case m.epoch < m.from.Epoch:
		return fmt.Errorf("%w: back from epoch %d to %d", ErrInvalid, m.from.Epoch, m.epoch)
	case m.next == m.from.Next && (changes || m.epoch != m.from.Epoch):
		return fmt.Errorf("%w: it stays at offset %d and counts", ErrInvalid, m.next)
	}
	return nil
}

// args are what scripts/compare.lua reads, with room for more behind them.
func (m move) args(more int) []any {
	return append(make([]any, 0, 5+more),
		decimal(m.from.Incarnation), decimal(m.from.Next), decimal(m.next), strconv.FormatUint(m.epoch, 10), m.readiness())
}

func (m move) readiness() string {
	switch {
	case m.ready == nil:
		return ""
	case *m.ready:
		return "1"
	}
	return "0"
}
