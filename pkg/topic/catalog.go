package topic

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/place"
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
	list     []Definition
	faults   []Fault
	numbers  map[Subject]int
}

// Compile makes a catalog. A topic that does not compile is left out and told of
// by Faults; it never hinders the others. addresses may be nil: posts of the log
// have none.
func Compile(topics []Definition, addresses *place.Addresses) (*Catalog, error) { return nil, nil }

// Faults are the topics that were left out.
func (c *Catalog) Faults() []Fault { return c.faults }

// Len is the number of subjects.
func (c *Catalog) Len() int { return len(c.list) }

// Subject is the subject of a number.
func (c *Catalog) Subject(number int) Subject { return c.list[number].Subject() }

// Definition is the definition of a number.
func (c *Catalog) Definition(number int) *Definition { return &c.list[number] }

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
func (c *Catalog) Fingerprint(number int) string { return "" }

// Check says what is wrong with a topic's rule and filters, exactly as Compile
// would; nil when nothing is.
func Check(t *audience.Topic) error { return nil }

// Version names the models and the code that posts are counted with. Counts of
// different versions must not be added: the past is counted again.
func Version() string { return "" }
