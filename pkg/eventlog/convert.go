package eventlog

import (
	"errors"
	"fmt"
	"math"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

var (
	errID     = errors.New("a ballot or voter id that is not 16 bytes")
	errSlot   = errors.New("a slot that is not in 1..65535")
	errScores = errors.New("not as many scores as slots")
)

// BallotsFrom appends the ballots of a record to dst, or says which is none.
func BallotsFrom(rec *clamorv1.Ballots, dst []audience.Ballot) ([]audience.Ballot, error) {
	for i, item := range rec.GetItems() {
		b, err := ballotFrom(item)
		if err != nil {
			return nil, fmt.Errorf("ballot %d: %w", i, err)
		}
		dst = append(dst, b)
	}
	return dst, nil
}

func ballotFrom(in *clamorv1.Ballot) (b audience.Ballot, err error) {
	b = audience.Ballot{
		Poll: in.GetPoll(), Round: in.GetRound(),
		ReceivedAt: audience.Millis(in.GetReceivedAt()), ClosesAt: audience.Millis(in.GetClosesAt()),
		PerVoter: in.GetBallotsPerVoter(), Source: in.GetSource(), Revision: in.GetRevision(), Post: in.GetPost(),
	}
	if err = identify(&b, in.GetId(), in.GetVoter()); err != nil {
		return b, err
	}
	if b.Kind, err = kindFromWire(in.GetKind()); err != nil {
		return b, err
	}
	if b.OnRepeat, err = onRepeatFromWire(in.GetOnRepeat()); err != nil {
		return b, err
	}
	b.Choices, err = choicesFrom(in.GetSlots(), in.GetScores())
	return b, err
}

func identify(b *audience.Ballot, id, voter []byte) error {
	if len(id) != len(b.ID) || len(voter) != len(b.Voter) {
		return errID
	}
	copy(b.ID[:], id)
	copy(b.Voter[:], voter)
	return nil
}

func choicesFrom(slots []uint32, scores []int32) ([]audience.Choice, error) {
	var out []audience.Choice
	for _, s := range slots {
		if s > math.MaxUint16 {
			return nil, errSlot
		}
		out = append(out, audience.Choice{Slot: uint16(s)})
	}
	return out, score(out, scores)
}

// score gives the choices their scores and checks both.
func score(cs []audience.Choice, scores []int32) error {
	if len(scores) != 0 && len(scores) != len(cs) {
		return errScores
	}
	for i := range cs {
		if cs[i].Slot == 0 {
			return errSlot
		}
		if len(scores) != 0 {
			cs[i].Score = scores[i]
		}
	}
	return nil
}

func kindFromWire(k clamorv1.Kind) (audience.Kind, error) {
	switch k {
	case clamorv1.Kind_KIND_UNSPECIFIED:
		return "", nil
	case clamorv1.Kind_KIND_CHOICE:
		return audience.Choose, nil
	case clamorv1.Kind_KIND_SCORE:
		return audience.Score, nil
	case clamorv1.Kind_KIND_REACTION:
		return audience.React, nil
	}
	return "", fmt.Errorf("unknown kind %d", k)
}

func kindToWire(k audience.Kind) clamorv1.Kind {
	switch k {
	case audience.Choose:
		return clamorv1.Kind_KIND_CHOICE
	case audience.Score:
		return clamorv1.Kind_KIND_SCORE
	case audience.React:
		return clamorv1.Kind_KIND_REACTION
	}
	return clamorv1.Kind_KIND_UNSPECIFIED
}

func onRepeatFromWire(o clamorv1.OnRepeat) (audience.OnRepeat, error) {
	switch o {
	case clamorv1.OnRepeat_ON_REPEAT_UNSPECIFIED:
		return "", nil
	case clamorv1.OnRepeat_ON_REPEAT_REJECT:
		return audience.Reject, nil
	case clamorv1.OnRepeat_ON_REPEAT_REPLACE:
		return audience.Replace, nil
	case clamorv1.OnRepeat_ON_REPEAT_ADD:
		return audience.Add, nil
	}
	return "", fmt.Errorf("unknown on_repeat %d", o)
}

func onRepeatToWire(o audience.OnRepeat) clamorv1.OnRepeat {
	switch o {
	case audience.Reject:
		return clamorv1.OnRepeat_ON_REPEAT_REJECT
	case audience.Replace:
		return clamorv1.OnRepeat_ON_REPEAT_REPLACE
	case audience.Add:
		return clamorv1.OnRepeat_ON_REPEAT_ADD
	}
	return clamorv1.OnRepeat_ON_REPEAT_UNSPECIFIED
}

// RevocationFrom is the revocation in a record, or says why it is none.
func RevocationFrom(in *clamorv1.Revocation) (audience.Revocation, error) {
	r := audience.Revocation{
		Poll: in.GetPoll(), Round: in.GetRound(), Restore: in.GetRestore(),
		At: audience.Millis(in.GetAt()), Actor: in.GetActor(), ReceivedAt: audience.Millis(in.GetReceivedAt()),
	}
	if len(in.GetVoter()) != len(r.Voter) || len(in.GetBallot()) != len(r.Ballot) {
		return r, errID
	}
	copy(r.Voter[:], in.GetVoter())
	copy(r.Ballot[:], in.GetBallot())
	var err error
	r.Choices, err = choicesFrom(in.GetSlots(), in.GetScores())
	return r, err
}

// RevocationRecord is the record of a revocation.
func RevocationRecord(r *audience.Revocation) *clamorv1.Record {
	out := &clamorv1.Revocation{
		Poll: r.Poll, Round: r.Round, Voter: r.Voter[:], Ballot: r.Ballot[:], Restore: r.Restore,
		At: int64(r.At), Actor: r.Actor, ReceivedAt: int64(r.ReceivedAt),
	}
	scored := false
	for _, c := range r.Choices {
		out.Slots = append(out.Slots, uint32(c.Slot))
		out.Scores = append(out.Scores, c.Score)
		scored = scored || c.Score != 0
	}
	if !scored {
		out.Scores = nil
	}
	return &clamorv1.Record{Body: &clamorv1.Record_Revocation{Revocation: out}}
}

// CutFrom is the cut in a record.
func CutFrom(in *clamorv1.Cut) audience.Cut {
	c := audience.Cut{Number: in.GetNumber(), At: audience.Millis(in.GetAt())}
	for _, s := range in.GetSeals() {
		c.Seals = append(c.Seals, audience.RoundKey{Poll: s.GetPoll(), Round: s.GetRound()})
	}
	return c
}

// CutRecord is the record of a cut.
func CutRecord(c audience.Cut) *clamorv1.Record {
	out := &clamorv1.Cut{Number: c.Number, At: int64(c.At)}
	for _, s := range c.Seals {
		out.Seals = append(out.Seals, &clamorv1.RoundRef{Poll: s.Poll, Round: s.Round})
	}
	return &clamorv1.Record{Body: &clamorv1.Record_Cut{Cut: out}}
}
