package listen

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
)

// past are the minutes from before those that a picture holds, read by the hour
// while one answer is made, so that a week of them is never in memory at once.
// Behind the first error nothing is read any more and sums are worthless: whoever
// made the answer looks at err. One goroutine uses it.
type past struct {
	pieces *pieces
	// read reads pieces and keeps them, pass those of which the sum is kept.
	read, pass func([]views.PieceID) (map[views.PieceID][]byte, error)
	minutes    []pastMinute // rising
	// since is the first minute that is known to have anything in it, MinInt64 for
	// some minute before those here.
	since int64
	err   error
	// hour is the one that was read last, with the bodies of its pieces.
	hour   int64
	bodies map[views.PieceID][]byte
}

// keptMinutes is how many minutes an answer may be made of for each of them to be
// kept. Those of a longer one would drive out all else, and come once in a while.
const keptMinutes = 2 * 24 * 60

// pastMinute says where the parts of one minute are.
type pastMinute struct {
	at int64
	// id is the piece in the generation, if it has one.
	id        views.PieceID
	published bool
	additions [][]byte
}

// openPast finds the minutes in [from, end) of a generation, and those that the
// speed view adds to.
func openPast(ctx context.Context, of *pieces, b *beyond, from, end int64) (*past, error) {
	p := &past{
		pieces: of, since: math.MaxInt64, hour: math.MinInt64,
		read: func(ids []views.PieceID) (map[views.PieceID][]byte, error) { return of.Pieces(ctx, ids) },
		pass: func(ids []views.PieceID) (map[views.PieceID][]byte, error) { return of.pass(ctx, ids) },
	}
	if b.manifest != nil {
		if err := p.find(ctx, *b.manifest, from, end); err != nil {
			return nil, fmt.Errorf("find the minutes from %d to %d: %w", from, end, err)
		}
	}
	for _, at := range b.additions.between(from, end) {
		i, found := slices.BinarySearchFunc(p.minutes, at, byPastMinute)
		if !found {
			p.minutes = slices.Insert(p.minutes, i, pastMinute{at: at})
		}
		p.minutes[i].additions = b.additions[at]
	}
	if len(p.minutes) > keptMinutes {
		p.read = p.pass
	}
	if len(p.minutes) > 0 {
		p.since = min(p.since, p.minutes[0].at)
	}
	return p, nil
}

func byPastMinute(m pastMinute, at int64) int { return cmp.Compare(m.at, at) }

// find looks the minutes up in the manifest.
func (p *past) find(ctx context.Context, manifest views.PieceID, from, end int64) error {
	pages, err := views.ReadManifest(ctx, p.pieces, manifest)
	if err != nil || len(pages) == 0 {
		return err
	}
	first := int64(0) // costs nothing: no page lies before that of from
	if pages[0].Key < views.PageOf(from) {
		p.since, first = math.MinInt64, from
	}
	refs, err := views.ReadMinutes(ctx, p.pieces, manifest, first, end)
	if err != nil {
		return err
	}
	for _, r := range refs {
		if p.since = min(p.since, r.Key); r.Key >= from {
			p.minutes = append(p.minutes, pastMinute{at: r.Key, id: r.ID, published: true})
		}
	}
	return nil
}

// between are the minutes from first (inclusive) to end (exclusive).
func (p *past) between(first, end int64) []pastMinute {
	from, _ := slices.BinarySearchFunc(p.minutes, first, byPastMinute)
	to, _ := slices.BinarySearchFunc(p.minutes, end, byPastMinute)
	return p.minutes[from:max(from, to)]
}

// next is the first minute from one on that has anything in it.
func (p *past) next(from int64) (int64, bool) {
	if of := p.between(from, math.MaxInt64); len(of) > 0 {
		return of[0].at, true
	}
	return 0, false
}

// add adds up the minutes from first (inclusive) to end (exclusive).
func (p *past) add(sum *topic.Minute, first, end int64) {
	for _, stretch := range stretches(first, end) {
		of := p.between(stretch.first, stretch.end)
		switch {
		case len(of) == 0:
		case stretch.end-stretch.first == blockMinutes && len(of) > 1:
			sum.Add(p.block(of))
		default:
			p.load(of[0].at, p.read)
			p.addEach(sum, of)
		}
	}
}

// block is the sum of an hour, which is kept like a piece: under a name made of
// those of its parts.
func (p *past) block(of []pastMinute) *topic.Minute {
	name := blockName(of)
	if body := p.pieces.find(name); body != nil {
		return p.decode(body)
	}
	sum := topic.NewSum()
	p.load(of[0].at, p.pass)
	if p.addEach(sum, of); p.err == nil {
		p.pieces.keep(name, topic.Encode(sum))
	}
	return sum
}

// blockName is a hash of what an hour is made of. What it hashes begins as no
// piece does.
func blockName(of []pastMinute) views.PieceID {
	h := sha256.New()
	h.Write([]byte("hour"))
	for i := range of {
		m := &of[i]
		h.Write(binary.AppendVarint(nil, m.at))
		h.Write(m.id[:])
		h.Write(binary.AppendUvarint(nil, uint64(len(m.additions))))
		for _, blob := range m.additions {
			h.Write(binary.AppendUvarint(nil, uint64(len(blob))))
			h.Write(blob)
		}
	}
	return views.PieceID(h.Sum(nil))
}

// addEach adds up minutes of the hour that was loaded last.
func (p *past) addEach(sum *topic.Minute, of []pastMinute) {
	for i := range of {
		m := &of[i]
		if m.published {
			sum.Add(p.decode(p.bodies[m.id]))
		}
		for _, blob := range m.additions {
			sum.Add(p.decode(blob))
		}
	}
}

// load reads the pieces of a minute's whole hour.
func (p *past) load(at int64, read func([]views.PieceID) (map[views.PieceID][]byte, error)) {
	hour := at / blockMinutes
	if hour == p.hour || p.err != nil {
		return
	}
	p.hour = hour
	var ids []views.PieceID
	for _, m := range p.between(hour*blockMinutes, (hour+1)*blockMinutes) {
		if m.published {
			ids = append(ids, m.id)
		}
	}
	p.bodies, p.err = read(ids)
}

// decode reads a minute; behind an error it is empty.
func (p *past) decode(body []byte) *topic.Minute {
	if p.err == nil {
		m, err := topic.Decode(body)
		if err == nil {
			return m
		}
		p.err = fmt.Errorf("read a minute of the past: %w", err)
	}
	return topic.NewMinute()
}
