package place

import "github.com/clamor-live/clamor/pkg/enrich/scan"

const (
	maxItems   = 24 // words of a location that are read
	maxPhrase  = 6  // words of one name
	bigCity    = 250_000
	townAlone  = 12_000
	metropolis = 1_000_000
)

// item is a word, or a sign that parts names.
type item struct {
	hash  uint64
	runes int32
	stop  bool // parts names
	caps  bool
	minor bool // "in", "de", "from": says nothing
	part  bool // "zona", "downtown": of some place
	in    bool // "in", "en": where somebody is now
	emoji bool
}

// mention is a name found, with all its meanings.
type mention struct {
	to    []Target
	hash  uint64
	caps  bool // written in capitals: may be a code
	first bool // nothing was written before it
	last  bool // nothing was written after it
	after bool // a sign parts it from what stands before
	in    bool // "in" stands before it
	// goesOn: "de" and a word that is no part of the name stand after it.
	goesOn bool
}

// reader turns the words of a location into a place. It is scratch space.
type reader struct {
	items    []item
	mentions []mention
	strange  int // words of no name
	words    int
	parts    bool // some word said that a place follows, or came before
}

func (r *reader) read(g *Gazetteer, s *scan.Scanner) Place {
	r.collect(s)
	if len(r.items) == 0 {
		return Place{}
	}
	if p, ok := r.wholeText(g); ok {
		return p
	}
	r.cover(g)
	return r.resolve(g)
}

// collect lists words and separators. A dot between single letters is an
// abbreviation, not a separator.
func (r *reader) collect(s *scan.Scanner) {
	r.items = r.items[:0]
	r.words, r.parts = 0, false
	for i := range s.Tokens {
		t := &s.Tokens[i]
		if len(r.items) == maxItems {
			return
		}
		switch {
		case counts(t):
			word := s.Letters[t.First : t.First+t.Runes]
			it := item{
				hash: written(s, t), runes: t.Runes, emoji: t.Kind == scan.Emoji,
				caps: t.Flags&scan.Caps != 0 || t.Runes == 1 && t.Flags&scan.Capital != 0,
				part: isPart(word), in: isIn(word),
			}
			code := it.caps && len(r.items) > 0 && r.items[len(r.items)-1].stop // as in "Birmingham, AL"
			it.minor = it.part || isMinor(word) && !code
			r.parts = r.parts || it.part
			r.items = append(r.items, it)
			r.words++
		case t.Kind == scan.Mark:
			if s.Text[t.Start] == '.' && t.End-t.Start == 1 && len(r.items) > 0 && r.items[len(r.items)-1].runes <= 3 {
				continue
			}
			r.items = append(r.items, item{stop: true})
		case t.Kind == scan.Link || t.Kind == scan.Mention:
			r.items = append(r.items, item{stop: true})
			r.words++
		}
	}
}

// isPart tells words for a part of some place, which is not named by them.
func isPart(w []rune) bool {
	switch string(w) {
	case "zona", "zone", "sul", "sur", "norte", "leste", "este", "oeste", "sudeste", "centro", "interior", "litoral", "capital", "ciudad", "cidade",
		"city", "downtown", "uptown", "suburbs", "area", "área", "region", "región", "região", "edo", "estado", "provincia", "província", "prov", "bairro",
		"barrio", "colonia", "north", "south", "east", "west", "metro", "greater", "gran", "grande", "outside", "around", "afueras", "county":
		return true
	}
	return false
}

func isIn(w []rune) bool {
	switch string(w) {
	case "in", "en", "em":
		return true
	}
	return false
}

func isMinor(w []rune) bool {
	switch len(w) {
	case 1:
		return w[0] == 'y' || w[0] == 'e' || w[0] == 'i'
	case 2:
		switch string(w) {
		case "in", "de", "en", "em", "do", "da", "na", "no", "of", "at", "by", "el", "la", "du", "di", "im", "je", "un", "al":
			return true
		}
	case 3:
		switch string(w) {
		case "sou", "the", "and", "del", "los", "las", "por", "via", "dos", "das", "und", "les", "aus":
			return true
		}
	case 4:
		switch string(w) {
		case "from", "vivo", "moro", "near", "born", "soy", "vive":
			return true
		}
	case 5:
		switch string(w) {
		case "desde", "somos", "cerca", "based":
			return true
		}
	}
	return false
}

// wholeText looks for all that was written as one name.
func (r *reader) wholeText(g *Gazetteer) (Place, bool) {
	all, plain := uint64(0), uint64(0) // plain is without ornaments: flags are none
	for _, it := range r.items {
		if it.stop {
			continue
		}
		all = scan.Mix(all, it.hash)
		if !it.emoji || g.names.find(scan.Mix(0, it.hash)) != nil {
			plain = scan.Mix(plain, it.hash)
		}
	}
	found := g.whole.find(all)
	if isNowhere(found) || plain != all && isNowhere(g.whole.find(plain)) {
		return Place{}, true
	}
	if len(found) == 0 || r.words == 1 && g.common[all] {
		return Place{}, false
	}
	return g.place(found[0], 0.85), true
}

func isNowhere(meanings []Target) bool {
	for _, to := range meanings {
		if to.kind() == Nowhere {
			return true
		}
	}
	return false
}

// cover finds the longest names from left to right.
func (r *reader) cover(g *Gazetteer) {
	r.mentions, r.strange = r.mentions[:0], 0
	for i := 0; i < len(r.items); {
		if r.items[i].stop {
			i++
			continue
		}
		n, to, h := r.longest(g, i)
		if n == 0 || n == 1 && r.items[i].minor {
			if !r.items[i].minor && !r.items[i].emoji {
				r.strange++
			}
			i++
			continue
		}
		m := mention{to: to, hash: h, first: i == 0, last: i+n == len(r.items), after: i > 0 && r.items[i-1].stop, caps: true, in: i > 0 && r.items[i-1].in, goesOn: r.goesOn(g, i+n)}
		for _, it := range r.items[i : i+n] {
			m.caps = m.caps && it.caps
		}
		r.mentions = append(r.mentions, m)
		i += n
	}
}

// goesOn reports whether at an item "de" and words follow that are no region and
// no country: then the name is a longer one.
func (r *reader) goesOn(g *Gazetteer, i int) bool {
	from := i
	for i < len(r.items) && r.items[i].minor && !r.items[i].in && !r.items[i].stop {
		i++
	}
	if i == from || i == len(r.items) || r.items[i].stop || r.items[i].emoji {
		return false
	}
	_, meanings, _ := r.longest(g, i)
	for _, to := range meanings {
		if to.kind() == ToRegion || to.kind() == ToCountry {
			return false
		}
	}
	return true
}

func (r *reader) longest(g *Gazetteer, i int) (n int, to []Target, hash uint64) {
	h := uint64(0)
	for j := i; j < len(r.items) && j < i+maxPhrase && !r.items[j].stop; j++ {
		h = scan.Mix(h, r.items[j].hash)
		if found := g.names.find(h); found != nil {
			n, to, hash = j-i+1, found, h
		}
	}
	return n, to, hash
}
