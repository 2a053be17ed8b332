package live

import (
	"reflect"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// scene is everything that the faces of one round are made from.
type scene struct {
	definition audience.Poll
	show       audience.Show
	standing   control.Standing
	counts     Counts
	generation *views.Generation
	sealed     *views.SealedRound
	perMinute  []int64
	stale      bool
	ageMS      int64
}

// look is what one face sees of the scene.
func (s *scene) look(face Face) Content {
	c := Content{
		Definition: s.definition, Show: s.show, Round: s.standing.Round, Phase: s.standing.Phase,
		Reveal: s.standing.Reveal, OpensAt: s.standing.OpensAt, ClosesAt: s.standing.ClosesAt,
		Shown: s.shown(face), Stale: s.stale, AgeMS: s.ageMS,
	}
	if c.Shown {
		s.fill(&c)
	} else {
		s.blank(&c)
	}
	return c
}

func (s *scene) shown(face Face) bool {
	switch face {
	case Producer:
		return true
	case OnAir:
		return s.standing.OnAir
	case Public:
		return s.standing.Public
	default:
		return s.standing.Public || s.standing.WithReceipt
	}
}

func (s *scene) fill(c *Content) {
	n := len(s.definition.Options)
	sum := s.counts.Sum()
	c.Figures = tally.Figure(&s.definition, sum)
	c.Batch, c.Speed = padded(s.counts.Batch.Votes, n), padded(s.counts.Speed.Votes, n)
	c.Late, c.Duplicates, c.Limit, c.Revoked = sum.Late, sum.Duplicates, sum.Limit, sum.Revoked
	c.PerMinute = padded(s.perMinute, n)
	c.Correction = sum.Revoked > 0
	c.Generation, c.Status = s.generation.Number, Provisional
	if s.generation.Agreed == views.AgreedYes {
		c.ReconciledAt = s.generation.CreatedAt
		if s.counts.Speed.IsZero() {
			c.Status = Reconciled
		}
	}
	if s.standing.Phase == audience.Verified {
		// What is sealed stays as it was certified, whatever is published later.
		c.Status, c.Generation, c.ReconciledAt = Verified, s.sealed.Generation, s.sealed.SealedAt
	}
}

// blank fills in the figures of no votes. Nothing here may depend on ballots:
// not even how far the batch layer has come, for it runs when ballots came.
func (s *scene) blank(c *Content) {
	n := len(s.definition.Options)
	c.Figures = tally.Figure(&s.definition, nil)
	c.Batch, c.Speed, c.PerMinute = make([]int64, n), make([]int64, n), make([]int64, n)
	c.Status = Provisional
	if s.standing.Phase == audience.Verified {
		c.Status = Verified
	}
}

// same says whether two contents would be served as the same bytes.
func same(a, b *Content) bool { return reflect.DeepEqual(a, b) }

// next is the answer that follows old (nil: there was none) with this content:
// old itself when nothing changed.
func next(old *Answer, c Content, seq int64, now audience.Millis, offsets map[int32]int64) *Answer {
	if old != nil {
		c.Correction = c.Correction || corrected(&old.Content, &c)
		if same(&old.Content, &c) {
			return old
		}
		seq = max(seq, old.Seq+1)
		now = max(now, old.AsOf)
	}
	if !c.Shown {
		offsets = map[int32]int64{}
	}
	return newAnswer(c, seq, now, offsets)
}

// corrected says whether a figure that was shown went down. The flag stays for
// the round.
func corrected(old, c *Content) bool {
	if !c.Shown || !old.Shown || old.Round != c.Round {
		return false
	}
	return old.Correction || c.Figures.Votes < old.Figures.Votes || c.Figures.Voters < old.Figures.Voters
}

// sequence places an answer in time: whatever changes a body makes it grow, and
// so does a restart, whose body has a later as_of. Every instance and every
// later process reckons it from the same log; the clock adds 1000 a minute.
func sequence(m *merged, controlOffset int64, transitions int, now audience.Millis) int64 {
	return 1000*(m.reach()+controlOffset+int64(m.generation.Number)+int64(transitions)) + int64(now)/60
}
