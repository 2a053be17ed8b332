// Package connect fetches posts from where they come from, one connector a file
// or folder.
//
// A connector knows its platform and nothing else: it runs from a place, delivers
// posts in batches, and tells with each batch the place behind it. Whoever runs
// it keeps the place, starts it again after a failure, paces it and tells people
// how it fares. Posts between the place kept and the last one delivered come
// again, which is harmless: a post counts once.
package connect

import (
	"context"
	"errors"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Place is how far a source has come, in its connector's own words. The empty
// Place is the beginning: what comes from now on, or all that the platform still
// has. A place that a connector cannot read is the beginning too.
type Place string

// MaxPlace bounds a Place, in bytes: brokers keep 4 kB for a dozen of them.
const MaxPlace = 256

// Batch is what a connector delivers.
type Batch struct {
	// Posts have an id that is the platform's own, so that a redelivered post is
	// the same post, and a Platform. They may be changed by whoever gets them.
	Posts []audience.Post
	// Malformed counts the messages since the last batch that were no posts; First
	// is what was wrong with the first of them.
	Malformed int
	First     error
	// Lost counts the posts that the platform says it kept back.
	Lost int64
	// Gone names the posts that the platform says are no more, by NameOf: delivered
	// before, by whoever ran the source, or never. They are not among Posts.
	Gone   []string
	Behind Place
}

// NameOf is what a post is called across platforms.
func NameOf(platform, id string) string { return platform + ":" + id }

// Empty says whether there is nothing in a batch but its place.
func (b *Batch) Empty() bool {
	return len(b.Posts) == 0 && b.Malformed == 0 && b.Lost == 0 && len(b.Gone) == 0
}

// Outlet is where a connector's posts go.
type Outlet interface {
	// Deliver blocks until a batch is durable, at the pace that the source's
	// budget allows; its error ends Run. The batch may be used again afterwards.
	Deliver(ctx context.Context, b Batch) error
	// Streaming says that the platform answers: a failure some time after it is a
	// new one.
	Streaming()
	// Spend takes API units from the source's budget before they are used, and
	// blocks while there are none; a source without such a budget has enough.
	Spend(ctx context.Context, units int64) error
}

// Connector fetches the posts of one source.
type Connector interface {
	// Run delivers posts from a place on. It returns nil when ctx ended, within a
	// second, or when there is nothing more to come; otherwise why it could not go
	// on, as *Wait, *Refused, or any other error for a passing failure. It does not
	// connect again by itself: that, and the pause before it, is its caller's. One Run
	// may follow another; there are never two at a time.
	Run(ctx context.Context, from Place, out Outlet) error
}

// Recaller is a connector whose platform takes posts back by more than their ids,
// so that it has to know what it delivered. What it delivered itself it knows.
type Recaller interface {
	// Recall tells of what the source delivered before the connector was made,
	// oldest first, and before its first Run.
	Recall(d Delivered)
}

// Delivered is a post that was delivered: its id, and those of its author and of
// the post that it repeats.
type Delivered struct{ ID, Author, RepostOf string }

// Wait is a failure whose end the platform has named: a rate limit.
type Wait struct {
	Until time.Time
	Err   error
}

func (e *Wait) Error() string { return e.Err.Error() }
func (e *Wait) Unwrap() error { return e.Err }

// Refused is a failure that trying again does not mend, like a token that is not
// valid: somebody has to change the source's settings.
type Refused struct{ Err error }

func (e *Refused) Error() string { return e.Err.Error() }
func (e *Refused) Unwrap() error { return e.Err }

// Slow is a failure after which the platform asks to come back more slowly than
// after others (HTTP 420, a full queue).
type Slow struct{ Err error }

func (e *Slow) Error() string { return e.Err.Error() }
func (e *Slow) Unwrap() error { return e.Err }

// ErrStalled is a stream that stood for longer than its platform's heartbeat.
var ErrStalled = errors.New("the stream stands still")
