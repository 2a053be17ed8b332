package search

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"unicode/utf8"
)

// cursor is the place of a page's last hit in its order. A reader gets it as
// opaque text; what comes back is checked whole, and says nothing but where to go
// on: the query's own filters still decide what is seen.
type cursor struct {
	sort Sort
	// at is the received_at in Unix milliseconds, score the score: the one that the
	// order has.
	at    int64
	score float64
	id    string
}

const cursorVersion = 1

// String is version, order, key (8 bytes) and id, with their checksum, in base64.
func (c cursor) String() string {
	b := []byte{cursorVersion, byte(c.sort)}
	key := uint64(c.at)
	if c.sort == Relevance {
		key = math.Float64bits(c.score)
	}
	b = binary.BigEndian.AppendUint64(b, key)
	b = append(b, c.id...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s string) (cursor, error) {
	const head, tail = 10, 4
	if len(s) > base64.RawURLEncoding.EncodedLen(head+maxID+tail) {
		return cursor{}, ErrCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) <= head+tail || b[0] != cursorVersion {
		return cursor{}, ErrCursor
	}
	body, sum := b[:len(b)-tail], b[len(b)-tail:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) {
		return cursor{}, ErrCursor
	}
	c := cursor{sort: Sort(body[1]), id: string(body[head:])}
	key := binary.BigEndian.Uint64(body[2:head])
	switch c.sort {
	case Newest:
		c.at = int64(key)
	case Relevance:
		c.score = math.Float64frombits(key)
	default:
		return cursor{}, ErrCursor
	}
	if c.at < 0 || c.at > maxTime || math.IsNaN(c.score) || math.IsInf(c.score, 0) || !utf8.ValidString(c.id) {
		return cursor{}, ErrCursor
	}
	return c, nil
}

// next is the cursor behind the last of hits.
func (p *plan) next(hits []Hit) string {
	last := &hits[len(hits)-1]
	return cursor{sort: p.Sort, at: int64(last.ReceivedAt), score: last.Score, id: last.ID}.String()
}
