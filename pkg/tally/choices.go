package tally

import (
	"encoding/binary"

	"github.com/clamor-live/clamor/pkg/audience"
)

// inline marks choices that are one slot, kept in the ballot's own four bytes;
// any other list stands in the arena, at page<<16 | offset.
const inline = 1 << 31

const (
	arenaShift = 16
	arenaSize  = 1 << arenaShift
	arenaPages = inline >> arenaShift // 2 GiB at a time
)

// arena keeps lists of choices in pages of 64 KiB, whose numbers wrap around.
type arena struct {
	list  [][]byte
	first uint32 // number of list[0], modulo arenaPages
}

// put keeps the bytes of a list. A round that needs more than 2 GiB of them in
// one partition, a hundred million ballots of many choices, panics: a wrong
// count would be worse.
func (a *arena) put(list []byte) uint32 {
	last := len(a.list) - 1
	if last < 0 || len(a.list[last])+len(list) > arenaSize {
		if len(a.list) == arenaPages {
			panic("tally: more choices than one partition of a round can hold; use more partitions")
		}
		a.list = append(a.list, nil)
		last++
	}
	offset := len(a.list[last])
	a.list[last] = append(a.list[last], list...)
	page := (a.first + uint32(last)) % arenaPages
	return page<<arenaShift | uint32(offset)
}

func (a *arena) at(place uint32) []byte {
	page := (place>>arenaShift - a.first) % arenaPages
	return a.list[page][place&(arenaSize-1):]
}

// drop gives back the pages before a place.
func (a *arena) drop(place uint32) {
	n := (place>>arenaShift - a.first) % arenaPages
	a.list = a.list[n:]
	a.first = place >> arenaShift
}

// store keeps a ballot's choices and says where.
func (r *round) store(choices []audience.Choice) uint32 {
	if r.rule.kind == kindChoice && len(choices) == 1 {
		return inline | uint32(choices[0].Slot)
	}
	var list [64]byte
	return r.arena.put(appendChoices(list[:0], choices, r.rule.kind))
}

// load appends the choices kept at a place.
func (r *round) load(dst []audience.Choice, place uint32) []audience.Choice {
	if place&inline != 0 {
		return append(dst, audience.Choice{Slot: uint16(place)})
	}
	dst, _, _ = readChoices(dst, r.arena.at(place), r.rule.kind)
	return dst
}

func appendChoices(dst []byte, choices []audience.Choice, k kind) []byte {
	choices = choices[:min(len(choices), maxChoices)]
	dst = binary.AppendUvarint(dst, uint64(len(choices)))
	for _, c := range choices {
		dst = binary.AppendUvarint(dst, uint64(c.Slot))
		if k == kindScore {
			dst = binary.AppendVarint(dst, int64(c.Score))
		}
	}
	return dst
}

// maxChoices bounds what one ballot can hold, so that a damaged length cannot
// ask for memory, and a list fits a page.
const maxChoices = 1 << 12

// readChoices is the inverse of appendChoices; it gives the rest of b.
func readChoices(dst []audience.Choice, b []byte, k kind) ([]audience.Choice, []byte, error) {
	n, b, err := readUvarint(b, maxChoices)
	if err != nil {
		return dst, b, err
	}
	for range n {
		var slot, zigzag uint64
		if slot, b, err = readUvarint(b, 1<<16-1); err != nil {
			return dst, b, err
		}
		c := audience.Choice{Slot: uint16(slot)}
		if k == kindScore {
			if zigzag, b, err = readUvarint(b, 1<<32-1); err != nil {
				return dst, b, err
			}
			c.Score = int32(uint32(zigzag>>1) ^ -uint32(zigzag&1))
		}
		dst = append(dst, c)
	}
	return dst, b, nil
}

// readUvarint reads a number of at most limit, and gives the rest of b.
func readUvarint(b []byte, limit uint64) (uint64, []byte, error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > limit {
		return 0, b, ErrJournal
	}
	return n, b[size:], nil
}
