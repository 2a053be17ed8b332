package xv1

import (
	"slices"
	"strconv"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
	"github.com/dghubble/go-twitter/twitter"
)

// The keys that posts are remembered by.
const (
	byAuthor  = "author "
	repeating = "of "
)

func (c *Connector) note(id, author, repeats string) {
	if author != "" {
		c.said.Note(byAuthor+author, id)
	}
	if repeats != "" {
		c.said.Note(repeating+repeats, id)
	}
}

// exact is how far a number is exact that JSON's readers make a float of.
const exact = 1 << 53

// deleted takes back a post and those that repeat it: for them X sends no notice.
func (r *run) deleted(b *connect.Batch, d *twitter.StatusDeletion) {
	if d == nil {
		unnamed(b, "a deletion names no post")
		return
	}
	r.gone(b, idText(d.IDStr, d.ID))
}

func (r *run) gone(b *connect.Batch, id string) {
	if id == "" {
		unnamed(b, "a deletion names no post")
		return
	}
	stream.TakeBack(b, x.Platform, id)
	stream.TakeBack(b, x.Platform, r.said.Of(repeating+id)...)
}

// withheld takes back a post that is withheld everywhere: in all countries (XX),
// or for a claim of copyright (XY). One that some countries only do not see stays.
// https://developer.x.com/en/docs/x-api/v1/data-dictionary/object-model/tweet
func (r *run) withheld(b *connect.Batch, w *twitter.StatusWithheld) {
	if w != nil && (slices.Contains(w.WithheldInCountries, "XX") || slices.Contains(w.WithheldInCountries, "XY")) {
		r.gone(b, idText("", w.ID))
	}
}

// comply heeds the notices that enterprise streams have besides: a post dropped
// from view, and a user who left, is suspended or speaks to followers only. What
// comes back does not: undrop, user_undelete and their like are passed over.
// https://developer.x.com/en/docs/tweets/compliance/guides/compliance-data-objects
func (r *run) comply(b *connect.Batch, notice map[string]any) {
	if _, ok := notice["drop"]; ok {
		drop, _ := notice["drop"].(map[string]any)
		status, _ := drop["status"].(map[string]any)
		r.gone(b, numbered(status))
	}
	for _, kind := range []string{"user_delete", "user_suspend", "user_protect"} {
		if _, ok := notice[kind]; !ok {
			continue
		}
		user, _ := notice[kind].(map[string]any)
		id := numbered(user)
		if id == "" {
			unnamed(b, "a notice names no user")
			continue
		}
		stream.TakeBack(b, x.Platform, r.said.Of(byAuthor+id)...)
	}
}

// numbered is the id that part of a notice has, as a text or as a number that is
// still exact; empty: none.
func numbered(part map[string]any) string {
	if text, _ := part["id_str"].(string); text != "" {
		return text
	}
	if n, _ := part["id"].(float64); n >= 1 && n < exact {
		return strconv.FormatInt(int64(n), 10)
	}
	return ""
}

func unnamed(b *connect.Batch, what string) {
	stream.Malformed(b, fault.New(fault.InvalidRequest, "%s", what))
}
