package rule

// Explanation says why a rule holds for a post or does not.
type Explanation struct {
	Rule  string   `json:"rule"`
	Holds bool     `json:"holds"`
	Tree  *Verdict `json:"tree"`
}

// Verdict is one piece of the rule.
type Verdict struct {
	Op    string     `json:"op"` // term, and, or, not
	Holds bool       `json:"holds"`
	Field string     `json:"field,omitempty"` // of a term
	Text  string     `json:"text,omitempty"`
	At    []int      `json:"at,omitempty"` // numbers of the post's words where the term begins
	Parts []*Verdict `json:"parts,omitempty"`
}

var opNames = [...]string{opTerm: "term", opAnd: "and", opOr: "or", opNot: "not"}

// String returns the field as rules write it.
func (f Field) String() string {
	return [...]string{"word", "phrase", "tag", "name", "from", "lang", "country", "source"}[f]
}

// Explain answers for one rule of the set, with every term's own verdict.
func (m *Matcher) Explain(rule int, d *Doc) Explanation {
	m.find(d)
	root := m.set.roots[rule]
	tree := m.verdict(root, d)
	return Explanation{Rule: m.set.ids[rule], Holds: tree.Holds, Tree: tree}
}

func (m *Matcher) verdict(n *bound, d *Doc) *Verdict {
	v := &Verdict{Op: opNames[n.op], Holds: m.holds(n)}
	if n.op != opTerm {
		for _, k := range n.kids {
			v.Parts = append(v.Parts, m.verdict(k, d))
		}
		return v
	}
	l := &m.set.leaves[n.leaf]
	v.Field, v.Text = l.field.String(), l.text
	for i := range d.Words {
		if len(l.words) > 0 && l.at(d.Words[i:]) {
			v.At = append(v.At, i)
		}
	}
	return v
}
