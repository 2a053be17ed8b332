package control

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// status is where a poll stands: what a command is judged on.
type status struct {
	round  uint32
	phase  audience.Phase
	thawed audience.Phase // frozen: what it was before
	mode   audience.RevealMode
	// onair and public override the mode.
	onair, public override
	opensAt       audience.Millis // when it opened
	closesAt      audience.Millis // the closing time, 0: open-ended
	closedAt      audience.Millis // when it closed
}

type override uint8

const (
	byMode override = iota
	revealed
	hidden
)

// live says whether the round can still close.
func (s status) live() bool {
	return s.phase == audience.Open || s.phase == audience.Paused || s.phase == audience.Frozen
}

func (s status) ended() bool {
	return s.phase == audience.Closed || s.phase == audience.Verified
}

func (s status) closed(at audience.Millis) status {
	s.phase, s.thawed, s.closedAt = audience.Closed, "", at
	return s
}

// take is the status behind an entry, or why the entry does not fit.
func (s status) take(e entry) (status, *fault.Error) {
	switch e.act {
	case actDefine:
		return s.define(e), nil
	case actVerify:
		if s.round == e.round && s.phase == audience.Closed {
			s.phase = audience.Verified
		}
		return s, nil
	default:
		return s.command(e)
	}
}

func (s status) define(e entry) status {
	s.mode = e.mode
	if e.setsClosing && !s.ended() {
		s.closesAt = e.closesAt
	}
	if e.setsClosing && s.live() && s.closesAt != 0 {
		s.closesAt = max(s.closesAt, e.effective) // not in a past that has been judged
	}
	return s
}

func (s status) command(e entry) (status, *fault.Error) {
	switch e.command.Command {
	case audience.VerbOpen:
		return s.open(e)
	case audience.VerbPause:
		return s.shift(e, audience.Open, audience.Paused)
	case audience.VerbResume:
		return s.shift(e, audience.Paused, audience.Open)
	case audience.VerbFreeze:
		return s.freeze(e)
	case audience.VerbUnfreeze:
		if s.phase != audience.Frozen {
			return s, s.wrong(e)
		}
		s.phase, s.thawed = s.thawed, ""
		return s, nil
	case audience.VerbClose:
		if !s.live() {
			return s, s.wrong(e)
		}
		return s.closed(e.effective), nil
	case audience.VerbExtend:
		return s.extend(e)
	case audience.VerbReveal:
		return s.show(e, revealed)
	case audience.VerbHide:
		return s.show(e, hidden)
	case audience.VerbReset:
		return s.reset(e)
	}
	return s, fault.Invalid(fault.Field{Pointer: "/command", Detail: "is not a command"})
}

func (s status) wrong(e entry) *fault.Error {
	return fault.New(fault.WrongPhase, "%s does not go with a poll that is %s", e.command.Command, s.phase).
		With("phase", s.phase)
}

func (s status) shift(e entry, from, to audience.Phase) (status, *fault.Error) {
	if s.phase != from {
		return s, s.wrong(e)
	}
	s.phase = to
	return s, nil
}

func (s status) open(e entry) (status, *fault.Error) {
	if s.phase != audience.Standby {
		return s, s.wrong(e)
	}
	if s.closesAt != 0 && s.closesAt <= e.effective {
		return s, fault.Invalid(fault.Field{
			Pointer: "/closes_at",
			Detail:  "the poll's closing time, " + s.closesAt.String() + ", would have passed: set a later one, or none, first",
		})
	}
	s.phase, s.opensAt = audience.Open, e.effective
	return s, nil
}

func (s status) freeze(e entry) (status, *fault.Error) {
	if s.phase != audience.Open && s.phase != audience.Paused {
		return s, s.wrong(e)
	}
	s.phase, s.thawed = audience.Frozen, s.phase
	return s, nil
}

func (s status) extend(e entry) (status, *fault.Error) {
	if !s.live() {
		return s, s.wrong(e)
	}
	if s.closesAt == 0 {
		return s, fault.New(fault.NoClosingTime, "the poll has no closing time to extend: close it when it is due")
	}
	if e.command.At != 0 {
		s.closesAt = max(e.command.At, e.effective)
	} else {
		s.closesAt += audience.Millis(e.command.Seconds) * 1000
	}
	return s, nil
}

func (s status) show(e entry, o override) (status, *fault.Error) {
	if s.mode == audience.RevealNever {
		return s, fault.New(fault.RevealNever, "the poll is set never to reveal its figures")
	}
	if e.command.Audience != audience.Public {
		s.onair = o
	}
	if e.command.Audience != audience.OnAir {
		s.public = o
	}
	return s, nil
}

func (s status) reset(e entry) (status, *fault.Error) {
	if !s.ended() {
		return s, s.wrong(e)
	}
	next := status{round: s.round + 1, phase: audience.Standby, mode: s.mode, closesAt: s.closesAt}
	if next.closesAt <= e.effective {
		next.closesAt = 0
	}
	return next, nil
}

// shown says whether figures are shown to those for whom o is the override, and
// whether they are to whoever shows a receipt.
func (s status) shown(who audience.Audience, o override) (all, receipt bool) {
	begun := s.phase != audience.Standby
	switch {
	case s.mode == audience.RevealNever || o == hidden:
		return false, false
	case o == revealed:
		return true, true
	}
	switch s.mode {
	case audience.RevealOpen:
		return begun, begun
	case audience.RevealClose:
		return s.ended(), s.ended()
	case audience.RevealVote:
		return begun && who == audience.OnAir, begun
	}
	return false, false
}
