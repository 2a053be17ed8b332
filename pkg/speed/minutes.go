package speed

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
)

//go:embed scripts/minutes.lua
var minutesSource string

// minutesPage is about how many minutes one reply carries.
const minutesPage = 512

// Minutes is what changed in the speed view of one partition of posts, up to one
// position.
type Minutes struct {
	Position
	// Whole says that it is all there is: what was known before is to be dropped.
	Whole bool
	// Epochs are the encoded minutes by epoch, from the epoch asked for on.
	// Epochs without a change are left out.
	Epochs map[uint64]map[MinuteKey][]byte
}

// ReadMinutes gives the minutes of the epochs from one on that changed since a
// position: the Position of the last ReadMinutes with the same or a lower
// fromEpoch; the zero Position for all of them. Together with what was known at
// since they are the view at the position given. What topics are no more is for
// the caller to know: minutes that went are not told. ErrEmpty, ErrExpired and
// ErrDamaged say that the minutes cannot be had; they are never taken for none.
func (s *Store) ReadMinutes(ctx context.Context, log string, partition int32, fromEpoch uint64, since Position) (Minutes, error) {
	m, err := s.readMinutes(ctx, s.keys(log, partition), fromEpoch, since)
	if err != nil {
		return Minutes{}, fmt.Errorf("read minutes of %s/%d from epoch %d: %w", log, partition, fromEpoch, err)
	}
	return m, nil
}

func (s *Store) readMinutes(ctx context.Context, k keys, from uint64, since Position) (Minutes, error) {
	r := minuteReader{store: s, keys: k, from: from}
	pos, list, err := r.place(ctx)
	if err != nil {
		return Minutes{}, err
	}
	r.begin(pos, since)
	if !r.Whole && pos.Next == since.Next {
		r.Position = pos
		return r.Minutes, nil
	}
	for {
		more, err := r.page(ctx, pos, list)
		if err != nil {
			return Minutes{}, err
		}
		if !more {
			return r.Minutes, nil
		}
		// Epochs, or the incarnation, may be others by now.
		if pos, list, err = r.place(ctx); err != nil {
			return Minutes{}, err
		}
		if pos.Incarnation != r.Incarnation || pos.Next < r.cursor {
			r.begin(pos, Position{})
		}
	}
}

// minuteReader reads page after page, in the order in which the minutes were
// written last. What changes meanwhile comes back on a later page, so that the
// last page makes the whole true at its position.
type minuteReader struct {
	Minutes

	store  *Store
	keys   keys
	from   uint64
	cursor int64 // offset: what was written behind it is to be read
}

func (r *minuteReader) begin(pos, since Position) {
	r.Minutes = Minutes{Position: pos, Epochs: map[uint64]map[MinuteKey][]byte{}}
	r.cursor = since.Next
	if since.Incarnation != pos.Incarnation || since.Next > pos.Next {
		r.Whole, r.cursor = true, -1
	}
}

// place reads the position and the list of epochs.
func (r *minuteReader) place(ctx context.Context) (Position, string, error) {
	reply, err := r.store.client.HMGet(ctx, r.keys.meta(), append(slices.Clone(positionFields), "epochs")...).Result()
	if err != nil {
		return Position{}, "", damage(err)
	}
	pos, err := positionOf(reply)
	if err != nil {
		return Position{}, "", err
	}
	if r.from < pos.Keep {
		return Position{}, "", fmt.Errorf("%w: epochs from %d on are", ErrExpired, pos.Keep)
	}
	list, _ := reply[len(positionFields)].(string)
	return pos, list, nil
}

// page reads the next minutes; more says that there are others, or that nothing
// could be read because the partition has moved to other epochs.
func (r *minuteReader) page(ctx context.Context, pos Position, list string) (more bool, err error) {
	held, err := parseEpochs(list)
	if err != nil {
		return false, err
	}
	held = slices.DeleteFunc(held, func(e uint64) bool { return e < r.from })
	names := []string{r.keys.meta()}
	for _, e := range held {
		names = append(names, r.keys.counters(e), r.keys.series(e))
	}
	reply, err := r.store.scripts.minutes.Run(ctx, r.store.client, names,
		decimal(pos.Incarnation), list, decimal(r.cursor), minutesPage).Result()
	fields, _ := reply.([]any)
	if len(fields) > 0 && fields[0] == "changed" {
		return true, nil
	}
	if err := verdict(reply, err); err != nil {
		return false, err
	}
	if len(fields) != 4+len(positionFields) {
		return false, fmt.Errorf("%w: the script answered %d parts", ErrDamaged, len(fields))
	}
	return r.take(fields[1:], held)
}

// take adds a page: cursor, whether there is more, the position, and for each
// epoch its names and values in turn.
func (r *minuteReader) take(fields []any, held []uint64) (more bool, err error) {
	text, _ := fields[0].(string)
	if r.cursor, err = strconv.ParseInt(text, 10, 64); err != nil {
		return false, fmt.Errorf("%w: cursor %q", ErrDamaged, text)
	}
	if r.Position, err = positionOf(fields[2:]); err != nil {
		return false, err
	}
	lists, _ := fields[2+len(positionFields)].([]any)
	if len(lists) != len(held) {
		return false, fmt.Errorf("%w: %d epochs of %d", ErrDamaged, len(lists), len(held))
	}
	for i, epoch := range held {
		pairs, _ := lists[i].([]any)
		if err := r.add(epoch, pairs); err != nil {
			return false, err
		}
	}
	return fields[1] == "more", nil
}

func (r *minuteReader) add(epoch uint64, pairs []any) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		blob, ok := pairs[i+1].(string)
		key, err := parseMinute(name)
		if err != nil || !ok {
			return fmt.Errorf("%w: minute %q of epoch %d", ErrDamaged, name, epoch)
		}
		minutes := r.Epochs[epoch]
		if minutes == nil {
			minutes = map[MinuteKey][]byte{}
			r.Epochs[epoch] = minutes
		}
		minutes[key] = []byte(blob)
	}
	return nil
}
