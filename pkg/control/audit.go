package control

import (
	"cmp"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
)

// What an audit tells of, beside the kinds of events.
const (
	AuditClosed   = "poll.closed"   // by itself, at its closing time
	AuditVerified = "poll.verified" // sealed by a batch run
	AuditSkipped  = "poll.skipped"  // a scheduled command that no longer fitted
)

// AuditEntry is one command or change, with what was before and after it.
type AuditEntry struct {
	// Offset is where the cause stands in the control log; for what happens by
	// itself at a closing time there is none.
	Offset int64           `json:"offset,omitempty"`
	Event  string          `json:"event,omitempty"`
	At     audience.Millis `json:"at"`
	Actor  string          `json:"actor"`
	Kind   string          `json:"kind"`
	Round  uint32          `json:"round"`
	// Command is the order of a poll.command or poll.skipped.
	Command *audience.Command `json:"command,omitempty"`
	// EffectiveAt is when it took or takes effect.
	EffectiveAt audience.Millis `json:"effective_at,omitzero"`
	// Reason is what the producer gave, or why the command was skipped.
	Reason string `json:"reason,omitempty"`
	// Post and Verdict are of a post.command: what was decided about a post that
	// voted in the poll.
	Post    string           `json:"post,omitempty"`
	Verdict audience.Verdict `json:"verdict,omitempty"`
	Before  *Side            `json:"before,omitempty"`
	After   *Side            `json:"after,omitempty"`
}

// Side is a poll before or after an entry.
type Side struct {
	Revision uint64          `json:"revision,omitempty"`
	Round    uint32          `json:"round"`
	Phase    audience.Phase  `json:"phase"`
	ClosesAt audience.Millis `json:"closes_at,omitzero"`
	OnAir    bool            `json:"onair"`
	Public   bool            `json:"public"`
	// Definition stands where it changed.
	Definition *audience.Poll `json:"definition,omitempty"`
}

// ActorClock is who does what happens by itself.
const ActorClock = "clock"

func sideOf(s status, revision uint64) *Side {
	side := &Side{Revision: revision, Round: s.round, Phase: s.phase, ClosesAt: s.closesAt}
	side.OnAir, _ = s.shown(audience.OnAir, s.onair)
	side.Public, _ = s.shown(audience.Public, s.public)
	return side
}

// Audit is every command and change of a poll in order of time, with those that
// happened by themselves up to now.
func (s *State) Audit(poll string, now audience.Millis) []AuditEntry {
	p, ok := s.Poll(poll)
	if !ok {
		return nil
	}
	all := slices.Clone(p.audit)
	for _, notes := range [][]note{p.line.notes, p.line.aheadNotes} {
		for i := range notes {
			if notes[i].at <= now {
				all = append(all, notes[i].entry())
			}
		}
	}
	slices.SortStableFunc(all, func(a, b AuditEntry) int { return cmp.Compare(a.when(), b.when()) })
	return all
}

// when orders what was ordered by when it was ordered, and what happened by
// itself by when it happened.
func (a *AuditEntry) when() audience.Millis { return a.At }

func (n *note) entry() AuditEntry {
	e := AuditEntry{
		Offset: n.offset, At: n.at, Actor: n.actor, Kind: n.kind, Round: n.round,
		Command: n.verb, EffectiveAt: n.at, Reason: n.reason,
		Before: sideOf(n.before, 0), After: sideOf(n.after, 0),
	}
	if e.Actor == "" {
		e.Actor = ActorClock
	}
	return e
}
