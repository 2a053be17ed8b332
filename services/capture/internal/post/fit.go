package post

import (
	"strings"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// Fit brings a platform's post within the bounds that all posts keep: lists are
// cut, what helps only is left out where it does not fit, a post without author
// is its own author, one without a sensible time was made now. What remains wrong
// is a *fault.Error, and the post is none.
func Fit(p *audience.Post, now audience.Millis) error {
	for _, s := range [...]string{
		p.ID, p.Text, p.Author.ID, p.Author.Name, p.Author.Handle, p.Author.Location, p.Language, p.ReplyTo, p.RepostOf,
	} {
		if !utf8.ValidString(s) {
			return fault.New(fault.BadJSON, "the post is not valid UTF-8")
		}
	}
	if p.Author.ID == "" {
		p.Author.ID = p.ID
	}
	if p.CreatedAt <= 0 || !p.CreatedAt.Written() {
		p.CreatedAt = now
	}
	if !p.Author.CreatedAt.Written() {
		p.Author.CreatedAt = 0
	}
	p.Author.Name = cut(p.Author.Name, maxName/2)
	p.Author.Handle = cut(p.Author.Handle, maxName/4)
	p.Author.Location = cut(p.Author.Location, maxName/4)
	p.Language, p.ReplyTo, p.RepostOf = short(p.Language, 63), short(p.ReplyTo, maxID), short(p.RepostOf, maxID)
	p.Media, p.Links = addresses(p.Media), addresses(p.Links)
	if check(&audience.Post{ID: "-", Author: audience.Author{ID: "-"}, Coordinates: p.Coordinates}) != nil {
		p.Coordinates = nil
	}
	return check(p)
}

// cut keeps the first characters of a text.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// short is a text that means nothing when it is cut.
func short(s string, most int) string {
	if len(s) > most {
		return ""
	}
	return s
}

// addresses are the first of a list that can be addresses at all.
func addresses(list []string) []string {
	kept := list[:0]
	for _, s := range list {
		if s != "" && len(s) <= maxAddress && utf8.ValidString(s) && !strings.Contains(s, "\x00") && len(kept) < maxList {
			kept = append(kept, s)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
