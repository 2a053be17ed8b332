// Package keyword finds which option of a poll a post names.
//
// A post names an option when one of the option's keywords stands in its text as
// whole words, without regard to case or accents. A hashtag is the word behind
// its sign; a mention, and what stands in a link, is not a word. A keyword of
// several words must stand there in that order with nothing but separators
// between. A post votes in a poll when it names exactly one option of it.
//
// Its one trick: the keywords of all polls of a show are one table by first
// word, so a post is read once and costs a look-up a word, however many polls
// listen.
package keyword

import (
	"slices"
	"strings"
	"sync"
)

// Poll is what to look for in the text of posts.
type Poll struct {
	// Options are the keywords of each option; the place is the option's slot
	// less one. An option without keywords is named by no post.
	Options [][]string
	// Exact wants nothing but keywords of the one option in the text.
	Exact bool
}

// Hit is a vote: Poll is the place in the polls that were compiled, Slot the
// 1-based place of the option.
type Hit struct {
	Poll int
	Slot uint16
}

// Matcher finds votes. It is immutable and may be used by many goroutines.
type Matcher struct {
	polls   []Poll
	byFirst map[string][]entry
	scratch sync.Pool // of *reading
}

// entry is one keyword of one option.
type entry struct {
	poll int
	slot uint16
	rest []string // the words behind the first
}

// reading is the memory of one match.
type reading struct {
	words words
	named []uint16 // by poll: the option named, 0 none
	torn  []bool   // by poll: more than one
	// covered has, by poll that wants an exact match, the words that keywords
	// cover.
	covered [][]bool
}

// Compile prepares the polls.
func Compile(polls []Poll) *Matcher {
	m := &Matcher{polls: slices.Clone(polls), byFirst: map[string][]entry{}}
	m.scratch.New = func() any { return &reading{} }
	var w words
	for p := range polls {
		for o, keywords := range polls[p].Options {
			for _, k := range keywords {
				w.read([]byte(k))
				m.add(entry{poll: p, slot: uint16(o + 1)}, &w)
			}
		}
	}
	return m
}

func (m *Matcher) add(e entry, w *words) {
	if !w.nameable() {
		return
	}
	for i := 1; i < w.len(); i++ {
		e.rest = append(e.rest, string(w.at(i)))
	}
	first := string(w.at(0))
	m.byFirst[first] = append(m.byFirst[first], e)
}

// Match appends the votes that text is to dst, in order of the polls.
func (m *Matcher) Match(text string, dst []Hit) []Hit {
	if len(m.byFirst) == 0 {
		return dst
	}
	r := m.scratch.Get().(*reading)
	defer m.scratch.Put(r)
	r.reset(m, text)
	for i := range r.words.len() {
		for _, e := range m.byFirst[string(r.words.at(i))] {
			if r.stands(e.rest, i+1) {
				r.name(e, i)
			}
		}
	}
	for p, slot := range r.named {
		if slot != 0 && !r.torn[p] && (!m.polls[p].Exact || !slices.Contains(r.covered[p], false)) {
			dst = append(dst, Hit{p, slot})
		}
	}
	return dst
}

func (r *reading) reset(m *Matcher, text string) {
	r.words.read([]byte(text))
	n := len(m.polls)
	r.named, r.torn = slices.Grow(r.named[:0], n)[:n], slices.Grow(r.torn[:0], n)[:n]
	clear(r.named)
	clear(r.torn)
	r.covered = slices.Grow(r.covered[:0], n)[:n]
	for p := range m.polls {
		if m.polls[p].Exact {
			r.covered[p] = slices.Grow(r.covered[p][:0], r.words.len())[:r.words.len()]
			clear(r.covered[p])
		}
	}
}

// stands says whether the words from place i on are those.
func (r *reading) stands(rest []string, i int) bool {
	if i+len(rest) > r.words.len() {
		return false
	}
	for k, word := range rest {
		if string(r.words.at(i+k)) != word {
			return false
		}
	}
	return true
}

func (r *reading) name(e entry, i int) {
	if r.named[e.poll] != 0 && r.named[e.poll] != e.slot {
		r.torn[e.poll] = true
		return
	}
	r.named[e.poll] = e.slot
	if covered := r.covered[e.poll]; covered != nil {
		for k := i; k <= i+len(e.rest); k++ {
			covered[k] = true
		}
	}
}

// Fold writes a keyword the one way that all its spellings share: its words
// without case, accents and signs, a space between. It is empty for what no
// post can name: a keyword without a word, or with a link in it.
func Fold(keyword string) string {
	var w words
	w.read([]byte(keyword))
	if !w.nameable() {
		return ""
	}
	var b strings.Builder
	for i := range w.len() {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write(w.at(i))
	}
	return b.String()
}
