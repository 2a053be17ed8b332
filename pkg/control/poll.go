package control

import (
	"slices"
	"sort"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Poll is a poll's definition and its course so far. It is immutable.
type Poll struct {
	// Definition is the latest one written. While a reset is on its way it is
	// already that of the round to come; DefinitionOf tells the rounds apart.
	Definition audience.Poll
	Revision   uint64

	line   timeline
	rounds []roundDefinition // ascending by round
	audit  []AuditEntry
	seals  []seal
}

// seal is a round that became verified.
type seal struct {
	round uint32
	at    audience.Millis
}

func (p *Poll) verified(round uint32) bool {
	return slices.ContainsFunc(p.seals, func(s seal) bool { return s.round == round })
}

type roundDefinition struct {
	round      uint32
	definition *audience.Poll
}

// Standing is where a poll stands at an instant.
type Standing struct {
	Round uint32
	Phase audience.Phase
	// OpensAt is when the round opened, or will as far as is known; 0: not known.
	OpensAt audience.Millis
	// ClosesAt is when the round closed, or will as far as is known; 0: open-ended.
	ClosesAt audience.Millis
	// OnAir and Public say whether figures are shown to that audience.
	OnAir, Public bool
	// WithReceipt says whether figures are shown to whoever has a receipt of the
	// round; it is true whenever Public is.
	WithReceipt bool
	Reveal      audience.RevealMode
	// Since is when this standing began; 0: with the poll.
	Since audience.Millis
	// NextChange is when it ends, as far as is known; 0: not known.
	NextChange audience.Millis
	// Transitions counts the changes of standing so far.
	Transitions int
}

// At is where the poll stands at an instant. Ask with the clock's time: what
// lies more than a few seconds ahead or back of it is only as good as clocks
// agree.
func (p *Poll) At(now audience.Millis) Standing {
	return p.standing(p.line.index(now))
}

func (p *Poll) standing(i int) Standing {
	here := p.line.stretch(i)
	s := here.status
	out := Standing{
		Round: s.round, Phase: s.phase, OpensAt: s.opensAt, ClosesAt: s.closesAt,
		Reveal: s.mode, Since: here.from, Transitions: i,
	}
	out.OnAir, _ = s.shown(audience.OnAir, s.onair)
	out.Public, out.WithReceipt = s.shown(audience.Public, s.public)
	if i+1 < p.line.len() {
		out.NextChange = p.line.stretch(i + 1).from
	}
	p.lookAhead(i, &out)
	return out
}

// lookAhead fills in the opening and the close that are already known.
func (p *Poll) lookAhead(i int, out *Standing) {
	if s := p.line.stretch(i).status; s.ended() {
		out.ClosesAt = s.closedAt
		return
	}
	for j := i + 1; j < p.line.len(); j++ {
		next := p.line.stretch(j).status
		if next.round != out.Round {
			return
		}
		if out.OpensAt == 0 {
			out.OpensAt = next.opensAt
		}
		if next.ended() {
			out.ClosesAt = next.closedAt
			return
		}
	}
}

// Of is where a round stands, or stood at last, as of an instant; false when
// the round has not begun by then.
func (p *Poll) Of(round uint32, now audience.Millis) (Standing, bool) {
	i := p.line.index(now)
	if current := p.line.stretch(i).status.round; round == 0 || round > current {
		return Standing{}, false
	} else if round == current {
		return p.standing(i), true
	}
	out := p.standing(p.lastOf(round))
	out.NextChange = 0
	for _, s := range p.seals {
		if s.round == round && s.at <= now {
			out.Phase = audience.Verified
		}
	}
	return out, true
}

// lastOf is the number of the last stretch of a round.
func (p *Poll) lastOf(round uint32) int {
	n := sort.Search(p.line.len(), func(i int) bool { return p.line.stretch(i).status.round > round })
	return n - 1
}

// Rounds is the number of the latest round, counting one that a scheduled reset
// will begin.
func (p *Poll) Rounds() uint32 { return p.line.stretch(p.line.len() - 1).status.round }

// ClosedAt is when a round closed, or will as far as is known: compare it with
// the clock. False: no close is known.
func (p *Poll) ClosedAt(round uint32) (audience.Millis, bool) {
	if round == 0 || round > p.Rounds() {
		return 0, false
	}
	s := p.line.stretch(p.lastOf(round)).status
	return s.closedAt, s.ended()
}

// DefinitionOf is the definition a round has or had, with the closing time in
// force at its end.
func (p *Poll) DefinitionOf(round uint32) (audience.Poll, bool) {
	if round == 0 || round > p.Rounds() {
		return audience.Poll{}, false
	}
	n := sort.Search(len(p.rounds), func(i int) bool { return p.rounds[i].round > round })
	d := *p.rounds[n-1].definition
	d.ClosesAt = p.line.stretch(p.lastOf(round)).status.closesAt
	return d, true
}

// DefinitionAt is the definition in force at an instant, with its closing time.
func (p *Poll) DefinitionAt(now audience.Millis) audience.Poll {
	s := p.line.at(now)
	d, _ := p.DefinitionOf(s.round)
	d.ClosesAt = s.closesAt
	return d
}
