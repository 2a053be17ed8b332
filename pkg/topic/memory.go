package topic

// memory remembers the last so many posts by their marks, in the order in which
// they came, 8 bytes each and 8 more to find them. The lowest bits of a mark say
// what became of the post.
type memory struct {
	limit int
	ring  []uint64
	next  int      // where the next goes, once ring is full
	index []uint32 // place in ring + 1; 0 is free
}

const (
	stateOut  = 1 << iota // taken out by a moderator or by rules
	stateNear             // a near-duplicate of one shortly before
	stateHeld             // was never counted
	stateBits = stateOut | stateNear | stateHeld
)

func (m *memory) full() bool { return len(m.ring) >= m.limit }

// find gives the state of a mark.
func (m *memory) find(mark uint64) (state uint64, known bool) {
	at, ok := m.search(mark)
	if !ok {
		return 0, false
	}
	return m.ring[m.index[at]-1] & stateBits, true
}

// put remembers a mark, or what became of it since; of too many the oldest goes.
func (m *memory) put(mark, state uint64) {
	entry := mark&^stateBits | state
	if at, ok := m.search(mark); ok {
		m.ring[m.index[at]-1] = entry
		return
	}
	if m.full() {
		m.remove(m.ring[m.next])
		m.ring[m.next] = entry
		m.place(entry, uint32(m.next+1))
		m.next = (m.next + 1) % m.limit
		return
	}
	m.ring = append(m.ring, entry)
	if len(m.ring)*2 > len(m.index) {
		m.index = make([]uint32, max(64, 2*len(m.index)))
		for i, e := range m.ring {
			m.place(e, uint32(i+1))
		}
		return
	}
	m.place(entry, uint32(len(m.ring)))
}

// all calls yield for every entry, oldest first.
func (m *memory) all(yield func(entry uint64)) {
	for i := range m.ring {
		yield(m.ring[(m.next+i)%len(m.ring)])
	}
}

func (m *memory) mask() uint64 { return uint64(len(m.index) - 1) }

// Marks are mixed hashes: their upper bits place them.
func (m *memory) home(entry uint64) uint64 { return entry >> 20 & m.mask() }

func (m *memory) search(mark uint64) (at uint64, ok bool) {
	if len(m.index) == 0 {
		return 0, false
	}
	for at = m.home(mark); m.index[at] != 0; at = (at + 1) & m.mask() {
		if (m.ring[m.index[at]-1]^mark)&^stateBits == 0 {
			return at, true
		}
	}
	return 0, false
}

func (m *memory) place(entry uint64, slot uint32) {
	at := m.home(entry)
	for m.index[at] != 0 {
		at = (at + 1) & m.mask()
	}
	m.index[at] = slot
}

// remove frees a slot and closes the gap, so that no search stops early.
func (m *memory) remove(entry uint64) {
	at, ok := m.search(entry)
	if !ok {
		return
	}
	for next := (at + 1) & m.mask(); ; next = (next + 1) & m.mask() {
		slot := m.index[next]
		if slot == 0 {
			m.index[at] = 0
			return
		}
		if home := m.home(m.ring[slot-1]); (next-home)&m.mask() >= (next-at)&m.mask() {
			m.index[at] = slot
			at = next
		}
	}
}
