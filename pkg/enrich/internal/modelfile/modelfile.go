// Package modelfile is the envelope of every embedded model: a magic word, a
// kind, a format version and a checksum around a compressed body. A model that
// was cut short, damaged or made for other code is refused with a reason
// before a single weight is read.
package modelfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
)

// The ways in which a model file may be unfit.
var (
	ErrNotModel  = errors.New("not a model file")
	ErrKind      = errors.New("a model of another kind")
	ErrVersion   = errors.New("a model of another format version")
	ErrTruncated = errors.New("model file is truncated")
	ErrChecksum  = errors.New("model file is damaged: checksum differs")
)

const (
	magic     = "CLMR"
	headSize  = 24
	maxBody   = 256 << 20
	kindBytes = 4
)

// Encode wraps body. The kind is four ASCII letters.
func Encode(kind string, version uint32, body []byte) ([]byte, error) {
	if len(kind) != kindBytes {
		return nil, fmt.Errorf("model kind %q: want %d letters", kind, kindBytes)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("compress model: %w", err)
	}
	packed := enc.EncodeAll(body, nil)
	head := make([]byte, 0, headSize)
	head = append(head, magic...)
	head = append(head, kind...)
	head = binary.LittleEndian.AppendUint32(head, version)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(packed)))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(body)))
	head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(packed))
	return append(head, packed...), nil
}

// Decode checks the envelope and returns the body.
func Decode(file []byte, kind string, version uint32) ([]byte, error) {
	if len(file) < headSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrTruncated, len(file))
	}
	if string(file[:4]) != magic {
		return nil, ErrNotModel
	}
	if got := string(file[4:8]); got != kind {
		return nil, fmt.Errorf("%w: have %q, want %q", ErrKind, got, kind)
	}
	if got := binary.LittleEndian.Uint32(file[8:]); got != version {
		return nil, fmt.Errorf("%w: have %d, want %d", ErrVersion, got, version)
	}
	size, whole := binary.LittleEndian.Uint32(file[12:]), binary.LittleEndian.Uint32(file[16:])
	packed := file[headSize:]
	if uint64(len(packed)) != uint64(size) {
		return nil, fmt.Errorf("%w: %d of %d bytes", ErrTruncated, len(packed), size)
	}
	if crc32.ChecksumIEEE(packed) != binary.LittleEndian.Uint32(file[20:]) {
		return nil, ErrChecksum
	}
	if whole > maxBody {
		return nil, fmt.Errorf("%w: %d bytes unpacked", ErrNotModel, whole)
	}
	return unpack(packed, int(whole))
}

func unpack(packed []byte, whole int) ([]byte, error) {
	dec, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		return nil, fmt.Errorf("unpack model: %w", err)
	}
	defer dec.Close()
	body := make([]byte, whole)
	if _, err := io.ReadFull(dec, body); err != nil {
		return nil, fmt.Errorf("unpack model: %w", err)
	}
	return body, nil
}
