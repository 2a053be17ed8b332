package control

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/clamor-live/clamor/pkg/fault"
)

// remembered is how many ids of events are kept to tell a repeated append. A
// repeat follows its first within the producer's retries.
const remembered = 1 << 16

// Machine replays the control log. It is not safe for concurrent use; the
// states it gives out are.
//
// It checks what depends on the events before: that ids are free or taken, that
// revisions are current, that phases fit. What can be seen from the event alone
// was checked by Check before it was appended, and is not checked here, so that
// a later release with stricter rules replays an old log to the same state.
type Machine struct {
	state State
	ids   map[string]struct{}
	order []string // ring of the ids, oldest at next
	next  int
	posts []keptPost // oldest first
	// gone are the last revisions of topics that were deleted: what is counted of a
	// topic goes by its revision, so another of the same id begins behind it.
	gone map[string]uint64
}

// NewMachine is the machine before the first event.
func NewMachine() *Machine {
	return &Machine{ids: map[string]struct{}{}, gone: map[string]uint64{}}
}

// State is a snapshot behind the last event applied.
func (m *Machine) State() *State {
	s := &m.state
	snapshot := *s
	snapshot.shows = s.shows.share()
	snapshot.polls = s.polls.share()
	snapshot.sources = s.sources.share()
	snapshot.destinations = s.destinations.share()
	snapshot.tokens = s.tokens.share()
	snapshot.topics = s.topics.share()
	snapshot.posts = s.posts.share()
	snapshot.sourceKeys = s.sourceKeys.share()
	snapshot.feedTokens = s.feedTokens.share()
	snapshot.apiTokens = s.apiTokens.share()
	snapshot.sealed = s.sealed.share()
	return &snapshot
}

// Skip passes over an offset that holds no event.
func (m *Machine) Skip(offset int64) { m.state.offset = max(m.state.offset, offset+1) }

// Apply takes the event at an offset and says what became of it. Offsets
// ascend; one that was passed already is a repetition.
func (m *Machine) Apply(e Event, offset int64) Verdict {
	if offset < m.state.offset || m.repeated(e.ID) {
		m.Skip(offset)
		return Verdict{Offset: offset, Repeated: true}
	}
	m.Skip(offset)
	v := m.dispatch(&e, offset)
	v.Offset = offset
	return v
}

func (m *Machine) repeated(id string) bool {
	if id == "" {
		return false
	}
	if _, ok := m.ids[id]; ok {
		return true
	}
	if len(m.order) < remembered {
		m.order = append(m.order, id)
	} else {
		delete(m.ids, m.order[m.next])
		m.order[m.next] = id
		m.next = (m.next + 1) % remembered
	}
	m.ids[id] = struct{}{}
	return false
}

func (m *Machine) dispatch(e *Event, offset int64) Verdict {
	switch e.Kind {
	case KindShowPut:
		return m.putShow(e)
	case KindPollPut:
		return m.putPoll(e, offset)
	case KindPollCommand:
		return m.command(e, offset)
	case KindSourcePut:
		return m.putSource(e)
	case KindDestinationPut:
		return m.putDestination(e)
	case KindTokenPut:
		return m.putToken(e)
	case KindTopicPut:
		return m.putTopic(e, offset)
	case KindSourceDelete, KindDestinationDelete, KindTokenDelete, KindTopicDelete:
		return m.remove(e)
	case KindPostCommand:
		return m.postCommand(e, offset)
	case KindRunRequest:
		return m.requestRun(e, offset)
	case KindCut:
		return m.cut(e, offset)
	case KindPublished:
		return m.publish(e, offset)
	}
	return refused(fault.New(fault.InvalidRequest, "%q is not a kind of event that this release knows", e.Kind))
}

// read decodes a payload. Unknown fields are a newer release's and are passed
// over.
func read[T any](e *Event) (T, *fault.Error) {
	var v T
	if err := json.Unmarshal(bytes.TrimSpace(e.Payload), &v); err != nil {
		return v, fault.New(fault.InvalidRequest, "the payload of %s cannot be read", e.Kind).
			Because(fmt.Errorf("decode payload of %s: %w", e.Kind, err))
	}
	return v, nil
}

// base judges the revision that a put saw. Revision 0 says the thing is not
// there.
func base(e *Event, current uint64) *fault.Error {
	switch {
	case e.Base == 0 && current != 0:
		return fault.New(fault.AlreadyExists, "there is already one with the id %q", e.Subject)
	case e.Base == 0:
		return nil
	case current == 0:
		return fault.New(fault.NotFound, "there is none with the id %q", e.Subject)
	case e.Base != Current && e.Base != current:
		return fault.New(fault.PreconditionFailed, "somebody changed it since revision %d: get revision %d and try again",
			e.Base, current).With("revision", current)
	}
	return nil
}

func accepted(revision uint64) Verdict { return Verdict{Revision: revision} }
