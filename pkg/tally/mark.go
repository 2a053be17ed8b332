package tally

import (
	"encoding/binary"
	"math/bits"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Odd constants with balanced bits (the fractional digits of pi), which keep
// the two products below from meeting.
const (
	pi0 = 0x243f6a8885a308d3
	pi1 = 0x13198a2e03707345
	pi2 = 0xa4093822299f31d1
)

// Mark is the 8-byte name under which a round remembers a ballot: a hash of
// voter and ballot id, so that the same id from two voters is two ballots. Two
// of n ballots of a round meet with probability n²/2⁶⁵, which is one in 370,000
// for ten million; the voter's half is keyed and unknown to clients, so nobody
// can aim at another's.
//
// The mixing is the folded multiplication of wyhash (Wang Yi, public domain).
func Mark(voter audience.VoterID, ballot audience.BallotID) uint64 {
	v := hashVoter(voter)
	lo, hi := binary.LittleEndian.Uint64(ballot[:8]), binary.LittleEndian.Uint64(ballot[8:])
	return fold(fold(lo^pi2, hi^v)^v, pi0)
}

func hashVoter(voter audience.VoterID) uint64 {
	lo, hi := binary.LittleEndian.Uint64(voter[:8]), binary.LittleEndian.Uint64(voter[8:])
	return fold(fold(lo^pi0, hi^pi1)^lo^bits.RotateLeft64(hi, 32), pi2)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
