package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/fold"
)

const (
	// comparePause is how often a worker that has not passed the cut is asked.
	comparePause = 20 * time.Millisecond
	// maxDifferences bounds what a generation says of a disagreement.
	maxDifferences = 20
)

// errBehind says that a worker has not passed the cut in the time there was.
var errBehind = errors.New("the speed view has not passed the cut")

// compare asks the speed view what it made of the epoch that the cut ended, and
// holds it against the fold of the same epoch. Sealed generations before agreed
// or not on their own account, so equal epochs are equal views at the cut.
func (s *Service) compare(ctx context.Context, w *work) (agreed string, differences []string) {
	limit, cancel := context.WithTimeout(ctx, s.cfg.CompareWait)
	defer cancel()
	agreed = views.AgreedYes
	for _, part := range w.parts {
		theirs, err := s.speedEpoch(limit, part.Partition, w.number()-1)
		if err != nil {
			s.d.Logger.Warn("speed view not compared", "partition", part.Partition, "generation", w.number(), "error", err)
			if agreed == views.AgreedYes {
				agreed = views.AgreedUnknown
			}
			continue
		}
		if found := differ(part, theirs); len(found) > 0 {
			agreed = views.AgreedNo
			differences = append(differences, found...)
		}
	}
	found, err := s.comparePosts(limit, w)
	if err != nil && agreed == views.AgreedYes {
		agreed = views.AgreedUnknown
	}
	if len(found) > 0 {
		agreed = views.AgreedNo
		differences = append(differences, found...)
	}
	if found := w.against(); len(found) > 0 {
		agreed = views.AgreedNo
		differences = append(differences, found...)
	}
	for _, d := range differences {
		s.d.Logger.Error("views differ", "generation", w.number(), "difference", d)
	}
	s.metrics.compared.WithLabelValues(agreed).Inc()
	return agreed, differences[:min(len(differences), maxDifferences)]
}

// speedEpoch reads one epoch of one partition once its worker has passed it.
func (s *Service) speedEpoch(ctx context.Context, p int32, epoch uint64) (tally.View, error) {
	for {
		slice, err := s.d.Speed.Read(ctx, eventlog.Ballots, p, epoch)
		if err == nil && slice.Ready && slice.Epoch > epoch {
			// Read vouches for the epochs it was asked for; one that is missing had no
			// step of its own, as after a refill that began with its end.
			return slice.Epochs[epoch], nil
		}
		if errors.Is(err, speed.ErrExpired) {
			return nil, err
		}
		if sleep.For(ctx, comparePause) != nil {
			return nil, errors.Join(errBehind, err)
		}
	}
}

// differ lists the rounds of a partition's last epoch that the two views count
// otherwise. The series are left out: they sum to the votes.
func differ(part *fold.Part, theirs tally.View) []string {
	rounds := map[audience.RoundKey]bool{}
	for k := range part.Last {
		rounds[k] = true
	}
	for k := range theirs {
		rounds[k] = true
	}
	var found []string
	for _, k := range audience.SortedRounds(rounds) {
		if ours := part.Last[k]; !plain(ours).Equal(plain(theirs[k])) {
			found = append(found, fmt.Sprintf("round %d of %s in partition %d: batch %s, speed %s",
				k.Round, k.Poll, part.Partition, say(ours), say(theirs[k])))
		}
	}
	return found
}

func plain(r *tally.Round) *tally.Round {
	if r == nil {
		return nil
	}
	c := *r
	c.Series = nil
	return &c
}

func say(r *tally.Round) string {
	if r == nil {
		r = &tally.Round{}
	}
	return fmt.Sprintf("votes %v voters %d late %d duplicates %d limit %d revoked %d superseded %d",
		r.Votes, r.Voters, r.Late, r.Duplicates, r.Limit, r.Revoked, r.Superseded)
}

// against holds the recomputed rounds against the generation before plus the
// last epoch: the same sum on another way. Where they differ the recomputation
// stands, and says so.
func (w *work) against() []string {
	if w.before == nil {
		return nil
	}
	ended := map[audience.RoundKey]bool{}
	for _, k := range w.before.Seals {
		ended[k] = true
	}
	var found []string
	for _, k := range audience.SortedRounds(w.sum.Rounds) {
		if ended[k] {
			continue
		}
		sum := w.before.Rounds[k].Clone()
		sum.Add(w.sum.Last[k])
		if !sum.Equal(w.sum.Rounds[k]) {
			found = append(found, fmt.Sprintf("round %d of %s: recomputed %s, generation %d and the epoch since %s",
				k.Round, k.Poll, say(w.sum.Rounds[k]), w.before.Number, say(sum)))
		}
	}
	return found
}
