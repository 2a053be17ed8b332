package realtime

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// postFold gathers posts into the next step of a partition. It does no I/O: the
// same records from the same position, heard by the same catalogs, give the same
// minutes, in whatever steps.
type postFold struct {
	state  *topic.Partition
	open   *topic.Open
	pos    speed.Position // where the store stands
	behind int64          // the last record gathered

	posts    int // gathered
	outcomes outcomes
	received []audience.Millis
	recents  recents
	// lists are the topics that have a list of recent posts in the store.
	lists  map[string]bool
	forget []topic.Subject

	journal      extent
	rewriteBytes int
}

func newPostFold(pos speed.Position, rewriteBytes int) *postFold {
	f := &postFold{
		state: topic.NewPartition(), open: topic.NewOpen(), pos: pos, behind: pos.Next,
		recents: recents{}, lists: map[string]bool{}, rewriteBytes: rewriteBytes,
	}
	f.state.SetEpoch(pos.Epoch)
	return f
}

// restore takes one entry of the journal out of the store.
func (f *postFold) restore(entry []byte) error {
	f.journal.bytes += len(entry)
	return f.state.Restore(entry)
}

func (f *postFold) post(offset int64, p *clamorv1.Post, u *topic.Understood) {
	outcome := f.state.Post(u, f.open)
	f.outcomes[outcome]++
	switch outcome {
	case topic.Counted:
		f.recents.add(p, u, u.Counted)
	case topic.Held: // moderators are to see what waits for them
		f.recents.add(p, u, u.Subjects)
	}
	f.received = append(f.received, audience.Millis(p.GetReceivedAt()))
	f.posts++
	f.behind = offset + 1
}

func (f *postFold) moderate(offset int64, u *topic.Understood, reject bool) {
	f.state.Moderate(u, reject, f.open)
	f.behind = offset + 1
}

// opens says whether a cut begins an epoch. Then what was gathered before it is
// to be written first: a step lies within one epoch.
func (f *postFold) opens(c audience.Cut) bool { return c.Number > f.state.Epoch() }

func (f *postFold) cut(offset int64, c audience.Cut) {
	if f.state.Cut(c) {
		f.open.Reset()
		f.forget = nil // what was to be forgotten is of the epoch before
	}
	f.behind = offset + 1
}

// pass moves on over records that count nothing.
func (f *postFold) pass(next int64) { f.behind = max(f.behind, next) }

func (f *postFold) at() speed.Position { return f.pos }

func (f *postFold) next() int64 { return f.behind }

// listen drops what a catalog does not count any more.
func (f *postFold) listen(c *topic.Catalog) {
	f.forget = append(f.forget, f.open.Forget(c.Has)...)
}

// seal is what was gathered, as a step. c names the topics that there are.
func (f *postFold) seal(whole int64, c *topic.Catalog) speed.PostStep {
	ready := f.pos.Ready || f.behind >= whole
	s := speed.PostStep{Expect: f.pos, Next: f.behind, Epoch: f.state.Epoch(), Ready: &ready}
	if f.behind == f.pos.Next {
		return s
	}
	s.Minutes = make(map[speed.MinuteKey][]byte)
	for key, blob := range f.open.Take() {
		s.Minutes[minuteKey(key.Subject, key.Minute)] = blob
	}
	for _, subject := range f.forget {
		s.Forget = append(s.Forget, minuteKey(subject, 0))
	}
	s.Recent = f.recents.take()
	s.Unlist = f.unlisted(c, s.Recent)
	s.Journal, s.Rewrite = f.journaled()
	return s
}

func minuteKey(s topic.Subject, minute int64) speed.MinuteKey {
	return speed.MinuteKey{Topic: s.Topic, Revision: s.Revision, Minute: minute}
}

// unlisted are the topics that have a list and are no more.
func (f *postFold) unlisted(c *topic.Catalog, pushed map[string][][]byte) (gone []string) {
	topics := make(map[string]bool, c.Len())
	for n := range c.Len() {
		topics[c.Subject(n).Topic] = true
	}
	for id := range pushed {
		if !topics[id] {
			delete(pushed, id)
		}
	}
	for id := range f.lists {
		if !topics[id] {
			gone = append(gone, id)
		}
	}
	return gone
}

// journaled is the journal's next entry. When the journal is twice as long as
// its shortest form it is replaced by that.
func (f *postFold) journaled() (entry []byte, rewrite bool) {
	entry = f.state.TakeJournal()
	f.journal.bytes += len(entry)
	if f.journal.bytes < f.rewriteBytes || f.journal.bytes < 2*f.journal.shortest {
		return entry, false
	}
	short := f.state.Snapshot()
	f.journal.shortest = len(short)
	if len(entry) == 0 || 2*len(short) > f.journal.bytes {
		return entry, false
	}
	f.journal.bytes = len(short)
	return short, true
}

// coolMinutes is how long a minute that nobody posts in any more stays decoded.
const coolMinutes = 5

// applied starts the next step where the last one ended.
func (f *postFold) applied(s speed.PostStep) {
	f.pos = s.After()
	for id := range s.Recent {
		f.lists[id] = true
	}
	for _, id := range s.Unlist {
		delete(f.lists, id)
	}
	if n := len(f.received); n > 0 {
		f.open.Cool(topic.MinuteOf(f.received[n-1]) - coolMinutes)
	}
	f.posts, f.outcomes, f.received = 0, outcomes{}, f.received[:0]
	if s.Next > s.Expect.Next {
		f.forget = nil
	}
}
