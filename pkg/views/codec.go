package views

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// ErrDamaged says that stored bytes cannot be read back.
var ErrDamaged = errors.New("stored view is damaged")

const codecVersion = 1

// Encode writes a view as bytes, the same for equal maps, with a checksum.
func Encode(v tally.View) []byte {
	keys := audience.SortedRounds(v)
	b := binary.AppendUvarint([]byte{codecVersion}, uint64(len(keys)))
	for _, k := range keys {
		b = appendText(b, k.Poll)
		b = binary.AppendUvarint(b, uint64(k.Round))
		b = appendRound(b, v[k])
	}
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// Decode reads what Encode wrote.
func Decode(b []byte) (tally.View, error) {
	if len(b) < 5 || b[0] != codecVersion {
		return nil, ErrDamaged
	}
	body := b[:len(b)-4]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	d := decoder{b: body[1:]}
	n := d.count(3)
	v := make(tally.View, n)
	for range n {
		k := audience.RoundKey{Poll: d.text(), Round: uint32(d.uint())}
		v[k] = d.round()
	}
	return v, d.end()
}

func encodeRound(r *tally.Round) []byte { return appendRound(nil, r) }

func decodeRound(b []byte) (*tally.Round, error) {
	d := decoder{b: b}
	r := d.round()
	return r, d.end()
}

func appendRound(b []byte, r *tally.Round) []byte {
	if r == nil {
		r = &tally.Round{}
	}
	b = appendCounts(b, r.Votes)
	b = appendCounts(b, r.Sums)
	for _, n := range []int64{r.Voters, r.Late, r.Duplicates, r.Limit, r.Revoked, r.Superseded} {
		b = binary.AppendVarint(b, n)
	}
	return appendSeries(b, r.Series)
}

// appendSeries writes buckets as the distance to the one before: a bucket of a
// busy poll takes two bytes an option, or so.
func appendSeries(b []byte, series map[int64][]int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(series)))
	last := int64(0)
	for _, bucket := range slices.Sorted(maps.Keys(series)) {
		b = binary.AppendVarint(b, bucket-last)
		b = appendCounts(b, series[bucket])
		last = bucket
	}
	return b
}

func appendCounts(b []byte, counts []int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(counts)))
	for _, n := range counts {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads to the first fault and says it at the end.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() { d.err, d.b = ErrDamaged, nil }

func (d *decoder) uint() uint64 { return number(d, binary.Uvarint) }

func (d *decoder) int() int64 { return number(d, binary.Varint) }

func number[N uint64 | int64](d *decoder, read func([]byte) (N, int)) N {
	n, size := read(d.b)
	if size <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[size:]
	return n
}

// count is the number of elements that follow, each of at least some bytes.
func (d *decoder) count(each int) int {
	n := d.uint()
	if n > uint64(len(d.b)/each) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	n := d.count(1)
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) counts() []int64 {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	counts := make([]int64, n)
	for i := range counts {
		counts[i] = d.int()
	}
	return counts
}

func (d *decoder) round() *tally.Round {
	r := &tally.Round{Votes: d.counts(), Sums: d.counts()}
	for _, n := range []*int64{&r.Voters, &r.Late, &r.Duplicates, &r.Limit, &r.Revoked, &r.Superseded} {
		*n = d.int()
	}
	r.Series = d.series()
	return r
}

func (d *decoder) series() map[int64][]int64 {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	series := make(map[int64][]int64, n)
	bucket := int64(0)
	for range n {
		bucket += d.int()
		series[bucket] = d.counts()
	}
	return series
}

func (d *decoder) end() error {
	if d.err == nil && len(d.b) != 0 {
		d.err = ErrDamaged
	}
	return d.err
}
