package rule

// table finds the leaves that a hash may begin. A bitmap in front answers most
// words of a post with one look, since most stand in no rule.
type table struct {
	bits  [1 << 10]uint64
	slots []slot
	mask  uint64
	refs  []int32
}

type slot struct {
	hash        uint64
	first, last int32
}

// trigger is the hash under which a leaf is looked up.
func (l *leaf) trigger() uint64 {
	if len(l.words) > 0 {
		return salted(FieldWord, l.words[0].Folded)
	}
	return salted(l.field, l.key)
}

// salted keeps the tag #es apart from the word es and from lang:es.
func salted(f Field, h uint64) uint64 {
	h = (h ^ uint64(f)*0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93
	return h ^ h>>32
}

func (t *table) build(leaves []leaf) {
	byHash := map[uint64][]int32{}
	for i := range leaves {
		h := leaves[i].trigger()
		byHash[h] = append(byHash[h], int32(i))
	}
	size := 16
	for size < 2*len(byHash) {
		size *= 2
	}
	t.slots, t.mask = make([]slot, size), uint64(size-1)
	for h, refs := range byHash {
		at := h & t.mask
		for t.slots[at].last != 0 {
			at = (at + 1) & t.mask
		}
		first := int32(len(t.refs))
		t.refs = append(t.refs, refs...)
		t.slots[at] = slot{h, first, int32(len(t.refs))}
		t.bits[h>>54] |= 1 << (h >> 48 & 63)
	}
}

func (t *table) find(h uint64) []int32 {
	if t.bits[h>>54]&(1<<(h>>48&63)) == 0 {
		return nil
	}
	for at := h & t.mask; t.slots[at].last != 0; at = (at + 1) & t.mask {
		if s := &t.slots[at]; s.hash == h {
			return t.refs[s.first:s.last]
		}
	}
	return nil
}
