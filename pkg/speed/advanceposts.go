package speed

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
)

//go:embed scripts/advance_posts.lua
var advancePostsSource string

// AdvancePosts applies a step whole or not at all, as Advance does.
func (s *Store) AdvancePosts(ctx context.Context, log string, partition int32, step PostStep) error {
	if err := step.validate(); err != nil {
		return fmt.Errorf("advance %s/%d: %w", log, partition, err)
	}
	keys, args := step.encode(s.keys(log, partition))
	reply, err := s.scripts.advancePosts.Run(ctx, s.client, keys, args...).Result()
	if err := verdict(reply, err); err != nil {
		return fmt.Errorf("advance %s/%d from %d to %d: %w", log, partition, step.Expect.Next, step.Next, err)
	}
	return nil
}

// encode lays the step out as scripts/advance_posts.lua reads it.
func (st *PostStep) encode(k keys) (names []string, args []any) {
	names = []string{k.meta(), k.rounds(), k.counters(st.Epoch), k.series(st.Epoch), k.journal(fold)}
	minutes := st.Minutes
	if st.Epoch < st.Expect.Keep {
		minutes = nil
	}
	ready := Step{Ready: st.Ready}
	args = []any{
		decimal(st.Expect.Incarnation), decimal(st.Expect.Next), decimal(st.Next),
		strconv.FormatUint(st.Epoch, 10), ready.readiness(), st.Journal, st.journaling(),
		len(minutes), len(st.Forget), len(st.Recent), len(st.Unlist), RecentMax,
	}
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
