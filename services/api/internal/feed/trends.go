package feed

import (
	"strings"

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

// The places of the columns that items and presets are made of.
const (
	themeText   = 1
	themeLabel  = 2
	themeVotes  = 5
	themeCount  = 6
	themePctInt = 9
	themePct    = 10
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
	s.cast = in.cast()
	for i := range in.Themes {
		if opts.Top > 0 && i >= opts.Top {
			break
		}
		s.options = append(s.options, line{cells: themeCells(w, &in.Themes[i], i), option: i})
	}
	if len(s.options) == 0 {
		s.options = append(s.options, line{themeCells(w, &topic.Theme{}, 0), nobody})
	}
	s.slots = in.slots(opts)
	return s
}

// cast is what presets show of themes.
func (in *Themed) cast() cast {
	return cast{
		heads: []int{headTitle, headPostsText}, each: []int{themeLabel, themeCount, themePct},
		choice: func(l line) []cell {
			unique, rank, ties := in.ranks(l.option)
			return append(pick(l.cells, themeLabel, themeVotes, themePctInt), wholeCell(unique), wholeCell(rank), wholeCell(ties))
		},
		status:   "open",
		choiceID: func(c []cell) string { return in.choiceID("trends", strings.ToLower(c[themeText].text)) },
	}
}

// ranks are a theme's by what the themes are sorted by, and how many share the
// second.
func (in *Themed) ranks(i int) (unique, rank, ties int64) {
	if i == nobody {
		return 1, 1, 1
	}
	by := func(t *topic.Theme) float64 { return float64(t.N) }
	if in.Kind == KindRisers {
		by = func(t *topic.Theme) float64 { return t.Score }
	}
	rank = 1
	own := by(&in.Themes[i])
	for j := range in.Themes {
		switch other := by(&in.Themes[j]); {
		case other > own:
			rank++
		case other == own:
			ties++
		}
	}
	return int64(i + 1), rank, ties
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
	return in.sheetOf(opts).write(plainFormat(f, FamilyTrends), opts, in.Destination.Aliases)
}
