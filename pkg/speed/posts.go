package speed

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

// MinuteKey names the minute of a topic as one revision of its definition
// counts it.
type MinuteKey struct {
	Topic    string
	Revision uint64
	// Minute is the Unix minute of the posts' received_at.
	Minute int64
}

// name is the key as a field: topic@revision:minute. Topics are slugs: neither
// sign is in one.
func (k MinuteKey) name() string {
	b := append([]byte(subjectName(k.Topic, k.Revision)), ':')
	return string(strconv.AppendInt(b, k.Minute, 10))
}

func subjectName(topic string, revision uint64) string {
	return topic + "@" + strconv.FormatUint(revision, 10)
}

func parseMinute(name string) (MinuteKey, error) {
	subject, minute, ok := strings.Cut(name, ":")
	topic, revision, ok2 := strings.Cut(subject, "@")
	n, err := strconv.ParseInt(minute, 10, 64)
	r, err2 := strconv.ParseUint(revision, 10, 64)
	key := MinuteKey{Topic: topic, Revision: r, Minute: n}
	if !ok || !ok2 || err != nil || err2 != nil || topic == "" || key.name() != name {
		return MinuteKey{}, fmt.Errorf("%w: %q names no minute", ErrDamaged, name)
	}
	return key, nil
}

const (
	// RecentMax bounds the list of recent posts of a topic in a partition.
	RecentMax = 200
	// MaxStepMinutes bounds the minutes that one step writes.
	MaxStepMinutes = 1 << 14
)

// PostStep moves a partition of posts from one position to the next. A step lies
// within one epoch: a cut begins a new one.
type PostStep struct {
	Expect Position
	Next   int64
	// Epoch is the one the step's records are in; above Expect.Epoch when the
	// first of them is a cut.
	Epoch uint64
	// Minutes are those of Epoch that the records changed, whole as they are now
	// and encoded. They are left out when the epoch is below the first to be kept.
	Minutes map[MinuteKey][]byte
	// Forget are the topics, as the revisions that counted them, that nobody
	// listens to any more: their minutes in Epoch go. Those of older epochs go
	// with their epochs.
	Forget []MinuteKey
	// Journal is appended to what the fold's state is restored from, or replaces
	// it when Rewrite is set.
	Journal []byte
	Rewrite bool
	// Recent are posts for moderators by topic, the newest last.
	Recent map[string][][]byte
	// Unlist are topics whose lists of recent posts go.
	Unlist []string
	// Ready is set when non-nil.
	Ready *bool
}

func (st *PostStep) move() move {
	return move{from: st.Expect, next: st.Next, epoch: st.Epoch, ready: st.Ready}
}

// After is the position behind the step.
func (st *PostStep) After() Position { return st.move().after() }

func (st *PostStep) validate() error {
	if err := st.move().validate(st.changes()); err != nil {
		return err
	}
	if len(st.Minutes) > MaxStepMinutes {
		return fmt.Errorf("%w: %d minutes, more than %d", ErrInvalid, len(st.Minutes), MaxStepMinutes)
	}
	if st.Rewrite && len(st.Journal) == 0 {
		return fmt.Errorf("%w: an empty journal to rewrite with", ErrInvalid)
	}
	return st.validateNames()
}

func (st *PostStep) changes() bool {
	return len(st.Minutes)+len(st.Forget)+len(st.Journal)+len(st.Recent)+len(st.Unlist) > 0
}

// validateNames looks at what becomes part of a key or field.
func (st *PostStep) validateNames() error {
	check := func(topic string) error {
		if !audience.IsSlug(topic) {
			return fmt.Errorf("%w: %q names no topic", ErrInvalid, topic)
		}
		return nil
	}
	for k := range st.Minutes {
		if err := check(k.Topic); err != nil {
			return err
		}
	}
	for topic := range st.Recent {
		if err := check(topic); err != nil {
			return err
		}
	}
	for _, k := range st.Forget {
		if err := check(k.Topic); err != nil {
			return err
		}
	}
	for _, topic := range st.Unlist {
		if err := check(topic); err != nil {
			return err
		}
	}
	return nil
}

// encode lays the step out as scripts/compare.lua and
// scripts/advance_posts.lua read it.
func (st *PostStep) encode(k keys) (names []string, args []any) {
	names = []string{k.meta(), k.rounds(), k.counters(st.Epoch), k.series(st.Epoch), k.journal(fold)}
	minutes := st.Minutes
	if st.Epoch < st.Expect.Keep {
		minutes = nil
	}
	args = append(st.move().args(7+2*len(minutes)), st.Journal, st.journaling(),
		len(minutes), len(st.Forget), len(st.Recent), len(st.Unlist), RecentMax)
	for key, blob := range minutes {
		args = append(args, key.name(), blob)
	}
	for _, key := range st.Forget {
		args = append(args, subjectName(key.Topic, key.Revision))
	}
	for topic, entries := range st.Recent {
		entries = entries[max(0, len(entries)-RecentMax):]
		names = append(names, k.journal(recentName(topic)))
		args = append(args, recentName(topic), len(entries))
		for _, entry := range entries {
			args = append(args, entry)
		}
	}
	for _, topic := range st.Unlist {
		names = append(names, k.journal(recentName(topic)))
		args = append(args, recentName(topic))
	}
	return names, args
}

func (st *PostStep) journaling() string {
	switch {
	case len(st.Journal) == 0:
		return ""
	case st.Rewrite:
		return "rewrite"
	}
	return "push"
}
