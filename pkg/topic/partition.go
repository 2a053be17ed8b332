package topic

import (
	"errors"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Partition is the fold's state for one partition of the posts log: what must be
// known of the past to count the next record. It is not safe for concurrent use.
//
// It does not depend on any topic, so that a topic made later counts the past as
// it would have been counted.
type Partition struct {
	epoch uint64
}

// Outcome says what became of a post.
type Outcome uint8

const (
	// Counted by all who listen to it (Understood.Counted).
	Counted Outcome = iota
	// Repeated: the same platform and id were seen before, with whatever text.
	Repeated
	// Held back by the show's rules until a moderator approves it.
	Held
)

// ErrJournal is a damaged journal, or one of another version.
var ErrJournal = errors.New("journal is damaged or of another version")

// NewPartition is the state before the first record.
func NewPartition() *Partition { return &Partition{} }

// NewCounter is NewPartition for a caller that never takes journals: it writes
// none, which saves their memory.
func NewCounter() *Partition { return &Partition{} }

// Post counts a post into the open minutes of this epoch.
func (p *Partition) Post(u *Understood, out *Open) Outcome { return Counted }

// Moderate takes a post out of what was counted, or puts it back, and says
// whether that changed anything; said twice, it is done once. u is what a
// listener understands of the post that the record carries.
func (p *Partition) Moderate(u *Understood, reject bool, out *Open) bool { return false }

// Cut moves to the next epoch. A cut that is not ahead of the epoch is ignored,
// and false. The caller then writes what is open, and resets it.
func (p *Partition) Cut(c audience.Cut) bool { return false }

// Epoch is the number of the last cut; 0 before the first.
func (p *Partition) Epoch() uint64 { return p.epoch }

// SetEpoch starts a partition in mid-log.
func (p *Partition) SetEpoch(epoch uint64) { p.epoch = epoch }

// Totals are counts of the partition's whole log, whoever listens.
type Totals struct {
	Posts, Repeated, Near, Held int64
}

// Totals counts what came since the state was made; a restored state goes on.
func (p *Partition) Totals() Totals { return Totals{} }

// Snapshot is the whole state, the epoch included, as one blob: what Restore
// needs instead of all that was taken before.
func (p *Partition) Snapshot() []byte { return nil }

// TakeJournal gives what changed the state since the last take; nil when nothing
// did. The caller owns the blob.
func (p *Partition) TakeJournal() []byte { return nil }

// Restore applies a blob that Snapshot or TakeJournal gave, in their order, to a
// partition that saw no newer records.
func (p *Partition) Restore(blob []byte) error { return nil }
