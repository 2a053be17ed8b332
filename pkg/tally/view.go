// Package tally counts: the one fold that turns a partition's records into
// state and deltas, the merge of the two views, and the figures shown on air.
//
// It reads no clock, no network and no random source, so every layer that calls
// it with the same records gets the same answer. Its trick is that deltas,
// speed epochs, batch views and results are all one type, View, which is a
// commutative group under Add: however the log is cut, grouped or shared out,
// the sums agree.
package tally

import (
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
)

// View is a sum of deltas: what was counted, by round. A nil View is empty and
// may be read, not added to.
type View map[audience.RoundKey]*Round

// Round is the counts of one round. Fields may be negative in a delta, never in
// a sum over a whole log.
type Round struct {
	// Votes and Sums are by slot, slot 1 first; missing ends are zero. Sums are
	// of scores.
	Votes, Sums []int64
	// Voters have at least one counted ballot.
	Voters int64
	// Late, Duplicates, Limit (beyond the voter's limit), Revoked and Superseded
	// are ballots that stand in the log and not in Votes.
	Late, Duplicates, Limit, Revoked, Superseded int64
	// Series is Votes by the 10-second bucket (Unix seconds / 10) in which the
	// ballot was received. It sums to Votes.
	Series map[int64][]int64
}

// BucketSeconds is the width of a bucket of Round.Series.
const BucketSeconds = 10

// BucketOf is the bucket of an instant.
func BucketOf(at audience.Millis) int64 { return int64(at) / (BucketSeconds * 1000) }

// Of is the round's counts, made when missing.
func (v View) Of(key audience.RoundKey) *Round {
	r := v[key]
	if r == nil {
		r = &Round{}
		v[key] = r
	}
	return r
}

// Add sums o into v.
func (v View) Add(o View) {
	for key, r := range o {
		v.Of(key).Add(r)
	}
}

// Sub takes o out of v.
func (v View) Sub(o View) {
	for key, r := range o {
		v.Of(key).add(r, -1)
	}
}

// Clone is a deep copy.
func (v View) Clone() View {
	c := make(View, len(v))
	for key, r := range v {
		c[key] = r.Clone()
	}
	return c
}

// Equal says whether both hold the same counts; absent and zero are the same.
func (v View) Equal(o View) bool {
	return v.within(o) && o.within(v)
}

func (v View) within(o View) bool {
	for key, r := range v {
		if !r.Equal(o[key]) {
			return false
		}
	}
	return true
}

// Add sums o into r.
func (r *Round) Add(o *Round) { r.add(o, 1) }

func (r *Round) add(o *Round, sign int64) {
	if o == nil {
		return
	}
	r.Votes = addSlots(r.Votes, o.Votes, sign)
	r.Sums = addSlots(r.Sums, o.Sums, sign)
	r.Voters += sign * o.Voters
	r.Late += sign * o.Late
	r.Duplicates += sign * o.Duplicates
	r.Limit += sign * o.Limit
	r.Revoked += sign * o.Revoked
	r.Superseded += sign * o.Superseded
	for bucket, votes := range o.Series {
		if r.Series == nil {
			r.Series = make(map[int64][]int64, len(o.Series))
		}
		r.Series[bucket] = addSlots(r.Series[bucket], votes, sign)
	}
}

func addSlots(dst, src []int64, sign int64) []int64 {
	dst = grow(dst, len(src))
	for i, n := range src {
		dst[i] += sign * n
	}
	return dst
}

func grow(s []int64, n int) []int64 {
	for len(s) < n {
		s = append(s, 0)
	}
	return s
}

// put adds to one slot of s.
func put(s []int64, slot uint16, n int64) []int64 {
	s = grow(s, int(slot))
	s[slot-1] += n
	return s
}

// Clone is a deep copy; of nil, an empty round.
func (r *Round) Clone() *Round {
	if r == nil {
		return &Round{}
	}
	c := *r
	c.Votes, c.Sums = slices.Clone(r.Votes), slices.Clone(r.Sums)
	if r.Series != nil {
		c.Series = make(map[int64][]int64, len(r.Series))
		for bucket, votes := range r.Series {
			c.Series[bucket] = slices.Clone(votes)
		}
	}
	return &c
}

// Equal says whether both hold the same counts; nil is zero, and so are missing
// slots and buckets.
func (r *Round) Equal(o *Round) bool {
	d := r.Clone()
	d.add(o, -1)
	return d.IsZero()
}

// IsZero says whether nothing is counted.
func (r *Round) IsZero() bool {
	if r == nil {
		return true
	}
	if r.Voters != 0 || r.Late != 0 || r.Duplicates != 0 || r.Limit != 0 || r.Revoked != 0 || r.Superseded != 0 {
		return false
	}
	if !allZero(r.Votes) || !allZero(r.Sums) {
		return false
	}
	for _, votes := range r.Series {
		if !allZero(votes) {
			return false
		}
	}
	return true
}

func allZero(s []int64) bool {
	return !slices.ContainsFunc(s, func(n int64) bool { return n != 0 })
}

// TotalVotes is the sum over the options.
func (r *Round) TotalVotes() int64 {
	if r == nil {
		return 0
	}
	var total int64
	for _, n := range r.Votes {
		total += n
	}
	return total
}

// Prune forgets rounds and buckets that hold nothing but zeros, so that equal
// views have one form.
func (v View) Prune() {
	for _, r := range v {
		maps.DeleteFunc(r.Series, func(_ int64, votes []int64) bool { return allZero(votes) })
	}
	maps.DeleteFunc(v, func(_ audience.RoundKey, r *Round) bool { return r.IsZero() })
}
