package live

import (
	"context"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// curves are the votes by time of every round in both views. They are summed
// when somebody asks, for a long show has many.
type curves struct{ batch, speed tally.View }

// of is a round's curve.
func (c *curves) of(key audience.RoundKey) *tally.Round {
	sum := &tally.Round{}
	for _, view := range []tally.View{c.batch, c.speed} {
		if r := view[key]; r != nil {
			sum.Add(&tally.Round{Series: r.Series})
		}
	}
	return sum
}

// perMinute is a round's votes by slot in the last full minute.
func (c *curves) perMinute(key audience.RoundKey, now audience.Millis, slots int) []int64 {
	votes := c.batch[key].PerMinute(now, slots)
	for i, n := range c.speed[key].PerMinute(now, slots) {
		if i < len(votes) {
			votes[i] += n
		}
	}
	return votes
}

// series reads the curves and keeps the last good ones of each partition. One
// goroutine uses it.
type series struct {
	deps  Deps
	parts []speed.Slice
}

func newSeries(deps Deps) *series {
	return &series{deps: deps, parts: make([]speed.Slice, deps.Partitions)}
}

// read merges the series as counts are merged: those of a partition that cannot
// be read stay as they were.
func (s *series) read(ctx context.Context, generation *views.Generation, timeout time.Duration) *curves {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c := &curves{batch: generation.Rounds, speed: tally.View{}}
	for p := range s.parts {
		slice, err := s.deps.Speed.ReadSeries(ctx, eventlog.Ballots, int32(p), generation.Number)
		if err == nil && slice.Ready && slice.Next >= s.parts[p].Next {
			s.parts[p] = slice
		}
		for epoch, view := range s.parts[p].Epochs {
			if epoch >= generation.Number {
				c.speed.Add(view)
			}
		}
	}
	return c
}
