package topic

import "encoding/binary"

// reader takes a blob apart. After the first fault it gives zeros, and err says
// so. Numbers that are written longer than needed are faults: each value has one
// form.
type reader struct {
	rest []byte
	err  error
}

func (in *reader) fail() { in.rest, in.err = nil, ErrCode }

func (in *reader) byte() byte {
	if len(in.rest) < 1 {
		in.fail()
		return 0
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b
}

func (in *reader) fixed() uint64 {
	if len(in.rest) < 8 {
		in.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(in.rest)
	in.rest = in.rest[8:]
	return v
}

func (in *reader) uvarint() uint64 {
	v, n := binary.Uvarint(in.rest)
	if n <= 0 || n > 1 && in.rest[n-1] == 0 {
		in.fail()
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

func (in *reader) varint() int64 {
	u := in.uvarint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

// maxCount bounds counts, so that sums of them do not overflow.
const maxCount = 1 << 48

// count is a number that counts something.
func (in *reader) count() int64 {
	v := in.uvarint()
	if v > maxCount {
		in.fail()
		return 0
	}
	return int64(v)
}

// signed is a count that may be negative.
func (in *reader) signed() int64 {
	v := in.varint()
	if v > maxCount || v < -maxCount {
		in.fail()
		return 0
	}
	return v
}

// length is how many things follow: at most limit, and each takes so many bytes
// at least, so that a lie costs no memory.
func (in *reader) length(limit, least int) int {
	v := in.uvarint()
	if v > uint64(limit) || least > 0 && v > uint64(len(in.rest)/least) {
		in.fail()
		return 0
	}
	return int(v)
}

func (in *reader) bytes(n int) []byte {
	if n > len(in.rest) {
		in.fail()
		return nil
	}
	b := in.rest[:n]
	in.rest = in.rest[n:]
	return b
}

func (in *reader) text(limit int) []byte { return in.bytes(in.length(limit, 1)) }
