package webhook

import (
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/pointer"
)

// parts of a post that a pointer can lead to.
func parts() []string {
	return []string{
		"id", "text", "author_id", "author_name", "author_handle", "author_location", "author_followers", "author_created_at",
		"created_at", "language", "lat", "lon", "links", "media", "reply_to", "repost_of",
	}
}

// part is what the item has where a part's pointer leads; nil if none does.
func (h *hook) part(item any, name string) any {
	path, ok := h.fields[name]
	if !ok {
		return nil
	}
	return path.In(item)
}

func (h *hook) text(item any, name string) string { return pointer.Text(h.part(item, name)) }

func (h *hook) take(receipt *connect.Receipt, item any, now audience.Millis) {
	words, ok := h.part(item, "text").(string)
	if !ok {
		receipt.Reject(fault.New(fault.InvalidRequest, "an item has no text where settings.fields.text points to"))
		return
	}
	p := audience.Post{
		ID: h.text(item, "id"), Platform: h.platform, Text: words, CreatedAt: pointer.Moment(h.part(item, "created_at")),
		Author: audience.Author{
			ID: h.text(item, "author_id"), Name: h.text(item, "author_name"), Handle: h.text(item, "author_handle"),
			Location: h.text(item, "author_location"), CreatedAt: pointer.Moment(h.part(item, "author_created_at")),
		},
		Language: h.text(item, "language"), ReplyTo: h.text(item, "reply_to"), RepostOf: h.text(item, "repost_of"),
		Links: pointer.Texts(h.part(item, "links")), Media: pointer.Texts(h.part(item, "media")),
	}
	if n, err := strconv.ParseUint(h.text(item, "author_followers"), 10, 64); err == nil {
		p.Author.Followers = n
	}
	lat, latErr := strconv.ParseFloat(h.text(item, "lat"), 64)
	lon, lonErr := strconv.ParseFloat(h.text(item, "lon"), 64)
	if latErr == nil && lonErr == nil {
		p.Coordinates = &audience.Coordinates{Lat: lat, Lon: lon}
	}
	receipt.Add(p, now)
}
