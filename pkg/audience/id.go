package audience

import (
	"encoding/hex"
	"errors"
)

// MaxSlug is the longest id in bytes.
const MaxSlug = 63

// IsSlug says whether s is an id: [a-z0-9][a-z0-9-]{0,62}.
func IsSlug(s string) bool {
	if s == "" || len(s) > MaxSlug || s[0] == '-' {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// VoterID is a voter's pseudonym: a keyed hash under the show's key.
type VoterID [16]byte

// BallotID is the UUID that a client gave its ballot.
type BallotID [16]byte

var errUUID = errors.New("not a UUID of 8-4-4-4-12 hexadecimal digits")

// ParseBallotID reads the canonical form of a UUID, of any version, in either
// case. The nil UUID is refused: clients that forget to fill it in would vote
// for one another.
func ParseBallotID(s string) (BallotID, error) {
	var id BallotID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, errUUID
	}
	n := 0
	for i := 0; i < 36; {
		if s[i] == '-' {
			i++
			continue
		}
		hi, lo := nibble(s[i]), nibble(s[i+1])
		if hi > 15 || lo > 15 {
			return BallotID{}, errUUID
		}
		id[n] = hi<<4 | lo
		n++
		i += 2
	}
	if id == (BallotID{}) {
		return id, errors.New("the nil UUID names no ballot")
	}
	return id, nil
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// String is the canonical lower-case form.
func (id BallotID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// String is the pseudonym in hexadecimal.
func (v VoterID) String() string { return hex.EncodeToString(v[:]) }
