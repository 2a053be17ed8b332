package archive

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

var errColumn = errors.New("a column has another type or length than this program writes")

// pages calls take with the values of every page of a column, and with its
// dictionary for pages that hold indexes into one.
func pages(chunk parquet.ColumnChunk, take func(values encoding.Values, dictionary parquet.Dictionary) error) error {
	p := chunk.Pages()
	defer p.Close()
	for {
		page, err := p.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = take(page.Data(), page.Dictionary())
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

// int64s appends a column of whole numbers to dst.
func int64s(chunk parquet.ColumnChunk, dst []int64) ([]int64, error) {
	err := pages(chunk, func(v encoding.Values, d parquet.Dictionary) error {
		switch {
		case d != nil && v.Kind() == encoding.Int32 && d.Type().Kind() == parquet.Int64:
			data := d.Page().Data()
			words := data.Int64()
			for _, i := range v.Int32() {
				dst = append(dst, words[i])
			}
		case d == nil && v.Kind() == encoding.Int64:
			dst = append(dst, v.Int64()...)
		case d == nil && v.Kind() == encoding.Int32:
			for _, n := range v.Int32() {
				dst = append(dst, int64(n))
			}
		default:
			return errColumn
		}
		return nil
	})
	return dst, err
}

// blocks appends a column of 16-byte values to dst.
func blocks(chunk parquet.ColumnChunk, dst []byte) ([]byte, error) {
	err := pages(chunk, func(v encoding.Values, d parquet.Dictionary) error {
		if d != nil || v.Kind() != encoding.FixedLenByteArray {
			return errColumn
		}
		data, size := v.FixedLenByteArray()
		if size != 16 {
			return errColumn
		}
		dst = append(dst, data...)
		return nil
	})
	return dst, err
}

// bools appends a column of truths, packed eight a byte, to dst.
func bools(chunk parquet.ColumnChunk, dst []bool) ([]bool, error) {
	p := chunk.Pages()
	defer p.Close()
	for {
		page, err := p.ReadPage()
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
		data := page.Data()
		if data.Kind() != encoding.Boolean {
			parquet.Release(page)
			return dst, errColumn
		}
		bits := data.Boolean()
		for i := range int(page.NumValues()) {
			dst = append(dst, bits[i/8]>>(i%8)&1 == 1)
		}
		parquet.Release(page)
	}
}

// words is a column of texts: the distinct ones of a row group, and which of
// them each row has.
type words struct {
	text  []string
	index []int32
}

// read replaces the column by that of another row group; intern gives the one
// copy of a text that outlives the page.
func (w *words) read(chunk parquet.ColumnChunk, intern func([]byte) string) error {
	w.text, w.index = w.text[:0], w.index[:0]
	first := true
	return pages(chunk, func(v encoding.Values, d parquet.Dictionary) error {
		switch {
		case d != nil && v.Kind() == encoding.Int32:
			if first {
				data := d.Page().Data()
				w.append(data, intern)
				first = false
			}
			w.index = append(w.index, v.Int32()...)
		case d == nil && v.Kind() == encoding.ByteArray:
			base := len(w.text)
			w.append(v, intern)
			for i := base; i < len(w.text); i++ {
				w.index = append(w.index, int32(i))
			}
			first = false
		default:
			return errColumn
		}
		return nil
	})
}

func (w *words) append(v encoding.Values, intern func([]byte) string) {
	data, offsets := v.ByteArray()
	for i := 1; i < len(offsets); i++ {
		w.text = append(w.text, intern(data[offsets[i-1]:offsets[i]]))
	}
}

func (w *words) check(rows int) error {
	if len(w.index) != rows {
		return errColumn
	}
	for _, i := range w.index {
		if i < 0 || int(i) >= len(w.text) {
			return fmt.Errorf("%w: index %d of %d", errColumn, i, len(w.text))
		}
	}
	return nil
}

// interner keeps one copy of each text, up to a bound: the texts of millions of
// posts do not repeat.
type interner map[string]string

func (in interner) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := in[string(b)]; ok {
		return s
	}
	s := strings.Clone(string(b))
	if len(in) < 1<<16 {
		in[s] = s
	}
	return s
}
