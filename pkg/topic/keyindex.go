package topic

// keyIndex finds the row of a key: open addressing with linear probing, 4 bytes
// a slot. Keys are hashes already, so their lower bits place them.
type keyIndex struct {
	slots []int32 // row+1; 0 is free
	used  int
}

func (x *keyIndex) find(key uint64, items []item) (row int32, ok bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(x.slots) - 1)
	for at := home(key) & mask; x.slots[at] != 0; at = (at + 1) & mask {
		if row := x.slots[at] - 1; items[row].key == key {
			return row, true
		}
	}
	return 0, false
}

// add puts a row that is not there yet.
func (x *keyIndex) add(key uint64, row int32, items []item) {
	if (x.used+1)*2 > len(x.slots) {
		old := x.slots
		x.slots = make([]int32, max(16, 2*len(old)))
		for _, s := range old {
			if s != 0 {
				x.put(items[s-1].key, s)
			}
		}
	}
	x.put(key, row+1)
	x.used++
}

func (x *keyIndex) put(key uint64, slot int32) {
	mask := uint64(len(x.slots) - 1)
	at := home(key) & mask
	for x.slots[at] != 0 {
		at = (at + 1) & mask
	}
	x.slots[at] = slot
}

// remove takes a row out and closes the gap, so that no search stops early.
func (x *keyIndex) remove(key uint64, row int32, items []item) {
	mask := uint64(len(x.slots) - 1)
	at := home(key) & mask
	for x.slots[at] != row+1 {
		if x.slots[at] == 0 {
			return
		}
		at = (at + 1) & mask
	}
	x.used--
	for next := (at + 1) & mask; ; next = (next + 1) & mask {
		slot := x.slots[next]
		if slot == 0 {
			x.slots[at] = 0
			return
		}
		if from := home(items[slot-1].key) & mask; (next-from)&mask >= (next-at)&mask {
			x.slots[at] = slot
			at = next
		}
	}
}

// home spreads keys whose lower bits were not mixed.
func home(key uint64) uint64 { return (key ^ key>>29) * 0x9E3779B97F4A7C15 >> 20 }
