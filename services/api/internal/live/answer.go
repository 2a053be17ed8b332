package live

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// Face is whom an answer is for.
type Face int

const (
	Producer Face = iota
	OnAir
	Public
	// Receipt is a viewer who shows a receipt of the round.
	Receipt
	faces
)

// FaceOf is the face of an audience; what is unknown sees what is on air.
func FaceOf(who audience.Audience) Face {
	switch who {
	case audience.Producer:
		return Producer
	case audience.Public:
		return Public
	}
	return OnAir
}

// The values of Content.Status.
const (
	Provisional = "provisional"
	Reconciled  = "reconciled"
	Verified    = "verified"
)

// Content is what one face of one round shows. Of hidden results it holds
// nothing that depends on ballots.
type Content struct {
	Definition audience.Poll
	Show       audience.Show
	Round      uint32
	Phase      audience.Phase
	Reveal     audience.RevealMode
	OpensAt    audience.Millis
	ClosesAt   audience.Millis
	// Shown says whether the figures are this face's to see; if not they are
	// those of no votes.
	Shown bool
	// Status is provisional, reconciled or verified.
	Status       string
	Generation   uint64
	ReconciledAt audience.Millis
	// Stale says that a store did not answer, AgeMS for how long.
	Stale bool
	AgeMS int64
	// Correction says that figures went down on purpose, or that the two views
	// disagreed.
	Correction bool
	Figures    tally.Figures
	// Batch and Speed are votes by slot; their sums are the figures' votes.
	Batch, Speed                     []int64
	Late, Duplicates, Limit, Revoked int64
	// PerMinute is the votes by slot of the last full minute.
	PerMinute []int64
}

// Answer is a content as it was first served. It is immutable but for the forms
// rendered from it.
type Answer struct {
	Content
	Stamp

	// Offsets are, by partition, the first offset that the figures do not hold.
	Offsets map[int32]int64
}

func newAnswer(c Content, seq int64, asOf audience.Millis, offsets map[int32]int64) *Answer {
	return &Answer{Content: c, Stamp: NewStamp(seq, asOf), Offsets: offsets}
}

// IsLive says whether the round is between its opening and its close.
func (c *Content) IsLive() bool {
	return c.Phase == audience.Open || c.Phase == audience.Paused || c.Phase == audience.Frozen
}

func (c *Content) totalSpeed() int64 { return sum(c.Speed) }
func (c *Content) totalBatch() int64 { return sum(c.Batch) }

// Totals are the votes of the batch view and of the speed view.
func (c *Content) Totals() (batch, speed int64) { return c.totalBatch(), c.totalSpeed() }

func sum(s []int64) (n int64) {
	for _, v := range s {
		n += v
	}
	return n
}

// padded is s with exactly n slots.
func padded(s []int64, n int) []int64 {
	out := make([]int64, n)
	copy(out, s)
	return slices.Clip(out)
}
