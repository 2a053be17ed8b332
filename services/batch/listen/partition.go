// Package listen counts posts again from their archived segments: one
// partition's fold, epoch by epoch, and the ledger in which the minutes of all
// partitions are added up and kept as the pieces of a generation.
//
// Its one trick is that a generation is the one before with one more epoch added,
// minute by minute, in one order: so counting everything again from the first
// epoch gives the same bytes, and minutes that nothing was added to are shared.
package listen

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// ErrBroken says that the segments do not follow one another.
var ErrBroken = errors.New("the archive's segments of posts do not fit together")

// Heard is a post that was folded. It is valid during the call only.
type Heard struct {
	Post *clamorv1.Post
	// Epoch is the one that the record stands in.
	Epoch      uint64
	Understood *topic.Understood
	// Moderation is the moderator's word if the record is one, and Post what it is
	// about.
	Moderation *clamorv1.Moderation
	// Outcome is what became of a post; of a moderation it says nothing.
	Outcome topic.Outcome
}

// Partition is the fold of one partition. Not for concurrent use.
type Partition struct {
	number   int32
	state    *topic.Partition
	listener *topic.Listener
	open     *topic.Open
	next     int64 // where the next segment begins; negative: unknown
	posts    int64
	// Of the segment at hand.
	epoch  uint64
	heard  func(*Heard) error
	rows   int64
	last   archive.RowType
	at     int64
	latest int64 // minute
}

// coolEvery is after how many posts minutes that are over are folded up.
const coolEvery = 1 << 14

// NewPartition begins with the first record of an epoch, knowing nothing of those
// before.
func NewPartition(number int32, epoch uint64, c *topic.Catalog) *Partition {
	p := &Partition{number: number, state: topic.NewCounter(), listener: topic.NewListener(c), open: topic.NewOpen(), next: -1}
	p.state.SetEpoch(epoch)
	return p
}

// Restore goes on from what Snapshot gave at the beginning of an epoch.
func Restore(number int32, epoch uint64, snapshot []byte, c *topic.Catalog) (*Partition, error) {
	p := NewPartition(number, 0, c)
	if err := p.state.Restore(snapshot); err != nil {
		return nil, fmt.Errorf("restore the fold of posts/%d: %w", number, err)
	}
	if p.state.Epoch() != epoch {
		return nil, fmt.Errorf("restore the fold of posts/%d: it is at epoch %d, not %d: %w", number, p.state.Epoch(), epoch, ErrBroken)
	}
	return p, nil
}

// Snapshot is what the fold remembers.
func (p *Partition) Snapshot() []byte { return p.state.Snapshot() }

// Number is the partition's.
func (p *Partition) Number() int32 { return p.number }

// Posts is how many were folded.
func (p *Partition) Posts() int64 { return p.posts }

// Minutes are those of the epoch folded last, in order, until the next is.
func (p *Partition) Minutes() iter.Seq2[topic.MinuteKey, *topic.Minute] { return p.open.All() }

// Epoch folds the segment of the partition's epoch with the topics of a catalog
// and moves to the next. heard, unless nil, is told of every post.
func (p *Partition) Epoch(ctx context.Context, a *archive.Archive, c *topic.Catalog, heard func(*Heard) error) (archive.File, error) {
	p.open.Reset()
	p.listener.Use(c)
	p.epoch, p.heard, p.rows, p.last = p.state.Epoch(), heard, 0, archive.RowUnreadable
	file, err := a.ReadPosts(ctx, archive.Segment{Topic: archive.Posts, Epoch: p.epoch, Partition: p.number}, p.take)
	if err != nil {
		return archive.File{}, err
	}
	if err := p.check(file); err != nil {
		return archive.File{}, err
	}
	p.next = file.Next
	return file, nil
}

// check refuses a segment that is not the whole of its epoch.
func (p *Partition) check(file archive.File) error {
	switch {
	case p.rows != file.Rows:
		return fmt.Errorf("fold %s: %d rows read, %d archived: %w", file.Path, p.rows, file.Rows, ErrBroken)
	case p.state.Epoch() != p.epoch+1 || p.last != archive.RowCut || p.at+1 != file.Next:
		return fmt.Errorf("fold %s: it does not end with cut %d: %w", file.Path, p.epoch+1, ErrBroken)
	case p.next >= 0 && p.next != file.First:
		return fmt.Errorf("fold %s: it begins at offset %d, the epoch before ends at %d: %w", file.Path, file.First, p.next, ErrBroken)
	}
	return nil
}

func (p *Partition) take(rows []archive.PostRow) error {
	p.rows += int64(len(rows))
	for i := range rows {
		if err := p.row(&rows[i]); err != nil {
			return err
		}
	}
	if n := len(rows); n > 0 {
		p.last, p.at = rows[n-1].Type, rows[n-1].Offset
	}
	return nil
}

func (p *Partition) row(row *archive.PostRow) error {
	switch row.Type {
	case archive.RowPost:
		u := p.listener.Hear(row.Post)
		outcome := p.state.Post(u, p.open)
		p.cool(u.Minute)
		return p.tell(&Heard{Post: row.Post, Epoch: p.epoch, Understood: u, Outcome: outcome})
	case archive.RowModeration:
		u := p.listener.Hear(row.Moderation.GetPost())
		p.state.Moderate(u, row.Moderation.GetReject(), p.open)
		return p.tell(&Heard{Post: row.Moderation.GetPost(), Epoch: p.epoch, Understood: u, Moderation: row.Moderation})
	case archive.RowCut:
		p.state.Cut(row.Cut)
	}
	return nil
}

func (p *Partition) tell(h *Heard) error {
	if p.heard == nil {
		return nil
	}
	return p.heard(h)
}

// cool keeps the memory of a long epoch bounded: what is over is rarely touched
// again.
func (p *Partition) cool(minute int64) {
	p.latest = max(p.latest, minute)
	if p.posts++; p.posts%coolEvery == 0 {
		p.open.Take() // nobody wants them yet, but only what was taken cools
		p.open.Cool(p.latest - 1)
	}
}
