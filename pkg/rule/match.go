package rule

import "slices"

// Matcher matches posts against a set. It belongs to one goroutine.
type Matcher struct {
	set    *Set
	found  []uint32 // leaf -> the round in which it was found
	asked  []uint32 // rule -> the round in which it was looked at
	round  uint32
	wake   []int32
	answer []int
}

// NewMatcher returns a matcher with its own scratch space.
func (s *Set) NewMatcher() *Matcher {
	return &Matcher{set: s, found: make([]uint32, len(s.leaves)), asked: make([]uint32, len(s.roots))}
}

// Match returns the numbers of the rules that hold, in rising order. The slice
// lasts until the next call.
func (m *Matcher) Match(d *Doc) []int {
	m.find(d)
	m.answer = m.answer[:0]
	for _, r := range m.wake {
		m.ask(r)
	}
	for _, r := range m.set.always {
		m.ask(r)
	}
	slices.Sort(m.answer)
	return m.answer
}

// find marks the leaves that are in the post and wakes their rules.
func (m *Matcher) find(d *Doc) {
	if m.round++; m.round == 0 { // the counter went round: forget all marks
		clear(m.found)
		clear(m.asked)
		m.round = 1
	}
	m.wake = m.wake[:0]
	for i := range d.Words {
		for _, l := range m.set.table.find(salted(FieldWord, d.Words[i].Folded)) {
			if m.set.leaves[l].at(d.Words[i:]) {
				m.mark(l)
			}
		}
	}
	for _, t := range d.Tags {
		m.key(FieldTag, t)
	}
	for _, n := range d.Names {
		m.key(FieldName, n)
	}
	m.key(FieldFrom, d.From)
	m.key(FieldLang, d.Lang)
	m.key(FieldCountry, d.Country)
	m.key(FieldSource, d.Source)
}

func (m *Matcher) key(f Field, h uint64) {
	for _, l := range m.set.table.find(salted(f, h)) {
		m.mark(l)
	}
}

func (m *Matcher) mark(l int32) {
	if m.found[l] != m.round {
		m.found[l] = m.round
		m.wake = append(m.wake, m.set.wakes[l]...)
	}
}

// at reports whether the leaf's words begin here.
func (l *leaf) at(words []Word) bool {
	if len(words) < len(l.words) {
		return false
	}
	for i, w := range l.words {
		if l.field == FieldPhrase && words[i].Exact != w.Exact || words[i].Folded != w.Folded {
			return false
		}
	}
	return true
}

func (m *Matcher) ask(r int32) {
	if m.asked[r] == m.round {
		return
	}
	m.asked[r] = m.round
	if m.holds(m.set.roots[r]) {
		m.answer = append(m.answer, int(r))
	}
}

func (m *Matcher) holds(n *bound) bool {
	switch n.op {
	case opTerm:
		return m.found[n.leaf] == m.round
	case opNot:
		return !m.holds(n.kids[0])
	case opAnd:
		for _, k := range n.kids {
			if !m.holds(k) {
				return false
			}
		}
		return true
	}
	for _, k := range n.kids {
		if m.holds(k) {
			return true
		}
	}
	return false
}
