package rule

import (
	"fmt"
	"slices"
	"strings"
)

// Set is rules compiled into one matcher. It is immutable and safe for
// concurrent use; each goroutine matches with its own Matcher.
type Set struct {
	ids    []string
	roots  []*bound
	leaves []leaf
	table  table
	always []int32   // rules that name no term which must be present
	wakes  [][]int32 // leaf -> rules to look at when it is found
}

// leaf is one distinct term of any rule.
type leaf struct {
	field Field
	words []Word // of a word or phrase
	key   uint64 // of the others
	text  string
}

// bound is a node whose terms are leaves of a set.
type bound struct {
	op   op
	leaf int32
	kids []*bound
}

// Named is a rule with the id it is answered by.
type Named struct {
	ID   string
	Rule *Rule
}

// Compile builds the matcher of all rules.
func Compile(rules []Named, t Tokenizer) (*Set, error) {
	b := &binder{set: &Set{}, tokens: t, where: map[leafKey]int32{}}
	s := b.set
	for i, r := range rules {
		root, err := b.bind(r.Rule.root)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		s.ids, s.roots = append(s.ids, r.ID), append(s.roots, root)
		anchors, _ := s.anchors(root)
		if anchors == nil {
			s.always = append(s.always, int32(i))
		}
		for _, l := range anchors {
			s.wakes[l] = append(s.wakes[l], int32(i))
		}
	}
	s.table.build(s.leaves)
	return s, nil
}

// Len returns the number of rules.
func (s *Set) Len() int { return len(s.ids) }

// ID returns the id of a rule by its number.
func (s *Set) ID(i int) string { return s.ids[i] }

type leafKey struct {
	field Field
	text  string
}

// binder gives every distinct term of a set its number.
type binder struct {
	set    *Set
	tokens Tokenizer
	where  map[leafKey]int32
}

func (b *binder) bind(n *node) (*bound, error) {
	if n.op == opTerm {
		l, err := b.leaf(n)
		return &bound{op: opTerm, leaf: l}, err
	}
	out := &bound{op: n.op}
	for _, k := range n.kids {
		kid, err := b.bind(k)
		if err != nil {
			return nil, err
		}
		out.kids = append(out.kids, kid)
	}
	return out, nil
}

func (b *binder) leaf(n *node) (int32, error) {
	key := leafKey{n.field, n.text}
	if at, ok := b.where[key]; ok {
		return at, nil
	}
	l := leaf{field: n.field, text: n.text}
	switch n.field {
	case FieldWord, FieldPhrase:
		if l.words = slices.Clone(b.tokens.Words(n.text)); len(l.words) == 0 {
			return 0, n.fault("%q has no word to look for", n.text)
		}
	case FieldTag:
		l.key = b.tokens.Tag(n.text)
	case FieldName, FieldFrom:
		l.key = b.tokens.Name(n.text)
	case FieldLang: // posts are in pt, and not in pt-BR
		l.key = Key(strings.FieldsFunc(n.text, func(r rune) bool { return r == '-' || r == '_' })[0])
	default:
		l.key = Key(n.text)
	}
	at := int32(len(b.set.leaves))
	b.where[key] = at
	b.set.leaves = append(b.set.leaves, l)
	b.set.wakes = append(b.set.wakes, nil)
	return at, nil
}

// costs tell how often a term is present: the rarer, the better an anchor.
var costs = [...]int{FieldWord: 2, FieldPhrase: 1, FieldTag: 1, FieldName: 1, FieldFrom: 1, FieldLang: 60, FieldCountry: 30, FieldSource: 60}

// anchors returns terms of which one must be present for the rule to hold, and
// what looking at the rule for each of them costs; nil when there are none.
func (s *Set) anchors(n *bound) (leaves []int32, cost int) {
	switch n.op {
	case opTerm:
		return []int32{n.leaf}, costs[s.leaves[n.leaf].field]
	case opAnd:
		for _, k := range n.kids {
			if l, c := s.anchors(k); l != nil && (leaves == nil || c < cost) {
				leaves, cost = l, c
			}
		}
		return leaves, cost
	case opOr:
		for _, k := range n.kids {
			l, c := s.anchors(k)
			if l == nil {
				return nil, 0
			}
			leaves, cost = append(leaves, l...), cost+c
		}
		slices.Sort(leaves)
		return slices.Compact(leaves), cost
	}
	return nil, 0
}
