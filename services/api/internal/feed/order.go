package feed

import (
	"cmp"
	"slices"

	"golang.org/x/text/collate"
)

// order gives the options as they are to be shown. Hidden figures show in no
// order either.
func (d *drawing) order(opts Options) []int {
	order := make([]int, len(d.slot))
	for i, slot := range d.slot {
		order[slot-1] = i
	}
	if d.shown {
		d.sort(order, opts)
	}
	if opts.Top > 0 && opts.Top < len(order) {
		order = order[:opts.Top]
	}
	return order
}

func (d *drawing) sort(order []int, opts Options) {
	compare, descends := d.comparison(opts.Sort)
	if opts.Dir != "" {
		descends = opts.Dir == "desc"
	}
	slices.SortStableFunc(order, func(a, b int) int {
		c := compare(a, b)
		if descends {
			c = -c
		}
		return c
	})
}

// comparison is by what a sort compares, and whether it descends by itself.
func (d *drawing) comparison(by string) (compare func(a, b int) int, descends bool) {
	figures := d.figures.Options
	switch by {
	case SortRank:
		return func(a, b int) int { return cmp.Compare(d.unique[a], d.unique[b]) }, false
	case SortVotes:
		return func(a, b int) int { return cmp.Compare(figures[a].Votes, figures[b].Votes) }, true
	case SortPPM:
		return func(a, b int) int { return cmp.Compare(d.part(d.in.PPM, a), d.part(d.in.PPM, b)) }, true
	case SortLabel:
		collator := collate.New(parseLocale(d.in.Show.Locale))
		return func(a, b int) int {
			return collator.CompareString(plain(d.in.Poll.Options[a].Label), plain(d.in.Poll.Options[b].Label))
		}, false
	}
	return func(a, b int) int { return cmp.Compare(d.slot[a], d.slot[b]) }, false
}
