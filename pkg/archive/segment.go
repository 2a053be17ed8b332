package archive

import (
	"context"
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// The topics that are archived, as folder names.
const (
	Ballots = "ballots"
	Posts   = "posts"
	Control = "control"
)

// Segment is what one partition of a topic holds between two cuts: epoch k lies
// between cut k and cut k+1, and the file ends with the row of cut k+1.
type Segment struct {
	Topic     string
	Epoch     uint64
	Partition int32
}

// Path is the segment's place in the bucket.
func (s Segment) Path() string {
	return fmt.Sprintf("%s/epoch=%d/partition=%d.parquet", s.Topic, s.Epoch, s.Partition)
}

// File describes a written segment.
type File struct {
	Path string `json:"path"`
	// SHA256 is of the whole file, in hexadecimal; empty from Stat and the
	// readers, which look at parts of it.
	SHA256 string `json:"sha256,omitempty"`
	Rows   int64  `json:"rows"`
	// Ballots are the rows of type ballot.
	Ballots int64 `json:"ballots"`
	Bytes   int64 `json:"bytes"`
	// First and Next are the partition's offsets: the segment holds
	// [First, Next), and the next epoch begins at Next.
	First int64 `json:"first_offset"`
	Next  int64 `json:"next_offset"`
}

// RowType says what a row is.
type RowType uint8

const (
	// RowUnreadable stands for a record that is none; the dead-letter topic has
	// its bytes.
	RowUnreadable RowType = iota
	RowBallot
	RowRevocation
	RowCut
	RowPost
	RowControl
	RowModeration
)

// Row is one row of a ballots segment: a ballot, a revocation, a cut, or a
// record that could not be read. A record of several ballots gives several rows
// with one offset.
type Row struct {
	Offset     int64
	Type       RowType
	Ballot     audience.Ballot
	Revocation audience.Revocation
	Cut        audience.Cut
}

// PostRow is one row of a posts segment.
type PostRow struct {
	Offset     int64
	Type       RowType
	Post       *clamorv1.Post
	Moderation *clamorv1.Moderation
	Cut        audience.Cut
}

// ControlRow is one row of a control segment.
type ControlRow struct {
	Offset  int64
	Type    RowType
	Control *clamorv1.Control
	Cut     audience.Cut
}

// Partitions is how many partitions of a topic an epoch has segments of.
func (a *Archive) Partitions(ctx context.Context, topic string, epoch uint64) (int, error) {
	paths, err := a.List(ctx, fmt.Sprintf("%s/epoch=%d/", topic, epoch))
	if err != nil {
		return 0, err
	}
	for p := range len(paths) {
		want := Segment{Topic: topic, Epoch: epoch, Partition: int32(p)}
		if !slices.Contains(paths, want.Path()) {
			return 0, fmt.Errorf("list %s of epoch %d: there are %d files, and %s is none of them", topic, epoch, len(paths), want.Path())
		}
	}
	return len(paths), nil
}
