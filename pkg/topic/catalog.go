package topic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/lang"
	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/rule"
)

// Definition is a topic with what counting it needs to know besides.
type Definition struct {
	audience.Topic

	Revision uint64
	// Languages are the show's: the strongest help on short posts.
	Languages []string
}

// Subject is what the definition is counted as.
func (d *Definition) Subject() Subject { return Subject{d.ID, d.Revision} }

// Fault is a topic that cannot be listened to, and why.
type Fault struct {
	Subject Subject
	Err     error
}

// Catalog is all topics compiled into one matcher. It is immutable and safe for
// concurrent use. Subjects have numbers from 0 in the order of Subject.Compare,
// which mean nothing in another catalog.
type Catalog struct {
	enricher *enrich.Enricher
	rules    *rule.Set
	list     []listening
	faults   []Fault
	numbers  map[Subject]int
	owner    []int // rule → number, -1 for those of block lists
	shows    map[string]*lang.Prior
}

// listening is a compiled topic. Its rules have their number in the set; those
// of its block lists are -1 when there is none.
type listening struct {
	Definition

	filter        rule.Filter
	filtered      bool
	rule          int
	blockedWord   int
	blockedAuthor int
}

// Compile makes a catalog. A topic that does not compile is left out and told of
// by Faults; it never hinders the others. addresses may be nil: posts of the log
// have none.
func Compile(topics []Definition, addresses *place.Addresses) (*Catalog, error) {
	e, err := enrich.New(enrich.Options{Addresses: addresses})
	if err != nil {
		return nil, fmt.Errorf("compile topics: %w", err)
	}
	c := &Catalog{enricher: e, numbers: map[Subject]int{}, shows: map[string]*lang.Prior{}}
	topics = slices.Clone(topics)
	slices.SortStableFunc(topics, func(a, b Definition) int { return a.Subject().Compare(b.Subject()) })
	b := &compiler{tokens: enrich.NewTokenizer()}
	for i := range topics {
		if err := c.listen(&topics[i], b); err != nil {
			c.faults = append(c.faults, Fault{topics[i].Subject(), err})
		}
	}
	if c.rules, err = rule.Compile(b.rules, b.tokens); err != nil {
		return nil, fmt.Errorf("compile topics: %w", err)
	}
	c.owner = slices.Repeat([]int{-1}, c.rules.Len())
	for i := range c.list {
		c.owner[c.list[i].rule] = i
	}
	return c, nil
}

func (c *Catalog) listen(d *Definition, b *compiler) error {
	s := d.Subject()
	if c.Has(s) {
		return fmt.Errorf("topic %s stands twice", s)
	}
	x, err := b.topic(d)
	if err != nil {
		return err
	}
	if c.shows[d.Show] == nil {
		if c.shows[d.Show], err = c.enricher.Prior(d.Languages); err != nil {
			return err
		}
	}
	c.numbers[s] = len(c.list)
	c.list = append(c.list, x)
	return nil
}

// compiler collects the rules of all topics.
type compiler struct {
	tokens *enrich.Tokenizer
	rules  []rule.Named
}

// topic compiles one topic, and adds its rules only if all are sound.
func (b *compiler) topic(d *Definition) (listening, error) {
	x := listening{Definition: *d, blockedWord: -1, blockedAuthor: -1}
	rules := b.rules
	add := func(r *rule.Rule, err error) (int, error) {
		rules = append(rules, rule.Named{ID: d.ID, Rule: r})
		return len(rules) - 1, b.sound(r, err)
	}
	var err error
	if x.rule, err = add(rule.Parse(d.Rule)); err != nil {
		return x, &Flaw{"/rule", err}
	}
	if f := d.Filters; f != nil {
		x.filter, x.filtered = filterOf(f), true
		if len(f.BlockWords) > 0 {
			if x.blockedWord, err = add(rule.AnyOf(f.BlockWords)); err != nil {
				return x, b.listed("/filters/block_words", f.BlockWords, rule.AnyOf, err)
			}
		}
		if len(f.BlockAuthors) > 0 {
			if x.blockedAuthor, err = add(rule.AnyFrom(f.BlockAuthors)); err != nil {
				return x, b.listed("/filters/block_authors", f.BlockAuthors, rule.AnyFrom, err)
			}
		}
	}
	b.rules = rules
	return x, nil
}

