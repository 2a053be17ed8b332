package tally

import "math/bits"

// index finds a row by its 64-bit hash in 8 bytes a slot: the hash's upper half
// and the row's number. The upper half places the row and tells most strangers
// apart, so neither growing nor removing touches the rows. Linear probing.
type index struct {
	slots []uint64 // hash>>32<<32 | row+1; 0 is free
	shift uint     // 64 - log2(len(slots))
	used  int
}

const minSlots = 16

func (x *index) mask() uint64             { return uint64(len(x.slots) - 1) }
func (x *index) home(hash uint64) uint64  { return hash >> x.shift }
func pack(hash uint64, row uint32) uint64 { return hash&^0xffffffff | uint64(row+1) }
func rowOf(slot uint64) uint32            { return uint32(slot) - 1 }

// find calls hashOf for each row that may have the hash until one has.
func (x *index) find(hash uint64, hashOf func(row uint32) uint64) (row uint32, ok bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	for i := x.home(hash); x.slots[i] != 0; i = (i + 1) & x.mask() {
		if (x.slots[i]^hash)>>32 != 0 {
			continue
		}
		if row := rowOf(x.slots[i]); hashOf(row) == hash {
			return row, true
		}
	}
	return 0, false
}

// glance reads the slot at which a search for the hash begins.
func (x *index) glance(hash uint64) uint64 {
	if len(x.slots) == 0 {
		return 0
	}
	return x.slots[x.home(hash)]
}

// add puts a row that is not there yet.
func (x *index) add(hash uint64, row uint32) {
	if x.used*4 >= len(x.slots)*3 {
		x.resize()
	}
	x.place(pack(hash, row))
	x.used++
}

func (x *index) place(slot uint64) {
	i := x.home(slot)
	for x.slots[i] != 0 {
		i = (i + 1) & x.mask()
	}
	x.slots[i] = slot
}

func (x *index) resize() {
	old := x.slots
	x.slots = make([]uint64, max(minSlots, 2*len(old)))
	x.shift = uint(64 - bits.TrailingZeros(uint(len(x.slots))))
	for _, slot := range old {
		if slot != 0 {
			x.place(slot)
		}
	}
}

// remove takes a row out and closes the gap, so that no search stops early.
func (x *index) remove(hash uint64, row uint32) {
	i := x.home(hash)
	for want := pack(hash, row); x.slots[i] != want; i = (i + 1) & x.mask() {
		if x.slots[i] == 0 {
			return
		}
	}
	x.used--
	for gap, j := i, (i+1)&x.mask(); ; j = (j + 1) & x.mask() {
		slot := x.slots[j]
		if slot == 0 {
			x.slots[gap] = 0
			return
		}
		if (j-x.home(slot))&x.mask() >= (j-gap)&x.mask() {
			x.slots[gap] = slot
			gap = j
		}
	}
}
