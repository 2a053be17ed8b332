package control

import (
	"cmp"
	"slices"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// maxPending bounds the commands of one poll that have not taken effect.
const maxPending = 512

func (m *Machine) putPoll(e *Event, offset int64) Verdict {
	next, err := read[audience.Poll](e)
	if err != nil {
		return refused(err)
	}
	next.ID = e.Subject
	was, ok := m.state.polls.get(e.Subject)
	if !ok {
		return m.createPoll(e, offset, next)
	}
	if err := base(e, was.Revision); err != nil {
		return refused(err)
	}
	return m.changePoll(e, offset, was, next)
}

func (m *Machine) createPoll(e *Event, offset int64, d audience.Poll) Verdict {
	if e.Base != 0 {
		return refused(fault.New(fault.PollNotFound, "there is no poll %q", e.Subject))
	}
	if err := first(m.inShow(d.Show, ""), ahead(d.ClosesAt, e.At)); err != nil {
		return refused(err)
	}
	p := &Poll{Definition: d, Revision: 1, line: newTimeline(d.Reveal, d.ClosesAt)}
	p.rounds = []roundDefinition{{round: 1, definition: &d}}
	after := sideOf(p.line.settled[0].status, 1)
	after.Definition = &d
	p.audit = []AuditEntry{{
		Offset: offset, Event: e.ID, At: e.At, Actor: e.Actor, Kind: e.Kind, Round: 1, EffectiveAt: e.At, After: after,
	}}
	m.state.polls.put(e.Subject, p)
	return Verdict{Revision: 1, Phase: audience.Standby, Round: 1, EffectiveAt: e.At}
}

// ahead judges a closing time that is set anew.
func ahead(closesAt, now audience.Millis) *fault.Error {
	if closesAt != 0 && closesAt <= now {
		return fault.Invalid(fault.Field{Pointer: "/closes_at", Detail: "has passed: give a later time"})
	}
	return nil
}

// changePoll judges a new definition on the status it meets when every capture
// instance knows it.
func (m *Machine) changePoll(e *Event, offset int64, was *Poll, d audience.Poll) Verdict {
	p := *was
	p.line.settle(e.At - settling)
	effective := p.line.soonest(e.At)
	s := p.line.at(effective)
	current, _ := p.DefinitionOf(s.round)
	current.ClosesAt = s.closesAt
	if err := first(p.mayChange(&current, &d, s), m.inShow(d.Show, ""), p.line.room()); err != nil {
		return refused(err)
	}
	define := entry{act: actDefine, effective: effective, offset: offset, actor: e.Actor, mode: d.Reveal}
	if err := define.setClosing(s, &d, e.At); err != nil {
		return refused(err)
	}
	if define.setsClosing || d.Reveal != s.mode {
		p.line.add(define, true)
	}
	p.Definition, p.Revision = d, was.Revision+1
	p.setDefinition(s.round, &d)
	before, after := sideOf(s, was.Revision), sideOf(p.line.at(effective), p.Revision)
	before.Definition, after.Definition = &current, &d
	p.audit = append(p.audit, AuditEntry{
		Offset: offset, Event: e.ID, At: e.At, Actor: e.Actor, Kind: e.Kind, Round: s.round,
		EffectiveAt: effective, Before: before, After: after,
	})
	m.state.polls.put(e.Subject, &p)
	return Verdict{Revision: p.Revision, Phase: s.phase, Round: s.round, EffectiveAt: effective}
}

// setClosing notes a closing time that differs from the one in force, and puts
// into the definition what it comes to.
func (t *entry) setClosing(s status, d *audience.Poll, now audience.Millis) *fault.Error {
	if d.ClosesAt == s.closesAt {
		return nil
	}
	if s.ended() {
		if d.ClosesAt != 0 && d.ClosesAt != s.closedAt {
			return needsReset("/closes_at", "the round has ended")
		}
		d.ClosesAt = s.closesAt
		return nil
	}
	if err := ahead(d.ClosesAt, now); err != nil {
		return err
	}
	if s.live() && d.ClosesAt != 0 {
		d.ClosesAt = max(d.ClosesAt, t.effective)
	}
	t.setsClosing, t.closesAt = true, d.ClosesAt
	return nil
}

// setDefinition gives a round its definition, without touching older snapshots.
func (p *Poll) setDefinition(round uint32, d *audience.Poll) {
	i, known := slices.BinarySearchFunc(p.rounds, round, func(r roundDefinition, round uint32) int {
		return cmp.Compare(r.round, round)
	})
	p.rounds = slices.Clone(p.rounds)
	if !known {
		p.rounds = slices.Insert(p.rounds, i, roundDefinition{round: round})
	}
	p.rounds[i].definition = d
}

func (m *Machine) command(e *Event, offset int64) Verdict {
	command, err := read[audience.Command](e)
	if err != nil {
		return refused(err)
	}
	was, ok := m.state.polls.get(e.Subject)
	if !ok {
		return refused(fault.New(fault.PollNotFound, "there is no poll %q", e.Subject))
	}
	seen := e.Base
	if seen == 0 {
		seen = command.Revision
	}
	if seen != 0 && seen != Current && seen != was.Revision {
		return refused(fault.New(fault.RevisionConflict,
			"somebody changed the poll since revision %d: it is at revision %d", seen, was.Revision).
			With("revision", was.Revision))
	}
	if command.At != 0 && command.At < e.At {
		return refused(fault.Invalid(fault.Field{Pointer: "/at", Detail: "has passed: give a later time, or none"}))
	}
	return m.place(e, offset, was, command)
}

// place judges a command on the status it meets, and gives it its place.
func (m *Machine) place(e *Event, offset int64, was *Poll, command audience.Command) Verdict {
	p := *was
	p.line.settle(e.At - settling)
	if err := p.line.room(); err != nil {
		return refused(err)
	}
	next := entry{act: actCommand, offset: offset, actor: e.Actor, command: command}
	next.effective = p.line.soonest(e.At)
	immediate := command.Command == audience.VerbExtend || command.At <= next.effective
	if !immediate {
		next.effective = command.At
	}
	before := p.line.at(next.effective)
	after, err := before.command(next)
	if err != nil {
		return refused(err.With("phase", before.phase))
	}
	p.line.add(next, immediate)
	p.Revision++
	if command.Command == audience.VerbExtend || command.Command == audience.VerbReset && immediate {
		p.Definition.ClosesAt = after.closesAt
	}
	p.audit = append(p.audit, AuditEntry{
		Offset: offset, Event: e.ID, At: e.At, Actor: e.Actor, Kind: e.Kind, Round: after.round, Command: &command,
		EffectiveAt: next.effective, Reason: command.Reason,
		Before: sideOf(before, was.Revision), After: sideOf(after, p.Revision),
	})
	m.state.polls.put(e.Subject, &p)
	return Verdict{Revision: p.Revision, Phase: after.phase, Round: after.round, EffectiveAt: next.effective}
}

// room judges whether another change may wait for its time.
func (t *timeline) room() *fault.Error {
	if len(t.pending) >= maxPending {
		return fault.New(fault.Overloaded, "the poll has %d commands that have not taken effect yet", len(t.pending)).
			After(time.Duration(settling) * time.Millisecond)
	}
	return nil
}
