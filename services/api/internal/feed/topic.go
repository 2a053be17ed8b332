package feed

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/topic"
)

// Heard is what every feed of a topic shows of it.
type Heard struct {
	Show        audience.Show
	Topic       audience.Topic
	Revision    uint64
	Destination audience.Destination
	// Minutes is the length of the window.
	Minutes    int64
	Complete   bool
	Stale      bool
	AgeMillis  int64
	Generation uint64
	Seq        uint64
	AsOf       audience.Millis
}

// Parted is a topic's figures, shared out by one dimension.
type Parted struct {
	Heard
	topic.Figures

	Mood          topic.Mood
	PostsChange   topic.Change
	AuthorsChange topic.Change
	// Rate is the share of posts that the sources let through, 1 for all, and
	// Estimated how many there were.
	Rate      float64
	Estimated int64
	By        topic.Dimension
	Parts     []topic.Compared
	// Labels are what the parts are called, by part.
	Labels []string
	// Exclusive says that every post is in one part at most: then whole percents
	// sum up.
	Exclusive bool
}

// Family is a kind of feeds of a topic, by the name of its files.
type Family string

const (
	FamilyFeed   Family = "feed"
	FamilyTrends Family = "trends"
	FamilyPosts  Family = "posts"
)

// Families lists all.
func Families() []Family { return []Family{FamilyFeed, FamilyTrends, FamilyPosts} }

// TopicJSON is the nested form of a topic's figures; events carry it too.
const TopicJSON Format = "topic.json"

// flat are the formats that every family has.
var flat = [...]string{".json", ".xml", ".csv", ".tsv", ".txt", ".atom", ".rss"}

// TopicFormats lists the formats of a family by their file names.
func TopicFormats(f Family) []Format {
	var out []Format
	for _, ext := range flat {
		out = append(out, Format(string(f)+ext))
	}
	if f == FamilyFeed {
		out = append(out, TopicJSON)
	}
	return out
}

// plainFormat is the format of a topic's file as polls have it.
func plainFormat(f Format, family Family) Format {
	if f == TopicJSON {
		return PollJSON
	}
	return "feed" + f[len(family):]
}

// Head is the Heard itself.
func (h *Heard) Head() *Heard { return h }

var heardColumns = [...]string{
	"topic_id", "title", "window", "minutes", "complete", "generation", "stale", "age_ms", "seq", "as_of", "instance_id",
}

// The places of the columns that presets pick: a family's own stand behind these.
const (
	headTitle     = 1
	headShown     = len(heardColumns)
	headPostsText = len(heardColumns) + 1
)

var partedColumns = [...]string{
	"posts", "posts_text", "posts_before", "posts_change", "posts_change_pct", "posts_change_text",
	"authors", "authors_text", "authors_change", "reposts", "replies", "media", "rejected", "sampled", "estimated", "estimated_text",
	"positive_pct", "positive_pct_text", "neutral_pct", "neutral_pct_text", "negative_pct", "negative_pct_text", "judged", "by",
}

// New columns stand at the end only.
var partColumns = [...]string{
	"slot", "key", "label", "label_short", "count", "count_text", "count_error", "pct", "pct_int", "pct_text", "fraction", "bar",
	"rank", "unique_rank", "tie_count", "leader", "before", "before_text", "change", "change_pct", "change_text", "trend", "lang", "dir",
}

// The places of the columns that items and presets are made of.
const (
	partKey        = 1
	partLabel      = 2
	partVotes      = 4
	partCount      = 5
	partPctInt     = 8
	partPct        = 9
	partRank       = 12
	partUniqueRank = 13
	partTieCount   = 14
)

// RowsByDefault is how many rows a feed of a topic has at most where nobody says.
const RowsByDefault = 20

// hand writes cells in a locale.
type hand struct {
	printer   *message.Printer
	lang, dir string
}

func newHand(h *Heard, opts Options) *hand {
	lang, dir := languageOf(&h.Show)
	return &hand{
		printer: message.NewPrinter(parseLocale(opts.Locale, h.Destination.Locale, h.Show.Locale)), lang: lang, dir: dir,
	}
}

func (w *hand) count(n int64) string { return w.printer.Sprint(number.Decimal(n)) }

// change is a count with its sign.
func (w *hand) change(n int64) string {
	if n > 0 {
		return "+" + w.count(n)
	}
	return w.count(n)
}

// percent is a whole percent, never 0% for something.
func percentText(whole int, some bool) string {
	if some && whole == 0 {
		return "<1%"
	}
	return strconv.Itoa(whole) + "%"
}

