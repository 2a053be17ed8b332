package tally

import (
	"github.com/clamor-live/clamor/pkg/audience"
)

// Partition is the fold's state for one partition of the ballots log: what must
// be known of the past to count the next record. It is not safe for concurrent
// use.
//
// The deltas of a record are added to the View given with it, so a caller
// chooses how many records share one.
type Partition struct {
	epoch  uint64
	rounds map[audience.RoundKey]*round
	sealed map[audience.RoundKey]struct{}
	// recent is the round of the last record: ballots come in runs of one poll.
	recentKey audience.RoundKey
	recent    *round
	// unwritten: nobody will take journals.
	unwritten bool
}

// NewPartition is the state before the first record.
func NewPartition() *Partition {
	return &Partition{
		rounds: make(map[audience.RoundKey]*round),
		sealed: make(map[audience.RoundKey]struct{}),
	}
}

// NewCounter is NewPartition for a caller that never takes journals: it writes
// none, which saves their memory.
func NewCounter() *Partition {
	p := NewPartition()
	p.unwritten = true
	return p
}

// Ballot counts one ballot.
func (p *Partition) Ballot(b *audience.Ballot, out View) {
	key := b.Key()
	if p.Sealed(key) {
		out.Of(key).Late++
		return
	}
	r := p.round(key)
	r.learn(ruleOf(b))
	f := factsOf(b)
	if r.count(&f, out.Of(key)) && !p.unwritten {
		r.journal.ballot(&f, r.rule.kind)
	}
}

// Ahead looks at the memory that counting the ballot will need and changes
// nothing. Called for some dozens of ballots before the first of them is
// counted, it lets the processor fetch for all of them at once; one by one it
// would wait for each. The result means nothing: it keeps the compiler from
// leaving the look out.
func (p *Partition) Ahead(b *audience.Ballot) uint64 {
	r := p.recent
	if r == nil || b.Round != p.recentKey.Round || b.Poll != p.recentKey.Poll {
		return 0
	}
	return r.byMark.glance(Mark(b.Voter, b.ID)) ^ r.byVoter.glance(hashVoter(b.Voter))
}

// Revoke takes a ballot out of the result, or puts it back. Of a sealed round
// nothing changes.
func (p *Partition) Revoke(v *audience.Revocation, out View) {
	key := v.Key()
	if p.Sealed(key) {
		return
	}
	r := p.round(key)
	f := facts{
		mark: Mark(v.Voter, v.Ballot), voter: hashVoter(v.Voter),
		bucket: clampBucket(BucketOf(v.ReceivedAt)), choices: v.Choices,
	}
	if r.revoke(&f, v.Restore, out.Of(key)) && !p.unwritten {
		r.journal.revocation(&f, v.Restore, r.rule.kind)
	}
}

// Cut moves to the next epoch and ends the rounds it seals. A cut that is not
// ahead of the epoch is ignored, and false.
func (p *Partition) Cut(c audience.Cut) bool {
	if c.Number <= p.epoch {
		return false
	}
	p.epoch = c.Number
	for _, key := range c.Seals {
		p.Seal(key)
	}
	return true
}

// Epoch is the number of the last cut; 0 before the first.
func (p *Partition) Epoch() uint64 { return p.epoch }

// SetEpoch starts a partition in mid-log.
func (p *Partition) SetEpoch(epoch uint64) { p.epoch = epoch }

// Seal ends a round: its voters are forgotten, and each further ballot is late.
func (p *Partition) Seal(key audience.RoundKey) {
	p.sealed[key] = struct{}{}
	delete(p.rounds, key)
	p.recentKey, p.recent = audience.RoundKey{}, nil
}

// Sealed says whether a round has ended.
func (p *Partition) Sealed(key audience.RoundKey) bool {
	if p.recent != nil && key == p.recentKey {
		return false
	}
	_, ok := p.sealed[key]
	return ok
}

// Rounds are those with state, in order.
func (p *Partition) Rounds() []audience.RoundKey {
	return audience.SortedRounds(p.rounds)
}

// Outcome is what became of the ballot with that mark; false when the round
// does not know it.
func (p *Partition) Outcome(key audience.RoundKey, mark uint64) (Outcome, bool) {
	r := p.rounds[key]
	if r == nil {
		return 0, false
	}
	if b, ok := r.ballotOf(mark); ok {
		return b.outcome(), true
	}
	if _, ok := r.gone[mark]; ok {
		return Revoked, true
	}
	return 0, false
}

// Outcomes calls yield for every ballot the round remembers, in log order.
func (p *Partition) Outcomes(key audience.RoundKey, yield func(mark uint64, o Outcome)) {
	r := p.rounds[key]
	if r == nil {
		return
	}
	for n := r.oldest; n < r.ballots.next; n++ {
		b := r.ballots.at(n)
		yield(b.mark, b.outcome())
	}
}

// Ballots is how many ballots a round remembers.
func (p *Partition) Ballots(key audience.RoundKey) int {
	if r := p.rounds[key]; r != nil {
		return int(r.ballots.next - r.oldest)
	}
	return 0
}

func (p *Partition) round(key audience.RoundKey) *round {
	if p.recent != nil && key == p.recentKey {
		return p.recent
	}
	r := p.rounds[key]
	if r == nil {
		r = &round{}
		p.rounds[key] = r
	}
	p.recentKey, p.recent = key, r
	return r
}

func (r *round) learn(u rule) {
	if !r.known {
		r.rule, r.known = u, true
		r.journal.rule(u)
	}
}
