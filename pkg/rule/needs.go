package rule

import "slices"

// Term is one term of a rule, as it was written but for its sign.
type Term struct {
	Field Field
	Text  string
}

// Check asks about every term, in the order of the rule, and makes a *SyntaxError
// of the first answer that says what is wrong with one.
func (r *Rule) Check(wrong func(Term) string) error { return r.root.check(wrong) }

func (n *node) check(wrong func(Term) string) error {
	if n.op == opTerm {
		if says := wrong(Term{n.field, n.text}); says != "" {
			return n.fault("%s", says)
		}
		return nil
	}
	for _, k := range n.kids {
		if err := k.check(wrong); err != nil {
			return err
		}
	}
	return nil
}

// Needs are terms of which one must be present for the rule to hold, taken from
// those fields only; nil when the rule may hold without any. Platforms are asked
// for posts by them.
func (r *Rule) Needs(fields ...Field) []Term {
	terms, _ := r.root.needs(fields)
	return terms
}

func (n *node) needs(fields []Field) (terms []Term, cost int) {
	switch n.op {
	case opTerm:
		if slices.Contains(fields, n.field) {
			return []Term{{n.field, n.text}}, costs[n.field]
		}
	case opAnd:
		for _, k := range n.kids {
			if t, c := k.needs(fields); t != nil && (terms == nil || c < cost) {
				terms, cost = t, c
			}
		}
	case opOr:
		for _, k := range n.kids {
			t, c := k.needs(fields)
			if t == nil {
				return nil, 0
			}
			terms, cost = append(terms, t...), cost+c
		}
	}
	return terms, cost
}
