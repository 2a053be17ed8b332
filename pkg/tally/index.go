package tally

// index finds a row by its 64-bit hash. It holds 8 bytes a slot: the upper half
// of the hash to tell most strangers apart without touching the rows, and the
// row's number. Linear probing; the rows hold the full hashes.
type index struct {
	slots []uint64 // tag<<32 | row+1; 0 is free
	used  int
}

const minSlots = 16

func (x *index) mask() uint64 { return uint64(len(x.slots) - 1) }

func pack(hash uint64, row uint32) uint64 { return hash&^0xffffffff | uint64(row+1) }

// find calls same for each row that may have the hash until it says yes.
func (x *index) find(hash uint64, hashOf func(row uint32) uint64) (row uint32, ok bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	for i := hash & x.mask(); x.slots[i] != 0; i = (i + 1) & x.mask() {
		if (x.slots[i]^hash)>>32 != 0 {
			continue
		}
		if row := uint32(x.slots[i]) - 1; hashOf(row) == hash { //nolint:gosec // the lower half is the row
			return row, true
		}
	}
	return 0, false
}

// add puts a row that is not there yet.
func (x *index) add(hash uint64, row uint32, hashOf func(row uint32) uint64) {
	if x.used*4 >= len(x.slots)*3 {
		x.resize(hashOf)
	}
	x.place(hash, row)
	x.used++
}

func (x *index) place(hash uint64, row uint32) {
	i := hash & x.mask()
	for x.slots[i] != 0 {
		i = (i + 1) & x.mask()
	}
	x.slots[i] = pack(hash, row)
}

func (x *index) resize(hashOf func(row uint32) uint64) {
	old := x.slots
	x.slots = make([]uint64, max(minSlots, 2*len(old)))
	for _, s := range old {
		if s != 0 {
			row := uint32(s) - 1 //nolint:gosec // the lower half is the row
			x.place(hashOf(row), row)
		}
	}
}

// remove takes a row out and closes the gap, so that no search stops early.
func (x *index) remove(hash uint64, row uint32, hashOf func(row uint32) uint64) {
	i := hash & x.mask()
	for want := pack(hash, row); x.slots[i] != want; i = (i + 1) & x.mask() {
		if x.slots[i] == 0 {
			return
		}
	}
	x.used--
	for gap, j := i, (i+1)&x.mask(); ; j = (j + 1) & x.mask() {
		s := x.slots[j]
		if s == 0 {
			x.slots[gap] = 0
			return
		}
		home := hashOf(uint32(s)-1) & x.mask() //nolint:gosec // the lower half is the row
		if (j-home)&x.mask() >= (j-gap)&x.mask() {
			x.slots[gap] = s
			gap = j
		}
	}
}
