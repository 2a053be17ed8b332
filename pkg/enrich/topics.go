package enrich

import (
	"github.com/clamor-live/clamor/pkg/enrich/scan"
	"github.com/clamor-live/clamor/pkg/rule"
)

// Tokenizer cuts the terms of rules the way posts are cut.
type Tokenizer struct {
	scanner *scan.Scanner
	words   []rule.Word
}

var _ rule.Tokenizer = (*Tokenizer)(nil)

// NewTokenizer returns a tokenizer to compile rules with.
func NewTokenizer() *Tokenizer { return &Tokenizer{scanner: scan.New()} }

// Words returns the words, numbers and emoji of a text; they last until the
// next call.
func (t *Tokenizer) Words(text string) []rule.Word {
	t.scanner.Scan([]byte(text))
	t.words = appendWords(t.words[:0], t.scanner)
	return t.words
}

// Tag returns the key of a hashtag written without its sign.
func (t *Tokenizer) Tag(name string) uint64 {
	t.scanner.Scan([]byte("#" + name))
	if len(t.scanner.Tags) == 0 {
		return 0
	}
	return t.scanner.Tags[0].Folded
}

// Name returns the key of a handle written without its sign.
func (t *Tokenizer) Name(handle string) uint64 { return nameKey(t.scanner, []byte("@"+handle)) }

func nameKey(s *scan.Scanner, mention []byte) uint64 {
	s.Scan(mention)
	for i := range s.Tokens {
		if s.Tokens[i].Kind == scan.Mention {
			return s.Tokens[i].Exact
		}
	}
	return 0
}

func appendWords(out []rule.Word, s *scan.Scanner) []rule.Word {
	for i := range s.Tokens {
		if t := &s.Tokens[i]; t.Kind == scan.Word || t.Kind == scan.Number || t.Kind == scan.Emoji {
			out = append(out, rule.Word{Exact: t.Exact, Folded: t.Folded})
		}
	}
	return out
}

// topics matches the rules against the post that was just scanned.
func (w *Worker) topics(p *Post, r *Result) []int {
	if w.matcher == nil {
		return nil
	}
	d := &w.doc
	d.Words = appendWords(d.Words[:0], w.scanner)
	d.Tags, d.Names = d.Tags[:0], d.Names[:0]
	for _, t := range w.scanner.Tags {
		d.Tags = append(d.Tags, t.Folded)
	}
	for i := range w.scanner.Tokens {
		if t := &w.scanner.Tokens[i]; t.Kind == scan.Mention {
			d.Names = append(d.Names, t.Exact)
		}
	}
	d.From = 0
	if len(p.Handle) > 0 {
		w.handle = append(append(w.handle[:0], '@'), p.Handle...)
		d.From = nameKey(w.author, w.handle)
	}
	d.Lang, d.Country, d.Source = rule.Key(r.Language), rule.Key(r.Place.Country), rule.Key(p.Source)
	return w.matcher.Match(d)
}

// Doc returns what rules see of the last post, to explain a match. It is empty
// without rules.
func (w *Worker) Doc() *rule.Doc { return &w.doc }

// SetRules replaces the rules that posts are matched against; nil matches none.
func (w *Worker) SetRules(s *rule.Set) {
	w.matcher = nil
	if s != nil {
		w.matcher = s.NewMatcher()
	}
}
