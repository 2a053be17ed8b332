package topic

import (
	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// wire is where a record's texts are copied to: one buffer, used again.
type wire struct {
	post Post
	text []byte
}

// Hear understands a post of the log.
func (l *Listener) Hear(p *clamorv1.Post) *Understood {
	at, author := l.next(), p.GetAuthor()
	w := &at.wire
	w.room(p)
	out := &w.post
	*out = Post{
		Platform: w.copy(p.GetPlatform()), ID: w.copy(p.GetId()), Show: w.copy(p.GetShow()), AuthorID: w.copy(author.GetId()),
		HasAuthor: author != nil, Followers: author.GetFollowers(), AuthorCreatedAt: audience.Millis(author.GetCreatedAt()),
		ReceivedAt: audience.Millis(p.GetReceivedAt()),
		Repost:     p.GetRepostOf() != "", Reply: p.GetReplyTo() != "", Media: len(p.GetMedia()) > 0, Sensitive: p.GetSensitive(),
		Held:  p.GetDecision() == HeldBy,
		Links: p.GetLinks(), Topics: p.GetTopics(), SampleRate: p.GetSampleRate(),
	}
	out.Text, out.Language, out.Source = w.copy(p.GetText()), w.copy(p.GetLanguage()), w.copy(p.GetSource())
	out.AuthorName, out.Handle = w.copy(author.GetName()), w.copy(author.GetHandle())
	out.Place.Profile = w.copy(author.GetLocation())
	if c := p.GetCoordinates(); c != nil {
		out.Place.HasPoint, out.Place.Lat, out.Place.Lon = true, c.GetLat(), c.GetLon()
	}
	return l.hear(out, at)
}

// room makes the buffer large enough beforehand: pieces of it are in use while
// others are added.
func (w *wire) room(p *clamorv1.Post) {
	a := p.GetAuthor()
	need := len(p.GetPlatform()) + len(p.GetId()) + len(p.GetShow()) + len(p.GetText()) + len(p.GetLanguage()) + len(p.GetSource()) +
		len(a.GetId()) + len(a.GetName()) + len(a.GetHandle()) + len(a.GetLocation())
	if w.text = w.text[:0]; cap(w.text) < need {
		w.text = make([]byte, 0, 2*need)
	}
}

func (w *wire) copy(s string) []byte {
	start := len(w.text)
	w.text = append(w.text, s...)
	return w.text[start:len(w.text):len(w.text)]
}
