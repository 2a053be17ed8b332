package post

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// loose is a post in a file: other fields are passed over, and those that help
// only may be of any type.
type loose struct {
	ID          json.RawMessage `json:"id"`
	Platform    string          `json:"platform"`
	Author      json.RawMessage `json:"author"`
	Text        *string         `json:"text"`
	CreatedAt   json.RawMessage `json:"created_at"`
	Language    json.RawMessage `json:"language"`
	Coordinates json.RawMessage `json:"coordinates"`
	ReplyTo     json.RawMessage `json:"reply_to"`
	RepostOf    json.RawMessage `json:"repost_of"`
	Media       json.RawMessage `json:"media"`
	Links       json.RawMessage `json:"links"`
	Sensitive   json.RawMessage `json:"sensitive"`
}

// Lenient reads a post from a file of posts. Needed are id, text and created_at;
// ids may be numbers, times may be written with a space or as Unix seconds. A
// post without author is its own author. Every error is a *fault.Error.
func Lenient(data []byte) (audience.Post, error) { return LenientOr(data, "", 0) }

// LenientOr is Lenient for a post whose id and time may stand beside it instead:
// those are taken where it has none.
func LenientOr(data []byte, id string, created audience.Millis) (audience.Post, error) {
	var l loose
	if !utf8.Valid(data) {
		return audience.Post{}, fault.New(fault.BadJSON, "the line is not valid UTF-8")
	}
	if err := json.Unmarshal(data, &l); err != nil {
		return audience.Post{}, fault.New(fault.BadJSON, "the line is no post: %w", err)
	}
	at, ok := instant(l.CreatedAt)
	switch {
	case l.Text == nil:
		return audience.Post{}, wrong("/text", "is missing")
	case !ok && created <= 0:
		return audience.Post{}, wrong("/created_at", "is missing or no time")
	case !ok:
		at = created
	}
	p := audience.Post{ID: text(l.ID), Platform: strings.ToLower(l.Platform), Text: *l.Text, CreatedAt: at,
		Language: text(l.Language), ReplyTo: text(l.ReplyTo), RepostOf: text(l.RepostOf)}
	if p.ID == "" {
		p.ID = id
	}
	if json.Unmarshal(l.Author, &p.Author) != nil || p.Author.ID == "" {
		p.Author = audience.Author{ID: p.ID}
	}
	// What does not fit is left out, like any other field of a stranger.
	p.Coordinates = fitting[*audience.Coordinates](l.Coordinates)
	p.Media = fitting[[]string](l.Media)
	p.Links = fitting[[]string](l.Links)
	p.Sensitive = fitting[bool](l.Sensitive)
	return p, check(&p)
}

func fitting[T any](raw json.RawMessage) T {
	var v, none T
	if json.Unmarshal(raw, &v) != nil {
		return none
	}
	return v
}

// text is a string, or a number as it is written.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// instant reads the usual ways of writing a time.
func instant(raw json.RawMessage) (audience.Millis, bool) {
	s := text(raw)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999",
		"Mon Jan 02 15:04:05 -0700 2006", // Twitter's API, version 1
	} {
		t, err := time.Parse(layout, s)
		if at := audience.MillisOf(t); err == nil && at > 0 && at.Written() {
			return at, true
		}
	}
	var seconds float64
	if json.Unmarshal([]byte(s), &seconds) == nil && seconds > 0 && seconds < 1e11 {
		return audience.Millis(seconds * 1000), true
	}
	return 0, false
}
