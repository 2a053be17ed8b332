package audience

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// RoundKey names one counting of one poll.
type RoundKey struct {
	Poll  string `json:"poll"`
	Round uint32 `json:"round"`
}

// Compare orders by poll, then round.
func (k RoundKey) Compare(o RoundKey) int {
	return cmp.Or(strings.Compare(k.Poll, o.Poll), cmp.Compare(k.Round, o.Round))
}

// SortedRounds are the keys of a map, in order.
func SortedRounds[V any](m map[RoundKey]V) []RoundKey {
	return slices.SortedFunc(maps.Keys(m), RoundKey.Compare)
}

// Ballot is one accepted voting act, with everything that counting it needs.
type Ballot struct {
	ID         BallotID
	Poll       string
	Round      uint32
	Voter      VoterID
	ReceivedAt Millis
	// ClosesAt is when the round closes as capture knew it; 0: open-ended. A
	// ballot received at or past it is late.
	ClosesAt Millis
	Kind     Kind
	// PerVoter is how many ballots of one voter count; 0: every one.
	PerVoter uint32
	OnRepeat OnRepeat
	Choices  []Choice
	Source   string
	Revision uint64
	Post     string
}

// Key is the round the ballot belongs to.
func (b *Ballot) Key() RoundKey { return RoundKey{b.Poll, b.Round} }

// Late says whether the ballot came at or past the close.
func (b *Ballot) Late() bool { return b.ClosesAt != 0 && b.ReceivedAt >= b.ClosesAt }

// Choice is one option of a ballot: its slot (1-based place in the definition)
// and, in score polls, the score given.
type Choice struct {
	Slot  uint16
	Score int32
}

// Revocation takes a ballot out of the result, or puts it back.
type Revocation struct {
	Poll    string
	Round   uint32
	Voter   VoterID
	Ballot  BallotID
	Restore bool
	At      Millis
	Actor   string
	// Choices and ReceivedAt repeat the ballot's contents, for rounds that
	// remember ids for minutes only.
	Choices    []Choice
	ReceivedAt Millis
}

// Key is the round the revoked ballot belongs to.
func (r *Revocation) Key() RoundKey { return RoundKey{r.Poll, r.Round} }

// Cut is a marker between two epochs of every partition.
type Cut struct {
	Number uint64
	At     Millis
	// Seals are the rounds that end with this cut.
	Seals []RoundKey
}

// PartitionOf is the partition of a voter's ballots of a round, so that all of
// them share one and arrive in order. FNV-1a over (poll, round, voter).
func PartitionOf(key RoundKey, voter VoterID, partitions int) int32 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := 0; i < len(key.Poll); i++ {
		h = (h ^ uint64(key.Poll[i])) * prime
	}
	for shift := 0; shift < 32; shift += 8 {
		h = (h ^ uint64(byte(key.Round>>shift))) * prime
	}
	for _, c := range voter {
		h = (h ^ uint64(c)) * prime
	}
	h ^= h >> 32
	return int32(h % uint64(partitions))
}

// PartitionOfPost is the partition of a post by its name, "platform:id", so that
// redeliveries of it and what is decided about it share one. FNV-1a.
func PartitionOfPost(name string, partitions int) int32 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * prime
	}
	return int32((h ^ h>>32) % uint64(partitions))
}
