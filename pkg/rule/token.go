package rule

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokKind uint8

const (
	tokEnd tokKind = iota
	tokTerm
	tokAnd
	tokOr
	tokNot
	tokOpen
	tokClose
	tokBad
)

type token struct {
	kind  tokKind
	at    int
	field Field
	text  string
}

func (t token) String() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokAnd:
		return "AND"
	case tokOr:
		return "OR"
	case tokNot:
		return "NOT"
	case tokOpen:
		return "("
	case tokClose:
		return ")"
	}
	return `"` + t.text + `"`
}

// next reads the next token into p.tok.
func (p *parser) next() {
	for p.at < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsSpace(r) {
			break
		}
		p.at += n
	}
	p.tok = token{at: p.at}
	if p.at == len(p.text) {
		return
	}
	switch c := p.text[p.at]; {
	case c == '(':
		p.sign(tokOpen)
	case c == ')':
		p.sign(tokClose)
	case c == '"':
		p.quoted(FieldPhrase)
	case c == '-' && p.at+1 < len(p.text) && !isBreak(p.text[p.at+1]):
		p.sign(tokNot)
	default:
		p.bare()
	}
}

func isBreak(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ')' }

func (p *parser) sign(k tokKind) {
	p.tok.kind = k
	p.at++
}

func (p *parser) quoted(f Field) {
	end := strings.IndexByte(p.text[p.at+1:], '"')
	if end < 0 {
		p.tok.kind, p.tok.text = tokBad, "the quotation is not closed"
		p.at = len(p.text)
		return
	}
	p.tok.kind, p.tok.field, p.tok.text = tokTerm, f, p.text[p.at+1:p.at+1+end]
	p.at += end + 2
}

// bare reads a word, an operator, a tag, a name or a field.
func (p *parser) bare() {
	start := p.at
	for p.at < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if unicode.IsSpace(r) || r == '(' || r == ')' || r == '"' {
			break
		}
		p.at += n
	}
	word := p.text[start:p.at]
	p.tok.kind, p.tok.text = tokTerm, word
	switch word {
	case "AND", "&&":
		p.tok.kind = tokAnd
		return
	case "OR", "||", "|":
		p.tok.kind = tokOr
		return
	case "NOT", "!":
		p.tok.kind = tokNot
		return
	}
	switch word[0] {
	case '#':
		p.tok.field, p.tok.text = FieldTag, word[1:]
		return
	case '@':
		p.tok.field, p.tok.text = FieldName, word[1:]
		return
	}
	name, value, ok := strings.Cut(word, ":")
	f, known := fields[strings.ToLower(name)]
	switch {
	case !ok || !known:
	case value == "" && p.at < len(p.text) && p.text[p.at] == '"':
		p.quoted(f)
	default:
		p.tok.field, p.tok.text = f, strings.TrimPrefix(value, "@")
	}
}
