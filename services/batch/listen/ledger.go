package listen

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
)

// Pieces is where a ledger keeps what it adds up.
type Pieces interface {
	PutPieces(ctx context.Context, number uint64, pieces []views.Piece) error
	Pieces(ctx context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error)
}

const (
	// addAtOnce bounds the minutes that are added up at a time, and with them the
	// memory: about 40 kB each.
	addAtOnce = 512
	// heldBytes is how many bytes of minutes are held back before they are put:
	// the next epoch often changes the same minutes.
	heldBytes = 32 << 20
)

// Ledger adds up minutes for one generation. A minute is read from the store when
// something is to be added to it, and written when its successor is known. Not
// for concurrent use.
type Ledger struct {
	store    Pieces
	number   uint64
	accounts map[topic.Subject]*account
	held     map[topic.MinuteKey][]byte // encoded, not put yet
	bytes    int
}

// account is where the minutes of a subject are.
type account struct {
	pages    map[int64]*page
	manifest views.PieceID
	changed  bool
}

type page struct {
	id      views.PieceID
	minutes map[int64]views.PieceID // nil: not read yet
	changed bool
}

// NewLedger is empty.
func NewLedger(store Pieces, number uint64) *Ledger {
	return &Ledger{store: store, number: number, accounts: map[topic.Subject]*account{}, held: map[topic.MinuteKey][]byte{}}
}

// Open begins the account of a subject of which nothing was counted yet.
func (l *Ledger) Open(s topic.Subject) {
	l.accounts[s] = &account{pages: map[int64]*page{}, changed: true}
}

// Carry begins the account of a subject with what a generation has of it.
func (l *Ledger) Carry(ctx context.Context, s topic.Subject, manifest views.PieceID) error {
	refs, err := views.ReadManifest(ctx, l.store, manifest)
	if err != nil {
		return err
	}
	a := &account{pages: map[int64]*page{}, manifest: manifest}
	for _, r := range refs {
		a.pages[r.Key] = &page{id: r.ID}
	}
	l.accounts[s] = a
	return nil
}

