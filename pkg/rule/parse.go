package rule

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds on one rule.
const (
	MaxLength = 4096 // bytes
	MaxTerms  = 512
	maxDepth  = 64
)

// The ways in which a rule may be wrong.
var (
	ErrEmpty = errors.New("the rule is empty")
	ErrLong  = fmt.Errorf("the rule is longer than %d bytes", MaxLength)
	ErrTerms = fmt.Errorf("the rule has more than %d terms", MaxTerms)
	ErrDepth = fmt.Errorf("the rule nests deeper than %d", maxDepth)
)

// SyntaxError tells what is wrong and where.
type SyntaxError struct {
	At  int // character of the rule
	Msg string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at %d: %s", e.At+1, e.Msg) }

type op uint8

const (
	opTerm op = iota
	opAnd
	opOr
	opNot
)

// Field says what a term is compared with.
type Field uint8

// The fields.
const (
	FieldWord   Field = iota
	FieldPhrase       // quoted: accents count
	FieldTag
	FieldName
	FieldFrom
	FieldLang
	FieldCountry
	FieldSource
)

var fields = map[string]Field{"from": FieldFrom, "lang": FieldLang, "country": FieldCountry, "source": FieldSource}

// node is a piece of a parsed rule.
type node struct {
	op    op
	kids  []*node
	field Field
	text  string
	at    int // character of the rule
}

// Rule is a parsed rule.
type Rule struct {
	text string
	root *node
}

// String returns the rule as it was written.
func (r *Rule) String() string { return r.text }

// Parse reads a rule.
func Parse(text string) (*Rule, error) {
	if len(text) > MaxLength {
		return nil, ErrLong
	}
	p := &parser{text: text}
	p.next()
	if p.tok.kind == tokEnd {
		return nil, ErrEmpty
	}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokEnd {
		return nil, p.fault("unexpected %s", p.tok)
	}
	return &Rule{text: text, root: root}, nil
}

type parser struct {
	text  string
	at    int
	tok   token
	terms int
}

func (p *parser) fault(format string, args ...any) error {
	return &SyntaxError{p.character(), fmt.Sprintf(format, args...)}
}

// character is where the current token begins as people count.
func (p *parser) character() int { return utf8.RuneCountInString(p.text[:p.tok.at]) }

func (n *node) fault(format string, args ...any) error {
	return &SyntaxError{n.at, fmt.Sprintf(format, args...)}
}

func (p *parser) or(depth int) (*node, error) {
	return p.list(depth, opOr, p.and, func() bool {
		if p.tok.kind != tokOr {
			return false
		}
		p.next()
		return true
	})
}

func (p *parser) and(depth int) (*node, error) {
	return p.list(depth, opAnd, p.not, func() bool {
		switch p.tok.kind {
		case tokAnd:
			p.next()
			return true
		case tokEnd, tokOr, tokClose:
			return false
		}
		return true
	})
}

// list parses one or more items for as long as more says so.
func (p *parser) list(depth int, o op, item func(int) (*node, error), more func() bool) (*node, error) {
	first, err := item(depth)
	if err != nil {
		return nil, err
	}
	kids := []*node{first}
	for more() {
		n, err := item(depth)
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
	if len(kids) == 1 {
		return first, nil
	}
	return &node{op: o, kids: kids}, nil
}

func (p *parser) not(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, ErrDepth
	}
	switch p.tok.kind {
	case tokNot:
		p.next()
		n, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return &node{op: opNot, kids: []*node{n}}, nil
	case tokOpen:
		p.next()
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.tok.kind != tokClose {
			return nil, p.fault("a ) is missing before %s", p.tok)
		}
		p.next()
		return n, nil
	case tokTerm:
		return p.term()
	case tokBad:
		return nil, p.fault("%s", p.tok.text)
	}
	return nil, p.fault("a term is missing before %s", p.tok)
}

func (p *parser) term() (*node, error) {
	if p.terms++; p.terms > MaxTerms {
		return nil, ErrTerms
	}
	t := p.tok
	n := &node{op: opTerm, field: t.field, text: t.text, at: p.character()}
	if strings.TrimSpace(n.text) == "" {
		return nil, p.fault("the term is empty")
	}
	if !tellsSomething(n.text) {
		return nil, n.fault("%q has no word to look for", n.text)
	}
	p.next()
	return n, nil
}
