package listen

import (
	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/topic"
)

// DocOf is a post as it is searched for; ok is false when another copy of it is,
// or when its text is none. Its Raw is the post as a protobuf message.
func DocOf(h *Heard) (doc search.Doc, ok bool) {
	if h.Moderation == nil && h.Outcome == topic.Repeated {
		return doc, false
	}
	p, u := h.Post, h.Understood
	raw, err := proto.Marshal(p)
	if err != nil {
		return doc, false // bent bytes of the archive
	}
	author := p.GetAuthor()
	doc = search.Doc{
		ID: search.PostID(p.GetShow(), p.GetPlatform()+":"+p.GetId()), Platform: p.GetPlatform(), Show: p.GetShow(), Topics: topicsOf(h), Text: p.GetText(),
		Language: u.Result.Language, Sentiment: polarity(u.Result.Sentiment),
		Country: u.Result.Place.Country, Region: u.Result.Place.Admin1, City: u.Result.Place.City,
		AuthorID: author.GetId(), AuthorName: author.GetName(), AuthorHandle: author.GetHandle(), Followers: author.GetFollowers(),
		CreatedAt: audience.Millis(p.GetCreatedAt()), ReceivedAt: audience.Millis(p.GetReceivedAt()),
		Links: p.GetLinks(), Media: p.GetMedia(), ReplyTo: p.GetReplyTo(), RepostOf: p.GetRepostOf(),
		Decision: p.GetDecision(), Generation: h.Epoch + 1, Raw: raw,
	}
	for _, tag := range u.Result.Hashtags {
		doc.Hashtags = append(doc.Hashtags, string(tag.Text))
	}
	if c := p.GetCoordinates(); c != nil {
		doc.Location = &audience.Coordinates{Lat: c.GetLat(), Lon: c.GetLon()}
	}
	if h.Moderation != nil {
		moderated(&doc, h.Moderation.GetReject())
	}
	return doc, true
}

// moderated gives the doc a moderator's word. The post itself came earlier and may
// be seen already: it is not to vanish until the generation is published.
func moderated(doc *search.Doc, reject bool) {
	doc.Decision = "approve"
	if reject {
		doc.Decision = "reject"
	}
	doc.Generation--
}

// topicsOf are the topics that the post is shown under. What is held back or
// moderated counts for none, or did earlier: there it is those who listen.
func topicsOf(h *Heard) []string {
	u := h.Understood
	numbers := u.Counted
	if h.Moderation != nil || h.Outcome == topic.Held {
		numbers = u.Subjects
	}
	ids := make([]string, 0, len(numbers))
	for _, number := range numbers {
		ids = append(ids, u.Catalog.Subject(number).Topic)
	}
	return ids
}

func polarity(p sentiment.Polarity) string {
	if p == sentiment.Unknown {
		return ""
	}
	return p.String()
}
