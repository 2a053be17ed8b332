package control

import (
	"reflect"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Show is a show and the revision of its definition.
type Show struct {
	audience.Show

	Revision uint64 `json:"revision"`
}

// Source is a source and the revision of its definition.
type Source struct {
	audience.Source

	Revision uint64 `json:"revision"`
}

// Destination is a destination and the revision of its definition.
type Destination struct {
	audience.Destination

	Revision uint64 `json:"revision"`
}

// Token is an API token and the revision of its definition.
type Token struct {
	audience.Token

	Revision uint64 `json:"revision"`
}

// Topic is a topic and the revision of its definition.
type Topic struct {
	audience.Topic

	Revision uint64 `json:"revision"`
	// Counted is the revision that decides which posts are counted: the latest that
	// changed more than the title, so that a title never costs a figure. Offset is
	// where it stands in the control log: a cut that was decided behind it is counted
	// by it.
	Counted uint64 `json:"-"`
	Offset  int64  `json:"-"`
}

// countsLike says whether two definitions count the same posts.
func (t *Topic) countsLike(o *Topic) bool {
	a, b := t.Topic, o.Topic
	a.Title, b.Title = "", ""
	return reflect.DeepEqual(a, b)
}

// RunRequest is a batch run that somebody asked for and that no cut has taken
// up yet.
type RunRequest struct {
	Run    string          `json:"run"`
	Actor  string          `json:"actor"`
	At     audience.Millis `json:"at"`
	Offset int64           `json:"offset"`
	// Asked is when the last of all who wait for it asked: rounds that had closed
	// by then are expected to be sealed by it.
	Asked audience.Millis `json:"asked"`
}

// CutDecision says which rounds end with a cut. It is decided here once; the
// markers in the partitions are written from it, again after a crash.
type CutDecision struct {
	Number uint64              `json:"number"`
	At     audience.Millis     `json:"at"`
	Seals  []audience.RoundKey `json:"seals,omitempty"`
	// Run is the batch run that cuts; it takes up the request of that id.
	Run    string `json:"run,omitempty"`
	Offset int64  `json:"-"`
}

// Cut is the marker to write into the partitions.
func (d CutDecision) Cut() audience.Cut {
	return audience.Cut{Number: d.Number, At: d.At, Seals: d.Seals}
}

// Published says that a generation is complete and is to be read from now on.
type Published struct {
	Generation uint64 `json:"generation"`
	Cut        uint64 `json:"cut"`
	// FloorEpoch is the first epoch that holds a record of an unsealed round;
	// Floors are the offsets at which it begins in each partition of ballots.
	FloorEpoch uint64          `json:"floor_epoch"`
	Floors     map[int32]int64 `json:"floors,omitempty"`
	// Offsets are where the generation ends in each partition of ballots.
	Offsets map[int32]int64 `json:"offsets,omitempty"`
	// PostOffsets are where it ends in each partition of posts: at PostCut. Unheard
	// are the epochs between that and Cut.
	PostOffsets map[int32]int64     `json:"post_offsets,omitempty"`
	Unheard     uint64              `json:"unheard,omitempty"`
	Seals       []audience.RoundKey `json:"seals,omitempty"`
	Run         string              `json:"run,omitempty"`
	// Agreed says whether the speed view agreed at the cut: yes, no or unknown.
	Agreed string          `json:"agreed,omitempty"`
	At     audience.Millis `json:"-"`
	Offset int64           `json:"-"`
}

// PostCut is the cut up to which the generation has posts: it is behind Cut while
// they stand still.
func (p Published) PostCut() uint64 { return p.Cut - min(p.Cut, p.Unheard) }
