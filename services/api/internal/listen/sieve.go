package listen

import (
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// sieve keeps those posts of a list that a topic listens to as it is defined now:
// the list has what was heard before the topic was corrected, too.
type sieve struct {
	counted uint64

	mu       sync.Mutex
	listener *topic.Listener
	keeps    map[string]bool // by post, of those that are in the list
}

// sifted are the posts of a topic's lists that belong there.
func (h *Hub) sifted(id string, posts []speed.RecentPost) []speed.RecentPost {
	state := h.deps.Control.State()
	t, ok := state.Topic(id)
	if !ok || t.Counted <= 1 { // it was never corrected
		return posts
	}
	h.lists.mu.Lock()
	s := h.lists.sieves[id]
	if s == nil || s.counted != t.Counted {
		s = &sieve{counted: t.Counted}
		h.lists.sieves[id] = s
	}
	h.lists.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		d := topic.Definition{Topic: t.Topic, Revision: t.Counted}
		if show, ok := state.Show(t.Show); ok {
			d.Languages = show.Languages
		}
		catalog, err := topic.Compile([]topic.Definition{d}, nil)
		if err != nil || catalog.Len() == 0 { // nobody listens, and it is said where posts are heard
			return posts
		}
		s.listener = topic.NewListener(catalog)
	}
	return s.sift(posts)
}

func (s *sieve) sift(posts []speed.RecentPost) []speed.RecentPost {
	kept, keeps := posts[:0], make(map[string]bool, len(posts))
	for i := range posts {
		key := posts[i].Key()
		keep, known := s.keeps[key]
		if !known {
			keep = s.hears(&posts[i])
		}
		if keeps[key] = keep; keep {
			kept = append(kept, posts[i])
		}
	}
	s.keeps = keeps
	return kept
}

// hears says whether the topic listens to a post. One that was too large to be
// kept as it was captured stays.
func (s *sieve) hears(p *speed.RecentPost) bool {
	if len(p.Raw) == 0 {
		return true
	}
	post := &clamorv1.Post{}
	return proto.Unmarshal(p.Raw, post) != nil || len(s.listener.Hear(post).Subjects) > 0
}
