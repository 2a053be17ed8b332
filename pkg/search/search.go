// Package search keeps enriched posts to be found by their text, in Elasticsearch
// or, when everything runs in one process, in Bleve.
//
// Its one trick is an index for each build, a build being one set of models and
// rules: a new one is filled aside and becomes the one that is read by the flip
// of a name. What is appended to the build that is read carries its generation,
// and readers leave out those later than the one published, so that appending
// too happens at once for everybody.
//
// A text is indexed twice: folded, which is case- and accent-blind and the same
// for all languages, and, where its language has an analyzer, by that. A word of
// a query matches either. Elasticsearch finds the language analyzers in its
// module analysis-common; a cluster without it, or whose owner wants no stems,
// is opened with ?analyzers=standard, and then texts are only folded.
package search

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

var (
	// ErrNotFound says that the build that is read has no such post.
	ErrNotFound = errors.New("not found in the search index")
	// ErrNoBuild says that the build was never begun, or has expired.
	ErrNoBuild = errors.New("there is no index of that build")
	// ErrBuild says that a build's name cannot be one.
	ErrBuild = errors.New("a build is named by 1 to 100 of a-z, 0-9, dot, dash and underscore, a letter or digit first")
	// ErrCursor says that a page's cursor did not come from this package, or from a
	// search sorted otherwise.
	ErrCursor = errors.New("the cursor is not one of this search")
	// ErrQuery says that a query asks for what cannot be answered.
	ErrQuery = errors.New("the search cannot be answered")
	// ErrDamaged says that the index that is read cannot be: its files are damaged
	// or of another engine's version. It is made from the archive: Begin of any
	// build takes it away, and putting all posts again rebuilds it.
	ErrDamaged = errors.New("the search index is damaged and must be rebuilt from the archive")
)

// Store keeps an index for each build, one of which is read.
//
// Batch's leader writes (Begin, Put, Publish, Expire), every API instance reads
// (Search, Get, Current). All methods are safe for concurrent use, also with one
// another, and return when the store has answered; a write has then reached its
// disk. Every write may be repeated. Errors that are none of this package's kinds
// come from the store or the way to it and may pass; what is worth a short wait
// (a store that is too busy, a connection that broke) was already tried again.
//
// An index of another layout than this program's is not seen: after an upgrade
// Current says that nothing is published, until a build is.
type Store interface {
	// Begin makes the index of a build if it is missing; what is in it stays. A
	// damaged one is replaced by an empty one, which is then no longer published.
	Begin(ctx context.Context, build string) error
	// Put writes docs into a build's index; the same id again replaces, with its
	// generation. Docs may be many: they are sent in pieces, and what was sent
	// before an error stays. A *RefusedError says that some can never be
	// indexed and that all others were written. ErrNoBuild without Begin.
	Put(ctx context.Context, build string, docs []Doc) error
	// Publish lets everything that was put into the build be found, and makes it
	// the one that is read: a search sees the one before, or this, whole. ErrNoBuild
	// without Begin.
	Publish(ctx context.Context, build string) error
	// Current is the build that is read, "" before the first.
	Current(ctx context.Context) (build string, err error)
	// Search reads one page of the posts that a query finds; an empty one before the
	// first build. Errors: ErrCursor, ErrQuery.
	Search(ctx context.Context, q Query) (Page, error)
	// Get reads a post, of any generation and as it was last put, with its Raw;
	// ErrNotFound.
	Get(ctx context.Context, id string) (Doc, error)
	// Expire drops every index that is neither current nor kept, those of other
	// layouts too. Searches under way end first or start again.
	Expire(ctx context.Context, keep ...string) error
	Close() error
}

// PostID names a post among those of all shows, of which two may have heard the
// same one. key is platform:id.
func PostID(show, key string) string { return show + "/" + key }

// Doc is a post as it is found.
type Doc struct {
	// ID is what PostID gives, at most 512 bytes.
	ID, Platform, Show string
	Topics             []string
	Text               string
	// Language is ISO 639-1, und or nothing; Sentiment neg, neu, pos or nothing.
	Language, Sentiment   string
	Country, Region, City string

	AuthorID, AuthorName, AuthorHandle string
	Followers                          uint64

	CreatedAt, ReceivedAt  audience.Millis
	Hashtags, Links, Media []string
	ReplyTo, RepostOf      string
	Location               *audience.Coordinates
	Decision               string
	// Generation is the first of the batch generations that holds the post, below
	// 2^53.
	Generation uint64
	// Raw is the post as the log has it: kept, not looked at, and given by Get only.
	Raw []byte
}

// RefusedError says which docs of a Put can never be indexed. All others were.
type RefusedError struct {
	// Total is how many, Docs the first of them.
	Total int
	Docs  []Refused
}

// Refused is one doc and why it was refused.
type Refused struct{ ID, Reason string }

// maxRefused bounds the docs that a RefusedError names.
const maxRefused = 20

func (e *RefusedError) add(id, reason string) {
	if e.Total++; len(e.Docs) < maxRefused {
		e.Docs = append(e.Docs, Refused{id, reason})
	}
}

// orNil is e if it refuses anything.
func (e *RefusedError) orNil() error {
	if e.Total == 0 {
		return nil
	}
	return e
}

// Error names the first of the docs.
func (e *RefusedError) Error() string {
	if len(e.Docs) == 0 {
		return fmt.Sprintf("%d posts cannot be indexed", e.Total)
	}
	first := fmt.Sprintf("post %q cannot be indexed: %s", e.Docs[0].ID, e.Docs[0].Reason)
	if e.Total == 1 {
		return first
	}
	return fmt.Sprintf("%s (and %d more)", first, e.Total-1)
}

// Open opens the store at address: file:DIR (Bleve), or
// http(s)://user:password@host:9200/prefix (Elasticsearch 8), where prefix starts
// the names of its indices, clamor by default, and may be followed by
// ?analyzers=language|standard, shards=N (for new indices, 1) and ca=FILE (the
// certificates, in PEM, that https trusts instead of the system's).
func Open(ctx context.Context, address string) (Store, error) {
	switch {
	case strings.HasPrefix(address, "http://"), strings.HasPrefix(address, "https://"):
		return openElastic(ctx, address)
	case strings.HasPrefix(address, "file:"):
		return openBleve(ctx, strings.TrimPrefix(strings.TrimPrefix(address, "file:"), "//"))
	}
	scheme, _, _ := strings.Cut(address, ":")
	return nil, fmt.Errorf("open search: %q is neither file:DIR nor http(s)://…", scheme)
}

// checkBuild says whether a build can be part of an index's name.
func checkBuild(build string) error {
	ok := len(build) >= 1 && len(build) <= 100
	for i := 0; i < len(build) && ok; i++ {
		c := build[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && (c == '.' || c == '-' || c == '_')
	}
	if !ok {
		return ErrBuild
	}
	return nil
}
