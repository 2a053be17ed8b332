package tally

import (
	"encoding/binary"

	"github.com/clamor-live/clamor/pkg/audience"
)

// inline marks choices that are one slot, kept in the ballot's own four bytes;
// any other list stands in the arena.
const inline = 1 << 31

// maxArena bounds the lists of one round of one partition: 2 GiB.
const maxArena = inline - 1

// store keeps a ballot's choices and says where. Past the arena's end, which no
// round of fewer than a hundred million many-choice ballots reaches, it panics:
// a wrong count would be worse.
func (r *round) store(choices []audience.Choice) uint32 {
	if r.rule.kind == kindChoice && len(choices) == 1 {
		return inline | uint32(choices[0].Slot)
	}
	at := len(r.arena)
	if at > maxArena {
		panic("tally: more choices than one partition of a round can hold; use more partitions")
	}
	r.arena = appendChoices(r.arena, choices, r.rule.kind)
	return uint32(at) //nolint:gosec // checked above
}

// load appends the choices kept at a place.
func (r *round) load(dst []audience.Choice, place uint32) []audience.Choice {
	if place&inline != 0 {
		return append(dst, audience.Choice{Slot: uint16(place)}) //nolint:gosec // the lower half is the slot
	}
	dst, _, _ = readChoices(dst, r.arena[place:], r.rule.kind)
	return dst
}

func appendChoices(dst []byte, choices []audience.Choice, k kind) []byte {
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
// ask for memory.
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
		c := audience.Choice{Slot: uint16(slot)} //nolint:gosec // bounded above
		if k == kindScore {
			if zigzag, b, err = readUvarint(b, 1<<32-1); err != nil {
				return dst, b, err
			}
			c.Score = int32(uint32(zigzag>>1) ^ -uint32(zigzag&1)) //nolint:gosec // zigzag of an int32
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
