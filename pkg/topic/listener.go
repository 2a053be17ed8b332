package topic

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/near"
	"github.com/clamor-live/clamor/pkg/rule"
)

// Listener understands posts and finds who listens to them. It belongs to one
// goroutine, and in steady state a post costs no allocation.
type Listener struct {
	catalog *Catalog
	worker  *enrich.Worker
	stops   *stopSet
	interns interns
	rooms   []room
	at      int // the room of the last post
	u       *Understood
}

// room holds one post and what was made of it.
type room struct {
	u    Understood
	wire wire
	tags []enrich.Hashtag
}

// Understood is what a listener made of a post. It belongs to the listener and
// lasts until its next post, or as long as Keep says.
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
	// Mark and Author are hashes of the post's and the author's id, Mark of the show
	// as well; Author is 0 when nobody is named.
	Mark, Author uint64
	// Fingerprint is the simhash, turned by the show so that only posts of one show
	// are near each other; without HasFingerprint the post is too short for one.
	Fingerprint    uint64
	HasFingerprint bool
	// Region is the RegionKey of the place, "" when unknown.
	Region string
	// Platform is the platform's name in lower case, or OtherPlatform.
	Platform string

	terms terms
}

// NewListener returns a listener for a catalog.
func NewListener(c *Catalog) *Listener {
	l := &Listener{stops: stops(), interns: newInterns()}
	l.Keep(1)
	l.Use(c)
	return l
}

// Keep makes what is understood last until n posts later, so that many posts may
// be handed on at once. It ends what lasted before.
func (l *Listener) Keep(n int) {
	l.rooms, l.at = make([]room, max(1, n)), 0
	l.u = &l.rooms[0].u
}

// next is the room for another post.
func (l *Listener) next() *room {
	l.at = (l.at + 1) % len(l.rooms)
	at := &l.rooms[l.at]
	l.u = &at.u
	return at
}

// Use changes the catalog. What it learned of authors and places stays.
func (l *Listener) Use(c *Catalog) {
	if l.worker == nil { // all catalogs are on the same models
		l.worker = c.enricher.Worker()
	}
	l.catalog = c
	l.worker.SetRules(c.rules)
}

// HearPost understands a post whose bytes stay unchanged for as long as what was
// understood of it lasts.
func (l *Listener) HearPost(p *Post) *Understood { return l.hear(p, l.next()) }

func (l *Listener) hear(p *Post, at *room) *Understood {
	u := &at.u
	u.Post, u.Catalog, u.Minute = p, l.catalog, MinuteOf(p.ReceivedAt)
	l.worker.SetPrior(l.catalog.shows[string(p.Show)])
	l.worker.Enrich(&p.Post, &u.Result)
	at.tags = append(at.tags[:0], u.Result.Hashtags...)
	u.Result.Hashtags = at.tags
	u.Mark, u.Author = markOf(p)&^stateBits, authorOf(p)
	u.Fingerprint, u.HasFingerprint = near.Fingerprint(l.worker.Tokens())
	u.Fingerprint ^= finish(hashOf(hashStart, p.Show))
	u.Counted = u.Counted[:0]
	if l.listen(); len(u.Subjects) == 0 {
		return u
	}
	u.Platform = l.interns.platform(p.Platform)
	u.Region = l.interns.region(&u.Result.Place)
	u.terms.collect(p, &u.Result, l.worker.Tokens(), l.stops)
	return u
}

// authorOf is the hash of the author's id, or of the handle.
func authorOf(p *Post) uint64 {
	switch {
	case len(p.AuthorID) > 0:
		return nameOf(p.Platform, p.AuthorID)
	case len(p.Handle) > 0:
		return nameOf(p.Platform, p.Handle)
	}
	return 0
}

// listen finds the subjects among the rules that hold.
func (l *Listener) listen() {
	u := l.u
	u.Subjects = u.Subjects[:0]
	for _, r := range u.Result.Topics {
		number := l.catalog.owner[r]
		if number < 0 {
			continue // a block list
		}
		if x := &l.catalog.list[number]; string(u.Post.Show) == x.Show && feeds(u.Post.Topics, x.ID) && l.keeps(x) {
			u.Subjects = append(u.Subjects, number)
		}
	}
}

func feeds(topics []string, id string) bool { return len(topics) == 0 || slices.Contains(topics, id) }

func (l *Listener) keeps(x *listening) bool { return !x.filtered || l.reason(x) == rule.Kept }

// reason judges the filters of a topic, but for near-duplicates, which the
// partition knows.
func (l *Listener) reason(x *listening) rule.Reason {
	p := l.u.Post
	facts := rule.Facts{
		Followers: p.Followers, HasAuthor: p.HasAuthor, Repost: p.Repost, Reply: p.Reply, Sensitive: p.Sensitive,
		BlockedWord: l.holds(x.blockedWord), BlockedAuthor: l.holds(x.blockedAuthor),
	}
	if p.AuthorCreatedAt > 0 {
		facts.AccountFrom = p.AuthorCreatedAt.Time()
	}
	return x.filter.Judge(l.worker.Doc(), &facts, p.ReceivedAt.Time())
}

func (l *Listener) holds(rule int) bool {
	if rule < 0 {
		return false
	}
	_, found := slices.BinarySearch(l.u.Result.Topics, rule)
	return found
}

// Why explains for the last post why a subject's rule holds or does not, and what
// of its filters keeps the post out, if anything.
func (l *Listener) Why(number int) (rule.Explanation, rule.Reason) {
	x := &l.catalog.list[number]
	e := l.catalog.rules.NewMatcher().Explain(x.rule, l.worker.Doc())
	return e, l.reason(x)
}
