package tally

import "github.com/clamor-live/clamor/pkg/audience"

// revoke takes a ballot out, or puts it back, and says whether anything changed.
// Which of the voter's other ballots count then is decided afresh: with one
// ballot a voter, revoking the first lets the second count.
func (r *round) revoke(f *facts, restore bool, out *Round) bool {
	b, ok := r.ballotOf(f.mark)
	if !ok {
		return r.revokeUnknown(f, restore, out)
	}
	if b.outcome() == Late || (b.outcome() == Revoked) != restore {
		return false
	}
	row := b.voter
	if r.rule.unlimited() {
		r.toggle(b, row, restore, out)
		return true
	}
	to := Revoked
	if restore {
		to = OverLimit // until settled
	}
	r.change(b, to, out)
	r.settle(row, out)
	return true
}

func (r *round) toggle(b *ballot, row uint32, restore bool, out *Round) {
	if restore {
		r.change(b, Counted, out)
		r.gain(row, out)
		return
	}
	r.change(b, Revoked, out)
	r.lose(row, out)
}

// revokeUnknown is about a ballot that has not come yet, or one whose id an
// unlimited round has forgotten: that one is taken out by what it said.
func (r *round) revokeUnknown(f *facts, restore bool, out *Round) bool {
	if r.rule.unlimited() && r.known && f.bucket+memoryBuckets < r.newest && len(f.choices) > 0 {
		return r.revokeForgotten(f, restore, out)
	}
	_, waits := r.awaited[f.mark]
	if waits != restore {
		return false
	}
	if restore {
		delete(r.awaited, f.mark)
		return true
	}
	if r.awaited == nil {
		r.awaited = make(map[uint64]struct{})
	}
	r.awaited[f.mark] = struct{}{}
	return true
}

func (r *round) revokeForgotten(f *facts, restore bool, out *Round) bool {
	if _, gone := r.gone[f.mark]; gone != restore || f.late {
		return false
	}
	row := r.voterOf(f.voter)
	sign := int64(-1)
	if restore {
		sign = 1
		delete(r.gone, f.mark)
		r.gain(row, out)
	} else {
		if r.voters.at(row).counted == 0 {
			return false // never counted
		}
		if r.gone == nil {
			r.gone = make(map[uint64]struct{})
		}
		r.gone[f.mark] = struct{}{}
		r.lose(row, out)
	}
	out.Revoked -= sign
	out.cast(f.choices, int64(f.bucket), r.rule.kind, sign)
	return true
}

// settle decides all of a voter's ballots again: the first of them count, or,
// where a new one replaces, the newest.
func (r *round) settle(row uint32, out *Round) {
	v := r.voters.at(row)
	had := v.counted > 0
	var chain []*ballot // newest first
	for n := v.last; n != nobody; {
		b := r.ballots.at(n)
		if b.outcome() != Revoked {
			chain = append(chain, b)
		}
		n = b.prev
	}
	limit := int(r.rule.perVoter)
	for i, b := range chain {
		place := len(chain) - 1 - i
		surplus := OverLimit
		if r.rule.replaces {
			place, surplus = i, Superseded
		}
		if place < limit {
			surplus = Counted
		}
		r.change(b, surplus, out)
	}
	v.counted = uint32(min(limit, len(chain)))
	switch has := len(chain) > 0; {
	case has && !had:
		out.Voters++
	case had && !has:
		out.Voters--
	}
}

// factsOf reduces a ballot.
func factsOf(b *audience.Ballot) facts {
	return facts{
		mark: Mark(b.Voter, b.ID), voter: hashVoter(b.Voter),
		bucket: clampBucket(BucketOf(b.ReceivedAt)), late: b.Late(), choices: b.Choices,
	}
}
