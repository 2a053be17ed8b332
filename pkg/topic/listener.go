package topic

import (
	"github.com/clamor-live/clamor/pkg/enrich"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// Listener understands posts and finds who listens to them. It belongs to one
// goroutine, and in steady state a post costs no allocation.
type Listener struct {
	u Understood
}

// Understood is what a listener made of a post. It belongs to the listener and
// lasts until its next post.
type Understood struct {
	Post    *Post
	Catalog *Catalog
	Result  enrich.Result
	// Subjects are the numbers of those who listen to the post: rule and filters
	// hold.
	Subjects []int
	// Counted are those of them that Partition.Post or Moderate counted it for:
	// near-duplicates are kept from who does not want them.
	Counted []int
	// Minute is the Unix minute in which capture received it.
	Minute int64
	// Mark and Author are hashes of the post's and the author's id; Author is 0
	// when nobody is named.
	Mark, Author uint64
	// Fingerprint is the simhash; without HasFingerprint the post is too short for
	// one.
	Fingerprint    uint64
	HasFingerprint bool
	// Region is the RegionKey of the place, "" when unknown.
	Region string
	// Platform is the platform's name, interned; "other" for what is no name.
	Platform string
}

// NewListener returns a listener for a catalog.
func NewListener(c *Catalog) *Listener { return &Listener{} }

// Use changes the catalog. What it learned of authors and places stays.
func (l *Listener) Use(c *Catalog) {}

// Hear understands a post of the log.
func (l *Listener) Hear(p *clamorv1.Post) *Understood { return &l.u }

// HearPost understands a post whose bytes stay unchanged until the next.
func (l *Listener) HearPost(p *Post) *Understood { return &l.u }
