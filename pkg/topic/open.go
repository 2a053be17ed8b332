package topic

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Open holds the minutes of one partition's epoch while they are counted, and
// knows which changed since they were last taken. It belongs to one goroutine.
//
// Minutes that Cool closes are kept encoded, a tenth of the room, and opened
// again when a late post or a moderator touches them.
type Open struct {
	lanes    map[Subject]*lane
	catalog  *Catalog
	byNumber []*lane // of catalog
	changed  []*cell
}

// lane is a subject's minutes.
type lane struct {
	subject Subject
	cells   map[int64]*cell
	last    *cell // posts come in runs of one minute
}

// cell is one minute, open or encoded.
type cell struct {
	key     MinuteKey
	minute  *Minute
	blob    []byte
	changed bool
}

// NewOpen holds nothing yet.
func NewOpen() *Open { return &Open{lanes: map[Subject]*lane{}} }

// at is a minute to count into; it counts as changed.
func (o *Open) at(c *Catalog, number int, minute int64) *Minute {
	if o.catalog != c {
		o.use(c)
	}
	l := o.byNumber[number]
	if l == nil {
		l = o.lane(c.Subject(number))
		o.byNumber[number] = l
	}
	x := l.last
	if x == nil || x.key.Minute != minute {
		x = l.cell(minute)
		l.last = x
	}
	if !x.changed {
		x.changed = true
		o.changed = append(o.changed, x)
	}
	if x.minute == nil {
		x.open()
	}
	return x.minute
}

func (o *Open) use(c *Catalog) {
	o.catalog, o.byNumber = c, make([]*lane, c.Len())
}

func (o *Open) lane(s Subject) *lane {
	l := o.lanes[s]
	if l == nil {
		l = &lane{subject: s, cells: map[int64]*cell{}}
		o.lanes[s] = l
	}
	return l
}

func (l *lane) cell(minute int64) *cell {
	x := l.cells[minute]
	if x == nil {
		x = &cell{key: MinuteKey{l.subject, minute}, minute: NewMinute()}
		l.cells[minute] = x
	}
	return x
}

func (x *cell) open() {
	m, err := Decode(x.blob)
	if err != nil {
		panic(fmt.Sprintf("a minute that was encoded here: %v", err))
	}
	x.minute, x.blob = m, nil
}

// Load puts a minute as it was last written, when a worker starts in mid-epoch.
// It does not count as changed.
func (o *Open) Load(key MinuteKey, blob []byte) error {
	if _, err := Decode(blob); err != nil {
		return fmt.Errorf("load %s minute %d: %w", key.Subject, key.Minute, err)
	}
	x := o.lane(key.Subject).cell(key.Minute)
	x.minute, x.blob = nil, slices.Clone(blob)
	return nil
}

// Take gives the minutes that changed since the last Take, whole and encoded:
// they replace what was written of them before. The caller owns the blobs.
func (o *Open) Take() map[MinuteKey][]byte {
	taken := make(map[MinuteKey][]byte, len(o.changed))
	for _, x := range o.changed {
		x.changed = false
		taken[x.key] = Encode(x.minute)
	}
	o.changed = o.changed[:0]
	return taken
}

// Changed is how many minutes Take would give.
func (o *Open) Changed() int { return len(o.changed) }

// All gives every minute, in order of its key. The minutes may be read until the
// next post.
func (o *Open) All() iter.Seq2[MinuteKey, *Minute] {
	return func(yield func(MinuteKey, *Minute) bool) {
		for _, s := range slices.SortedFunc(maps.Keys(o.lanes), Subject.Compare) {
			cells := o.lanes[s].cells
			for _, minute := range slices.Sorted(maps.Keys(cells)) {
				if x := cells[minute]; !yield(x.key, x.read()) {
					return
				}
			}
		}
	}
}

// read is the minute, opened for the reader only if it is encoded.
func (x *cell) read() *Minute {
	if x.minute != nil {
		return x.minute
	}
	opened := *x
	opened.open()
	return opened.minute
}

// View is a copy of everything.
func (o *Open) View() View {
	v := View{}
	for key, m := range o.All() {
		v.Of(key.Subject)[key.Minute] = m.Clone()
	}
	return v
}

// Cool closes the minutes before one, but those that changed since the last Take.
func (o *Open) Cool(before int64) {
	for _, l := range o.lanes {
		for minute, x := range l.cells {
			if minute < before && !x.changed && x.minute != nil {
				x.blob, x.minute = Encode(x.minute), nil
			}
		}
	}
}

// Reset forgets everything: the next epoch begins.
func (o *Open) Reset() { *o = *NewOpen() }

// Forget drops the subjects that keep says no to, and names them in order.
func (o *Open) Forget(keep func(Subject) bool) []Subject {
	var gone []Subject
	for s := range o.lanes {
		if !keep(s) {
			gone = append(gone, s)
			delete(o.lanes, s)
		}
	}
	if len(gone) > 0 {
		slices.SortFunc(gone, Subject.Compare)
		o.changed = slices.DeleteFunc(o.changed, func(x *cell) bool { return !keep(x.key.Subject) })
		o.catalog = nil // its lanes may be among them
	}
	return gone
}
