package realtime

import (
	"context"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
)

// Log is what the workers need of the log. Entries are read undecoded.
type Log interface {
	// Bounds are the oldest offset kept and the one the next record will get.
	Bounds(ctx context.Context, topic string, partition int32) (oldest, next int64, err error)
	// Read follows a partition from an offset; eventlog.ErrOffsetGone below the
	// oldest.
	Read(ctx context.Context, topic string, partition int32, from int64) (Records, error)
	// Reject keeps a record that cannot be read, with the reason.
	Reject(ctx context.Context, e eventlog.Entry, reason string) error
	// Seats runs hold for every seat this process has, until ctx ends.
	Seats(ctx context.Context, group string, hold func(ctx context.Context, seat int32) error) error
}

// Records are a partition's entries from a place on. For one goroutine.
type Records interface {
	// Next waits for at least one entry. After it gave the error of its context
	// it may be called again, and nothing is skipped.
	Next(ctx context.Context) ([]eventlog.Entry, error)
	// End is the end of the log as last seen.
	End() int64
	Close() error
}

// Store is what the workers need of the speed view; see speed.Store.
type Store interface {
	Position(ctx context.Context, topic string, partition int32) (speed.Position, error)
	Journals(ctx context.Context, topic string, partition int32, fn func(audience.RoundKey, []byte) error) error
	Sealed(ctx context.Context, topic string, partition int32) ([]audience.RoundKey, error)
	Advance(ctx context.Context, topic string, partition int32, step speed.Step) error
	PostJournal(ctx context.Context, topic string, partition int32, fn func([]byte) error) error
	ReadMinutes(ctx context.Context, topic string, partition int32, fromEpoch uint64, since speed.Position) (speed.Minutes, error)
	Listed(ctx context.Context, topic string, partition int32) ([]string, error)
	AdvancePosts(ctx context.Context, topic string, partition int32, step speed.PostStep) error
	Reset(ctx context.Context, topic string, partition int32, seen speed.Position, start speed.Start) (speed.Position, error)
}

// Past gives the records that the log does not keep any more, by epoch.
type Past interface {
	ReadBallots(ctx context.Context, s archive.Segment, visit func([]archive.Row) error) (archive.File, error)
	ReadPosts(ctx context.Context, s archive.Segment, visit func([]archive.PostRow) error) (archive.File, error)
}

// PostStates gives the state of a partition of posts at the beginning of an
// epoch; archive.ErrNotFound when it was not kept.
type PostStates interface {
	PostState(ctx context.Context, epoch uint64, partition int32) ([]byte, error)
}

// Topics are what control knows of topics, generations and cuts.
type Topics interface {
	Control
	// Changed is closed at the next change of State.
	Changed() <-chan struct{}
}

// Origin says where the life of a partition begins anew, and blocks until that
// is known. oldest is the oldest offset that the log keeps.
type Origin interface {
	Origin(ctx context.Context, partition int32, oldest int64) (speed.Start, error)
}

var (
	_ Store = (*speed.Store)(nil)
	_ Past  = (*archive.Archive)(nil)

	_ PostStates = (*archive.Archive)(nil)
	_ Topics     = (*control.Client)(nil)
)

// Kafka is the log as the workers need it.
type Kafka struct{ *eventlog.Log }

var _ Log = Kafka{}

// Read follows a partition without decoding it: the workers have the faster
// decoder.
func (k Kafka) Read(ctx context.Context, topic string, partition int32, from int64) (Records, error) {
	return k.ReadRaw(ctx, topic, partition, from)
}
