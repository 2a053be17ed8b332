package tally

import (
	"encoding/binary"

	"github.com/clamor-live/clamor/pkg/audience"
)

// reader takes a journal apart. After the first fault it gives zeros, and err
// says so.
type reader struct {
	rest    []byte
	last    uint32
	err     error
	choices []audience.Choice
}

func (in *reader) byte() byte {
	if in.err != nil || len(in.rest) < 1 {
		in.err = ErrJournal
		return 0
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b
}

func (in *reader) hash() uint64 {
	if in.err != nil || len(in.rest) < 8 {
		in.err = ErrJournal
		return 0
	}
	h := binary.LittleEndian.Uint64(in.rest)
	in.rest = in.rest[8:]
	return h
}

func (in *reader) uvarint(limit uint64) uint64 {
	if in.err != nil {
		return 0
	}
	n, rest, err := readUvarint(in.rest, limit)
	in.rest, in.err = rest, err
	return n
}

func (in *reader) bucket() uint32 {
	if in.err != nil {
		return 0
	}
	d, size := binary.Varint(in.rest)
	b := int64(in.last) + d
	if size <= 0 || b < 0 || b >= 1<<outcomeShift {
		in.err = ErrJournal
		return 0
	}
	in.rest, in.last = in.rest[size:], uint32(b)
	return in.last
}

func (in *reader) facts(k kind) facts {
	f := facts{mark: in.hash(), voter: in.hash(), bucket: in.bucket()}
	if in.err == nil {
		in.choices, in.rest, in.err = readChoices(in.choices[:0], in.rest, k)
	}
	f.choices = in.choices
	return f
}

func (in *reader) apply(act func()) {
	if in.err == nil {
		act()
	}
}

// demand faults a journal that is well-formed but makes no sense.
func (in *reader) demand(ok bool) {
	if in.err == nil && !ok {
		in.err = ErrJournal
	}
}
