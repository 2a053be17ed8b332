// Package cursor is the place in an order of hits at which a page ended, as an
// opaque text. It is checked whole when it comes back, and says nothing but where
// to go on: the query's own filters still decide what is seen.
package cursor

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"unicode/utf8"
)

// The orders.
const (
	Newest byte = iota
	Relevance
)

// MaxID is the longest id in bytes.
const MaxID = 512

// Cursor is the place behind a hit.
type Cursor struct {
	Order byte
	// At is the received_at in Unix milliseconds, Score the score: the one that the
	// order has.
	At    int64
	Score float64
	ID    string
}

const (
	version    = 1
	head, tail = 10, 4
)

// String is version, order, key (8 bytes) and id, with their checksum, in base64.
func (c Cursor) String() string {
	key := uint64(c.At)
	if c.Order == Relevance {
		key = math.Float64bits(c.Score)
	}
	b := binary.BigEndian.AppendUint64([]byte{version, c.Order}, key)
	b = append(b, c.ID...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// Parse reads what String wrote, and nothing else.
func Parse(s string) (c Cursor, ok bool) {
	if len(s) > base64.RawURLEncoding.EncodedLen(head+MaxID+tail) {
		return c, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) <= head+tail || b[0] != version {
		return c, false
	}
	body, sum := b[:len(b)-tail], b[len(b)-tail:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) {
		return c, false
	}
	c = Cursor{Order: body[1], ID: string(body[head:])}
	switch key := binary.BigEndian.Uint64(body[2:head]); c.Order {
	case Newest:
		c.At = int64(key)
	case Relevance:
		c.Score = math.Float64frombits(key)
	default:
		return c, false
	}
	// A line break in base64 would be skipped: another text for the same place.
	return c, !math.IsNaN(c.Score) && !math.IsInf(c.Score, 0) && utf8.ValidString(c.ID) && c.String() == s
}
