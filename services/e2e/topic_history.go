package e2e

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/topic"
)

// TopicHistory is what was served about topics, in the order in which one poller
// saw it.
type TopicHistory struct {
	mu      sync.Mutex
	answers []*TopicStats
	last    map[string]*TopicStats
	faults  []error
}

// NewTopicHistory is empty.
func NewTopicHistory() *TopicHistory { return &TopicHistory{last: map[string]*TopicStats{}} }

// Saw keeps an answer and checks what one poller may expect of the next one: seq
// and generation that never go back, and once it is complete, posts that become
// fewer only by being rejected. Before, a generation that does not know the topic
// yet may take the place of what was counted of it meanwhile.
func (h *TopicHistory) Saw(s *TopicStats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = append(h.answers, s)
	if before := h.last[s.Topic]; before != nil {
		now, then := &s.Totals, &before.Totals
		h.check(s.Complete || !before.Complete, "%s: it was complete, and is not", s.Topic)
		h.check(!before.Complete || now.Posts+now.Rejected >= then.Posts+then.Rejected, "%s: %d posts and %d rejected became %d and %d",
			s.Topic, then.Posts, then.Rejected, now.Posts, now.Rejected)
		h.check(!before.Complete || now.Posts >= then.Posts || now.Rejected > then.Rejected, "%s: posts went from %d to %d, and rejected from %d to %d",
			s.Topic, then.Posts, now.Posts, then.Rejected, now.Rejected)
		h.check(s.Seq >= before.Seq, "%s: seq went from %d to %d", s.Topic, before.Seq, s.Seq)
		h.check(s.Generation >= before.Generation, "%s: generation went from %d to %d", s.Topic, before.Generation, s.Generation)
	}
	h.last[s.Topic] = s
}

func (h *TopicHistory) check(ok bool, format string, args ...any) {
	if !ok && len(h.faults) < 20 {
		h.faults = append(h.faults, fmt.Errorf(format, args...))
	}
}

// Faults are what Saw found, and how many answers it saw.
func (h *TopicHistory) Faults() ([]error, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.faults, len(h.answers)
}

// Judge recomputes every answer that says it is complete from the log, at the
// offsets it names, and tells how many those were.
func (h *TopicHistory) Judge(ctx context.Context, log *eventlog.Log, topics []topic.Definition) (judged int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entries, err := readPartitions(ctx, log, eventlog.Posts)
	if err != nil {
		return 0, err
	}
	catalog, err := topic.Compile(topics, nil)
	if err != nil {
		return 0, err
	}
	// A topic's answer stays while its figures do, so offsets grow by topic.
	ears := map[string][]*topicReplay{}
	for i, s := range h.answers {
		if !s.Complete {
			continue
		}
		if ears[s.Topic] == nil {
			ears[s.Topic] = newTopicReplays(entries, catalog)
		}
		judged++
		if err := s.judge(ears[s.Topic]); err != nil {
			return judged, fmt.Errorf("answer %d (%s, seq %d, generation %d, stale %v, offsets %v): %w", i, s.Topic, s.Seq, s.Generation, s.Stale, s.Offsets, err)
		}
	}
	return judged, nil
}

func (s *TopicStats) judge(parts []*topicReplay) error {
	sum := topic.NewSum()
	for p, replay := range parts {
		next, ok := s.Offsets[strconv.Itoa(p)]
		if !ok {
			return fmt.Errorf("it names no offset of partition %d", p)
		}
		if err := replay.advance(next); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		for key, m := range replay.open.All() {
			if key.Subject.Topic == s.Topic {
				sum.Add(m)
			}
		}
	}
	want := sum.Figures()
	for _, f := range []struct {
		name      string
		got, want int64
	}{
		{"posts", s.Totals.Posts, want.Posts},
		{"rejected", s.Totals.Rejected, want.Rejected},
		{"reposts", s.Totals.Reposts, want.Reposts},
		{"replies", s.Totals.Replies, want.Replies},
		{"media", s.Totals.Media, want.Media},
	} {
		if f.got != f.want {
			return fmt.Errorf("served %s %d, the log says %d", f.name, f.got, f.want)
		}
	}
	return nil
}

// topicReplay folds one partition of posts forward, as far as it is asked.
type topicReplay struct {
	entries  []eventlog.Entry
	done     int
	fold     *topic.Partition
	open     *topic.Open
	listener *topic.Listener
	decoder  eventlog.Decoder
}

func newTopicReplays(entries [][]eventlog.Entry, c *topic.Catalog) []*topicReplay {
	parts := make([]*topicReplay, len(entries))
	for p := range parts {
		parts[p] = &topicReplay{entries: entries[p], fold: topic.NewCounter(), open: topic.NewOpen(), listener: topic.NewListener(c)}
	}
	return parts
}

// advance folds the records below an offset. Epochs sum to the whole, so cuts are
// passed over.
func (r *topicReplay) advance(next int64) error {
	if r.done > 0 && next <= r.entries[r.done-1].Offset {
		return fmt.Errorf("offset %d was passed already: a later answer is of an earlier time", next)
	}
	for r.done < len(r.entries) && r.entries[r.done].Offset < next {
		body, err := r.decoder.Decode(r.entries[r.done].Raw)
		r.done++
		switch {
		case err != nil: // a record that nobody can read is counted by nobody
		case body.Post != nil:
			r.fold.Post(r.listener.Hear(body.Post), r.open)
		case body.Moderation.GetPost() != nil:
			r.fold.Moderate(r.listener.Hear(body.Moderation.GetPost()), body.Moderation.GetReject(), r.open)
		}
	}
	return nil
}