// headCells are those of heardColumns.
func (h *Heard) headCells() []cell {
	age := int64(0)
	if h.Stale {
		age = h.AgeMillis
	}
	return []cell{
		textCell(h.Topic.ID), textCell(plain(h.Topic.Title)), textCell(strconv.FormatInt(h.Minutes, 10) + "m"), wholeCell(h.Minutes),
		flagCell(h.Complete), wholeCell(clamp(h.Generation)), flagCell(h.Stale), wholeCell(age),
		wholeCell(clamp(h.Seq)), textCell(h.AsOf.String()), textCell(h.instance()),
	}
}

// instance is the same as long as the topic's rule is.
func (h *Heard) instance() string { return h.Topic.ID + "-" + strconv.FormatUint(h.Revision, 10) }

func (h *Heard) about(columns about) about {
	columns.kind, columns.rows, columns.wide = "topic", "rows", "row"
	columns.id, columns.title, columns.asOf, columns.instance = h.Topic.ID, plain(h.Topic.Title), h.AsOf.String(), h.instance()
	return columns
}

// slots are as many as were asked for; else there are as many as there can be, so
// that none goes missing when people talk of less.
func (h *Heard) slots(opts Options) int {
	switch {
	case opts.Slots > 0:
		return opts.Slots
	case h.Destination.Slots > 0:
		return h.Destination.Slots
	case opts.Top > 0:
		return min(opts.Top, MaxSlots)
	}
	return RowsByDefault
}

// choiceID names a row of a kind among those of all polls and topics.
func (h *Heard) choiceID(kind, key string) string {
	return "topic/" + h.Topic.ID + "/" + kind + "/" + key
}

// sheetOf lays the figures out as cells. Without a part there is one row of
// nothing.
func (in *Parted) sheetOf(opts Options) *sheet {
	w := newHand(&in.Heard, opts)
	names := append(append([]string(nil), heardColumns[:]...), partedColumns[:]...)
	s := newSheetOf(names, partColumns[:], append(in.headCells(), in.totalCells(w)...), in.about(about{
		itemTitle: func(c []cell) string { return c[partLabel].text },
		itemText:  func(c []cell) string { return c[partCount].text + " (" + c[partPct].text + ")" },
		itemID:    func(c []cell) string { return c[partKey].text },
	}))
	s.cast = in.cast()
	figures := in.figures()
	for _, i := range in.order(opts) {
		s.options = append(s.options, line{cells: in.partCells(w, figures, i), option: i})
	}
	if len(s.options) == 0 {
		nothing := &Parted{Heard: in.Heard, Parts: make([]topic.Compared, 1), Labels: make([]string, 1)}
		s.options = append(s.options, line{nothing.partCells(w, nothing.figures(), 0), nobody})
	}
	s.slots = in.slots(opts)
	return s
}

// cast is what presets show of a topic's parts. What people talk of never closes.
func (in *Parted) cast() cast {
	return cast{
		heads: []int{headTitle, headPostsText}, each: []int{partLabel, partCount, partPct},
		choice: func(l line) []cell {
			return pick(l.cells, partLabel, partVotes, partPctInt, partUniqueRank, partRank, partTieCount)
		},
		status: "open",
		choiceID: func(c []cell) string {
			key := c[partKey].text
			if in.By == topic.ByHashtag || in.By == topic.ByWord {
				key = strings.ToLower(key) // people spell it one way, then another
			}
			return in.choiceID(string(in.By), key)
		},
	}
}

func (in *Parted) totalCells(w *hand) []cell {
	mood := func(r topic.Range) (cell, cell) {
		if in.Mood.Judged == 0 {
			return fixedCell(places3, 0), textCell(percentText(0, false))
		}
		return fixedCell(places3, scaled(100*r.Share, 3)), textCell(percentText(int(scaled(100*r.Share, 0)), r.Share > 0))
	}
	positive, positiveText := mood(in.Mood.Positive)
	neutral, neutralText := mood(in.Mood.Neutral)
	negative, negativeText := mood(in.Mood.Negative)
	return []cell{
		wholeCell(in.Posts), textCell(w.count(in.Posts)), wholeCell(in.PostsChange.Before), wholeCell(in.PostsChange.Change),
		fixedCell(places3, scaled(in.PostsChange.Percent, 3)), textCell(w.change(in.PostsChange.Change)),
		wholeCell(in.Authors), textCell(w.count(in.Authors)), wholeCell(in.AuthorsChange.Change),
		wholeCell(in.Reposts), wholeCell(in.Replies), wholeCell(in.Media), wholeCell(in.Rejected),
		flagCell(in.Rate > 0 && in.Rate < 1), wholeCell(in.Estimated), textCell(w.count(in.Estimated)),
		positive, positiveText, neutral, neutralText, negative, negativeText, wholeCell(in.Mood.Judged), textCell(string(in.By)),
	}
}

