package tally

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
)

// A journal is a round's history in compact form: what changed its state, in
// order, about 20 bytes a ballot. Restoring is the fold again, over the journal.
//
// A blob is a version byte and operations, each a byte and its fields; buckets
// are written as the difference to the one before in the blob.
const journalVersion = 1

const (
	opRule    = 1 + iota // kind, ballots a voter, replaces
	opBallot             // mark, voter, bucket, choices
	opLate               // mark, bucket
	opRevoke             // mark, voter, bucket, choices
	opRestore            // the same
	opNewest             // bucket
	opVoter              // voter, ballots counted: sets
	opGone               // mark
	opAwaited            // mark
)

// ErrJournal is a damaged journal, or one of another version.
var ErrJournal = errors.New("journal is damaged or of another version")

type journal struct {
	blob []byte
	last uint32
}

func (j *journal) op(op byte) {
	if len(j.blob) == 0 {
		j.blob, j.last = append(j.blob, journalVersion), 0
	}
	j.blob = append(j.blob, op)
}

func (j *journal) hash(h uint64) { j.blob = binary.LittleEndian.AppendUint64(j.blob, h) }

func (j *journal) bucket(b uint32) {
	j.blob = binary.AppendVarint(j.blob, int64(b)-int64(j.last))
	j.last = b
}

func (j *journal) rule(u rule) {
	j.op(opRule)
	j.blob = append(j.blob, byte(u.kind))
	j.blob = binary.AppendUvarint(j.blob, uint64(u.perVoter))
	j.blob = append(j.blob, map[bool]byte{true: 1}[u.replaces])
}

func (j *journal) ballot(f *facts, k kind) {
	if f.late {
		j.op(opLate)
		j.hash(f.mark)
		j.bucket(f.bucket)
		return
	}
	j.full(opBallot, f, k)
}

func (j *journal) revocation(f *facts, restore bool, k kind) {
	op := byte(opRevoke)
	if restore {
		op = opRestore
	}
	j.full(op, f, k)
}

func (j *journal) full(op byte, f *facts, k kind) {
	j.op(op)
	j.hash(f.mark)
	j.hash(f.voter)
	j.bucket(f.bucket)
	j.blob = appendChoices(j.blob, f.choices, k)
}

func (j *journal) marked(op byte, mark uint64) {
	j.op(op)
	j.hash(mark)
}

// TakeJournal gives the journals written since the last take. The caller owns
// the blobs.
func (p *Partition) TakeJournal() map[audience.RoundKey][]byte {
	taken := make(map[audience.RoundKey][]byte)
	for key, r := range p.rounds {
		if len(r.journal.blob) > 0 {
			taken[key] = r.journal.blob
			r.journal = journal{}
		}
	}
	return taken
}

// Restore applies a blob that TakeJournal or Snapshot gave, in their order, to
// a round that has no newer records.
func (p *Partition) Restore(key audience.RoundKey, blob []byte) error {
	if len(blob) == 0 || blob[0] != journalVersion {
		return fmt.Errorf("restore %s round %d: %w", key.Poll, key.Round, ErrJournal)
	}
	r := p.round(key)
	in := reader{rest: blob[1:]}
	var ignored Round
	for len(in.rest) > 0 && in.err == nil {
		r.replay(&in, &ignored)
	}
	if in.err != nil {
		return fmt.Errorf("restore %s round %d: %w", key.Poll, key.Round, in.err)
	}
	return nil
}

func (r *round) replay(in *reader, out *Round) {
	switch op := in.byte(); op {
	case opRule:
		u := rule{kind: kind(in.byte() & 1), perVoter: uint32(in.uvarint(1 << 31)), replaces: in.byte() == 1}
		in.demand(!r.known)
		in.apply(func() { r.rule, r.known = u, true })
	case opLate:
		f := facts{mark: in.hash(), bucket: in.bucket(), late: true}
		in.demand(r.known)
		in.apply(func() { r.count(&f, out) })
	case opBallot:
		f := in.facts(r.rule.kind)
		in.demand(r.known)
		in.apply(func() { r.count(&f, out) })
	case opRevoke, opRestore:
		f := in.facts(r.rule.kind)
		in.apply(func() { r.revoke(&f, op == opRestore, out) })
	case opNewest:
		b := in.bucket()
		in.apply(func() { r.newest = max(r.newest, b) })
	case opVoter:
		hash, counted := in.hash(), uint32(in.uvarint(1<<32-1))
		in.demand(r.rule.unlimited())
		in.apply(func() { r.voters.at(r.voterOf(hash)).counted = counted })
	case opGone:
		mark := in.hash()
		in.apply(func() { r.gone = with(r.gone, mark) })
	case opAwaited:
		mark := in.hash()
		in.apply(func() { r.awaited = with(r.awaited, mark) })
	default:
		in.err = ErrJournal
	}
}

func with(set map[uint64]struct{}, mark uint64) map[uint64]struct{} {
	if set == nil {
		set = make(map[uint64]struct{})
	}
	set[mark] = struct{}{}
	return set
}

// Snapshot is a round's whole state as one blob: what Restore needs instead of
// all that was taken before.
func (p *Partition) Snapshot(key audience.RoundKey) []byte {
	r := p.rounds[key]
	if r == nil {
		return nil
	}
	var j journal
	if r.known {
		j.rule(r.rule)
	}
	for n := r.oldest; n < r.ballots.next; n++ {
		f := r.factsAt(r.ballots.at(n))
		j.ballot(&f, r.rule.kind)
	}
	for n := r.oldest; n < r.ballots.next; n++ {
		if b := r.ballots.at(n); b.outcome() == Revoked {
			f := r.factsAt(b)
			j.revocation(&f, false, r.rule.kind)
		}
	}
	r.snapshotMemory(&j)
	return j.blob
}

func (r *round) snapshotMemory(j *journal) {
	if r.rule.unlimited() {
		j.op(opNewest)
		j.bucket(r.newest)
		for row := range r.voters.next {
			v := r.voters.at(row)
			j.op(opVoter)
			j.hash(v.hash)
			j.blob = binary.AppendUvarint(j.blob, uint64(v.counted))
		}
	}
	for _, mark := range slices.Sorted(maps.Keys(r.gone)) {
		j.marked(opGone, mark)
	}
	for _, mark := range slices.Sorted(maps.Keys(r.awaited)) {
		j.marked(opAwaited, mark)
	}
}

func (r *round) factsAt(b *ballot) facts {
	f := facts{mark: b.mark, bucket: b.at(), late: b.outcome() == Late}
	if !f.late {
		f.voter = r.voters.at(b.voter).hash
		r.scratch = r.load(r.scratch[:0], b.choices)
		f.choices = r.scratch
	}
	return f
}
