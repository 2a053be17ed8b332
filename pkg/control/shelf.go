package control

import (
	"maps"
	"slices"
)

const shards = 64

// shelf is a map by id that can be shared with snapshots: it is split into
// shards, and only a shard that a snapshot has seen is copied before it changes.
type shelf[V any] struct {
	shard [shards]map[string]V
	// owned has a bit for each shard that no snapshot has seen.
	owned uint64
	size  int
}

func shardOf(id string) int {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return int((h ^ h>>16) % shards)
}

func (s *shelf[V]) get(id string) (V, bool) {
	v, ok := s.shard[shardOf(id)][id]
	return v, ok
}

func (s *shelf[V]) own(n int) map[string]V {
	if s.owned&(1<<n) == 0 {
		s.owned |= 1 << n
		s.shard[n] = maps.Clone(s.shard[n])
		if s.shard[n] == nil {
			s.shard[n] = map[string]V{}
		}
	}
	return s.shard[n]
}

func (s *shelf[V]) put(id string, v V) {
	m := s.own(shardOf(id))
	was := len(m)
	m[id] = v
	s.size += len(m) - was
}

func (s *shelf[V]) remove(id string) {
	m := s.own(shardOf(id))
	was := len(m)
	delete(m, id)
	s.size += len(m) - was
}

// share gives a copy for a snapshot; both sides copy before they write.
func (s *shelf[V]) share() shelf[V] {
	s.owned = 0
	return *s
}

// sorted lists the values by id.
func (s *shelf[V]) sorted(keep func(V) bool) []V {
	ids := make([]string, 0, s.size)
	for _, m := range s.shard {
		for id, v := range m {
			if keep == nil || keep(v) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	out := make([]V, len(ids))
	for i, id := range ids {
		out[i], _ = s.get(id)
	}
	return out
}
