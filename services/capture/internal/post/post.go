// Package post reads posts from lines of JSON: strictly where a program pushes
// them and can be told what is wrong, leniently from files that others made.
package post

import (
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
)

// Bounds of a post, in bytes or entries.
const (
	maxID   = 256
	maxName = 1024
	maxList = 100
	// maxAddress is what browsers and servers agree on.
	maxAddress = 2048
)

// line is a post as the contract writes it. Pointers tell what is missing.
type line struct {
	ID          *string               `json:"id"`
	Platform    string                `json:"platform"`
	Author      *audience.Author      `json:"author"`
	Text        *string               `json:"text"`
	CreatedAt   *audience.Millis      `json:"created_at"`
	Language    string                `json:"language"`
	Coordinates *audience.Coordinates `json:"coordinates"`
	ReplyTo     string                `json:"reply_to"`
	RepostOf    string                `json:"repost_of"`
	Media       []string              `json:"media"`
	Links       []string              `json:"links"`
	Sensitive   bool                  `json:"sensitive"`
}

// Strict reads a post exactly as the contract has it. Every error is a
// *fault.Error: bad-json, or invalid-request with the field.
func Strict(data []byte) (audience.Post, error) {
	var l line
	if err := jsonbody.Unmarshal(data, &l); err != nil {
		return audience.Post{}, err
	}
	for _, f := range []struct {
		name    string
		missing bool
	}{
		{"id", l.ID == nil}, {"author", l.Author == nil}, {"text", l.Text == nil}, {"created_at", l.CreatedAt == nil},
	} {
		if f.missing {
			return audience.Post{}, wrong("/"+f.name, "is missing")
		}
	}
	p := audience.Post{
		ID: *l.ID, Platform: l.Platform, Author: *l.Author, Text: *l.Text, CreatedAt: *l.CreatedAt, Language: l.Language,
		Coordinates: l.Coordinates, ReplyTo: l.ReplyTo, RepostOf: l.RepostOf, Media: l.Media, Links: l.Links, Sensitive: l.Sensitive,
	}
	return p, check(&p)
}

func check(p *audience.Post) error {
	switch {
	case p.ID == "" || len(p.ID) > maxID:
		return wrong("/id", fmt.Sprintf("must have 1 to %d bytes", maxID))
	case p.Platform != "" && !isPlatform(p.Platform):
		return wrong("/platform", "must be letters a to z, digits, dots and hyphens, at most 63")
	case p.Author.ID == "" || len(p.Author.ID) > maxID:
		return wrong("/author/id", fmt.Sprintf("must have 1 to %d bytes", maxID))
	case strings.Contains(p.ID+p.Author.ID+p.Text, "\x00"):
		return wrong("", "the post has a NUL character")
	case len(p.Author.Name)+len(p.Author.Handle)+len(p.Author.Location) > maxName:
		return wrong("/author", fmt.Sprintf("its texts have more than %d bytes", maxName))
	case len(p.Language) > 63 || len(p.ReplyTo) > maxID || len(p.RepostOf) > maxID:
		return wrong("", "language, reply_to or repost_of is too long")
	case len(p.Media) > maxList || len(p.Links) > maxList:
		return wrong("", fmt.Sprintf("media and links take at most %d entries", maxList))
	}
	if c := p.Coordinates; c != nil && !(c.Lat >= -90 && c.Lat <= 90 && c.Lon >= -180 && c.Lon <= 180) {
		return wrong("/coordinates", "must be degrees: lat from -90 to 90, lon from -180 to 180")
	}
	return nil
}

// isPlatform keeps "platform:id" readable: a platform has no colon.
func isPlatform(s string) bool {
	if len(s) > audience.MaxSlug {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (i == 0 || c != '-' && c != '.') {
			return false
		}
	}
	return true
}

func wrong(pointer, detail string) error {
	return fault.Invalid(fault.Field{Pointer: pointer, Detail: detail})
}
