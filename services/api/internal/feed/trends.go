package feed

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
)

// Themed is what a topic talks about, a row a theme.
type Themed struct {
	Heard

	// Kind is themes, risers or hashtags.
	Kind string
	// Posts are those of the window.
	Posts  int64
	Themes []topic.Theme
}

// The kinds of trends.
const (
	KindThemes   = "themes"
	KindRisers   = "risers"
	KindHashtags = "hashtags"
)

var themedColumns = [...]string{"posts", "posts_text", "kind"}

var themeColumns = [...]string{
	"slot", "text", "label", "label_short", "hashtag", "count", "count_text", "count_error", "pct", "pct_int", "pct_text",
	"weight", "size", "score", "before", "change", "change_text", "trend", "riser", "lang", "dir",
}

// The places of the columns that items are made of.
const (
	themeText  = 1
	themeLabel = 2
	themeCount = 6
	themePct   = 10
)

// rising is the score from which chance is not the cause.
const rising = 3

func (in *Themed) sheetOf(opts Options) *sheet {
	w := newHand(&in.Heard, opts)
	names := append(append([]string(nil), heardColumns[:]...), themedColumns[:]...)
	cells := append(in.headCells(), wholeCell(in.Posts), textCell(w.count(in.Posts)), textCell(in.Kind))
	s := newSheetOf(names, themeColumns[:], cells, in.about(about{
		itemTitle: func(c []cell) string { return c[themeLabel].text },
		itemText:  func(c []cell) string { return c[themeCount].text + " (" + c[themePct].text + ")" },
		itemID:    func(c []cell) string { return c[themeText].text },
	}))
	for i := range in.Themes {
		if opts.Top > 0 && i >= opts.Top {
			break
		}
		s.options = append(s.options, line{cells: themeCells(w, &in.Themes[i], i), option: i})
	}
	if len(s.options) == 0 {
		s.options = append(s.options, line{cells: themeCells(w, &topic.Theme{}, 0)})
	}
	s.slots = in.slots(len(s.options), opts)
	return s
}

func themeCells(w *hand, t *topic.Theme, i int) []cell {
	text := plain(t.Text)
	label := text
	if t.Hashtag {
		label = "#" + text
	}
	whole := int(scaled(t.Percent, 0))
	return []cell{
		wholeCell(int64(i + 1)), textCell(text), textCell(label), textCell(short(label)), flagCell(t.Hashtag),
		wholeCell(t.N), textCell(w.count(t.N)), wholeCell(t.Error),
		fixedCell(places3, scaled(t.Percent, 3)), wholeCell(int64(whole)), textCell(percentText(whole, t.N > 0)),
		fixedCell(places5, scaled(t.Weight, 5)), wholeCell(scaled(100*t.Weight, 0)), fixedCell(places3, scaled(t.Score, 3)),
		wholeCell(t.Before), wholeCell(t.N - t.Before), textCell(w.change(t.N - t.Before)), textCell(direct(t.N - t.Before)),
		flagCell(t.Score >= rising), textCell(w.lang), textCell(w.dir),
	}
}

// Render writes the feed and names its content type.
func (in *Themed) Render(f Format, opts Options) (body []byte, contentType string) {
	return in.sheetOf(opts).renderTopic(&in.Heard, f, FamilyTrends, opts)
}

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
	"featured", "lang", "dir",
}

// The places of the columns that items are made of.
const (
	postID     = 1
	postAuthor = 3
	postText   = 5
)

func (in *Shown) sheetOf(opts Options) *sheet {
	w := newHand(&in.Heard, opts)
	names := append(append([]string(nil), heardColumns[:]...), shownColumns[:]...)
	s := newSheetOf(names, postColumns[:], append(in.headCells(), wholeCell(int64(len(in.Posts)))), in.about(about{
		itemTitle: func(c []cell) string { return c[postAuthor].text },
		itemText:  func(c []cell) string { return c[postText].text },
		itemID:    func(c []cell) string { return c[postID].text },
	}))
	for i := range in.Posts {
		if opts.Top > 0 && i >= opts.Top {
			break
		}
		s.options = append(s.options, line{cells: postCells(w, &in.Posts[i], i), option: i})
	}
	if len(s.options) == 0 {
		s.options = append(s.options, line{cells: postCells(w, &ShownPost{}, 0)})
	}
	s.slots = in.slots(len(s.options), opts)
	return s
}

func postCells(w *hand, p *ShownPost, i int) []cell {
	dir := w.dir
	if p.Language != "" {
		dir = direction(parseLocale(p.Language))
	}
	return []cell{
		wholeCell(int64(i + 1)), textCell(plain(p.Key)), textCell(plain(p.Platform)), textCell(foreign(p.AuthorName)), textCell(foreign(p.AuthorHandle)),
		textCell(foreign(p.Text)), textCell(p.CreatedAt.String()), textCell(p.ReceivedAt.String()), textCell(plain(p.Language)),
		textCell(plain(p.Media)), textCell(p.State), flagCell(p.Featured), textCell(w.lang), textCell(dir),
	}
}

// Render writes the feed and names its content type.
func (in *Shown) Render(f Format, opts Options) (body []byte, contentType string) {
	return in.sheetOf(opts).renderTopic(&in.Heard, f, FamilyPosts, opts)
}
