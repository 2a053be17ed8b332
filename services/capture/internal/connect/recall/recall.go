// Package recall remembers which posts went out under a key that the platform
// may later take them back by: their author, the post that they repeat, or a
// name that only the platform uses.
//
// It holds the last 32,768 of a source. It lives as long as the connector, over
// broken connections; another connector is told of what is known (connect.Recaller).
package recall

import "cmp"

const (
	maxPosts = 1 << 15
	// maxText bounds a key and an id: what no post has is not kept.
	maxText = 512
)

// Memory is such a memory. The zero Memory is empty. It is not safe for
// concurrent use.
type Memory struct {
	ring []noted // oldest at next, once it is full
	next int
	by   map[string][]string // ids by key, oldest first
	most int                 // 0: maxPosts
}

type noted struct{ key, id string }

// Note keeps that a post can be taken back by a key.
func (m *Memory) Note(key, id string) {
	if key == "" || id == "" || len(key) > maxText || len(id) > maxText {
		return
	}
	if m.by == nil {
		m.by = map[string][]string{}
	}
	if ids := m.by[key]; len(ids) > 0 && ids[len(ids)-1] == id {
		return // it came again
	}
	if len(m.ring) < cmp.Or(m.most, maxPosts) {
		m.ring = append(m.ring, noted{key, id})
	} else {
		m.forget(m.ring[m.next].key)
		m.ring[m.next] = noted{key, id}
		m.next = (m.next + 1) % len(m.ring)
	}
	m.by[key] = append(m.by[key], id)
}

// forget drops the oldest post of a key.
func (m *Memory) forget(key string) {
	if ids := m.by[key]; len(ids) > 1 {
		m.by[key] = ids[1:]
	} else {
		delete(m.by, key)
	}
}

// Of are the ids of the posts under a key, oldest first. The next Note may change
// them.
func (m *Memory) Of(key string) []string { return m.by[key] }
