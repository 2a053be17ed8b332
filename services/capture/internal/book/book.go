// Package book answers the doors' question: where does this poll stand, and
// would it take this ballot?
//
// Its one trick is the Moment: a poll's definition and standing, made once and
// used by every request until the standing changes by itself or the definition
// is replaced.
package book

import (
	"sync"
	"sync/atomic"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
)

// Book keeps the moments of polls. The zero Book is ready; it may be used by
// many goroutines.
type Book struct {
	pages sync.Map // poll id → *page; as many as there are polls
}

type page struct {
	poll   *control.Poll
	moment atomic.Pointer[Moment]
}

// Moment is a poll as it stands from Since until NextChange.
type Moment struct {
	// Poll is the definition of the round in hand.
	Poll     audience.Poll
	Revision uint64
	control.Standing

	slots map[string]uint16
}

// Poll is the moment of a poll at an instant; false when there is no such poll.
func (b *Book) Poll(state *control.State, id string, now audience.Millis) (*Moment, bool) {
	poll, ok := state.Poll(id)
	if !ok {
		return nil, false
	}
	return b.page(id, poll).at(now), true
}

func (b *Book) page(id string, poll *control.Poll) *page {
	if v, ok := b.pages.Load(id); ok && v.(*page).poll == poll {
		return v.(*page)
	}
	p := &page{poll: poll}
	b.pages.Store(id, p) // two at once make two, which are alike
	return p
}

func (p *page) at(now audience.Millis) *Moment {
	if m := p.moment.Load(); m != nil && m.covers(now) {
		return m
	}
	m := newMoment(p.poll, now)
	p.moment.Store(m)
	return m
}

func newMoment(poll *control.Poll, now audience.Millis) *Moment {
	m := &Moment{Poll: poll.DefinitionAt(now), Revision: poll.Revision, Standing: poll.At(now)}
	m.slots = make(map[string]uint16, len(m.Poll.Options))
	for i := range m.Poll.Options {
		m.slots[m.Poll.Options[i].ID] = uint16(i + 1)
	}
	return m
}

func (m *Moment) covers(now audience.Millis) bool {
	return now >= m.Since && (m.NextChange == 0 || now < m.NextChange)
}

// Ballot is a ballot of the round in hand, but for its id, voter and choices.
func (m *Moment) Ballot(received audience.Millis, source string) audience.Ballot {
	return audience.Ballot{
		Poll: m.Poll.ID, Round: m.Round, ReceivedAt: received, ClosesAt: m.ClosesAt,
		Kind: m.Poll.Kind, PerVoter: m.Poll.Limits.BallotsPerVoter, OnRepeat: m.Poll.Limits.OnRepeat,
		Source: source, Revision: m.Revision,
	}
}

// Captures says whether a captured ballot (social, SMS, gateways) goes into the
// log: while the poll is open, and behind the close, where it is counted as
// late.
func (m *Moment) Captures() bool {
	return m.Phase == audience.Open || m.Phase == audience.Closed || m.Phase == audience.Verified
}
