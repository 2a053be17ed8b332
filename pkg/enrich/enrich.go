// Package enrich understands posts: language, sentiment, place, hashtags, and
// the first names that crowds are estimated from.
//
// A post is scanned once and every stage reads that scan. An Enricher is shared
// and immutable; each goroutine takes a Worker from it, which holds all the
// scratch space, so that in steady state a post costs no allocation.
package enrich

import (
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/lang"
	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
	"github.com/clamor-live/clamor/pkg/rule"
)

// Options are what a show tells about its audience.
type Options struct {
	Likely    []string         // the show's languages: the strongest help on short posts
	Only      []string         // if not empty, no other language is answered
	Addresses *place.Addresses // optional; without it an address tells nothing
}

// Enricher holds the models. It is safe for concurrent use.
type Enricher struct {
	languages *lang.Model
	opinions  *sentiment.Model
	gazetteer *place.Gazetteer
	names     *names.Table
	addresses *place.Addresses
	prior     *lang.Prior
	codes     []string
	tables    []int // language class -> sentiment table, or -1
}

// New returns an Enricher on the embedded models.
func New(o Options) (*Enricher, error) {
	e := &Enricher{addresses: o.Addresses}
	var err error
	if e.languages, err = lang.Default(); err != nil {
		return nil, err
	}
	if e.opinions, err = sentiment.Default(); err != nil {
		return nil, err
	}
	if e.gazetteer, err = place.Default(); err != nil {
		return nil, err
	}
	if e.names, err = names.Default(); err != nil {
		return nil, err
	}
	if e.prior, err = e.languages.NewPrior(o.Likely, o.Only); err != nil {
		return nil, fmt.Errorf("enrich: %w", err)
	}
	e.codes = e.languages.Names()
	for _, c := range e.codes {
		e.tables = append(e.tables, sentiment.LanguageIndex(c))
	}
	return e, nil
}

// Names returns the table of first names, to make crowds of.
func (e *Enricher) Names() *names.Table { return e.names }

// Sentiment returns the sentiment model, to correct counts with.
func (e *Enricher) Sentiment() *sentiment.Model { return e.opinions }

// Prior is what a show's languages let expect, for Worker.SetPrior. Languages
// that no model knows, and those named twice, do not count.
func (e *Enricher) Prior(likely []string) (*lang.Prior, error) {
	var known []string
	seen := map[int]bool{}
	for _, code := range likely {
		if c := e.languages.Index(code); c >= 0 && !seen[c] {
			seen[c] = true
			known = append(known, code)
		}
	}
	return e.languages.NewPrior(known, nil)
}

// Version names the embedded models: results of different versions differ.
func Version() string {
	return strings.Join([]string{lang.Version(), sentiment.Version(), place.Version(), names.Version()}, "-")
}

// Post is what is known of a post before it is understood. All slices may be
// nil, and must stay unchanged while the result is in use.
type Post struct {
	Text       []byte
	AuthorName []byte // display name, never a handle
	Handle     []byte // of the author, for rules only
	Source     []byte // id of the source, for rules only
	Language   []byte // as the source declares it
	Place      place.Clues
}

// Result is what a post was understood to be. Its slices belong to the worker
// and last until its next post.
type Result struct {
	Language   string  // ISO 639-1, or "und"
	LanguageP  float32 // of the likeliest language, even when that is too unsure to be told
	Sentiment  sentiment.Polarity
	SentimentP [3]float32 // of negative, neutral, positive; zeros when unknown
	Place      place.Place
	Name       names.ID // for crowds only
	Hashtags   []Hashtag
	Topics     []int // numbers of the rules that hold, rising
	Invalid    int   // bytes of the text that were not UTF-8
}

// Hashtag is a hashtag as written, without its sign, and its folded hash, which
// is equal for all spellings.
type Hashtag struct {
	Text []byte
	Hash uint64
}

// Worker enriches posts. It belongs to one goroutine.
type Worker struct {
	e        *Enricher
	scanner  *scan.Scanner
	author   *scan.Scanner
	prior    *lang.Prior
	language *lang.Detector
	opinion  *sentiment.Analyzer
	locator  *place.Locator
	names    []nameMemo
	declared lang.Prior
	tags     []Hashtag
	matcher  *rule.Matcher
	doc      rule.Doc
	handle   []byte
}

// nameMemo remembers what a display name came to.
type nameMemo struct {
	hash uint64
	id   names.ID
}

const nameMemos = 1 << 12

// Worker returns a new worker.
func (e *Enricher) Worker() *Worker {
	return &Worker{
		e:        e,
		scanner:  scan.New(),
		author:   scan.New(),
		prior:    e.prior,
		language: lang.NewDetector(e.languages),
		opinion:  sentiment.NewAnalyzer(e.opinions),
		locator:  place.NewLocator(e.gazetteer, e.addresses),
		names:    make([]nameMemo, nameMemos),
	}
}

// Tokens gives the scan of the last post, for rules and counts of words.
func (w *Worker) Tokens() *scan.Scanner { return w.scanner }

// SetPrior says what languages to expect from now on; nil goes back to those of
// the Options.
func (w *Worker) SetPrior(p *lang.Prior) {
	if w.prior = p; p == nil {
		w.prior = w.e.prior
	}
}

// Enrich understands a post. Every field of r is set.
func (w *Worker) Enrich(p *Post, r *Result) {
	w.scanner.Scan(p.Text)
	r.Invalid = w.scanner.Invalid
	w.tell(p, r)
	r.Place = w.locator.Locate(&p.Place)
	r.Name = w.Name(p.AuthorName)
	w.tags = w.tags[:0]
	for _, t := range w.scanner.Tags {
		w.tags = append(w.tags, Hashtag{p.Text[t.Start:t.End], t.Folded})
	}
	r.Hashtags = w.tags
	r.Topics = w.topics(p, r)
}

// tell sets language and sentiment.
func (w *Worker) tell(p *Post, r *Result) {
	prior, declared := w.prior, -1
	if len(p.Language) > 0 {
		if declared = w.e.languages.IndexBytes(p.Language); declared >= 0 {
			w.e.languages.Declare(prior, declared, &w.declared)
			prior = &w.declared
		}
	}
	g := w.language.Detect(w.scanner, prior)
	r.Language, r.LanguageP = lang.Undetermined, g.P
	if g.Sure {
		r.Language = w.e.codes[g.Class]
	}
	o := w.opinion.Analyze(w.scanner, w.table(g, declared))
	r.Sentiment, r.SentimentP = o.Polarity, o.P
}

// table picks the sentiment model: of the language that was detected; when that
// is unsure, of the one the source declares, or of the likeliest.
func (w *Worker) table(g lang.Guess, declared int) int {
	if g.Sure {
		return w.e.tables[g.Class]
	}
	if declared >= 0 && w.e.tables[declared] >= 0 {
		return w.e.tables[declared]
	}
	if t := w.e.tables[g.Class]; t >= 0 {
		return t
	}
	return -1
}

// Name returns the row of a display name in the table of first names.
func (w *Worker) Name(display []byte) names.ID {
	if len(display) == 0 {
		return names.NoName
	}
	h := uint64(14695981039346656037)
	for _, c := range display {
		h = (h ^ uint64(c)) * 1099511628211
	}
	m := &w.names[(h^h>>32)%nameMemos]
	if m.hash != h {
		w.author.Scan(display[:min(len(display), 200)])
		m.hash, m.id = h, w.e.names.Find(w.author)
	}
	return m.id
}