// Epoch adds the epoch that all partitions, in order of number, have just folded;
// of subjects that wanted says no to, nothing.
func (l *Ledger) Epoch(ctx context.Context, partitions []*Partition, wanted func(topic.Subject) bool) error {
	all := map[topic.MinuteKey]bool{}
	for _, p := range partitions {
		for key := range p.Minutes() {
			if wanted(key.Subject) {
				all[key] = true
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(all), topic.MinuteKey.Compare)
	cursors := make([]*cursor, len(partitions))
	for i, p := range partitions {
		cursors[i] = newCursor(p)
		defer cursors[i].stop()
	}
	for some := range slices.Chunk(keys, addAtOnce) {
		if err := l.add(ctx, some, cursors); err != nil {
			return err
		}
	}
	return nil
}

// cursor walks through a partition's minutes.
type cursor struct {
	pull   func() (topic.MinuteKey, *topic.Minute, bool)
	stop   func()
	key    topic.MinuteKey
	minute *topic.Minute
	ok     bool
}

func newCursor(p *Partition) *cursor {
	c := &cursor{}
	c.pull, c.stop = iter.Pull2(p.Minutes())
	c.key, c.minute, c.ok = c.pull()
	return c
}

// add adds what the cursors have of some keys.
func (l *Ledger) add(ctx context.Context, keys []topic.MinuteKey, cursors []*cursor) error {
	sums, err := l.load(ctx, keys)
	if err != nil {
		return err
	}
	last := keys[len(keys)-1]
	for _, c := range cursors {
		for c.ok && c.key.Compare(last) <= 0 {
			if sum := sums[c.key]; sum != nil {
				sum.Add(c.minute)
			}
			c.key, c.minute, c.ok = c.pull()
		}
	}
	for _, key := range keys {
		l.settle(key, sums[key])
	}
	if l.bytes < heldBytes {
		return nil
	}
	return l.put(ctx)
}

// load gives what was counted of minutes so far.
func (l *Ledger) load(ctx context.Context, keys []topic.MinuteKey) (map[topic.MinuteKey]*topic.Minute, error) {
	if err := l.readPages(ctx, keys); err != nil {
		return nil, err
	}
	ids := map[topic.MinuteKey]views.PieceID{}
	var missing []views.PieceID
	for _, key := range keys {
		if p := l.accounts[key.Subject].pages[views.PageOf(key.Minute)]; p != nil && l.held[key] == nil {
			if id, ok := p.minutes[key.Minute]; ok {
				ids[key] = id
				missing = append(missing, id)
			}
		}
	}
	blobs, err := l.store.Pieces(ctx, missing)
	if err != nil {
		return nil, err
	}
	sums := make(map[topic.MinuteKey]*topic.Minute, len(keys))
	for _, key := range keys {
		blob := l.held[key]
		if id, ok := ids[key]; ok {
			blob = blobs[id]
		}
		if blob == nil {
			sums[key] = topic.NewMinute()
			continue
		}
		if sums[key], err = topic.Decode(blob); err != nil {
			return nil, fmt.Errorf("read minute %d of %s: %w", key.Minute, key.Subject, err)
		}
	}
	return sums, nil
}

// readPages brings in the pages that hold minutes.
func (l *Ledger) readPages(ctx context.Context, keys []topic.MinuteKey) error {
	unread := map[*page]bool{}
	var ids []views.PieceID
	for _, key := range keys {
		if p := l.accounts[key.Subject].pages[views.PageOf(key.Minute)]; p != nil && p.minutes == nil && !unread[p] {
			unread[p] = true
			ids = append(ids, p.id)
		}
	}
	bodies, err := l.store.Pieces(ctx, ids)
	if err != nil {
		return err
	}
	for p := range unread {
		refs, err := views.DecodePage(bodies[p.id])
		if err != nil {
			return fmt.Errorf("read page %s: %w", p.id, err)
		}
		p.minutes = make(map[int64]views.PieceID, len(refs))
		for _, r := range refs {
			p.minutes[r.Key] = r.ID
		}
	}
	return nil
}

// settle notes what a minute came to.
func (l *Ledger) settle(key topic.MinuteKey, m *topic.Minute) {
	a := l.accounts[key.Subject]
	p := a.pages[views.PageOf(key.Minute)]
	if p == nil {
		p = &page{minutes: map[int64]views.PieceID{}}
		a.pages[views.PageOf(key.Minute)] = p
	}
	l.bytes -= len(l.held[key])
	delete(l.held, key)
	a.changed, p.changed = true, true
	m.Prune()
	if m.IsZero() {
		delete(p.minutes, key.Minute)
		return
	}
	blob := topic.Encode(m)
	p.minutes[key.Minute] = views.IDOf(blob)
	l.held[key] = blob
	l.bytes += len(blob)
}

func (l *Ledger) put(ctx context.Context) error {
	pieces := make([]views.Piece, 0, len(l.held))
	for _, key := range slices.SortedFunc(maps.Keys(l.held), topic.MinuteKey.Compare) {
		pieces = append(pieces, views.NewPiece(l.held[key]))
	}
	clear(l.held)
	l.bytes = 0
	return l.store.PutPieces(ctx, l.number, pieces)
}

// Write puts everything that changed and gives the manifests of all accounts.
func (l *Ledger) Write(ctx context.Context) (map[topic.Subject]views.PieceID, error) {
	if err := l.put(ctx); err != nil {
		return nil, err
	}
	manifests := make(map[topic.Subject]views.PieceID, len(l.accounts))
	var pieces []views.Piece
	for _, s := range slices.SortedFunc(maps.Keys(l.accounts), topic.Subject.Compare) {
		a := l.accounts[s]
		if a.changed {
			pieces = append(pieces, a.write()...)
		}
		manifests[s] = a.manifest
	}
	return manifests, l.store.PutPieces(ctx, l.number, pieces)
}

// write gives the pages that changed and the manifest.
func (a *account) write() (pieces []views.Piece) {
	var pages []views.Ref
	for _, key := range slices.Sorted(maps.Keys(a.pages)) {
		p := a.pages[key]
		if p.changed {
			if len(p.minutes) == 0 {
				delete(a.pages, key)
				continue
			}
			piece := views.NewPiece(views.EncodePage(refsOf(p.minutes)))
			p.id, p.changed = piece.ID, false
			pieces = append(pieces, piece)
		}
		pages = append(pages, views.Ref{Key: key, ID: p.id})
	}
	manifest := views.NewPiece(views.EncodeManifest(pages))
	a.manifest, a.changed = manifest.ID, false
	return append(pieces, manifest)
}

func refsOf(minutes map[int64]views.PieceID) []views.Ref {
	refs := make([]views.Ref, 0, len(minutes))
	for minute, id := range minutes {
		refs = append(refs, views.Ref{Key: minute, ID: id})
	}
	slices.SortFunc(refs, func(x, y views.Ref) int { return cmp.Compare(x.Key, y.Key) })
	return refs
}
