package topic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/names"
)

// ErrCode is a blob that is damaged or of another version.
var ErrCode = errors.New("blob is damaged or of another version")

// Bounds of an encoded Minute.
const (
	// MaxBlob is the most bytes that Decode reads.
	MaxBlob     = 4 << 20
	codeVersion = 1
	maxKey      = 256     // bytes of a key of Counts
	maxKeys     = 1 << 14 // keys of one Counts
	maxRank     = 32 - sketchBits + 1
)

// Encode writes a minute. Minutes that were counted alike have equal bytes, and
// zeros are not written.
func Encode(m *Minute) []byte { return AppendMinute(nil, m) }

// AppendMinute appends what Encode writes.
func AppendMinute(dst []byte, m *Minute) []byte {
	dst = append(dst, codeVersion)
	for _, n := range []int64{m.Posts, m.Reposts, m.Replies, m.Media, m.Rejected, m.Estimate.Weight, m.Estimate.Variance} {
		dst = binary.AppendVarint(dst, n)
	}
	for _, c := range []Counts{m.Languages, m.Countries, m.Regions, m.Platforms} {
		dst = appendCounts(dst, c)
	}
	dst = appendMoods(dst, m.Sentiment)
	for _, t := range []*Top{&m.Hashtags, &m.Words, &m.Links, &m.Authors} {
		dst = appendTop(dst, t)
	}
	dst = appendSketch(dst, &m.Distinct)
	return appendCrowd(dst, &m.Crowd)
}

// Decode reads a minute, which shares nothing with the blob. What a hostile blob
// makes it allocate is bounded by a small multiple of the blob's length.
func Decode(blob []byte) (*Minute, error) {
	if len(blob) > MaxBlob {
		return nil, fmt.Errorf("decode minute of %d bytes: %w", len(blob), ErrCode)
	}
	in := &reader{rest: blob}
	if in.byte() != codeVersion {
		in.fail()
	}
	m := &Minute{}
	for _, n := range []*int64{&m.Posts, &m.Reposts, &m.Replies, &m.Media, &m.Rejected} {
		*n = in.signed()
	}
	m.Estimate = Estimate{in.varint(), in.varint()}
	for _, c := range []*Counts{&m.Languages, &m.Countries, &m.Regions, &m.Platforms} {
		*c = in.counts()
	}
	m.Sentiment = in.moods()
	for _, t := range []*Top{&m.Hashtags, &m.Words, &m.Links, &m.Authors} {
		in.top(t)
	}
	in.sketch(&m.Distinct)
	in.crowd(&m.Crowd)
	if in.err != nil || len(in.rest) > 0 {
		return nil, fmt.Errorf("decode minute: %w", ErrCode)
	}
	return m, nil
}

func appendText[T ~string | ~[]byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendCounts(dst []byte, c Counts) []byte {
	keys := make([]string, 0, len(c))
	for key, n := range c {
		if n != 0 {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	dst = binary.AppendUvarint(dst, uint64(len(keys)))
	for _, key := range keys {
		dst = binary.AppendVarint(appendText(dst, key), c[key])
	}
	return dst
}

func (in *reader) counts() Counts {
	n := in.length(maxKeys, 2)
	if n == 0 {
		return nil
	}
	c, last := make(Counts, n), ""
	for i := range n {
		key := string(in.text(maxKey))
		in.demand(i == 0 || key > last)
		v := in.signed()
		in.demand(v != 0)
		c[key], last = v, key
	}
	return c
}

// demand faults a blob that is well-formed but not as it would be written.
func (in *reader) demand(ok bool) {
	if !ok {
		in.fail()
	}
}

func appendMoods(dst []byte, moods map[string]*Moods) []byte {
	keys := make([]string, 0, len(moods))
	for key, s := range moods {
		if *s != (Moods{}) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	dst = binary.AppendUvarint(dst, uint64(len(keys)))
	for _, key := range keys {
		dst = appendText(dst, key)
		for _, n := range moods[key] {
			dst = binary.AppendVarint(dst, n)
		}
	}
	return dst
}

func (in *reader) moods() map[string]*Moods {
	n := in.length(maxKeys, 1+len(Moods{}))
	if n == 0 {
		return nil
	}
	moods, last := make(map[string]*Moods, n), ""
	for i := range n {
		key := string(in.text(maxKey))
		in.demand(i == 0 || key > last)
		s := &Moods{}
		for k := range s {
			s[k] = in.signed()
		}
		in.demand(*s != Moods{})
		moods[key], last = s, key
	}
	return moods
}

// appendTop writes the items by key, each key as the difference to the one before.
func appendTop(dst []byte, t *Top) []byte {
	t.settle()
	for _, n := range []int64{int64(t.size), t.floor, t.lost} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.items)))
	last := uint64(0)
	for _, row := range t.byKey() {
		it := &t.items[row]
		dst = binary.AppendUvarint(dst, it.key-last)
		for _, n := range []int64{it.n, it.error, it.votes} {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
		dst, last = appendText(dst, it.text), it.key
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.less)))
	last = 0
	for _, key := range slices.Sorted(maps.Keys(t.less)) {
		dst = binary.AppendVarint(binary.AppendUvarint(dst, key-last), t.less[key])
		last = key
	}
	return dst
}

