package listen

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
)

const (
	// interest is how long a topic's recent posts are kept fresh after somebody
	// asked for them.
	interest = time.Minute
	// recentMost is how many posts of a topic are held.
	recentMost = 500
)

// lists are the recent posts of the topics that somebody looks at.
type lists struct {
	mu      sync.Mutex
	byTopic map[string]*list
	sieves  map[string]*sieve
}

// Recent are a topic's newest posts as they were once read, newest first. Another
// reading is another Recent, so whatever is made of one can be kept with it.
type Recent struct{ Posts []speed.RecentPost }

// list is one topic's recent posts.
type list struct {
	*Recent

	asked time.Time
	reach int64 // where the speed view was when they were read
	err   error
	older older
}

// Recent are a topic's newest posts: those of the speed view, and behind them those
// of the archive. They are read once and then kept fresh for as long as somebody
// asks. With an error come those that were read before, or nil.
func (h *Hub) Recent(ctx context.Context, topic string) (*Recent, error) {
	recent, err := h.heard(ctx, topic)
	if recent == nil {
		return nil, err
	}
	return h.withOlder(ctx, topic, recent), err
}

// heard are the posts of the speed view.
func (h *Hub) heard(ctx context.Context, topic string) (*Recent, error) {
	h.lists.mu.Lock()
	l := h.lists.byTopic[topic]
	if l != nil {
		l.asked = time.Now()
		recent, err := l.Recent, l.err
		h.lists.mu.Unlock()
		return recent, err
	}
	h.lists.mu.Unlock()
	reach := h.reach()
	ctx, cancel := context.WithTimeout(ctx, h.cfg.ReadTimeout)
	defer cancel()
	recent, err := h.readRecent(ctx, topic)
	if err != nil {
		return nil, err
	}
	h.lists.mu.Lock()
	defer h.lists.mu.Unlock()
	h.lists.byTopic[topic] = &list{Recent: recent, asked: time.Now(), reach: reach}
	return recent, nil
}

// refresh reads again the lists that are looked at and have changed.
func (l *lists) refresh(ctx context.Context, h *Hub, live map[string]bool) {
	reach := h.reach()
	for _, topic := range l.due(reach, live) {
		ctx, cancel := context.WithTimeout(ctx, h.cfg.ReadTimeout)
		recent, err := h.readRecent(ctx, topic)
		cancel()
		l.mu.Lock()
		if held := l.byTopic[topic]; held != nil {
			if held.err = err; err == nil {
				held.Recent, held.reach = recent, reach
			}
		}
		l.mu.Unlock()
	}
}

// due are the topics whose lists are to be read again; those that nobody looks
// at go.
func (l *lists) due(reach int64, live map[string]bool) (topics []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for topic, held := range l.byTopic {
		switch {
		case !live[topic] || time.Since(held.asked) > interest:
			delete(l.byTopic, topic)
			delete(l.sieves, topic)
		case held.reach != reach || held.err != nil:
			topics = append(topics, topic)
		}
	}
	return topics
}

func (h *Hub) reach() (sum int64) {
	for _, pos := range h.Health().Positions {
		sum += pos.Next
	}
	return sum
}

// readRecent merges the partitions' lists.
func (h *Hub) readRecent(ctx context.Context, topic string) (*Recent, error) {
	var all []speed.RecentPost
	for p := range int32(h.deps.Partitions) {
		posts, err := h.deps.Speed.Recent(ctx, eventlog.Posts, p, topic, speed.RecentMax)
		if err != nil {
			return nil, fmt.Errorf("read recent posts of %s: %w", topic, err)
		}
		all = append(all, posts...)
	}
	return &Recent{newest(h.sifted(topic, all))}, nil
}

// newest orders posts, the newest first, each once.
func newest(all []speed.RecentPost) []speed.RecentPost {
	slices.SortStableFunc(all, func(a, b speed.RecentPost) int {
		return cmp.Or(cmp.Compare(b.ReceivedAt, a.ReceivedAt), cmp.Compare(a.Key(), b.Key()))
	})
	seen := make(map[string]bool, len(all))
	all = slices.DeleteFunc(all, func(p speed.RecentPost) bool {
		key := p.Key()
		was := seen[key]
		seen[key] = true
		return was
	})
	return all[:min(len(all), recentMost)]
}

// Post finds a post of some shows by its name, "platform:id": a recent one, or one
// that somebody was shown.
func (h *Hub) Post(ctx context.Context, shows []string, key string) (*speed.RecentPost, bool, error) {
	if p := h.lists.find(shows, key); p != nil {
		return p, true, nil
	}
	if p := h.shown.find(shows, key); p != nil {
		return p, true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.ReadTimeout)
	defer cancel()
	partition := audience.PartitionOfPost(key, h.deps.Partitions)
	for _, t := range h.deps.Control.State().Topics("") {
		if !slices.Contains(shows, t.Show) {
			continue
		}
		posts, err := h.deps.Speed.Recent(ctx, eventlog.Posts, partition, t.ID, speed.RecentMax)
		if err != nil {
			return nil, false, fmt.Errorf("look for post %s: %w", key, err)
		}
		for i := range posts {
			if posts[i].Key() == key {
				return &posts[i], true, nil
			}
		}
	}
	return nil, false, nil
}

func (l *lists) find(shows []string, key string) *speed.RecentPost {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, held := range l.byTopic {
		for i := range held.Posts {
			if held.Posts[i].Key() == key && slices.Contains(shows, held.Posts[i].Show) {
				return &held.Posts[i]
			}
		}
	}
	return nil
}
