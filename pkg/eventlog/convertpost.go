package eventlog

import (
	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// PostFrom is the post of a record as its source gave it; what capture added
// (source, show, received_at, topics, votes, sample_rate) is read from the
// record itself.
func PostFrom(in *clamorv1.Post) audience.Post {
	p := audience.Post{
		ID: in.GetId(), Platform: in.GetPlatform(), Text: in.GetText(),
		CreatedAt: audience.Millis(in.GetCreatedAt()), Language: in.GetLanguage(),
		ReplyTo: in.GetReplyTo(), RepostOf: in.GetRepostOf(), Media: in.GetMedia(), Links: in.GetLinks(),
		Sensitive: in.GetSensitive(),
	}
	if a := in.GetAuthor(); a != nil {
		p.Author = audience.Author{
			ID: a.GetId(), Name: a.GetName(), Handle: a.GetHandle(), Location: a.GetLocation(),
			Followers: a.GetFollowers(), CreatedAt: audience.Millis(a.GetCreatedAt()),
		}
	}
	if c := in.GetCoordinates(); c != nil {
		p.Coordinates = &audience.Coordinates{Lat: c.GetLat(), Lon: c.GetLon()}
	}
	return p
}

// PostOf is the part of a post's record that a source gives; capture adds the
// rest. The record shares the post's slices.
func PostOf(p *audience.Post) *clamorv1.Post {
	out := &clamorv1.Post{
		Id: p.ID, Platform: p.Platform, Text: p.Text, CreatedAt: int64(p.CreatedAt), Language: p.Language,
		ReplyTo: p.ReplyTo, RepostOf: p.RepostOf, Media: p.Media, Links: p.Links, Sensitive: p.Sensitive,
	}
	if p.Author != (audience.Author{}) {
		out.Author = &clamorv1.Author{
			Id: p.Author.ID, Name: p.Author.Name, Handle: p.Author.Handle, Location: p.Author.Location,
			Followers: p.Author.Followers, CreatedAt: int64(p.Author.CreatedAt),
		}
	}
	if p.Coordinates != nil {
		out.Coordinates = &clamorv1.Coordinates{Lat: p.Coordinates.Lat, Lon: p.Coordinates.Lon}
	}
	return out
}
