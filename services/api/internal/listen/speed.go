package listen

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// part is what is known of one partition's speed view, and what hinders more.
type part struct {
	pos    speed.Position // of the last good look
	epochs map[uint64]map[speed.MinuteKey][]byte
	err    error
}

// read looks at a partition and takes what changed. touch is told of every
// minute that did.
func (t *part) read(ctx context.Context, s Speed, p int32, from uint64, touch func(topic.Subject, int64)) {
	m, err := s.ReadMinutes(ctx, eventlog.Posts, p, from, t.pos)
	if err == nil {
		err = live.Follows(t.pos.Next, m.Position)
	}
	if err == nil {
		err = whole(m.Epochs)
	}
	if t.err = err; err != nil {
		return
	}
	if m.Whole {
		t.drop(^uint64(0), touch)
	}
	t.pos = m.Position
	for epoch, minutes := range m.Epochs {
		if t.epochs[epoch] == nil {
			if t.epochs == nil {
				t.epochs = map[uint64]map[speed.MinuteKey][]byte{}
			}
			t.epochs[epoch] = make(map[speed.MinuteKey][]byte, len(minutes))
		}
		for key, blob := range minutes {
			t.epochs[epoch][key] = blob
			touch(subjectOf(key), key.Minute)
		}
	}
}

// whole says whether every minute can be read: one that cannot is not to be
// taken for none.
func whole(epochs map[uint64]map[speed.MinuteKey][]byte) error {
	for epoch, minutes := range epochs {
		for key, blob := range minutes {
			if _, err := topic.Decode(blob); err != nil {
				return fmt.Errorf("%s@%d, minute %d of epoch %d: %w", key.Topic, key.Revision, key.Minute, epoch, err)
			}
		}
	}
	return nil
}

// drop forgets the epochs below one.
func (t *part) drop(below uint64, touch func(topic.Subject, int64)) {
	for epoch, minutes := range t.epochs {
		if epoch >= below {
			continue
		}
		for key := range minutes {
			touch(subjectOf(key), key.Minute)
		}
		delete(t.epochs, epoch)
	}
}

// prune forgets the minutes of subjects that are no more.
func (t *part) prune(gone func(topic.Subject) bool) {
	for _, minutes := range t.epochs {
		maps.DeleteFunc(minutes, func(key speed.MinuteKey, _ []byte) bool { return gone(subjectOf(key)) })
	}
}

// older counts what is held of minutes before one.
func (t *part) older(before int64) (n int) {
	for _, minutes := range t.epochs {
		for key := range minutes {
			if key.Minute < before {
				n++
			}
		}
	}
	return n
}

// shed forgets the minutes before one, and tells the last epoch that had any.
func (t *part) shed(before int64) (last uint64) {
	for epoch, minutes := range t.epochs {
		held := len(minutes)
		maps.DeleteFunc(minutes, func(key speed.MinuteKey, _ []byte) bool { return key.Minute < before })
		if len(minutes) < held {
			last = max(last, epoch)
		}
	}
	return last
}

// each tells every minute of a subject from one on.
func (t *part) each(s topic.Subject, from int64, tell func(topic.Subject, int64)) {
	for _, minutes := range t.epochs {
		for key := range minutes {
			if key.Minute >= from && subjectOf(key) == s {
				tell(s, key.Minute)
			}
		}
	}
}

// blobs are a minute's parts of all epochs, in order.
func (t *part) blobs(key speed.MinuteKey, out [][]byte) [][]byte {
	for _, epoch := range slices.Sorted(maps.Keys(t.epochs)) {
		if blob := t.epochs[epoch][key]; blob != nil {
			out = append(out, blob)
		}
	}
	return out
}

func subjectOf(key speed.MinuteKey) topic.Subject {
	return topic.Subject{Topic: key.Topic, Revision: key.Revision}
}
