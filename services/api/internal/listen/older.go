package listen

import (
	"context"
	"time"

	"github.com/clamor-live/clamor/pkg/speed"
)

// After a generation its posts are on their way into the search engine: they are
// looked for again every second for as long as that usually takes, then seldom.
const (
	settling  = 15 * time.Second
	soonAgain = time.Second
	lateAgain = 30 * time.Second
)

// older are a topic's archived posts, for the list of a topic that was made or
// corrected after they were posted.
type older struct {
	posts      []speed.RecentPost
	counted    uint64 // as which revision of the topic
	generation uint64
	first      time.Time // when posts of this generation were looked for first
	at         time.Time // and last
	reading    bool
	// joined is what was made of them and of recent.
	joined, recent *Recent
}

// due says whether the posts are to be looked for.
func (o *older) due(p *Picture, now time.Time) bool {
	again := soonAgain
	if now.Sub(o.first) > settling {
		again = lateAgain
	}
	return !o.reading && (!o.of(p) || now.Sub(o.at) > again)
}

// found takes up what was found, or that nothing could be.
func (o *older) found(p *Picture, posts []speed.RecentPost, err error, now time.Time) {
	next := older{posts: posts, counted: p.Topic.Counted, generation: p.Generation, first: now, at: now}
	if o.of(p) {
		next.first = o.first
	}
	if err != nil && o.counted == next.counted {
		next.posts = o.posts
	}
	*o = next
}

func (o *older) of(p *Picture) bool {
	return o.counted == p.Topic.Counted && o.generation == p.Generation
}

// withOlder are recent posts, and archived ones where there is room. What cannot
// be found in the archive is left out.
func (h *Hub) withOlder(ctx context.Context, topic string, recent *Recent) *Recent {
	p, ok := h.Picture(topic)
	if !ok || !p.Complete || h.deps.Archived == nil || len(recent.Posts) >= recentMost {
		return recent
	}
	h.lists.mu.Lock()
	l := h.lists.byTopic[topic]
	if l == nil || !l.older.due(p, time.Now()) {
		defer h.lists.mu.Unlock()
		return l.join(recent, p.Topic.Counted)
	}
	l.older.reading = true
	h.lists.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, h.cfg.ReadTimeout)
	defer cancel()
	posts, err := h.deps.Archived(ctx, topic, p.Generation, recentMost)
	h.lists.mu.Lock()
	defer h.lists.mu.Unlock()
	l.older.found(p, posts, err, time.Now())
	return l.join(recent, p.Topic.Counted)
}

// join puts the archived posts of a revision behind the recent ones, once for as
// long as neither changes.
func (l *list) join(recent *Recent, counted uint64) *Recent {
	if l == nil || l.older.counted != counted || len(l.older.posts) == 0 {
		return recent
	}
	o := &l.older
	if o.recent != recent {
		all := append(append(make([]speed.RecentPost, 0, len(recent.Posts)+len(o.posts)), recent.Posts...), o.posts...)
		o.recent, o.joined = recent, &Recent{newest(all)}
	}
	return o.joined
}