// sound says what is wrong with a rule by itself, in the rule's own words.
func (b *compiler) sound(r *rule.Rule, err error) error {
	if err == nil {
		_, err = rule.Compile([]rule.Named{{Rule: r}}, b.tokens)
	}
	var syntax *rule.SyntaxError
	if errors.As(err, &syntax) {
		return syntax
	}
	return err
}

// listed finds the entry of a block list that is wrong.
func (b *compiler) listed(pointer string, list []string, read func([]string) (*rule.Rule, error), err error) error {
	for i, text := range list {
		if b.sound(read([]string{text})) != nil {
			return &Flaw{fmt.Sprintf("%s/%d", pointer, i), fmt.Errorf("%q has no word to look for", text)}
		}
	}
	return &Flaw{pointer, err}
}

// Flaw is what is wrong with one member of a topic's definition.
type Flaw struct {
	Pointer string // RFC 6901
	Err     error
}

// Error is the member, and what is wrong with it.
func (f *Flaw) Error() string { return f.Pointer + ": " + f.Err.Error() }

// Unwrap is what is wrong.
func (f *Flaw) Unwrap() error { return f.Err }

func filterOf(f *audience.TopicFilters) rule.Filter {
	out := rule.Filter{
		MinFollowers: f.MinFollowers, MinAccountAge: time.Duration(f.MinAccountAgeDays) * 24 * time.Hour,
		NoReposts: refused(f.Reposts), NoReplies: refused(f.Replies),
		NoSensitive: refused(f.Sensitive), NoDuplicates: refused(f.Duplicates),
	}
	for _, l := range f.Languages {
		out.Languages = append(out.Languages, rule.Key(BaseLanguage(l)))
	}
	for _, code := range f.Countries {
		out.Countries = append(out.Countries, rule.Key(code))
	}
	return out
}

func refused(b *bool) bool { return b != nil && !*b }

// Faults are the topics that were left out.
func (c *Catalog) Faults() []Fault { return c.faults }

// Len is the number of subjects.
func (c *Catalog) Len() int { return len(c.list) }

// Subject is the subject of a number.
func (c *Catalog) Subject(number int) Subject { return c.list[number].Subject() }

// Definition is the definition of a number.
func (c *Catalog) Definition(number int) *Definition { return &c.list[number].Definition }

// Number finds a subject.
func (c *Catalog) Number(s Subject) (number int, ok bool) {
	number, ok = c.numbers[s]
	return number, ok
}

// Has says whether the catalog counts a subject.
func (c *Catalog) Has(s Subject) bool {
	_, ok := c.numbers[s]
	return ok
}

// Fingerprint names all that decides how a subject is counted: its definition,
// the show's languages, the models and this code. Counts of equal fingerprints
// may be added; title and revision do not count.
func (c *Catalog) Fingerprint(number int) string {
	d := c.list[number].Definition
	d.Title, d.Revision = "", 0
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts, numbers and lists of them are always JSON
	}
	sum := sha256.Sum256(append([]byte(Version()), text...))
	return hex.EncodeToString(sum[:16])
}

// Check says what is wrong with a topic's rule and filters as a *Flaw; nil when
// nothing is. It is as strict as Compile, and refuses languages and countries that
// there are not besides: no post would ever be of them.
func Check(t *audience.Topic) error {
	if _, err := (&compiler{tokens: enrich.NewTokenizer()}).topic(&Definition{Topic: *t}); err != nil {
		return err
	}
	r, err := rule.Parse(t.Rule)
	if err == nil {
		err = r.Check(elsewhere)
	}
	if err != nil {
		return &Flaw{"/rule", err}
	}
	return nil
}

// elsewhere says what is wrong with a term that names no language or country.
func elsewhere(t rule.Term) string {
	switch t.Field {
	case rule.FieldLang:
		if _, err := language.Parse(t.Text); err != nil {
			return fmt.Sprintf("%q is not a language like pt", t.Text)
		}
	case rule.FieldCountry:
		if len(t.Text) != 2 || !isLetters(t.Text) {
			return fmt.Sprintf("%q is not a country like BR", t.Text)
		}
	}
	return ""
}

func isLetters(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

// code is the version of the counting in this package: to be raised with each
// change by which the same posts count otherwise.
const code = "2"

// Version names the models and the code that posts are counted with. Counts of
// different versions must not be added: the past is counted again.
func Version() string { return code + "-" + enrich.Version() }
