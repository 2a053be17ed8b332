package modelfile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Writer lays out the body of a model field by field.
type Writer struct{ Body []byte }

// Uint writes a number.
func (w *Writer) Uint(v uint64) { w.Body = binary.AppendUvarint(w.Body, v) }

// Float writes a 32-bit float.
func (w *Writer) Float(v float32) {
	w.Body = binary.LittleEndian.AppendUint32(w.Body, math.Float32bits(v))
}

// Bytes writes a length and the bytes.
func (w *Writer) Bytes(b []byte) {
	w.Uint(uint64(len(b)))
	w.Body = append(w.Body, b...)
}

// String writes a length and the text.
func (w *Writer) String(s string) {
	w.Uint(uint64(len(s)))
	w.Body = append(w.Body, s...)
}

// Reader reads what a Writer wrote. After the first fault every read gives
// zero and Err tells the fault, so a loader checks once, at the end.
type Reader struct {
	body []byte
	err  error
}

// NewReader reads body.
func NewReader(body []byte) *Reader { return &Reader{body: body} }

// Err is the first fault, or a complaint about bytes that were left over.
func (r *Reader) Err() error {
	if r.err == nil && len(r.body) > 0 {
		return fmt.Errorf("%w: %d bytes too many", ErrNotModel, len(r.body))
	}
	return r.err
}

func (r *Reader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("%w: a field ends early", ErrTruncated)
	}
	r.body = nil
}

// Uint reads a number.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.body)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.body = r.body[n:]
	return v
}

// Count reads a number of items of at least size bytes each, so that a damaged
// count cannot ask for more memory than the body could fill.
func (r *Reader) Count(size int) int {
	v := r.Uint()
	if v > uint64(len(r.body)/max(size, 1)) {
		r.fail()
		return 0
	}
	return int(v)
}

// Float reads a 32-bit float.
func (r *Reader) Float() float32 {
	if len(r.body) < 4 {
		r.fail()
		return 0
	}
	v := math.Float32frombits(binary.LittleEndian.Uint32(r.body))
	r.body = r.body[4:]
	return v
}

// Bytes reads a length and the bytes; they alias the body.
func (r *Reader) Bytes() []byte {
	n := r.Count(1)
	if r.err != nil {
		return nil
	}
	b := r.body[:n:n]
	r.body = r.body[n:]
	return b
}

// String reads a text.
func (r *Reader) String() string { return string(r.Bytes()) }

// Fixed reads n bytes, or nil when fewer are left.
func (r *Reader) Fixed(n int) []byte {
	if len(r.body) < n {
		r.fail()
		return nil
	}
	b := r.body[:n:n]
	r.body = r.body[n:]
	return b
}
