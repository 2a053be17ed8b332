package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A segment file is a row of Kafka record batches (version 2), all integers
// big-endian: first offset int64, length int32 of what follows, leader epoch
// int32, magic int8, CRC-32C uint32 of what follows, attributes int16, last
// offset delta int32, …
const (
	atLength    = 8
	atMagic     = 16
	atCRC       = 17
	atBody      = 21
	atLastDelta = 23
	headBytes   = 61
	magic2      = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// check reads the log through before the server does, because the server cuts a
// partition off at the first batch that it cannot read. An unfinished batch at
// the very end is what a crash leaves, and was never acknowledged; anything else
// is damage.
func check(ctx context.Context, dir string, log *slog.Logger) error {
	parts, err := os.ReadDir(filepath.Join(dir, "partitions"))
	if errors.Is(err, os.ErrNotExist) {
		return checkState(dir, false)
	}
	if err != nil {
		return fmt.Errorf("check the log: %w", err)
	}
	if err := checkState(dir, len(parts) > 0); err != nil {
		return err
	}
	for _, part := range parts {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		torn, err := checkPartition(filepath.Join(dir, "partitions", part.Name()))
		if err != nil {
			return err
		}
		if torn > 0 {
			log.Warn("the log ends in an unfinished batch, which is left out", "partition", part.Name(), "bytes", torn)
		}
	}
	return nil
}

// checkState looks for the files without which the server would start a new log
// over the old one.
func checkState(dir string, used bool) error {
	for _, name := range []string{"meta.json", "topics.json"} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) && !used {
			continue
		}
		if err == nil && !json.Valid(text) {
			err = errors.New("not a JSON document")
		}
		if err != nil {
			return damage(path, 0, err)
		}
	}
	return nil
}

func damage(path string, pos int, err error) error {
	return fmt.Errorf("%w: %s at byte %d: %w; put the file back from a copy, or choose another data folder and keep this one: "+
		"what is before the damage can still be read", ErrDamaged, path, pos, err)
}

// checkPartition returns how many bytes of an unfinished batch end a partition.
func checkPartition(dir string) (torn int, err error) {
	bases, err := segments(dir)
	if err != nil {
		return 0, err
	}
	known, err := snapshot(dir, bases)
	if err != nil {
		return 0, err
	}
	next := int64(-1)
	for i, base := range bases {
		path := segmentPath(dir, base)
		raw, err := os.ReadFile(path)
		if err != nil {
			return 0, fmt.Errorf("check the log: %w", err)
		}
		if next >= 0 && base != next {
			return 0, damage(path, 0, fmt.Errorf("the records %d to %d before it are missing", next, base-1))
		}
		if size := known[base]; int64(len(raw)) < size {
			return 0, damage(path, len(raw), fmt.Errorf("%d bytes are missing", size-int64(len(raw))))
		}
		s := segment{raw: raw, next: base, complete: int64(len(raw)) == known[base], last: i == len(bases)-1}
		if err := s.walk(); err != nil {
			return 0, damage(path, s.pos, err)
		}
		next, torn = s.next, len(raw)-s.pos
	}
	return torn, nil
}

func segmentPath(dir string, base int64) string {
	return filepath.Join(dir, strconv.FormatInt(base, 10)+".dat")
}

// segments are the first offsets of a partition's files, in order.
func segments(dir string) ([]int64, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("check the log: %w", err)
	}
	var bases []int64
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".dat")
		if base, err := strconv.ParseInt(name, 10, 64); ok && err == nil {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases, nil
}

// snapshot is the size that each file had when the server last stopped cleanly.
func snapshot(dir string, bases []int64) (map[int64]int64, error) {
	path := filepath.Join(dir, "snapshot.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("check the log: %w", err)
	}
	var snap struct {
		Segments []struct {
			Base int64 `json:"base_offset"`
			Size int64 `json:"size"`
		} `json:"segments"`
	}
	if err := json.Unmarshal(text, &snap); err != nil {
		return nil, damage(path, 0, err)
	}
	sizes := make(map[int64]int64, len(snap.Segments))
	for _, s := range snap.Segments {
		sizes[s.Base] = s.Size
		if s.Size > 0 && !slices.Contains(bases, s.Base) {
			return nil, damage(segmentPath(dir, s.Base), 0, os.ErrNotExist)
		}
	}
	return sizes, nil
}

// segment is one file being walked.
type segment struct {
	raw  []byte
	pos  int
	next int64
	// complete: the file is as it was at a clean stop, so nothing is unfinished.
	complete, last bool
}

var (
	errShort = errors.New("a batch that ends too early")
	errSum   = errors.New("a batch that fails its checksum")
	errOrder = errors.New("a batch that is out of order")
)

// walk goes from batch to batch and stops before an unfinished one.
func (s *segment) walk() error {
	for s.pos < len(s.raw) {
		size, last, err := batch(s.raw[s.pos:], s.next)
		if err != nil {
			if s.last && !s.complete && s.unfinished(err) {
				return nil
			}
			return err
		}
		s.pos += size
		s.next = last + 1
	}
	return nil
}

// batch checks the batch at the start of b and returns its size and last offset.
func batch(b []byte, next int64) (size int, last int64, err error) {
	if len(b) < headBytes {
		return 0, 0, errShort
	}
	length := int64(binary.BigEndian.Uint32(b[atLength:]))
	size = int(length) + atLength + 4
	if b[atMagic] != magic2 || length < headBytes-12 {
		return 0, 0, errSum
	}
	if size > len(b) {
		return 0, 0, errShort
	}
	if crc32.Checksum(b[atBody:size], castagnoli) != binary.BigEndian.Uint32(b[atCRC:]) {
		return 0, 0, errSum
	}
	first := int64(binary.BigEndian.Uint64(b))
	if first != next {
		return 0, 0, errOrder
	}
	return size, first + int64(binary.BigEndian.Uint32(b[atLastDelta:])), nil
}

// unfinished tells the mark of a crash (a batch cut short, or a file made longer
// with zeros) from damage: behind a crash there is nothing.
func (s *segment) unfinished(err error) bool {
	rest := s.raw[s.pos:]
	const tail = 16
	zeros := len(bytes.Trim(rest[max(0, len(rest)-tail):], "\x00")) == 0
	if !errors.Is(err, errShort) && !zeros {
		return false
	}
	for i := 1; i+headBytes <= len(rest); i++ {
		if rest[i+atMagic] != magic2 {
			continue
		}
		first := int64(binary.BigEndian.Uint64(rest[i:]))
		if first <= s.next {
			continue
		}
		if _, _, err := batch(rest[i:], first); err == nil {
			return false
		}
	}
	return true
}
