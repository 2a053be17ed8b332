package topic

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A journal is what changed a partition's state, in order, about 20 bytes a
// post. Restoring is to do the same again.
//
// A blob is a version byte and operations, each a byte and its fields.
const journalVersion = 1

const (
	opPost     = 1 + iota // mark with state
	opPrint               // fingerprint
	opRepeated            // nothing
	opWord                // mark with state
	opEpoch               // number
	opTotals              // the four totals
	opRecent              // mark with state: of a snapshot
)

// ErrJournal is a damaged journal, or one of another version.
var ErrJournal = errors.New("journal is damaged or of another version")

func (p *Partition) record(op byte) {
	if p.unwritten {
		return
	}
	if len(p.journal) == 0 {
		p.journal = append(p.journal, journalVersion)
	}
	p.journal = append(p.journal, op)
}

func (p *Partition) recordMark(mark uint64) {
	if !p.unwritten {
		p.journal = binary.LittleEndian.AppendUint64(p.journal, mark)
	}
}

func (p *Partition) recordEpoch() {
	p.record(opEpoch)
	if !p.unwritten {
		p.journal = binary.AppendUvarint(p.journal, p.epoch)
	}
}

// TakeJournal gives what changed the state since the last take; nil when nothing
// did. The caller owns the blob.
func (p *Partition) TakeJournal() []byte {
	taken := p.journal
	p.journal = nil
	return taken
}

// JournalSize is how many bytes TakeJournal would give.
func (p *Partition) JournalSize() int { return len(p.journal) }

// Snapshot is the whole state, the epoch included, as one blob: what Restore
// needs instead of all that was taken before.
func (p *Partition) Snapshot() []byte {
	var s Partition
	s.journal = make([]byte, 0, 64+9*(len(p.recent.ring)+len(p.words.ring)))
	s.epoch = p.epoch
	s.recordEpoch()
	p.recent.all(func(entry uint64) {
		s.record(opRecent)
		s.recordMark(entry)
	})
	p.words.all(func(entry uint64) {
		s.record(opWord)
		s.recordMark(entry)
	})
	p.near.All(func(fingerprint uint64) {
		s.record(opPrint)
		s.recordMark(fingerprint)
	})
	s.record(opTotals)
	for _, n := range [...]int64{p.totals.Posts, p.totals.Repeated, p.totals.Near, p.totals.Held} {
		s.journal = binary.AppendUvarint(s.journal, uint64(n))
	}
	return s.journal
}

// Restore applies a blob that Snapshot or TakeJournal gave, in their order, to a
// partition that saw no newer records.
func (p *Partition) Restore(blob []byte) error {
	in := reader{rest: blob}
	if in.byte() != journalVersion {
		in.fail()
	}
	for len(in.rest) > 0 && in.err == nil {
		p.replay(&in)
	}
	if in.err != nil {
		return fmt.Errorf("restore posts' state: %w", ErrJournal)
	}
	return nil
}

func (p *Partition) replay(in *reader) {
	switch op := in.byte(); op {
	case opPost:
		if mark := in.fixed(); in.err == nil {
			p.admit(mark&^stateBits, mark&stateBits)
		}
	case opRecent:
		if mark := in.fixed(); in.err == nil {
			p.recent.put(mark, mark&stateBits)
		}
	case opPrint:
		if fingerprint := in.fixed(); in.err == nil {
			p.near.Seen(fingerprint)
		}
	case opRepeated:
		p.totals.Repeated++
	case opWord:
		if mark := in.fixed(); in.err == nil {
			p.speak(mark&^stateBits, mark&stateBits)
		}
	case opEpoch:
		p.epoch = max(p.epoch, in.uvarint())
	case opTotals:
		p.totals = Totals{Posts: in.count(), Repeated: in.count(), Near: in.count(), Held: in.count()}
	default:
		in.fail()
	}
}
