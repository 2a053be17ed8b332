package topic

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/near"
)

// Partition is the fold's state for one partition of the posts log: what must be
// known of the past to count the next record. It is not safe for concurrent use.
//
// It does not depend on any topic, so that a topic made later counts the past as
// it would have been counted. What is remembered is bounded by number, not by
// time: a repeat, or a moderator's word, that comes more than a million posts of
// the partition later is taken for a first.
type Partition struct {
	epoch  uint64
	recent memory // posts that came
	words  memory // moderators' words on posts
	near   *near.Filter
	totals Totals

	journal   []byte
	unwritten bool // nobody will take journals
}

const (
	maxRecent  = 1 << 20
	maxWordsOn = 1 << 16
)

// Outcome says what became of a post.
type Outcome uint8

const (
	// Counted posts are so by all who listen to it (Understood.Counted).
	Counted Outcome = iota
	// Repeated posts: the same platform and id were seen before, with whatever text.
	Repeated
	// Held posts are kept back by the show's rules, or rejected, until a moderator approves it.
	Held
)

// Totals are counts of the partition's whole log, whoever listens.
type Totals struct {
	Posts    int64 // with another id than any before
	Repeated int64
	Near     int64 // near-duplicates among Posts
	Held     int64 // among Posts
}

// NewPartition is the state before the first record.
func NewPartition() *Partition {
	return &Partition{recent: memory{limit: maxRecent}, words: memory{limit: maxWordsOn}, near: near.NewFilter()}
}

// NewCounter is NewPartition for a caller that never takes journals: it writes
// none, which saves their memory.
func NewCounter() *Partition {
	p := NewPartition()
	p.unwritten = true
	return p
}

// Post counts a post into the open minutes of this epoch.
func (p *Partition) Post(u *Understood, out *Open) Outcome {
	u.Counted = u.Counted[:0]
	if _, known := p.recent.find(u.Mark); known {
		p.totals.Repeated++
		p.record(opRepeated)
		return Repeated
	}
	state := p.arrive(u)
	p.remember(u, state)
	u.choose(state)
	for _, number := range u.Counted {
		m := out.at(u.Catalog, number, u.Minute)
		if state&stateOut != 0 {
			m.Rejected++
			continue
		}
		u.count(m, u.Catalog.list[number].Crowd)
	}
	if state&stateOut != 0 {
		u.Counted = u.Counted[:0]
		return Held
	}
	return Counted
}

// arrive is the state of a post that was not seen before.
func (p *Partition) arrive(u *Understood) (state uint64) {
	if u.HasFingerprint && p.near.Seen(u.Fingerprint) {
		state |= stateNear
	}
	word, spoken := p.words.find(u.Mark)
	if spoken && word&stateOut != 0 || !spoken && u.Post.Held {
		state |= stateOut | stateHeld
	}
	return state
}

// remember keeps the state, and the totals and the journal with it.
func (p *Partition) remember(u *Understood, state uint64) {
	p.admit(u.Mark, state)
	p.record(opPost)
	p.recordMark(u.Mark | state)
	if u.HasFingerprint {
		p.record(opPrint)
		p.recordMark(u.Fingerprint)
	}
}

func (p *Partition) admit(mark, state uint64) {
	p.totals.Posts++
	p.totals.Near += one(state&stateNear != 0)
	p.totals.Held += one(state&stateOut != 0)
	p.recent.put(mark, state)
	if _, spoken := p.words.find(mark); spoken {
		p.words.put(mark, state)
	}
}

// choose keeps a near-duplicate from those who want none.
func (u *Understood) choose(state uint64) {
	u.Counted = u.Counted[:0]
	for _, number := range u.Subjects {
		if state&stateNear == 0 || !u.Catalog.list[number].filter.NoDuplicates {
			u.Counted = append(u.Counted, number)
		}
	}
}

// Moderate takes a post out of what was counted, or puts it back, and says
// whether that changed anything; said twice, it is done once. u is what a
// listener understands of the post that the record carries, which is to be the
// post as it was counted. What was counted in an earlier epoch is negative in
// this one.
func (p *Partition) Moderate(u *Understood, reject bool, out *Open) bool {
	u.Counted = u.Counted[:0]
	state, arrived := p.state(u)
	if (state&stateOut != 0) == reject {
		return false
	}
	next := state | stateOut
	if !reject {
		next = state &^ (stateOut | stateHeld)
	}
	if !arrived { // it comes behind the word on it
		next = next&stateOut | stateHeld
	}
	p.speak(u.Mark, next)
	p.record(opWord)
	p.recordMark(u.Mark | next)
	if !arrived {
		return true
	}
	u.choose(state)
	for _, number := range u.Counted {
		m := out.at(u.Catalog, number, u.Minute)
		switch {
		case reject:
			u.take(m, 1)
			m.Rejected++
		case state&stateHeld != 0:
			u.count(m, u.Catalog.list[number].Crowd)
			m.Rejected--
		default:
			u.take(m, -1)
			m.Rejected--
		}
	}
	return true
}

func (p *Partition) speak(mark, state uint64) {
	p.words.put(mark, state)
	if _, known := p.recent.find(mark); known {
		p.recent.put(mark, state)
	}
}

// state is what is known of a post, and whether it came. One that is not known
// came long ago if anything was forgotten; then the record tells how it began.
func (p *Partition) state(u *Understood) (state uint64, arrived bool) {
	state, arrived = p.recent.find(u.Mark)
	word, spoken := p.words.find(u.Mark)
	switch {
	case spoken && (arrived || p.recent.full()):
		return word, true
	case spoken:
		return word, false
	case arrived:
		return state, true
	case u.Post.Held:
		state = stateOut | stateHeld
	}
	return state, p.recent.full()
}

// Cut moves to the next epoch. A cut that is not ahead of the epoch is ignored,
// and false. The caller then writes what is open, and resets it.
func (p *Partition) Cut(c audience.Cut) bool {
	if c.Number <= p.epoch {
		return false
	}
	p.epoch = c.Number
	p.recordEpoch()
	return true
}

// Epoch is the number of the last cut; 0 before the first.
func (p *Partition) Epoch() uint64 { return p.epoch }

// SetEpoch starts a partition in mid-log.
func (p *Partition) SetEpoch(epoch uint64) { p.epoch = epoch }

// Totals counts what came since the state was made; a restored state goes on.
func (p *Partition) Totals() Totals { return p.totals }
