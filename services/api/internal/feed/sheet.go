package feed

import (
	"math"
	"slices"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

var pollColumns = [...]string{
	"poll_id", "question", "status", "isLive", "phase", "reveal", "round", "result_status", "generation",
	"reconciled_at", "stale", "age_ms", "seq", "as_of", "instance_id", "total_votes", "total_votes_text",
	"total_voters", "pct_sum",
}

// New columns stand at the end only.
var optionColumns = [...]string{
	"slot", "option_id", "label", "label_short", "votes", "votes_text", "votes_batch", "votes_speed", "pct",
	"pct_int", "pct_text", "fraction", "bar", "rank", "unique_rank", "tie_count", "leader", "mean", "mean_text",
	"color", "image", "lang", "dir", "ppm",
}

// The places of the columns that presets pick.
const (
	colQuestion   = 1
	colStatus     = 2
	colTotalText  = 16
	colOption     = 1
	colLabel      = 2
	colVotes      = 4
	colVotesText  = 5
	colPctInt     = 9
	colPctText    = 10
	colRank       = 13
	colUniqueRank = 14
	colTieCount   = 15
	colImage      = 20
)

// sheet is a poll laid out as cells: its own once, and a row for each option in
// the order asked for.
type sheet struct {
	pollNames, optionNames []string
	wideNames              func(slot int, column string) string
	poll                   []cell
	options                []line
	slots                  int // how many options wide
	about                  about
	cast                   cast
}

// about is what formats with a head and items of their own need to know of a
// sheet.
type about struct {
	// kind is poll or topic; id, title, asOf and instance are its own.
	kind, id, title, asOf, instance string
	// rows is what the nested form calls its rows, wide what a row's columns begin
	// with in the wide shape.
	rows, wide string
	// columns are the rows' columns before aliases.
	columns []string
	// itemTitle, itemText and itemID are of a row.
	itemTitle, itemText, itemID func(cells []cell) string
}

// line is one row's cells.
type line struct {
	cells  []cell
	option int // place among the options or parts, from 0; nobody for a row of nothing
}

// nobody is the place of a row that stands where there is none: an engine on air
// never gets an empty list.
const nobody = -1

// drawing is what laying out needs.
type drawing struct {
	in      *Input
	figures tally.Figures
	shown   bool
	slot    []int // by option, from 1
	unique  []int
	printer *message.Printer
	lang    string
	dir     string
}

func newSheet(in *Input, opts Options) *sheet {
	d := newDrawing(in, opts)
	s := newSheetOf(pollColumns[:], optionColumns[:], d.pollCells(), about{
		kind: "poll", rows: "options", wide: "opt", id: in.Poll.ID, title: plain(in.Poll.Question), asOf: in.AsOf.String(), instance: instance(in),
		itemTitle: func(c []cell) string { return c[colLabel].text },
		itemText:  func(c []cell) string { return c[colVotesText].text + " (" + c[colPctText].text + ")" },
		itemID:    func(c []cell) string { return c[colOption].text },
	})
	s.cast = in.cast(s.poll)
	for _, i := range d.order(opts) {
		s.options = append(s.options, line{cells: d.optionCells(i), option: i})
	}
	s.slots = len(in.Poll.Options)
	if in.Destination.Slots > 0 {
		s.slots = in.Destination.Slots
	}
	if opts.Slots > 0 {
		s.slots = opts.Slots
	}
	return s
}

// cast is what presets show of a poll.
func (in *Input) cast(cells []cell) cast {
	return cast{
		heads: []int{colQuestion, colTotalText}, each: []int{colLabel, colVotesText, colPctText},
		choice: func(l line) []cell {
			return pick(l.cells, colLabel, colVotes, colPctInt, colUniqueRank, colRank, colTieCount)
		},
		status: cells[colStatus].text, ends: in.Standing.ClosesAt.String(),
		choiceID: func(c []cell) string { return in.Poll.ID + "/" + c[colOption].text },
		image:    func(c []cell) string { return c[colImage].text },
	}
}

// newSheetOf is a sheet without rows.
func newSheetOf(names, columns []string, cells []cell, a about) *sheet {
	a.columns = columns
	return &sheet{
		pollNames: names, optionNames: columns, poll: cells, about: a,
		wideNames: func(slot int, column string) string { return a.wide + strconv.Itoa(slot) + "_" + column },
	}
}

func newDrawing(in *Input, opts Options) *drawing {
	d := &drawing{in: in, figures: in.Figures, shown: shown(in)}
	if !d.shown || len(d.figures.Options) != len(in.Poll.Options) {
		d.figures = tally.Figure(&in.Poll, nil)
	}
	d.slot = places(&in.Poll, in.Destination.Editorial[in.Poll.ID])
	d.unique = uniqueRanks(d.figures.Options, d.slot)
	d.printer = message.NewPrinter(parseLocale(opts.Locale, in.Destination.Locale, in.Show.Locale))
	d.lang, d.dir = languageOf(&in.Show)
	return d
}

// shown says whether the destination's audience may see the figures.
func shown(in *Input) bool {
	switch in.Destination.Audience {
	case audience.Producer:
		return true
	case audience.Public:
		return in.Standing.Public
	}
	return in.Standing.OnAir
}

func languageOf(show *audience.Show) (lang, dir string) {
	candidates := append(slices.Clone(show.Languages), show.Locale)
	tag := parseLocale(candidates...)
	return tag.String(), direction(tag)
}

// places are the editorial slots of the options: those that the editor named, in
// that order, and then the others as they are defined.
func places(poll *audience.Poll, editorial []string) []int {
	place := make([]int, len(poll.Options))
	next := 1
	for _, id := range editorial {
		if i := int(poll.Slot(id)) - 1; i >= 0 && place[i] == 0 {
			place[i] = next
			next++
		}
	}
	for i := range place {
		if place[i] == 0 {
			place[i] = next
			next++
		}
	}
	return place
}

// uniqueRanks breaks ties by the editorial slot.
func uniqueRanks(options []tally.OptionFigures, slot []int) []int {
	unique := make([]int, len(options))
	for i := range options {
		unique[i] = options[i].Rank
		for j := range options {
			if options[j].Rank == options[i].Rank && slot[j] < slot[i] {
				unique[i]++
			}
		}
	}
	return unique
}

func (d *drawing) pollCells() []cell {
	in, s := d.in, &d.in.Standing
	live := s.Phase == audience.Open || s.Phase == audience.Paused || s.Phase == audience.Frozen
	status, reveal, age := "closed", "hidden", int64(0)
	if s.Phase == audience.Open {
		status = "open"
	}
	if d.shown {
		reveal = "shown"
	}
	if in.Stale {
		age = in.AgeMillis
	}
	return []cell{
		textCell(in.Poll.ID), textCell(plain(in.Poll.Question)), textCell(status), flagCell(live),
		textCell(string(s.Phase)), textCell(reveal), wholeCell(int64(s.Round)), textCell(in.ResultStatus),
		wholeCell(clamp(in.Generation)), textCell(in.ReconciledAt.String()), flagCell(in.Stale), wholeCell(age),
		wholeCell(clamp(in.Seq)), textCell(in.AsOf.String()), textCell(instance(in)),
		wholeCell(d.figures.Votes), textCell(d.count(d.figures.Votes)), wholeCell(d.figures.Voters),
		wholeCell(int64(d.figures.PctSum)),
	}
}

// instance is the same through a round, and another in the next.
func instance(in *Input) string {
	return in.Poll.ID + "-" + strconv.FormatUint(uint64(in.Standing.Round), 10)
}

func (d *drawing) optionCells(i int) []cell {
	o, f := &d.in.Poll.Options[i], &d.figures.Options[i]
	label := plain(o.Label)
	brief := plain(o.LabelShort)
	if brief == "" {
		brief = label
	}
	return []cell{
		wholeCell(int64(d.slot[i])), textCell(o.ID), textCell(label), textCell(short(brief)),
		wholeCell(f.Votes), textCell(d.count(f.Votes)), wholeCell(d.part(d.in.Batch, i)), wholeCell(d.part(d.in.Speed, i)),
		fixedCell(places3, f.Pct), wholeCell(int64(f.PctInt)), textCell(d.percent(f)),
		fixedCell(places5, f.Pct), fixedCell(places5, scaled(f.Bar, 5)),
		wholeCell(int64(f.Rank)), wholeCell(int64(d.unique[i])), wholeCell(int64(f.TieCount)), flagCell(f.Leader),
		fixedCell(places3, scaled(f.Mean, 3)), textCell(d.mean(f)),
		textCell(plain(o.Color)), textCell(plain(o.Image)), textCell(d.lang), textCell(d.dir), wholeCell(d.part(d.in.PPM, i)),
	}
}

// part is an option's share of a slice by slot, zero while hidden.
func (d *drawing) part(by []int64, i int) int64 {
	if !d.shown || i >= len(by) {
		return 0
	}
	return by[i]
}

// count is a number as the locale writes it.
func (d *drawing) count(n int64) string { return d.printer.Sprint(number.Decimal(n)) }

// percent is never 0% for something.
func (d *drawing) percent(f *tally.OptionFigures) string {
	some := f.Votes > 0
	if d.in.Poll.Kind == audience.Score {
		some = f.Pct > 0
	}
	if some && f.PctInt == 0 {
		return "<1%"
	}
	return strconv.Itoa(f.PctInt) + "%"
}

// mean is the mean score with two decimals; "" where there are no scores to
// speak of.
func (d *drawing) mean(f *tally.OptionFigures) string {
	if d.in.Poll.Kind != audience.Score {
		return ""
	}
	return d.printer.Sprint(number.Decimal(f.Mean, number.Scale(2)))
}

// scaled is v × 10^places, as far as it can be written.
func scaled(v float64, places int) int64 {
	const most = 1 << 62
	return int64(math.Round(min(max(v*math.Pow10(places), -most), most)))
}

// clamp keeps a count within what engines can hold.
func clamp(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
