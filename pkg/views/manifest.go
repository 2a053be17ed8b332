package views

import (
	"context"
	"encoding/binary"
	"fmt"
)

// A subject's minutes are found over two levels: its manifest lists pages, a
// page lists the minutes of about 17 hours. A generation that changed a minute
// writes that minute, its page and the manifest anew and shares all the rest, be
// the subject a year old.
const (
	pageBits = 10

	kindManifest = 'M'
	kindPage     = 'P'
	refsVersion  = 1
)

// Ref names a piece: in a manifest by page, in a page by Unix minute.
type Ref struct {
	Key int64
	ID  PieceID
}

// PageOf is the page that a Unix minute stands on.
func PageOf(minute int64) int64 { return minute >> pageBits }

// EncodeManifest writes references to pages, in order of page.
func EncodeManifest(pages []Ref) []byte { return encodeRefs(kindManifest, pages) }

// EncodePage writes references to minutes, in order of minute.
func EncodePage(minutes []Ref) []byte { return encodeRefs(kindPage, minutes) }

// DecodeManifest reads what EncodeManifest wrote.
func DecodeManifest(b []byte) ([]Ref, error) { return decodeRefs(kindManifest, b) }

// DecodePage reads what EncodePage wrote.
func DecodePage(b []byte) ([]Ref, error) { return decodeRefs(kindPage, b) }

func encodeRefs(kind byte, refs []Ref) []byte {
	b := binary.AppendUvarint([]byte{kind, refsVersion}, uint64(len(refs)))
	last := int64(0)
	for _, r := range refs {
		b = binary.AppendVarint(b, r.Key-last)
		b = append(b, r.ID[:]...)
		last = r.Key
	}
	return b
}

func decodeRefs(kind byte, b []byte) ([]Ref, error) {
	if len(b) < 2 || b[0] != kind || b[1] != refsVersion {
		return nil, ErrDamaged
	}
	d := decoder{b: b[2:]}
	refs := make([]Ref, d.count(1+len(PieceID{})))
	last := int64(0)
	for i := range refs {
		step := d.int()
		if len(d.b) < len(refs[i].ID) || i > 0 && (step <= 0 || last+step <= last) {
			return nil, ErrDamaged
		}
		last += step
		refs[i].Key = last
		d.b = d.b[copy(refs[i].ID[:], d.b):]
	}
	return refs, d.end()
}

// PieceReader is the part of Store that reads pieces.
type PieceReader interface {
	Pieces(ctx context.Context, ids []PieceID) (map[PieceID][]byte, error)
}

// ReadManifest reads the references to a subject's pages.
func ReadManifest(ctx context.Context, from PieceReader, manifest PieceID) ([]Ref, error) {
	bodies, err := from.Pieces(ctx, []PieceID{manifest})
	if err != nil {
		return nil, err
	}
	return named(manifest)(DecodeManifest(bodies[manifest]))
}

// ReadMinutes reads the references to a subject's minutes in [first, end), in
// order; only the pages that hold such minutes are read.
func ReadMinutes(ctx context.Context, from PieceReader, manifest PieceID, first, end int64) ([]Ref, error) {
	pages, err := ReadManifest(ctx, from, manifest)
	if err != nil || first >= end {
		return nil, err
	}
	var wanted []PieceID
	for _, page := range pages {
		if page.Key >= PageOf(first) && page.Key <= PageOf(end-1) {
			wanted = append(wanted, page.ID)
		}
	}
	bodies, err := from.Pieces(ctx, wanted)
	if err != nil {
		return nil, err
	}
	var minutes []Ref
	for _, id := range wanted {
		page, err := named(id)(DecodePage(bodies[id]))
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			if m.Key >= first && m.Key < end {
				minutes = append(minutes, m)
			}
		}
	}
	return minutes, nil
}

func named(id PieceID) func([]Ref, error) ([]Ref, error) {
	return func(refs []Ref, err error) ([]Ref, error) {
		if err != nil {
			return nil, fmt.Errorf("read piece %s: %w", id, err)
		}
		return refs, nil
	}
}

// reachable marks every piece that a generation's manifests lead to. A piece
// that is missing leads nowhere.
func reachable(topics []TopicRef, marks map[PieceID]bool, read func([]PieceID) (map[PieceID][]byte, error)) error {
	var level []PieceID
	for _, t := range topics {
		if !marks[t.Manifest] {
			marks[t.Manifest] = true
			level = append(level, t.Manifest)
		}
	}
	for _, decode := range []func([]byte) ([]Ref, error){DecodeManifest, DecodePage} {
		bodies, err := read(level)
		if err != nil {
			return err
		}
		var next []PieceID
		for _, body := range bodies {
			refs, err := decode(body)
			if err != nil {
				continue // whoever reads it will say so
			}
			for _, r := range refs {
				if !marks[r.ID] {
					marks[r.ID] = true
					next = append(next, r.ID)
				}
			}
		}
		level = next
	}
	return nil
}

// errPieces says which pieces are missing, by example.
func errPieces(ids []PieceID, found map[PieceID][]byte) error {
	missing := 0
	var example PieceID
	for _, id := range ids {
		if _, ok := found[id]; !ok {
			missing++
			example = id
		}
	}
	if missing == 0 {
		return nil
	}
	return fmt.Errorf("read %d pieces, %s among them: %w", missing, example, ErrNotFound)
}
