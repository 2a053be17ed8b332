// Package speed keeps the speed view in Redis: per partition of a log the
// counters or minutes of each epoch, the journals that the fold's state is
// restored from, and the offset of the next record to fold.
//
// Its one trick is that these three move together. A step names the position it
// starts from; one script compares it with the stored one, applies everything
// and stores the new offset last. So a worker that believes it still owns a
// partition is fenced, a retry of a step that was applied is harmless, and a
// failover that loses writes loses counts and offset alike.
package speed

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrEmpty says that Redis holds nothing of the partition. It is not zero
	// votes: the partition is to be refilled from the log.
	ErrEmpty = errors.New("redis holds nothing of this partition")
	// ErrDamaged says that keys of the partition are missing or not ours, which
	// an evicting Redis or a stray DEL does. It is to be reset and refilled.
	ErrDamaged = errors.New("keys of this partition are missing or foreign (does redis evict? its maxmemory-policy must be noeviction)")
	// ErrExpired says that an epoch asked for is no longer, or not yet, held.
	ErrExpired = errors.New("the epoch is not held any more")
	// ErrInvalid says that a step makes no sense: a fault of the caller.
	ErrInvalid = errors.New("invalid step")
	// ErrSealed says that a round's journal went when its round was sealed.
	ErrSealed = errors.New("the round is sealed and its journal gone")
)

// Fenced says that the stored position is not the one expected: another worker
// moved it, or Redis went back to an older state. Stored is what to go on from.
type Fenced struct{ Stored Position }

func (f *Fenced) Error() string {
	return fmt.Sprintf("fenced: redis stands at %v", f.Stored)
}

// Store is the speed view. Its methods may be called concurrently; each is
// atomic over one partition, and bounded by the configured timeout or ctx.
type Store struct {
	client  redis.UniversalClient
	prefix  string
	scripts scripts
}

type scripts struct{ advance, advancePosts, reset, expire, since, minutes *redis.Script }

// New is a store over a client made elsewhere.
func New(client redis.UniversalClient, cfg Config) *Store {
	return &Store{client: client, prefix: cfg.Prefix, scripts: scripts{
		advance:      redis.NewScript(compareSource + advanceSource + moveSource),
		advancePosts: redis.NewScript(compareSource + advancePostsSource + moveSource),
		reset:        redis.NewScript(resetSource),
		expire:       redis.NewScript(expireSource),
		since:        redis.NewScript(sinceSource),
		minutes:      redis.NewScript(minutesSource),
	}}
}

// Ping says whether Redis answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	return nil
}

// Close ends the connections.
func (s *Store) Close() error { return s.client.Close() }
