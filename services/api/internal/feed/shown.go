package feed

import (
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Shown is the posts of a topic that may be shown, a row a post.
type Shown struct {
	Heard

	Posts []ShownPost
}

// ShownPost is a post that somebody let through.
type ShownPost struct {
	Key, Platform, AuthorName, AuthorHandle, Text, Language, Media, State string
	CreatedAt, ReceivedAt                                                 audience.Millis
	Featured                                                              bool
}

var shownColumns = [...]string{"shown"}

var postColumns = [...]string{
	"slot", "post_id", "platform", "author_name", "author_handle", "text", "created_at", "received_at", "language", "media", "state",
	"featured", "lang", "dir", "created_at_text",
}

// The places of the columns that items and presets are made of.
const (
	postID          = 1
	postPlatform    = 2
	postAuthor      = 3
	postHandle      = 4
	postText        = 5
	postMedia       = 9
	postCreatedText = 14
)

func (in *Shown) sheetOf(opts Options) *sheet {
	w := newHand(&in.Heard, opts)
	names := append(append([]string(nil), heardColumns[:]...), shownColumns[:]...)
	s := newSheetOf(names, postColumns[:], append(in.headCells(), wholeCell(int64(len(in.Posts)))), in.about(about{
		itemTitle: func(c []cell) string { return c[postAuthor].text },
		itemText:  func(c []cell) string { return c[postText].text },
		itemID:    func(c []cell) string { return c[postID].text },
	}))
	s.cast = cast{
		heads: []int{headTitle, headShown},
		each:  []int{postAuthor, postHandle, postText, postPlatform, postCreatedText, postMedia},
	}
	clock := clockOf(&in.Show)
	for i := range in.Posts {
		if opts.Top > 0 && i >= opts.Top {
			break
		}
		s.options = append(s.options, line{cells: postCells(w, clock, &in.Posts[i], i), option: i})
	}
	if len(s.options) == 0 {
		s.options = append(s.options, line{postCells(w, clock, &ShownPost{}, 0), nobody})
	}
	s.slots = in.slots(opts)
	return s
}

func postCells(w *hand, clock *time.Location, p *ShownPost, i int) []cell {
	dir := w.dir
	if p.Language != "" {
		dir = direction(parseLocale(p.Language))
	}
	return []cell{
		wholeCell(int64(i + 1)), textCell(plain(p.Key)), textCell(plain(p.Platform)), textCell(foreign(p.AuthorName)), textCell(foreign(p.AuthorHandle)),
		textCell(foreign(p.Text)), textCell(p.CreatedAt.String()), textCell(p.ReceivedAt.String()), textCell(plain(p.Language)),
		textCell(plain(p.Media)), textCell(p.State), flagCell(p.Featured), textCell(w.lang), textCell(dir),
		textCell(timeOfDay(p.CreatedAt, clock)),
	}
}

// clockOf is the one on the studio's wall.
func clockOf(show *audience.Show) *time.Location {
	clock, err := time.LoadLocation(show.Timezone)
	if err != nil {
		return time.UTC
	}
	return clock
}

func timeOfDay(at audience.Millis, clock *time.Location) string {
	if at == 0 {
		return ""
	}
	return at.Time().In(clock).Format("15:04")
}

// Render writes the feed and names its content type.
func (in *Shown) Render(f Format, opts Options) (body []byte, contentType string) {
	return in.sheetOf(opts).write(plainFormat(f, FamilyPosts), opts, in.Destination.Aliases)
}
