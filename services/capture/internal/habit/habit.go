// Package habit remembers in which language an author writes. A short post says
// little of its language by itself; what its author wrote before says most.
package habit

import (
	"hash/maphash"
	"sync"

	"github.com/clamor-live/clamor/pkg/enrich/lang"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const (
	// At most sets × ways authors are remembered, 16 bytes each.
	sets = 1 << 14
	ways = 8

	// sure is the probability from which a post tells its language.
	sure = 0.9
	// settled is how many posts a language must be ahead to be a habit, and most
	// how far ahead it can get: whoever changes over is followed.
	settled = 2
	most    = 7
)

// author is what is remembered of one: the language of the majority, after Boyer
// and Moore, and by how many posts it is ahead. Nobody has the mark 0.
type author struct {
	mark  uint64
	class int32
	lead  int32
}

// Memory holds the habits of the authors heard of last. It is safe for concurrent
// use, and its zero value is not usable.
type Memory struct {
	model   *lang.Model
	names   []string
	seed    maphash.Seed
	readers sync.Pool // of *reader

	mu      sync.Mutex
	authors [][ways]author
	oldest  []uint8 // of each set, the place that is given away next
}

// reader finds the language of a text.
type reader struct {
	scanner  *scan.Scanner
	detector *lang.Detector
}

// New returns a memory of nobody, which reads posts with a model.
func New(model *lang.Model) *Memory {
	m := &Memory{
		model: model, names: model.Names(), seed: maphash.MakeSeed(),
		authors: make([][ways]author, sets), oldest: make([]uint8, sets),
	}
	m.readers.New = func() any { return &reader{scan.New(), lang.NewDetector(model)} }
	return m
}

// Language is what an author of a platform has mostly written in; empty when that
// is not known.
func (m *Memory) Language(platform, id string) string {
	mark := m.mark(platform, id)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.authors[mark%sets] {
		if a.mark == mark && a.lead >= settled {
			return m.names[a.class]
		}
	}
	return ""
}

// Learn takes in a post: the language that its source declares, or else the one
// that its text shows without doubt. The habit itself has no say, or it would
// confirm itself.
func (m *Memory) Learn(platform, id, declared, text string) {
	if id == "" {
		return
	}
	class := m.model.Index(declared)
	if class < 0 || m.names[class] == lang.Undetermined {
		class = m.read(text)
	}
	if class < 0 {
		return
	}
	mark := m.mark(platform, id)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.place(mark).count(int32(class))
}

// read is the language of a text; -1 when there is doubt.
func (m *Memory) read(text string) int {
	r := m.readers.Get().(*reader)
	defer m.readers.Put(r)
	r.scanner.Scan([]byte(text))
	if g := r.detector.Detect(r.scanner, nil); g.Sure && g.P >= sure {
		return g.Class
	}
	return -1
}

// place is an author's; of a set that is full the oldest goes.
func (m *Memory) place(mark uint64) *author {
	set := &m.authors[mark%sets]
	for i := range set {
		if set[i].mark == mark {
			return &set[i]
		}
	}
	oldest := &m.oldest[mark%sets]
	a := &set[*oldest]
	*oldest = (*oldest + 1) % ways
	*a = author{mark: mark}
	return a
}

func (a *author) count(class int32) {
	switch {
	case a.lead == 0:
		a.class, a.lead = class, 1
	case a.class == class:
		a.lead = min(a.lead+1, most)
	default:
		a.lead--
	}
}

func (m *Memory) mark(platform, id string) uint64 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	_, _ = h.WriteString(platform)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(id)
	return max(h.Sum64(), 1)
}
