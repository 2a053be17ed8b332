package xv1

import (
	"errors"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
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
		ID: idText(t.IDStr, t.ID), Platform: Platform, CreatedAt: instant(t.CreatedAt), Text: textOf(t),
		ReplyTo: idText(t.InReplyToStatusIDStr, t.InReplyToStatusID),
		Author: audience.Author{
			ID: idText(t.User.IDStr, t.User.ID), Name: t.User.Name, Handle: t.User.ScreenName, Location: t.User.Location,
			Followers: uint64(max(0, t.User.FollowersCount)), CreatedAt: instant(t.User.CreatedAt),
		},
	}
	if t.Lang != "und" { // what they say when they do not know
		p.Language = t.Lang
	}
	if c := t.Coordinates; c != nil && c.Type == "Point" {
		p.Coordinates = &audience.Coordinates{Lat: c.Coordinates[1], Lon: c.Coordinates[0]}
	}
	if o := t.RetweetedStatus; o != nil {
		p.RepostOf = idText(o.IDStr, o.ID)
		t, p.Text = o, textOf(o)
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
		return t.ExtendedTweet.FullText
	case t.FullText != "":
		return t.FullText
	}
	return t.Text
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
