package feed

import "crypto/sha256"

// TopicFeed is any feed of a topic.
type TopicFeed interface {
	// Render writes the feed and names its content type.
	Render(f Format, opts Options) (body []byte, contentType string)
	// Head is what all feeds of a topic have; it may be changed.
	Head() *Heard

	sheetOf(opts Options) *sheet
}

// FingerprintTopic stands for all that a feed shows but Seq, AsOf and AgeMillis: as
// long as it is the same, nothing has changed.
func FingerprintTopic(in TopicFeed, opts Options) [32]byte {
	h := in.Head()
	was := *h
	h.Seq, h.AsOf, h.AgeMillis = 0, 0, 0
	sum := sha256.Sum256(nested(in.sheetOf(opts)))
	*h = was
	return sum
}
