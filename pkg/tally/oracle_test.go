package tally_test

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// record is one of the three things a partition's log holds.
type record struct {
	ballot *audience.Ballot
	revoke *audience.Revocation
	cut    *audience.Cut
}

// foldAll runs records through a partition into one view.
func foldAll(p *tally.Partition, records []record) tally.View {
	out := tally.View{}
	for _, r := range records {
		foldOne(p, r, out)
	}
	return out
}

func foldOne(p *tally.Partition, r record, out tally.View) {
	switch {
	case r.ballot != nil:
		p.Ballot(r.ballot, out)
	case r.revoke != nil:
		p.Revoke(r.revoke, out)
	default:
		p.Cut(*r.cut)
	}
}

// act is a ballot as the oracle remembers it: by full ids, not by hashes.
type act struct {
	*audience.Ballot
	revoked bool
}

type ballotName struct {
	voter audience.VoterID
	id    audience.BallotID
}

// oracle counts the slow and plain way: it keeps everything, and works each
// voter out from the whole list at the end. Rounds are limited ones.
func oracle(records []record) tally.View {
	acts := map[audience.RoundKey][]*act{}
	known := map[audience.RoundKey]map[ballotName]*act{}
	waiting := map[audience.RoundKey]map[ballotName]bool{}
	sealed := map[audience.RoundKey]bool{}
	out := tally.View{}
	epoch := uint64(0)
	for _, r := range records {
		switch {
		case r.cut != nil:
			if r.cut.Number > epoch {
				epoch = r.cut.Number
				for _, key := range r.cut.Seals {
					sealed[key] = true
				}
			}
		case r.ballot != nil:
			key, name := r.ballot.Key(), ballotName{r.ballot.Voter, r.ballot.ID}
			if known[key] == nil {
				known[key], waiting[key] = map[ballotName]*act{}, map[ballotName]bool{}
			}
			switch {
			case sealed[key]:
				out.Of(key).Late++
			case known[key][name] != nil:
				out.Of(key).Duplicates++
			default:
				a := &act{r.ballot, waiting[key][name]}
				known[key][name] = a
				acts[key] = append(acts[key], a)
			}
		default:
			key, name := r.revoke.Key(), ballotName{r.revoke.Voter, r.revoke.Ballot}
			if sealed[key] {
				continue
			}
			if known[key] == nil {
				known[key], waiting[key] = map[ballotName]*act{}, map[ballotName]bool{}
			}
			if a := known[key][name]; a != nil {
				a.revoked = !r.revoke.Restore
			} else {
				waiting[key][name] = !r.revoke.Restore
			}
		}
	}
	for key, list := range acts {
		countRound(list, out.Of(key))
	}
	return out
}

func countRound(list []*act, out *tally.Round) {
	voters := map[audience.VoterID][]*act{}
	for _, a := range list {
		switch {
		case a.Late():
			out.Late++
		case a.revoked:
			out.Revoked++
		default:
			voters[a.Voter] = append(voters[a.Voter], a)
		}
	}
	for _, acts := range voters {
		limit := int(acts[0].PerVoter)
		if acts[0].OnRepeat == audience.Replace {
			slices.Reverse(acts)
		}
		for i, a := range acts {
			switch {
			case i < limit:
				tickOff(a, out)
			case a.OnRepeat == audience.Replace:
				out.Superseded++
			default:
				out.Limit++
			}
		}
		out.Voters++
	}
}

func tickOff(a *act, out *tally.Round) {
	one := tally.Round{Series: map[int64][]int64{}}
	at := int64(a.ReceivedAt) / 10_000
	for _, c := range a.Choices {
		n := int(c.Slot)
		for len(one.Votes) < n {
			one.Votes = append(one.Votes, 0)
			one.Sums = append(one.Sums, 0)
			one.Series[at] = append(one.Series[at], 0)
		}
		one.Votes[n-1]++
		one.Series[at][n-1]++
		if a.Kind == audience.Score {
			one.Sums[n-1] += int64(c.Score)
		}
	}
	out.Add(&one)
}