// figures are ranks, ties and percents of the parts, by the arithmetic of polls.
func (in *Parted) figures() []tally.OptionFigures {
	n := len(in.Parts)
	poll := &audience.Poll{Kind: audience.Choose, Denominator: audience.OfVoters, Options: make([]audience.Option, n)}
	r := &tally.Round{Votes: make([]int64, n), Voters: in.Posts}
	rest := in.Posts
	for i := range in.Parts {
		r.Votes[i] = in.Parts[i].N
		rest -= in.Parts[i].N
	}
	if in.Exclusive { // what is in no part takes part in the sum
		poll.Denominator = audience.OfVotes
		poll.Options = append(poll.Options, audience.Option{})
		r.Votes = append(r.Votes, max(0, rest))
	}
	figures := tally.Figure(poll, r).Options[:n]
	if in.Exclusive {
		in.rerank(figures)
	}
	return figures
}

// rerank ranks the parts among themselves, without what is in none.
func (in *Parted) rerank(figures []tally.OptionFigures) {
	alone := &audience.Poll{Kind: audience.Choose, Denominator: audience.OfVoters, Options: make([]audience.Option, len(figures))}
	r := &tally.Round{Votes: make([]int64, len(figures)), Voters: in.Posts}
	for i := range figures {
		r.Votes[i] = figures[i].Votes
	}
	for i, f := range tally.Figure(alone, r).Options {
		figures[i].Rank, figures[i].UniqueRank, figures[i].TieCount = f.Rank, f.UniqueRank, f.TieCount
		figures[i].Leader, figures[i].Bar = f.Leader, f.Bar
	}
}

func (in *Parted) partCells(w *hand, figures []tally.OptionFigures, i int) []cell {
	p, f := &in.Parts[i], &figures[i]
	label := plain(in.Labels[i])
	return []cell{
		wholeCell(int64(i + 1)), textCell(plain(p.Key)), textCell(label), textCell(short(label)),
		wholeCell(p.N), textCell(w.count(p.N)), wholeCell(p.Error),
		fixedCell(places3, f.Pct), wholeCell(int64(f.PctInt)), textCell(percentText(f.PctInt, p.N > 0)),
		fixedCell(places5, f.Pct), fixedCell(places5, scaled(f.Bar, 5)),
		wholeCell(int64(f.Rank)), wholeCell(int64(f.UniqueRank)), wholeCell(int64(f.TieCount)), flagCell(f.Leader),
		wholeCell(p.Before), textCell(w.count(p.Before)), wholeCell(p.Change.Change), fixedCell(places3, scaled(p.Change.Percent, 3)),
		textCell(w.change(p.Change.Change)), textCell(direct(p.Change.Change)), textCell(w.lang), textCell(w.dir),
	}
}

// direct is which way a count goes.
func direct(change int64) string {
	switch {
	case change > 0:
		return "up"
	case change < 0:
		return "down"
	}
	return "same"
}

// order gives the parts as they are to be shown: by rank, or by label.
func (in *Parted) order(opts Options) []int {
	order := make([]int, len(in.Parts))
	for i := range order {
		order[i] = i
	}
	compare, descends := func(a, b int) int { return cmp.Compare(a, b) }, false
	switch opts.Sort {
	case SortLabel:
		c := collate.New(parseLocale(in.Show.Locale))
		compare = func(a, b int) int { return c.CompareString(in.Labels[a], in.Labels[b]) }
	case SortVotes, SortCount:
		compare, descends = func(a, b int) int { return cmp.Compare(in.Parts[a].N, in.Parts[b].N) }, true
	case SortChange:
		compare, descends = func(a, b int) int { return cmp.Compare(in.Parts[a].Change.Change, in.Parts[b].Change.Change) }, true
	}
	if opts.Dir != "" {
		descends = opts.Dir == "desc"
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if descends {
			return compare(b, a)
		}
		return compare(a, b)
	})
	if opts.Top > 0 && opts.Top < len(order) {
		order = order[:opts.Top]
	}
	return order
}

// What a topic's parts can be sorted by besides rank and label.
const (
	SortCount  = "count"
	SortChange = "change"
)

// ParseTopic reads the query of a topic's feed. Parameters that are unknown or
// make no sense are ignored.
func ParseTopic(query url.Values) Options {
	o := Parse(query)
	o.Sort = oneOf(query.Get("sort"), SortRank, SortLabel, SortCount, SortChange, SortVotes)
	return o
}

// Render writes the feed and names its content type.
func (in *Parted) Render(f Format, opts Options) (body []byte, contentType string) {
	return in.sheetOf(opts).write(plainFormat(f, FamilyFeed), opts, in.Destination.Aliases)
}
