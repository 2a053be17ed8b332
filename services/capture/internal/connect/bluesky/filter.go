package bluesky

import (
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
	"github.com/clamor-live/clamor/pkg/rule"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// filter passes the posts that have the words that topics need. It reads words
// as the rules do, and lets pass rather too much.
type filter struct {
	env     connect.Env
	changed <-chan struct{}
	scanner *scan.Scanner
	all     bool     // there is a topic that needs no words, or none at all
	terms   [][]word // one of which must stand in a post, with all its words
	seen    map[word]bool
}

// word is one of a post, whatever its case and accents.
type word struct {
	kind byte // a word, # or @
	hash uint64
}

func newFilter(env connect.Env) *filter {
	f := &filter{env: env, scanner: scan.New(), seen: map[word]bool{}}
	f.compile()
	return f
}

func (f *filter) compile() {
	f.changed = f.env.Changed() // before Topics: no change falls between
	topics := f.env.Topics()
	f.all, f.terms = len(topics) == 0, nil
	for _, t := range topics {
		terms := connect.Terms([]audience.Topic{t})
		if len(terms) == 0 {
			_, err := rule.Parse(t.Rule)
			f.all = f.all || err == nil
		}
		for _, term := range terms {
			f.terms = append(f.terms, f.read(term))
		}
	}
}

// read is the words of a term.
func (f *filter) read(term string) (words []word) {
	f.scan(term)
	kind := byte(0)
	if strings.HasPrefix(term, "#") || strings.HasPrefix(term, "@") {
		kind = term[0]
	}
	for w := range f.seen {
		if w.kind == kind {
			words = append(words, w)
		}
	}
	return words // none: the term asks for nothing, and every post has it
}

// scan leaves the words of a text in seen.
func (f *filter) scan(text string) {
	clear(f.seen)
	f.scanner.Scan([]byte(text))
	for _, t := range f.scanner.Tokens {
		switch t.Kind {
		case scan.Word, scan.Number, scan.Emoji:
			f.seen[word{0, t.Folded}] = true
		case scan.Mention:
			f.seen[word{'@', t.Exact}] = true
		}
	}
	for _, t := range f.scanner.Tags {
		f.seen[word{'#', t.Folded}] = true
	}
}

// passes says whether a post of this text may match a topic.
func (f *filter) passes(text string) bool {
	select {
	case <-f.changed:
		f.compile()
	default:
	}
	if f.all {
		return true
	}
	f.scan(text)
	for _, term := range f.terms {
		if f.has(term) {
			return true
		}
	}
	return false
}

func (f *filter) has(term []word) bool {
	for _, w := range term {
		if !f.seen[w] {
			return false
		}
	}
	return true
}
