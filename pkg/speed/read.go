package speed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/redis/go-redis/v9"
)

// Slice is the speed view of one partition at one position.
type Slice struct {
	Position
	// Epochs are those held from the one asked for on; an epoch in which nothing
	// was counted is there and empty.
	Epochs map[uint64]tally.View
}

// Sum is the view over all epochs of the slice.
func (s Slice) Sum() tally.View {
	sum := tally.View{}
	for _, view := range s.Epochs {
		sum.Add(view)
	}
	return sum
}

// Read gives the counters of the epochs from one on, without their series, as
// they stand at one instant. ErrEmpty, ErrExpired and ErrDamaged say that they
// cannot be had; they are never taken for zeros.
func (s *Store) Read(ctx context.Context, topic string, partition int32, fromEpoch uint64) (Slice, error) {
	slice, err := s.read(ctx, s.keys(topic, partition), fromEpoch, keys.counters, addCounter)
	if err != nil {
		return Slice{}, fmt.Errorf("read %s/%d from epoch %d: %w", topic, partition, fromEpoch, err)
	}
	return slice, nil
}

// ReadSeries is Read for the series: views with nothing but Series in them.
func (s *Store) ReadSeries(ctx context.Context, topic string, partition int32, fromEpoch uint64) (Slice, error) {
	slice, err := s.read(ctx, s.keys(topic, partition), fromEpoch, keys.series, addBucket)
	if err != nil {
		return Slice{}, fmt.Errorf("read series of %s/%d from epoch %d: %w", topic, partition, fromEpoch, err)
	}
	return slice, nil
}

type adder func(view tally.View, field string, n int64) bool

func (s *Store) read(ctx context.Context, k keys, from uint64, name func(keys, uint64) string, add adder) (Slice, error) {
	var epochs []uint64
	for {
		slice, list, err := s.readEpochs(ctx, k, epochs, name, add)
		if err != nil {
			return Slice{}, err
		}
		if from < slice.Keep {
			return Slice{}, fmt.Errorf("%w: epochs from %d on are", ErrExpired, slice.Keep)
		}
		// The epochs to read are known only by reading; they change with cuts.
		held := slices.DeleteFunc(list, func(e uint64) bool { return e < from })
		if slices.Equal(held, epochs) {
			return slice, nil
		}
		epochs = held
	}
}

// readEpochs reads the meta and the named epochs in one transaction.
func (s *Store) readEpochs(ctx context.Context, k keys, epochs []uint64, name func(keys, uint64) string, add adder) (Slice, []uint64, error) {
	var meta *redis.SliceCmd
	marks := make([]*redis.StringCmd, len(epochs))
	counts := make([]*redis.MapStringStringCmd, len(epochs))
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		meta = p.HMGet(ctx, k.meta(), append(slices.Clone(positionFields), "epochs")...)
		for i, e := range epochs {
			marks[i] = p.HGet(ctx, name(k, e), fieldFrom)
			counts[i] = p.HGetAll(ctx, name(k, e))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Slice{}, nil, damage(err)
	}
	pos, err := positionOf(meta.Val())
	if err != nil {
		return Slice{}, nil, err
	}
	list, _ := meta.Val()[len(positionFields)].(string)
	held, err := parseEpochs(list)
	if err != nil {
		return Slice{}, nil, err
	}
	slice := Slice{Position: pos, Epochs: make(map[uint64]tally.View, len(epochs))}
	for i, e := range epochs {
		if marks[i].Err() != nil && slices.Contains(held, e) {
			return Slice{}, nil, fmt.Errorf("%w: the counters of epoch %d", ErrDamaged, e)
		}
		if slice.Epochs[e], err = viewOf(counts[i].Val(), add); err != nil {
			return Slice{}, nil, fmt.Errorf("epoch %d: %w", e, err)
		}
	}
	return slice, held, nil
}

func viewOf(fields map[string]string, add adder) (tally.View, error) {
	view := tally.View{}
	for field, text := range fields {
		if field == fieldFrom {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !add(view, field, n) {
			return nil, fmt.Errorf("%w: field %q is %q", ErrDamaged, field, text)
		}
	}
	return view, nil
}

// addCounter reads poll:round:what.
func addCounter(view tally.View, field string, n int64) bool {
	i := strings.LastIndexByte(field, ':')
	if i < 0 {
		return false
	}
	round, err := parseRound(field[:i])
	if err != nil {
		return false
	}
	counter := named(view.Of(round), field[i+1:])
	if counter == nil {
		return false
	}
	*counter = n
	return true
}

// addBucket reads poll:round:bucket:slot.
func addBucket(view tally.View, field string, n int64) bool {
	parts := strings.Split(field, ":")
	if len(parts) != 4 {
		return false
	}
	round, err := parseRound(parts[0] + ":" + parts[1])
	bucket, err2 := strconv.ParseInt(parts[2], 10, 64)
	slot, err3 := strconv.ParseUint(parts[3], 10, 16)
	if err != nil || err2 != nil || err3 != nil || slot == 0 {
		return false
	}
	r := view.Of(round)
	if r.Series == nil {
		r.Series = map[int64][]int64{}
	}
	votes := r.Series[bucket]
	*at(&votes, int(slot)) = n
	r.Series[bucket] = votes
	return true
}
