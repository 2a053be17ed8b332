package control

import (
	"github.com/clamor-live/clamor/pkg/fault"
)

func (m *Machine) putShow(e *Event) Verdict {
	next, err := read[Show](e)
	if err != nil {
		return refused(err)
	}
	var revision uint64
	if was, ok := m.state.shows.get(e.Subject); ok {
		revision = was.Revision
	}
	if err := base(e, revision); err != nil {
		return refused(err)
	}
	next.ID, next.Revision = e.Subject, revision+1
	m.state.shows.put(e.Subject, &next)
	return accepted(next.Revision)
}

// inShow judges that the show exists and that a thing does not change shows.
func (m *Machine) inShow(show, was string) *fault.Error {
	if was != "" && was != show {
		return fault.Invalid(fault.Field{Pointer: "/show", Detail: "cannot change: it belongs to " + was})
	}
	if _, ok := m.state.shows.get(show); !ok {
		return fault.Invalid(fault.Field{Pointer: "/show", Detail: "there is no show " + quote(show)})
	}
	return nil
}

func (m *Machine) putSource(e *Event) Verdict {
	next, err := read[Source](e)
	if err != nil {
		return refused(err)
	}
	was, ok := m.state.sources.get(e.Subject)
	if !ok {
		was = &Source{}
	}
	if err := first(base(e, was.Revision), m.inShow(next.Show, was.Show)); err != nil {
		return refused(err)
	}
	if ok && was.Connector != next.Connector {
		return refused(fault.Invalid(fault.Field{Pointer: "/connector", Detail: "cannot change: make another source"}))
	}
	next.ID, next.Revision = e.Subject, was.Revision+1
	if next.KeyHash == "" {
		next.KeyHash = was.KeyHash
	}
	rekey(&m.state.sourceKeys, was.KeyHash, next.KeyHash, e.Subject)
	m.state.sources.put(e.Subject, &next)
	return accepted(next.Revision)
}

func (m *Machine) putDestination(e *Event) Verdict {
	next, err := read[Destination](e)
	if err != nil {
		return refused(err)
	}
	was, ok := m.state.destinations.get(e.Subject)
	if !ok {
		was = &Destination{}
	}
	if err := first(base(e, was.Revision), m.inShow(next.Show, was.Show)); err != nil {
		return refused(err)
	}
	next.ID, next.Revision = e.Subject, was.Revision+1
	if next.TokenHash == "" {
		next.TokenHash = was.TokenHash
	}
	rekey(&m.state.feedTokens, was.TokenHash, next.TokenHash, e.Subject)
	m.state.destinations.put(e.Subject, &next)
	return accepted(next.Revision)
}

func (m *Machine) putToken(e *Event) Verdict {
	next, err := read[Token](e)
	if err != nil {
		return refused(err)
	}
	was, ok := m.state.tokens.get(e.Subject)
	if !ok {
		was = &Token{}
	}
	err = base(e, was.Revision)
	if err == nil && next.Show != "" {
		err = m.inShow(next.Show, "")
	}
	if err != nil {
		return refused(err)
	}
	next.ID, next.Revision = e.Subject, was.Revision+1
	if next.CreatedAt == 0 {
		next.CreatedAt = e.At
	}
	if next.Hash == "" {
		next.Hash = was.Hash
	}
	rekey(&m.state.apiTokens, was.Hash, next.Hash, e.Subject)
	m.state.tokens.put(e.Subject, &next)
	return accepted(next.Revision)
}

func (m *Machine) putTopic(e *Event, offset int64) Verdict {
	next, err := read[Topic](e)
	if err != nil {
		return refused(err)
	}
	was, ok := m.state.topics.get(e.Subject)
	if !ok {
		was = &Topic{}
	}
	if err := first(base(e, was.Revision), m.inShow(next.Show, was.Show)); err != nil {
		return refused(err)
	}
	if !ok {
		was = &Topic{Revision: m.gone[e.Subject]}
	}
	next.ID, next.Revision = e.Subject, was.Revision+1
	if next.Counted, next.Offset = next.Revision, offset; next.countsLike(was) {
		next.Counted, next.Offset = was.Counted, was.Offset
	}
	m.state.topics.put(e.Subject, &next)
	return accepted(next.Revision)
}

// rekey moves the entry of a secret's hash.
func rekey(secrets *shelf[string], was, next, id string) {
	if was != "" && was != next {
		secrets.remove(was)
	}
	if next != "" {
		secrets.put(next, id)
	}
}

func (m *Machine) remove(e *Event) Verdict {
	s := &m.state
	switch e.Kind {
	case KindSourceDelete:
		if was, ok := s.sources.get(e.Subject); ok {
			rekey(&s.sourceKeys, was.KeyHash, "", e.Subject)
			return drop(e, &s.sources, was.Revision)
		}
	case KindDestinationDelete:
		if was, ok := s.destinations.get(e.Subject); ok {
			rekey(&s.feedTokens, was.TokenHash, "", e.Subject)
			return drop(e, &s.destinations, was.Revision)
		}
	case KindTokenDelete:
		if was, ok := s.tokens.get(e.Subject); ok {
			rekey(&s.apiTokens, was.Hash, "", e.Subject)
			return drop(e, &s.tokens, was.Revision)
		}
	case KindTopicDelete:
		if was, ok := s.topics.get(e.Subject); ok {
			m.gone[e.Subject] = was.Revision
			return drop(e, &s.topics, was.Revision)
		}
	}
	return refused(fault.New(fault.NotFound, "there is none with the id %q", e.Subject))
}

func drop[V any](e *Event, from *shelf[V], revision uint64) Verdict {
	from.remove(e.Subject)
	return accepted(revision)
}

func first(errs ...*fault.Error) *fault.Error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
