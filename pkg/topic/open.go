package topic

import "iter"

// Open holds the minutes of one partition's epoch while they are counted, and
// knows which changed since they were last taken. It belongs to one goroutine.
//
// Minutes that Cool closes are kept encoded, a tenth of the room, and opened
// again when a late post or a moderator touches them.
type Open struct {
	lanes map[Subject]*lane
}

type lane struct{}

// NewOpen holds nothing yet.
func NewOpen() *Open { return &Open{} }

// Load puts a minute as it was last written, when a worker starts in mid-epoch.
// It is not changed by this.
func (o *Open) Load(key MinuteKey, blob []byte) error { return nil }

// Take gives the minutes that changed since the last Take, whole and encoded:
// they replace what was written of them before. The caller owns the blobs.
func (o *Open) Take() map[MinuteKey][]byte { return nil }

// All gives every minute, in order of its key. The minutes may be read until the
// next post.
func (o *Open) All() iter.Seq2[MinuteKey, *Minute] { return nil }

// View is a copy of everything.
func (o *Open) View() View { return nil }

// Cool closes the minutes before one that were taken since they last changed.
func (o *Open) Cool(before int64) {}

// Reset forgets everything: the next epoch begins.
func (o *Open) Reset() {}

// Forget drops the subjects that keep says no to, and names them.
func (o *Open) Forget(keep func(Subject) bool) []Subject { return nil }
