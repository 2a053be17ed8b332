package speed

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/redis/go-redis/v9"
)

// Position is where the speed view of a partition stands.
type Position struct {
	// Incarnation is another at every reset; 0 stands for none.
	Incarnation int64
	// Next is the offset of the next record to fold.
	Next int64
	// Epoch is the one that Next is in.
	Epoch uint64
	// Keep is the first epoch whose counters are held.
	Keep uint64
	// Ready is false while the partition is refilled: its counts are too low.
	Ready bool
}

func (p Position) String() string {
	if p.Incarnation == 0 {
		return "nowhere"
	}
	return fmt.Sprintf("next %d, epoch %d (incarnation %x, ready %t)", p.Next, p.Epoch, p.Incarnation, p.Ready)
}

// Start is where the life of a partition begins anew.
type Start struct {
	Next  int64
	Epoch uint64 // the one that Next is in
	Keep  uint64 // first epoch whose counters are wanted
	// Sealed are the rounds sealed before Next.
	Sealed []audience.RoundKey
	// State is the fold's state at Next, for a partition of posts: the first entry
	// of its journal. Empty when the fold begins with nothing.
	State []byte
}

var positionFields = []string{"inc", "next", "epoch", "ready", "keep"}

// Position reads where a partition stands; ErrEmpty when Redis has nothing of it.
func (s *Store) Position(ctx context.Context, topic string, partition int32) (Position, error) {
	reply, err := s.client.HMGet(ctx, s.keys(topic, partition).meta(), positionFields...).Result()
	if err != nil {
		return Position{}, fmt.Errorf("read position of %s/%d: %w", topic, partition, damage(err))
	}
	pos, err := positionOf(reply)
	if err != nil {
		return Position{}, fmt.Errorf("position of %s/%d: %w", topic, partition, err)
	}
	return pos, nil
}

// positionOf reads the values of positionFields.
func positionOf(reply []any) (Position, error) {
	if len(reply) < len(positionFields) {
		return Position{}, ErrDamaged
	}
	if reply[0] == nil {
		return Position{}, ErrEmpty
	}
	var n [5]int64
	for i := range n {
		text, _ := reply[i].(string)
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v < 0 {
			return Position{}, fmt.Errorf("%w: %s is %q", ErrDamaged, positionFields[i], text)
		}
		n[i] = v
	}
	return Position{
		Incarnation: n[0], Next: n[1], Epoch: uint64(n[2]), Ready: n[3] == 1, Keep: uint64(n[4]),
	}, nil
}

//go:embed scripts/reset.lua
var resetSource string

//go:embed scripts/expire.lua
var expireSource string

// Reset forgets all that Redis holds of a partition and starts it at a place of
// the log, not ready. seen is the position the caller decided on; the zero
// Position stands for none. *Fenced or ErrEmpty when it is not that any more.
func (s *Store) Reset(ctx context.Context, topic string, partition int32, seen Position, start Start) (Position, error) {
	pos := Position{Incarnation: newIncarnation(), Next: start.Next, Epoch: start.Epoch, Keep: start.Keep}
	err := s.reset(ctx, s.keys(topic, partition), seen, start, pos)
	if err != nil {
		return Position{}, fmt.Errorf("reset %s/%d: %w", topic, partition, err)
	}
	return pos, nil
}

func (s *Store) reset(ctx context.Context, k keys, seen Position, start Start, pos Position) error {
	known, err := s.known(ctx, k)
	if errors.Is(err, ErrDamaged) {
		// The index cannot be read. Epochs and journals that it would have named
		// are emptied when they are opened again.
		known, err = nil, s.client.Unlink(ctx, k.meta(), k.rounds()).Err()
		seen = Position{}
	}
	if err != nil {
		return err
	}
	inc, next := "", ""
	if seen.Incarnation != 0 {
		inc, next = decimal(seen.Incarnation), decimal(seen.Next)
	}
	args := []any{
		inc, next, decimal(pos.Incarnation), decimal(pos.Next),
		decimal(int64(pos.Epoch)), decimal(int64(pos.Keep)), start.State,
	}
	for _, round := range start.Sealed {
		args = append(args, roundName(round))
	}
	names := append([]string{k.meta(), k.rounds(), k.journal(fold)}, known...)
	reply, err := s.scripts.reset.Run(ctx, s.client, names, args...).Result()
	return verdict(reply, err)
}

// known are the keys of epochs and journals that the partition's index names.
func (s *Store) known(ctx context.Context, k keys) ([]string, error) {
	epochs, err := s.epochs(ctx, k)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, e := range epochs {
		known = append(known, k.counters(e), k.series(e))
	}
	rounds, err := s.client.HKeys(ctx, k.rounds()).Result()
	if err != nil {
		return nil, damage(err)
	}
	for _, round := range rounds {
		if round != "inc" && !strings.HasSuffix(round, "+") {
			known = append(known, k.journal(round))
		}
	}
	return known, nil
}

func (s *Store) epochs(ctx context.Context, k keys) ([]uint64, error) {
	list, err := s.client.HGet(ctx, k.meta(), "epochs").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, damage(err)
	}
	return parseEpochs(list)
}

func parseEpochs(list string) ([]uint64, error) {
	var epochs []uint64
	if list == "" {
		return nil, nil
	}
	for text := range strings.SplitSeq(list, ",") {
		e, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: epochs are %q", ErrDamaged, list)
		}
		epochs = append(epochs, e)
	}
	return epochs, nil
}

func listEpochs(epochs []uint64) string {
	var b []byte
	for i, e := range epochs {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, e, 10)
	}
	return string(b)
}

// Expire forgets the epochs below a number. Those not folded yet are then passed
// over without counting: a batch view holds them.
func (s *Store) Expire(ctx context.Context, topic string, partition int32, below uint64) error {
	k := s.keys(topic, partition)
	for {
		again, err := s.expire(ctx, k, below)
		if err != nil {
			return fmt.Errorf("expire %s/%d below epoch %d: %w", topic, partition, below, err)
		}
		if !again {
			return nil
		}
	}
}

func (s *Store) expire(ctx context.Context, k keys, below uint64) (again bool, err error) {
	held, err := s.epochs(ctx, k)
	if err != nil {
		return false, err
	}
	var stay []uint64
	touched := []string{k.meta()}
	for _, e := range held {
		if e >= below {
			stay = append(stay, e)
			continue
		}
		touched = append(touched, k.counters(e), k.series(e))
	}
	reply, err := s.scripts.expire.Run(ctx, s.client, touched,
		strconv.FormatUint(below, 10), listEpochs(stay), listEpochs(held)).Result()
	if fields, ok := reply.([]any); ok && len(fields) > 0 && fields[0] == "changed" {
		return true, nil
	}
	if err := verdict(reply, err); !errors.Is(err, ErrEmpty) {
		return false, err
	}
	return false, nil
}

// newIncarnation is random, so that lives that know nothing of one another, as
// when Redis was emptied between them, do not look alike.
func newIncarnation() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.LittleEndian.Uint64(b[:])>>2) + 1
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
