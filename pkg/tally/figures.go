package tally

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Figures are a round's counts as they are shown.
type Figures struct {
	// Votes is the sum over the options; Voters those with a counted ballot.
	Votes, Voters int64
	// PctSum is the sum of PctInt: 100, unless a tie could not be split, there
	// are no votes, or shares are not of votes.
	PctSum  int
	Options []OptionFigures
}

// OptionFigures are one option's, in slot order.
type OptionFigures struct {
	Slot       int
	Votes, Sum int64
	// Mean is Sum / Votes of a score poll; 0 without votes.
	Mean float64
	// Pct is the exact share in thousandths of a percent, halves up; PctInt the
	// whole percent that is shown.
	Pct    int64
	PctInt int
	// Fraction is the share, 0 to 1; Bar is relative to the leader's.
	Fraction, Bar float64
	// Rank is 1, 2, 2, 4; UniqueRank breaks ties by slot; TieCount is how many
	// share the rank.
	Rank, UniqueRank, TieCount int
	// Leader is rank 1 with votes.
	Leader bool
}

// PctFloat is Pct as a percentage.
func (o *OptionFigures) PctFloat() float64 { return float64(o.Pct) / 1000 }

// Figure computes the figures of a poll's round. A nil round has no votes.
func Figure(poll *audience.Poll, r *Round) Figures {
	n := len(poll.Options)
	f := Figures{Votes: r.TotalVotes(), Options: make([]OptionFigures, n)}
	if r == nil {
		r = &Round{}
	}
	f.Voters = r.Voters
	for i := range f.Options {
		o := &f.Options[i]
		o.Slot, o.Votes, o.Sum = i+1, at(r.Votes, i), at(r.Sums, i)
		if o.Votes > 0 {
			o.Mean = float64(o.Sum) / float64(o.Votes)
		}
	}
	switch {
	case poll.Kind == audience.Score:
		f.shareScores(poll.Limits)
	case poll.Denominator == audience.OfVoters:
		f.shareVoters()
	default:
		f.shareVotes()
	}
	f.rank(poll.Kind == audience.Score)
	f.bars()
	return f
}

func at(s []int64, i int) int64 {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// share is n/of in thousandths of a percent, halves up.
func share(n, of int64) int64 { return ratio(n, of, 100_000) }

// ratio is n × scale / of, halves up, for 0 ≤ n and 0 < of, in 128 bits.
func ratio(n, of, scale int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(scale))
	lo, carry := bits.Add64(lo, uint64(of)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(of))
	return int64(q)
}

// shareVotes gives shares of all votes, and whole percents by largest remainder.
func (f *Figures) shareVotes() {
	if f.Votes <= 0 {
		return
	}
	votes := make([]int64, len(f.Options))
	for i := range f.Options {
		o := &f.Options[i]
		votes[i] = o.Votes
		o.Pct, o.Fraction = share(o.Votes, f.Votes), float64(o.Votes)/float64(f.Votes)
	}
	for i, pct := range WholePercents(votes) {
		f.Options[i].PctInt = pct
		f.PctSum += pct
	}
}

// shareVoters gives shares of the voters: with several choices a ballot they sum
// to more than 100. A share below all of them is never shown as 100 %.
func (f *Figures) shareVoters() {
	if f.Voters <= 0 {
		return
	}
	for i := range f.Options {
		o := &f.Options[i]
		o.Pct, o.Fraction = share(o.Votes, f.Voters), float64(o.Votes)/float64(f.Voters)
		o.PctInt = int(ratio(o.Votes, f.Voters, 100))
		if o.Votes < f.Voters {
			o.PctInt = min(o.PctInt, 99)
		}
		f.PctSum += o.PctInt
	}
}

// shareScores places the mean between the lowest and the highest score.
func (f *Figures) shareScores(limits audience.Limits) {
	width := int64(limits.ScoreMax) - int64(limits.ScoreMin)
	for i := range f.Options {
		o := &f.Options[i]
		if o.Votes <= 0 || width <= 0 {
			continue
		}
		above := max(0, o.Sum-int64(limits.ScoreMin)*o.Votes)
		o.Pct = share(above, o.Votes*width)
		o.PctInt = int(ratio(above, o.Votes*width, 100))
		o.Fraction = float64(above) / float64(o.Votes*width)
		f.PctSum += o.PctInt
	}
}

// rank orders by votes, or by mean and then votes.
func (f *Figures) rank(scores bool) {
	better := func(a, b *OptionFigures) int {
		if scores {
			if c := compareMeans(b, a); c != 0 {
				return c
			}
		}
		return cmp.Compare(b.Votes, a.Votes)
	}
	order := make([]*OptionFigures, len(f.Options))
	for i := range f.Options {
		order[i] = &f.Options[i]
	}
	slices.SortStableFunc(order, better)
	for i := 0; i < len(order); {
		end := i + 1
		for end < len(order) && better(order[i], order[end]) == 0 {
			end++
		}
		for j, o := range order[i:end] {
			o.Rank, o.UniqueRank, o.TieCount = i+1, i+j+1, end-i
			o.Leader = i == 0 && o.Votes > 0
		}
		i = end
	}
}

// compareMeans compares exactly; an option nobody scored is below all others.
func compareMeans(a, b *OptionFigures) int {
	if a.Votes <= 0 || b.Votes <= 0 {
		return cmp.Compare(min(a.Votes, 1), min(b.Votes, 1))
	}
	// Scores are 32 bits, so below 2³¹ votes an option neither product overflows.
	if max(a.Votes, b.Votes) < 1<<31 && max(abs(a.Sum), abs(b.Sum)) < 1<<31 {
		return cmp.Compare(a.Sum*b.Votes, b.Sum*a.Votes)
	}
	return cmp.Compare(a.Mean, b.Mean)
}

func abs(n int64) int64 { return max(n, -n) }

func (f *Figures) bars() {
	top := 0.0
	for i := range f.Options {
		top = math.Max(top, f.Options[i].Fraction)
	}
	for i := range f.Options {
		if top > 0 {
			f.Options[i].Bar = f.Options[i].Fraction / top
		}
	}
}
