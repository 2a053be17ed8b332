package control

import (
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// requestRun lets one run wait; whoever asks while one waits gets that one.
func (m *Machine) requestRun(e *Event, offset int64) Verdict {
	next := RunRequest{Run: e.Subject, Actor: e.Actor, At: e.At, Offset: offset}
	if next.Run == "" {
		next.Run = e.ID
	}
	if m.state.pending != nil {
		next = *m.state.pending // snapshots hold the one before
	}
	next.Asked = max(next.Asked, e.At)
	m.state.pending = &next
	return Verdict{Run: next.Run}
}

// takeRun takes up the waiting request, if it is that one.
func (m *Machine) takeRun(run string) {
	if m.state.pending != nil && m.state.pending.Run == run {
		m.state.pending = nil
	}
}

// cut decides which rounds end with a cut. Of two that decide the same number
// the first in the log wins.
func (m *Machine) cut(e *Event, offset int64) Verdict {
	d, err := read[CutDecision](e)
	if err != nil {
		return refused(err)
	}
	if d.At == 0 {
		d.At = e.At
	}
	d.Offset = offset
	if last, ok := m.state.LastCut(); ok && d.Number <= last.Number {
		return refused(fault.New(fault.RevisionConflict, "cut %d is decided already; the last is %d", d.Number, last.Number).
			With("revision", last.Number))
	}
	if d.Number == 0 {
		return refused(fault.Invalid(fault.Field{Pointer: "/number", Detail: "starts at 1"}))
	}
	if err := m.maySeal(d); err != nil {
		return refused(err)
	}
	for _, k := range d.Seals {
		m.state.sealed.put(roundID(k), d.Number)
	}
	m.takeRun(d.Run)
	m.state.cuts = append(m.state.cuts, d)
	return accepted(d.Number)
}

func (m *Machine) maySeal(d CutDecision) *fault.Error {
	for i, k := range d.Seals {
		pointer := fmt.Sprintf("/seals/%d", i)
		p, ok := m.state.polls.get(k.Poll)
		if !ok {
			return fault.Invalid(fault.Field{Pointer: pointer, Detail: "there is no poll " + quote(k.Poll)})
		}
		if _, sealed := m.state.SealedAt(k); sealed || slices.Contains(d.Seals[:i], k) {
			return fault.Invalid(fault.Field{Pointer: pointer, Detail: "the round is sealed already"})
		}
		if at, ok := p.ClosedAt(k.Round); !ok || at > d.At {
			return fault.New(fault.WrongPhase, "round %d of %s has not closed by %s", k.Round, k.Poll, d.At)
		}
	}
	return nil
}

// publish makes a generation the one to be read, and its rounds verified.
func (m *Machine) publish(e *Event, offset int64) Verdict {
	g, err := read[Published](e)
	if err != nil {
		return refused(err)
	}
	g.At, g.Offset = e.At, offset
	if was := m.state.published; was != nil && g.Generation <= was.Generation {
		return refused(fault.New(fault.RevisionConflict, "generation %d is published already; the last is %d",
			g.Generation, was.Generation).With("revision", was.Generation))
	}
	m.takeRun(g.Run)
	m.state.published = &g
	for _, k := range g.Seals {
		m.verify(e, offset, k)
	}
	return accepted(g.Generation)
}

// verify makes a round verified that a cut has sealed.
func (m *Machine) verify(e *Event, offset int64, k audience.RoundKey) {
	if _, sealed := m.state.SealedAt(k); !sealed {
		return
	}
	was, ok := m.state.polls.get(k.Poll)
	if !ok {
		return
	}
	closedAt, ok := was.ClosedAt(k.Round)
	if !ok || was.verified(k.Round) {
		return
	}
	p := *was
	p.line.settle(e.At - settling)
	at := max(e.At, closedAt+1, p.line.horizon+1)
	p.line.add(entry{act: actVerify, effective: at, offset: offset, actor: e.Actor, round: k.Round}, false)
	p.seals = append(p.seals, seal{round: k.Round, at: at})
	m.state.polls.put(k.Poll, &p)
}
