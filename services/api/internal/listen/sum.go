package listen

import (
	"slices"
	"sync"

	"github.com/clamor-live/clamor/pkg/topic"
)

// blockMinutes is how many minutes one kept sum holds. A window of a day is then
// two dozen sums and a few minutes.
const blockMinutes = 60

// maxBlocks bounds the kept sums of a topic.
const maxBlocks = 64

// sums keeps the sums of past hours, which rarely change, from picture to
// picture of a topic.
type sums struct {
	mu     sync.Mutex
	blocks map[int64]block
}

// block is the sum of an hour, and the minutes it was made of.
type block struct {
	of  []Entry
	sum *topic.Minute
}

// Sum adds up the minutes from first (inclusive) to end (exclusive). The result
// is the caller's.
func (p *Picture) Sum(first, end int64) *topic.Minute {
	sum := topic.NewSum()
	if p.past != nil && first < p.From {
		p.past.add(sum, first, min(end, p.From))
		first = p.From
	}
	for _, stretch := range stretches(first, end) {
		of := p.Between(stretch.first, stretch.end)
		if len(of) == 0 {
			continue
		}
		if stretch.end-stretch.first == blockMinutes {
			sum.Add(p.sums.of(stretch.first, of))
			continue
		}
		for _, e := range of {
			sum.Add(e.Minute)
		}
	}
	return sum
}

type stretch struct{ first, end int64 }

// stretches cuts a window at full hours.
func stretches(first, end int64) (out []stretch) {
	for first < end {
		next := min(end, (first/blockMinutes+1)*blockMinutes)
		out = append(out, stretch{first, next})
		first = next
	}
	return out
}

// of is the sum of an hour's minutes, made when they are others than last time.
func (s *sums) of(hour int64, of []Entry) *topic.Minute {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.blocks[hour]; ok && slices.Equal(b.of, of) {
		return b.sum
	}
	sum := topic.NewSum()
	for _, e := range of {
		sum.Add(e.Minute)
	}
	if s.blocks == nil || len(s.blocks) >= maxBlocks {
		s.blocks = map[int64]block{}
	}
	s.blocks[hour] = block{slices.Clone(of), sum}
	return sum
}