func (in *reader) top(t *Top) {
	t.size, t.floor, t.lost = in.length(sumKeys, 0), in.count(), in.count()
	in.demand(t.size > 0)
	n := in.length(t.size, 5)
	t.items = make([]item, 0, n)
	last := uint64(0)
	for i := range n {
		it := item{key: in.next(last, i), n: in.count(), error: in.count(), votes: in.count()}
		in.demand(it.n > 0 && it.error < it.n && it.error <= t.floor && it.votes <= it.n)
		if text := in.text(maxText); len(text) > 0 {
			it.text = slices.Clone(text)
		}
		t.items, last = append(t.items, it), it.key
	}
	n = in.length(maxTaken, 2)
	if n > 0 {
		t.less = make(map[uint64]int64, n)
	}
	last = 0
	for i := range n {
		key := in.next(last, i)
		v := in.signed()
		in.demand(v != 0)
		t.less[key], last = v, key
	}
	if in.err != nil {
		*t = Top{}
		return
	}
	t.loose = true
	t.settle()
}

// next reads a key that is above the last but for the first.
func (in *reader) next(last uint64, i int) uint64 {
	d := in.uvarint()
	in.demand(i == 0 || d > 0 && last+d > last)
	return last + d
}

// The two forms of a sketch.
const (
	sketchFew = iota
	sketchRegisters
)

func appendSketch(dst []byte, s *Sketch) []byte {
	if s.regs != nil {
		return append(append(dst, sketchRegisters), s.regs...)
	}
	dst = binary.AppendUvarint(append(dst, sketchFew), uint64(len(s.few)))
	last := uint32(0)
	for _, short := range s.few {
		dst = binary.AppendUvarint(dst, uint64(short-last))
		last = short
	}
	return dst
}

func (in *reader) sketch(s *Sketch) {
	switch in.byte() {
	case sketchRegisters:
		s.regs = slices.Clone(in.bytes(registers))
		for _, r := range s.regs {
			in.demand(r <= maxRank)
		}
	case sketchFew:
		last := uint64(0)
		for i := range in.length(fewHashes, 1) {
			last = in.next(last, i)
			in.demand(last < 1<<32)
			s.few = append(s.few, uint32(last))
		}
	default:
		in.fail()
	}
}

func appendCrowd(dst []byte, c *Crowd) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.members)))
	last := uint64(0)
	for _, m := range c.members {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, m.hash-last), uint64(m.name+1))
		last = m.hash
	}
	return dst
}

func (in *reader) crowd(c *Crowd) {
	n := in.length(maxCrowd, 2)
	last := uint64(0)
	for i := range n {
		last = in.next(last, i)
		name := in.uvarint()
		in.demand(name < 1<<31)
		c.members = append(c.members, member{last, names.ID(name) - 1})
	}
}
