package listen

import (
	linked "container/list"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/speed"
)

// maxShown bounds the posts that are remembered, whatever their size.
const maxShown = 100_000

// shown are the posts that somebody has looked at. A list of recent posts is
// overtaken within seconds when much is said, and search knows a post only behind
// the next batch run; a moderator needs longer than that to judge what she sees.
type shown struct {
	mu    sync.Mutex
	byKey map[string]*linked.Element // of *sight
	order *linked.List               // those that were shown last in front
	bytes int
}

// sight is one post and when it was last looked at.
type sight struct {
	key   string
	post  speed.RecentPost
	at    time.Time
	bytes int
}

// Shown tells that somebody looks at posts: Post finds them from now on, for as
// long as the configuration says and there is room. The latest looks are kept.
func (h *Hub) Shown(posts ...speed.RecentPost) {
	h.shown.note(posts, h.deps.Now(), h.cfg.ShownFor, h.cfg.ShownBytes)
}

func (s *shown) note(posts []speed.RecentPost, now time.Time, keep time.Duration, room int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.order == nil {
		s.byKey, s.order = map[string]*linked.Element{}, linked.New()
	}
	for i := range posts {
		key := posts[i].Show + "/" + posts[i].Key()
		if e, ok := s.byKey[key]; ok {
			e.Value.(*sight).at = now
			s.order.MoveToFront(e)
			continue
		}
		seen := &sight{key, posts[i], now, weight(&posts[i])}
		s.byKey[key] = s.order.PushFront(seen)
		s.bytes += seen.bytes
	}
	for last := s.order.Back(); last != nil; last = s.order.Back() {
		seen := last.Value.(*sight)
		if s.bytes <= room && s.order.Len() <= maxShown && now.Sub(seen.at) <= keep {
			break
		}
		s.order.Remove(last)
		delete(s.byKey, seen.key)
		s.bytes -= seen.bytes
	}
}

// find gives a copy of a post that was shown.
func (s *shown) find(shows []string, key string) *speed.RecentPost {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, show := range shows {
		if e, ok := s.byKey[show+"/"+key]; ok {
			post := e.Value.(*sight).post
			return &post
		}
	}
	return nil
}

// weight is about what a post takes in memory, in bytes.
func weight(p *speed.RecentPost) int {
	const (
		fixed  = 1024 // the post, its place in the list and its key
		header = 16   // of a string in a list
		vote   = 160
	)
	n := fixed + len(p.ID) + len(p.Text) + len(p.Raw) + len(p.Author.ID) + len(p.Author.Name) + len(p.Author.Handle) + len(p.Author.Location)
	for _, texts := range [][]string{p.Hashtags, p.Links, p.Media, p.Topics} {
		for _, text := range texts {
			n += header + len(text)
		}
	}
	return n + vote*len(p.Votes)
}
