package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// source is a file of the bucket read by ranges. What load brought in is served
// from memory, so an object store sees one request a row group.
type source struct {
	ctx    context.Context
	a      *Archive
	path   string
	size   int64
	file   *os.File // folders
	window []byte
	start  int64
}

func (a *Archive) source(ctx context.Context, path string) (*source, error) {
	s := &source{ctx: ctx, a: a, path: path}
	if a.dir != "" {
		f, err := os.Open(filepath.Join(a.dir, filepath.FromSlash(path)))
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("read %s: %w", path, ErrNotFound)
		}
		if err != nil {
			return nil, a.wrap("read", path, err)
		}
		info, err := f.Stat()
		if err != nil {
			_ = f.Close()
			return nil, a.wrap("read", path, err)
		}
		s.file, s.size = f, info.Size()
		return s, nil
	}
	attrs, err := a.bucket.Attributes(ctx, path)
	if err != nil {
		return nil, a.wrap("read", path, err)
	}
	s.size = attrs.Size
	return s, nil
}

func (s *source) Close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}

// load brings [from, to) into memory, if it is not there.
func (s *source) load(from, to int64) error {
	if from >= s.start && to <= s.start+int64(len(s.window)) {
		return nil
	}
	if from < 0 || to < from || to > s.size {
		return fmt.Errorf("bytes %d to %d of %d: %w", from, to, s.size, ErrCorrupt)
	}
	n := int(to - from)
	if cap(s.window) < n {
		s.window = make([]byte, n)
	}
	s.start, s.window = from, s.window[:0]
	if _, err := s.fetch(s.window[:n], from); err != nil {
		return err
	}
	s.window = s.window[:n]
	return nil
}

func (s *source) ReadAt(b []byte, off int64) (int, error) {
	if off >= s.start && off+int64(len(b)) <= s.start+int64(len(s.window)) {
		return copy(b, s.window[off-s.start:]), nil
	}
	return s.fetch(b, off)
}

func (s *source) fetch(b []byte, off int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(b, off)
	}
	if off >= s.size {
		return 0, io.EOF
	}
	r, err := s.a.bucket.NewRangeReader(s.ctx, s.path, off, int64(len(b)), nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close() }()
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// opened is a segment whose footer has been read and believed.
type opened struct {
	*source
	parquet *parquet.File
	file    File
}

const (
	// wholeBytes is up to which size a file is read in one piece: most epochs
	// of most partitions are minutes long.
	wholeBytes = 8 << 20
	// footerBytes is what mostly holds the footer.
	footerBytes = 64 << 10
)

// open reads a segment's footer and, when there will be more to read, all of a
// small file with it.
func (a *Archive) open(ctx context.Context, s Segment, more bool) (_ *opened, err error) {
	src, err := a.source(ctx, s.Path())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			src.Close()
		}
	}()
	defer rescue(s.Path(), &err)
	ahead := src.size
	if !more || ahead > wholeBytes {
		ahead = min(ahead, footerBytes)
	}
	if err := src.load(src.size-ahead, src.size); err != nil {
		return nil, corrupt(s.Path(), err)
	}
	// A file's first bytes say nothing that its last do not.
	f, err := parquet.OpenFile(src, src.size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.SkipMagicBytes(true))
	if err != nil {
		return nil, corrupt(s.Path(), err)
	}
	o := &opened{source: src, parquet: f}
	if o.file, err = describe(s, f, src.size); err != nil {
		return nil, corrupt(s.Path(), err)
	}
	return o, nil
}

func corrupt(path string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Errorf("read %s: %w: %w", path, ErrCorrupt, err)
}

// rescue turns a panic over a damaged file into an error: the Parquet library
// trusts lengths and counts that it finds in one.
func rescue(path string, err *error) {
	if r := recover(); r != nil {
		*err = corrupt(path, fmt.Errorf("%v", r))
	}
}

func describe(s Segment, f *parquet.File, size int64) (File, error) {
	text := func(key string) string { v, _ := f.Lookup(key); return v }
	if v := text(metaFormat); v != formatVersion {
		return File{}, fmt.Errorf("its footer says format %q, want %q", v, formatVersion)
	}
	want := [][2]string{
		{metaTopic, s.Topic},
		{metaEpoch, strconv.FormatUint(s.Epoch, 10)},
		{metaPartition, strconv.Itoa(int(s.Partition))},
	}
	for _, w := range want {
		if got := text(w[0]); got != w[1] {
			return File{}, fmt.Errorf("its footer says %s %q, its place %q", w[0], got, w[1])
		}
	}
	out := File{Path: s.Path(), Rows: f.NumRows(), Bytes: size}
	for _, n := range []struct {
		key string
		at  *int64
	}{{metaFirst, &out.First}, {metaNext, &out.Next}, {metaBallots, &out.Ballots}} {
		v, err := strconv.ParseInt(text(n.key), 10, 64)
		if err != nil {
			return File{}, fmt.Errorf("its footer says %s %q", n.key, text(n.key))
		}
		*n.at = v
	}
	return out, nil
}

// Stat reads a segment's footer.
func (a *Archive) Stat(ctx context.Context, s Segment) (File, error) {
	o, err := a.open(ctx, s, false)
	if err != nil {
		return File{}, err
	}
	o.Close()
	return o.file, nil
}
