package tally

import (
	"math"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Outcome is what became of a ballot.
type Outcome uint8

const (
	Counted Outcome = iota + 1
	Superseded
	OverLimit
	Revoked
	Late
)

// String is the word of the contract.
func (o Outcome) String() string {
	switch o {
	case Counted:
		return "counted"
	case Superseded:
		return "superseded"
	case OverLimit:
		return "limit"
	case Revoked:
		return "revoked"
	case Late:
		return "late"
	}
	return "unknown"
}

// round is the history that counting one round of one partition needs: 24 bytes
// a ballot, 16 a voter, and about 11 of index for each.
type round struct {
	rule    rule
	known   bool
	ballots pages[ballot] // in log order
	oldest  uint32        // the first ballot not forgotten
	voters  pages[voter]
	arena   arena // choices that do not fit a ballot's own four bytes
	byMark  index
	byVoter index
	// awaited are marks revoked before their ballot came; gone are ballots taken
	// out after the round forgot their ids. Moderators make them: they are few.
	awaited map[uint64]struct{}
	gone    map[uint64]struct{}
	newest  uint32 // the latest bucket seen
	journal journal
	scratch []audience.Choice
}

// rule is what the limits say, taken from the round's first ballot: a round's
// limits never change.
type rule struct {
	kind     kind
	perVoter uint32
	replaces bool
}

type kind uint8

const (
	kindChoice kind = iota
	kindScore
)

func ruleOf(b *audience.Ballot) rule {
	r := rule{perVoter: b.PerVoter, replaces: b.OnRepeat == audience.Replace}
	if b.Kind == audience.Score {
		r.kind = kindScore
	}
	return r
}

// unlimited rounds count every ballot and remember ids for minutes only.
func (r rule) unlimited() bool { return r.perVoter == 0 }

// memoryBuckets is how long an unlimited round remembers ids: 5 minutes.
const memoryBuckets = 5 * 60 / BucketSeconds

type ballot struct {
	mark    uint64
	voter   uint32 // row in voters, or nobody
	prev    uint32 // number of the voter's ballot before, or nobody
	choices uint32 // inline slot, or place in the arena
	bucket  uint32 // lower 29 bits: see bits; upper 3: outcome
}

type voter struct {
	hash    uint64
	last    uint32 // number of the newest ballot, or nobody
	counted uint32
}

const nobody = math.MaxUint32

const outcomeShift = 29

func (b *ballot) outcome() Outcome { return Outcome(b.bucket >> outcomeShift) }

func (b *ballot) setOutcome(o Outcome) {
	b.bucket = b.bucket&(1<<outcomeShift-1) | uint32(o)<<outcomeShift
}

func (b *ballot) at() uint32 { return b.bucket & (1<<outcomeShift - 1) }

// clampBucket fits a bucket in 29 bits: until the year 2140.
func clampBucket(bucket int64) uint32 {
	return uint32(min(max(bucket, 0), 1<<outcomeShift-1))
}

func (r *round) ballotHash(n uint32) uint64  { return r.ballots.at(n).mark }
func (r *round) voterHash(row uint32) uint64 { return r.voters.at(row).hash }

func (r *round) ballotOf(mark uint64) (*ballot, bool) {
	n, ok := r.byMark.find(mark, r.ballotHash)
	if !ok {
		return nil, false
	}
	return r.ballots.at(n), true
}

func (r *round) voterOf(hash uint64) uint32 {
	row, ok := r.byVoter.find(hash, r.voterHash)
	if !ok {
		row = r.voters.append(voter{hash: hash, last: nobody})
		r.byVoter.add(hash, row)
	}
	return row
}

// facts are a ballot reduced to what its round needs.
type facts struct {
	mark, voter uint64
	bucket      uint32
	late        bool
	choices     []audience.Choice
}

// count takes one ballot and says whether it was new.
func (r *round) count(f *facts, out *Round) bool {
	if _, ok := r.ballotOf(f.mark); ok {
		out.Duplicates++
		return false // and nothing is forgotten: a journal has no duplicates
	}
	r.forget(f.bucket)
	if f.late {
		r.book(r.append(f, nobody, Late), 1, out)
		return true
	}
	row := r.voterOf(f.voter)
	outcome := r.judge(row, f, out)
	r.book(r.append(f, row, outcome), 1, out)
	if outcome == Counted {
		r.gain(row, out)
	}
	return true
}

// judge decides about a voter's next ballot, and supersedes the one it pushes
// out.
func (r *round) judge(row uint32, f *facts, out *Round) Outcome {
	if _, ok := r.awaited[f.mark]; ok {
		delete(r.awaited, f.mark)
		return Revoked
	}
	v := r.voters.at(row)
	switch {
	case r.rule.unlimited() || v.counted < r.rule.perVoter:
		return Counted
	case r.rule.replaces:
		old := r.oldestCounted(v)
		r.change(old, Superseded, out)
		r.lose(row, out)
		return Counted
	}
	return OverLimit
}

// oldestCounted walks back over at most the limit's number of counted ballots.
func (r *round) oldestCounted(v *voter) *ballot {
	left := v.counted
	for n := v.last; n != nobody; {
		b := r.ballots.at(n)
		if b.outcome() == Counted {
			if left--; left == 0 {
				return b
			}
		}
		n = b.prev
	}
	panic("tally: a voter's counted ballots are not in the round")
}

func (r *round) append(f *facts, row uint32, outcome Outcome) *ballot {
	b := ballot{mark: f.mark, voter: row, prev: nobody, bucket: f.bucket}
	b.setOutcome(outcome)
	b.choices = inline
	if outcome != Late {
		b.choices = r.store(f.choices)
	}
	n := r.ballots.next
	if row != nobody && !r.rule.unlimited() {
		v := r.voters.at(row)
		b.prev, v.last = v.last, n
	}
	r.ballots.append(b)
	r.byMark.add(f.mark, n)
	return r.ballots.at(n)
}

// forget drops the ids of an unlimited round that are older than its memory.
func (r *round) forget(bucket uint32) {
	if !r.rule.unlimited() {
		return
	}
	r.newest = max(r.newest, bucket)
	for r.oldest < r.ballots.next {
		b := r.ballots.at(r.oldest)
		if b.at()+memoryBuckets >= r.newest {
			break
		}
		r.byMark.remove(b.mark, r.oldest)
		if b.choices&inline == 0 {
			r.arena.drop(b.choices)
		}
		r.oldest++
	}
	r.ballots.drop(r.oldest)
}

// gain and lose keep the number of voters with a counted ballot.
func (r *round) gain(row uint32, out *Round) {
	v := r.voters.at(row)
	if v.counted++; v.counted == 1 {
		out.Voters++
	}
}

func (r *round) lose(row uint32, out *Round) {
	v := r.voters.at(row)
	if v.counted--; v.counted == 0 {
		out.Voters--
	}
}

// change moves a ballot to another outcome, and its votes with it.
func (r *round) change(b *ballot, to Outcome, out *Round) {
	if b.outcome() == to {
		return
	}
	r.book(b, -1, out)
	b.setOutcome(to)
	r.book(b, 1, out)
}

// book adds a ballot where its outcome says, or takes it from there: the votes
// if it counts, else the counter of those that do not.
func (r *round) book(b *ballot, sign int64, out *Round) {
	if b.outcome() != Counted {
		*out.uncounted(b.outcome()) += sign
		return
	}
	r.scratch = r.load(r.scratch[:0], b.choices)
	out.cast(r.scratch, int64(b.at()), r.rule.kind, sign)
}

// uncounted is the counter of an outcome that gives no votes.
func (r *Round) uncounted(o Outcome) *int64 {
	switch o {
	case Superseded:
		return &r.Superseded
	case OverLimit:
		return &r.Limit
	case Revoked:
		return &r.Revoked
	default:
		return &r.Late
	}
}

// cast adds the votes of one ballot.
func (r *Round) cast(choices []audience.Choice, bucket int64, k kind, sign int64) {
	if r.Series == nil {
		r.Series = make(map[int64][]int64, 1)
	}
	votes := r.Series[bucket]
	for _, c := range choices {
		if c.Slot == 0 {
			continue
		}
		r.Votes = put(r.Votes, c.Slot, sign)
		votes = put(votes, c.Slot, sign)
		if k == kindScore {
			r.Sums = put(r.Sums, c.Slot, sign*int64(c.Score))
		}
	}
	r.Series[bucket] = votes
}
