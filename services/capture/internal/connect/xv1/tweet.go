package xv1

import (
	"errors"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
	"github.com/dghubble/go-twitter/twitter"
)

var errNoTweet = errors.New("a message has no id or no user")

// postOf reads a tweet, in compatible or in extended form. A retweet's text is
// cut off by the platform, so the original's is taken.
func postOf(t *twitter.Tweet) (audience.Post, error) {
	if t.User == nil || idText(t.IDStr, t.ID) == "" || idText(t.User.IDStr, t.User.ID) == "" {
		return audience.Post{}, errNoTweet
	}
	p := audience.Post{
		ID: idText(t.IDStr, t.ID), Platform: x.Platform, CreatedAt: instant(t.CreatedAt), Text: textOf(t), Sensitive: t.PossiblySensitive,
		ReplyTo: idText(t.InReplyToStatusIDStr, t.InReplyToStatusID),
		Author: audience.Author{
			ID: idText(t.User.IDStr, t.User.ID), Name: x.Text(t.User.Name), Handle: t.User.ScreenName, Location: x.Text(t.User.Location),
			Followers: uint64(max(0, t.User.FollowersCount)), CreatedAt: instant(t.User.CreatedAt),
		},
	}
	if t.Lang != "und" { // what they say when they do not know
		p.Language = t.Lang
	}
	p.Coordinates = where(t)
	if o := t.RetweetedStatus; o != nil {
		p.RepostOf = idText(o.IDStr, o.ID)
		t, p.Text, p.Sensitive = o, textOf(o), p.Sensitive || o.PossiblySensitive
	}
	entities, media := entitiesOf(t)
	for _, m := range media {
		p.Media = append(p.Media, m.MediaURLHttps)
	}
	if entities != nil {
		for _, u := range entities.Urls {
			p.Links = append(p.Links, u.ExpandedURL)
		}
	}
	return p, nil
}

func textOf(t *twitter.Tweet) string {
	switch {
	case t.ExtendedTweet != nil && t.ExtendedTweet.FullText != "":
		return x.Text(t.ExtendedTweet.FullText)
	case t.FullText != "":
		return x.Text(t.FullText)
	}
	return x.Text(t.Text)
}

// where is the tweet's own point, or the middle of the place it names, whose box
// is a ring of corners.
func where(t *twitter.Tweet) *audience.Coordinates {
	if c := t.Coordinates; c != nil && c.Type == "Point" {
		return &audience.Coordinates{Lat: c.Coordinates[1], Lon: c.Coordinates[0]}
	}
	if t.Place == nil || t.Place.BoundingBox == nil || len(t.Place.BoundingBox.Coordinates) == 0 || len(t.Place.BoundingBox.Coordinates[0]) == 0 {
		return nil
	}
	ring := t.Place.BoundingBox.Coordinates[0]
	west, south := ring[0][0], ring[0][1]
	east, north := west, south
	for _, corner := range ring {
		west, east = min(west, corner[0]), max(east, corner[0])
		south, north = min(south, corner[1]), max(north, corner[1])
	}
	return x.Middle(west, south, east, north)
}

func entitiesOf(t *twitter.Tweet) (*twitter.Entities, []twitter.MediaEntity) {
	entities, extended := t.Entities, t.ExtendedEntities
	if t.ExtendedTweet != nil && t.ExtendedTweet.Entities != nil {
		entities, extended = t.ExtendedTweet.Entities, t.ExtendedTweet.ExtendedEntities
	}
	switch {
	case extended != nil:
		return entities, extended.Media
	case entities != nil:
		return entities, entities.Media
	}
	return entities, nil
}

func idText(text string, number int64) string {
	if text == "" && number > 0 {
		return strconv.FormatInt(number, 10)
	}
	return text
}

func instant(text string) audience.Millis {
	at, err := time.Parse(time.RubyDate, text)
	if err != nil {
		return 0
	}
	return audience.MillisOf(at)
}
