package place

import (
	"cmp"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// named is one meaning of one name.
type named struct {
	hash uint64
	to   Target
}

// names is an open-addressing table from the hash of a name to its meanings.
type names struct {
	slots []slot
	mask  uint64
	to    []Target
}

type slot struct {
	hash        uint64
	first, last uint32
}

func (n *names) build(all []named) {
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.to, b.to))
	})
	all = slices.Compact(all)
	size := 16
	for size < len(all)*2 {
		size *= 2
	}
	n.slots, n.mask = make([]slot, size), uint64(size-1)
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].hash == all[i].hash {
			n.to = append(n.to, all[j].to)
			j++
		}
		n.put(slot{all[i].hash, uint32(len(n.to) - (j - i)), uint32(len(n.to))})
		i = j
	}
}

func (n *names) put(s slot) {
	at := s.hash & n.mask
	for n.slots[at].last != 0 {
		at = (at + 1) & n.mask
	}
	n.slots[at] = s
}

func (n *names) find(hash uint64) []Target {
	for at := hash & n.mask; n.slots[at].last != 0; at = (at + 1) & n.mask {
		if s := &n.slots[at]; s.hash == hash {
			return n.to[s.first:s.last]
		}
	}
	return nil
}

// saint is the hash of "saint", as a scan gives it.
var saint = func() uint64 {
	_, folded, _ := scan.New().WordHash("saint")
	return folded
}()

// indexer collects names with the hashes that a scan of a profile will give.
type indexer struct {
	scanner *scan.Scanner
	part    []named
	full    []named
}

func (b *indexer) add(name string, to Target, whole bool) {
	h := b.hash(name)
	if h == 0 {
		return
	}
	if whole {
		b.full = append(b.full, named{h, to})
	} else {
		b.part = append(b.part, named{h, to})
	}
}

// hash is that of the words and emoji of a name in their order, 0 if it has
// none. Punctuation does not count.
func (b *indexer) hash(name string) uint64 {
	b.scanner.Scan([]byte(name))
	h := uint64(0)
	for i := range b.scanner.Tokens {
		if t := &b.scanner.Tokens[i]; counts(t) {
			h = scan.Mix(h, written(b.scanner, t))
		}
	}
	return h
}

// written is the hash of a word as names spell it out: "st" is "saint".
func written(s *scan.Scanner, t *scan.Token) uint64 {
	if w := s.Letters[t.First : t.First+t.Runes]; len(w) == 2 && w[0] == 's' && w[1] == 't' {
		return saint
	}
	return t.Folded
}

func counts(t *scan.Token) bool {
	return t.Kind == scan.Word || t.Kind == scan.Number || t.Kind == scan.Emoji
}
