package search

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/search/internal/cursor"
	"github.com/clamor-live/clamor/pkg/search/internal/words"
)

const (
	maxID = cursor.MaxID
	// maxKeyword is the longest value of a filter in bytes.
	maxKeyword = 1 << 10
	// maxText bounds a text, in bytes: some four million characters are no post.
	maxText = 4 << 20
	// maxGeneration is what numbers in JSON and in Bleve count exactly.
	maxGeneration = 1<<53 - 1
	// maxTime is the end of the year 9999.
	maxTime = 253_402_300_799_999
)

// stored is a Doc without its Raw as it is kept, which no engine looks at.
type stored struct {
	ID           string                `json:"id"`
	Platform     string                `json:"platform,omitempty"`
	Show         string                `json:"show,omitempty"`
	Topics       []string              `json:"topics,omitempty"`
	Text         string                `json:"text,omitempty"`
	Language     string                `json:"language,omitempty"`
	Sentiment    string                `json:"sentiment,omitempty"`
	Country      string                `json:"country,omitempty"`
	Region       string                `json:"region,omitempty"`
	City         string                `json:"city,omitempty"`
	AuthorID     string                `json:"author_id,omitempty"`
	AuthorName   string                `json:"author_name,omitempty"`
	AuthorHandle string                `json:"author_handle,omitempty"`
	Followers    uint64                `json:"followers,omitempty"`
	CreatedAt    int64                 `json:"created_at,omitempty"` // of any year: platforms lie
	ReceivedAt   int64                 `json:"received_at,omitempty"`
	Hashtags     []string              `json:"hashtags,omitempty"`
	Links        []string              `json:"links,omitempty"`
	Media        []string              `json:"media,omitempty"`
	ReplyTo      string                `json:"reply_to,omitempty"`
	RepostOf     string                `json:"repost_of,omitempty"`
	Location     *audience.Coordinates `json:"location,omitempty"`
	Decision     string                `json:"decision,omitempty"`
	Generation   uint64                `json:"generation"`
}

func encodeDoc(d *Doc) ([]byte, error) {
	return json.Marshal(stored{
		ID: d.ID, Platform: d.Platform, Show: d.Show, Topics: d.Topics, Text: d.Text,
		Language: d.Language, Sentiment: d.Sentiment, Country: d.Country, Region: d.Region, City: d.City,
		AuthorID: d.AuthorID, AuthorName: d.AuthorName, AuthorHandle: d.AuthorHandle, Followers: d.Followers,
		CreatedAt: int64(d.CreatedAt), ReceivedAt: int64(d.ReceivedAt), Hashtags: d.Hashtags, Links: d.Links, Media: d.Media,
		ReplyTo: d.ReplyTo, RepostOf: d.RepostOf, Location: d.Location, Decision: d.Decision, Generation: d.Generation,
	})
}

func decodeDoc(b []byte) (Doc, error) {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return Doc{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return Doc{
		ID: s.ID, Platform: s.Platform, Show: s.Show, Topics: s.Topics, Text: s.Text,
		Language: s.Language, Sentiment: s.Sentiment, Country: s.Country, Region: s.Region, City: s.City,
		AuthorID: s.AuthorID, AuthorName: s.AuthorName, AuthorHandle: s.AuthorHandle, Followers: s.Followers,
		CreatedAt: audience.Millis(s.CreatedAt), ReceivedAt: audience.Millis(s.ReceivedAt),
		Hashtags: s.Hashtags, Links: s.Links, Media: s.Media,
		ReplyTo: s.ReplyTo, RepostOf: s.RepostOf, Location: s.Location, Decision: s.Decision, Generation: s.Generation,
	}, nil
}

// entry is a Doc ready for an engine: what is indexed of it, and what is kept.
type entry struct {
	doc    *Doc
	body   []byte
	folded string
	// field is the one of the text's language, "" without an analyzer for it.
	field string
}

// prepare makes the entries of a Put: the last of those with one id, without
// those that no engine could take, which are added to refused. Bytes that are not
// UTF-8 are replaced.
func prepare(docs []Doc, refused *RefusedError) []entry {
	last := make(map[string]int, len(docs))
	for i := range docs {
		last[docs[i].ID] = i
	}
	entries := make([]entry, 0, len(last))
	for i := range docs {
		if last[docs[i].ID] != i {
			continue
		}
		d := docs[i]
		if reason := unfit(&d); reason != "" {
			refused.add(d.ID, reason)
			continue
		}
		d.Text = strings.ToValidUTF8(d.Text, "\uFFFD")
		body, err := encodeDoc(&d)
		if err != nil {
			refused.add(d.ID, err.Error())
			continue
		}
		entries = append(entries, entry{doc: &d, body: body, folded: words.Fold(d.Text), field: textField(d.Language)})
	}
	return entries
}

// unfit says why a doc cannot be indexed, "" if it can.
func unfit(d *Doc) string {
	switch {
	case d.ID == "" || len(d.ID) > maxID:
		return "an id has 1 to 512 bytes"
	case strings.ToValidUTF8(d.ID, "") != d.ID:
		return "the id is not UTF-8"
	case len(d.Text) > maxText:
		return "the text is longer than 4 MiB"
	case d.ReceivedAt < 0 || d.ReceivedAt > maxTime:
		return "received_at is not in the years 1970 to 9999"
	case d.Generation > maxGeneration:
		return "the generation is above 2^53"
	case d.Location != nil && !(math.Abs(d.Location.Lat) <= 90 && math.Abs(d.Location.Lon) <= 180):
		return "the location is not on earth"
	}
	for _, v := range append([]string{d.Show, d.Language, d.Sentiment, d.Country}, d.Topics...) {
		if len(v) > maxKeyword {
			return "show, topic, language, sentiment or country is longer than 1 KiB"
		}
	}
	return ""
}
