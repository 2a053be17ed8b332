package tally

import (
	"cmp"
	"math/bits"
	"slices"
)

// WholePercents shares 100 out in whole percents by largest remainder
// (Hare–Niemeyer), under three conditions for the screen: equal votes get equal
// percents, more votes never get fewer, and 100 is not reached while another
// option has votes. A unit that would break one passes to the next remainder
// that can take it whole, or is left over: 1/1/1 is 33/33/33. Negative counts
// are taken as 0.
func WholePercents(votes []int64) []int {
	groups, total := groupEqual(votes)
	pct := make([]int, len(votes))
	if total == 0 {
		return pct
	}
	left := int64(100)
	for i := range groups {
		g := &groups[i]
		g.floor, g.rest = percentOf(g.votes, total)
		left -= g.floor * int64(len(g.members))
	}
	giveUnits(groups, left)
	for _, g := range groups {
		for _, i := range g.members {
			pct[i] = int(g.floor)
		}
	}
	return pct
}

// tie is the options with one number of votes.
type tie struct {
	votes, floor int64
	rest         uint64
	members      []int
}

// groupEqual gives the ties, most votes first.
func groupEqual(votes []int64) ([]tie, int64) {
	order := make([]int, len(votes))
	var total int64
	for i, n := range votes {
		order[i] = i
		total += max(n, 0)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(votes[b], votes[a]) })
	var groups []tie
	for _, i := range order {
		n := max(votes[i], 0)
		if last := len(groups) - 1; last >= 0 && groups[last].votes == n {
			groups[last].members = append(groups[last].members, i)
			continue
		}
		groups = append(groups, tie{votes: n, members: []int{i}})
	}
	return groups, total
}

// giveUnits hands out what the floors left, to the largest remainders first.
func giveUnits(groups []tie, left int64) {
	byRest := make([]int, len(groups))
	for i := range byRest {
		byRest[i] = i
	}
	slices.SortStableFunc(byRest, func(a, b int) int { return cmp.Compare(groups[b].rest, groups[a].rest) })
	for _, i := range byRest {
		g := &groups[i]
		if g.rest == 0 || int64(len(g.members)) > left || !mayRise(groups, i) {
			continue
		}
		g.floor++
		left -= int64(len(g.members))
	}
}

// mayRise says whether one more keeps the order and stays below a 100 that the
// votes of another option deny.
func mayRise(groups []tie, i int) bool {
	if i > 0 && groups[i].floor+1 > groups[i-1].floor {
		return false
	}
	alone := len(groups[i].members) == 1 && (len(groups) == 1 || groups[1].votes == 0)
	return groups[i].floor+1 < 100 || alone
}

// percentOf is 100 n / total, whole and rest, in 128 bits.
func percentOf(n, total int64) (int64, uint64) {
	hi, lo := bits.Mul64(uint64(n), 100)
	q, r := bits.Div64(hi, lo, uint64(total))
	return int64(q), r
}
