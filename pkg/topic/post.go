package topic

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich"
)

// Post is a post as the log has it. Its bytes must stay unchanged while what was
// understood of it is in use.
type Post struct {
	enrich.Post

	Platform, ID, Show []byte
	AuthorID           []byte
	// Followers and AuthorCreatedAt are known when HasAuthor is set; a zero
	// AuthorCreatedAt is unknown.
	HasAuthor       bool
	Followers       uint64
	AuthorCreatedAt audience.Millis
	ReceivedAt      audience.Millis
	// Repost, Reply, Media and Sensitive say what it is or has.
	Repost, Reply, Media, Sensitive bool
	// Held posts were rejected by the show's rules when they were captured.
	Held bool
	// Links are those the source names; without them, those in the text count.
	Links []string
	// Topics are the only ones that its source feeds; none: all of the show.
	Topics []string
	// SampleRate is the share of posts that the source let through, in (0, 1]; 0
	// means all.
	SampleRate float64
}

// HeldBy is the value of Post.decision that holds a post back.
const HeldBy = "reject"
