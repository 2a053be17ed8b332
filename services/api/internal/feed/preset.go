package feed

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// cast says what of a sheet plays which part in the presets.
type cast struct {
	// heads are the places of the sheet's columns that templates show first, each
	// those that they show of every row.
	heads, each []int
	// choice is a row of a Vertigo table, whose columns are vertigoNames. It is nil
	// where the rows count nothing.
	choice func(l line) []cell
	// status is open or closed, ends when it closes, if that is known.
	status, ends string
	// choiceID names a row among all of all sheets, for as long as it is the same
	// thing. image is its picture's address; nil where none has one.
	choiceID, image func(cells []cell) string
}

func pick(cells []cell, places ...int) []cell {
	out := make([]cell, len(places))
	for i, place := range places {
		out[i] = cells[place]
	}
	return out
}

// preset is what the sheet is made into in a format. A preset that makes no sense
// there is none.
func (s *sheet) preset(format Format, opts Options) string {
	counted := s.cast.choice != nil
	switch opts.Preset {
	case PresetVizSocial:
		if !counted || format != JSON {
			return ""
		}
	case PresetVertigo:
		if !counted {
			return ""
		}
	}
	if format == Atom || format == RSS || format == PollJSON {
		return ""
	}
	return opts.Preset
}

// write writes the sheet as its format and preset have it.
func (s *sheet) write(format Format, opts Options, aliases map[string]string) (body []byte, contentType string) {
	switch s.preset(format, opts) {
	case PresetVizSocial:
		return appendVizSocial(nil, s), typeJSON
	case PresetCaspar, PresetSPX:
		return renderFields(s.fields(aliases), format, opts)
	case PresetVertigo:
		s.vertigo()
	default:
		s.alias(aliases)
	}
	return s.render(format, opts)
}

var vertigoNames = [...]string{"ChoiceName", "Votes", "Percent", "UniqueRank", "Rank", "TieCount"}

// vertigo keeps the columns of a Vertigo table, under its names.
func (s *sheet) vertigo() {
	s.pollNames, s.poll = nil, nil
	s.optionNames = vertigoNames[:]
	for i, o := range s.options {
		s.options[i].cells = s.cast.choice(o)
	}
}

// field is one numbered value of a template: f0, f1, …
type field struct {
	number int
	value  cell
}

var fieldName = regexp.MustCompile(`^f([0-9]{1,3})$`)

// fields numbers a sheet's values for CasparCG and SPX templates. Where the
// destination's aliases name fields, those are they; else they are the sheet's own,
// such as the question and the total, and what each slot shows. A slot that nobody
// fills has empty ones, or a template would go on showing what was there before.
func (s *sheet) fields(aliases map[string]string) []field {
	if fields := aliasedFields(s.table(true), aliases); len(fields) > 0 {
		return fields
	}
	values := pick(s.poll, s.cast.heads...)
	for slot := range s.slots {
		if slot < len(s.options) && s.options[slot].option != nobody {
			values = append(values, pick(s.options[slot].cells, s.cast.each...)...)
			continue
		}
		values = append(values, make([]cell, len(s.cast.each))...)
	}
	fields := make([]field, len(values))
	for i, v := range values {
		fields[i] = field{i, v}
	}
	return fields
}

// aliasedFields takes aliases either way round: a column's field, or a field's
// column.
func aliasedFields(wide table, aliases map[string]string) []field {
	var fields []field
	for a, b := range aliases {
		column, name := a, b
		if fieldName.MatchString(a) {
			column, name = b, a
		}
		number := fieldName.FindStringSubmatch(name)
		i := slices.Index(wide.header, column)
		if number == nil || i < 0 {
			continue
		}
		n, _ := strconv.Atoi(number[1])
		fields = append(fields, field{n, wide.rows[0][i]})
	}
	slices.SortFunc(fields, func(a, b field) int { return cmp.Compare(a.number, b.number) })
	return slices.CompactFunc(fields, func(a, b field) bool { return a.number == b.number })
}

// renderFields writes them flat; in XML as a CasparCG templateData. Templates
// take strings.
func renderFields(fields []field, format Format, opts Options) ([]byte, string) {
	t := fieldTable(fields)
	switch format {
	case XML:
		return appendTemplateData(nil, t), typeXML
	case CSV:
		return appendSeparated(nil, t, ','), typeCSV
	case TSV:
		return appendSeparated(nil, t, '\t'), typeTSV
	case TXT:
		return appendPairs(nil, t, opts.Prefix), typeTXT
	}
	return appendObject(nil, t.header, t.rows[0]), typeJSON
}

func fieldTable(fields []field) table {
	t := table{rows: [][]cell{make([]cell, 0, len(fields))}}
	for _, f := range fields {
		t.header = append(t.header, "f"+strconv.Itoa(f.number))
		t.rows[0] = append(t.rows[0], textCell(string(f.value.appendBare(nil))))
	}
	return t
}

func appendTemplateData(b []byte, t table) []byte {
	b = append(append(b, xmlHead...), "<templateData>"...)
	for i, name := range t.header {
		b = append(append(append(b, `<componentData id="`...), name...), `"><data id="text" value="`...)
		b = append(appendEscaped(b, t.rows[0][i].text), `"/></componentData>`...)
	}
	return append(b, "</templateData>"...)
}

// namespace of the ids that Viz Social is given.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:clamor:option"))

var (
	vizSocialNames = [...]string{"id", "question", "image", "status", "end_time", "timestamp"}
	vizOptionNames = [...]string{"uuid", "text", "count", "image"}
)

// appendVizSocial writes the sheet as Viz Social's own JSON of a poll.
func appendVizSocial(b []byte, s *sheet) []byte {
	b = append(b, '{')
	b = appendMembers(b, vizSocialNames[:], []cell{
		textCell(s.about.id), textCell(s.about.title), textCell(""), textCell(s.cast.status), textCell(s.cast.ends), textCell(s.about.asOf),
	})
	b = append(b, `,"options":[`...)
	for i, o := range s.options {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendObject(b, vizOptionNames[:], s.vizOption(o))
	}
	return append(b, "]}"...)
}

func (s *sheet) vizOption(l line) []cell {
	id := uuid.NewSHA1(namespace, []byte(s.cast.choiceID(l.cells))).String()
	image := ""
	if s.cast.image != nil {
		image = s.cast.image(l.cells)
	}
	choice := s.cast.choice(l)
	return []cell{textCell(id), choice[0], choice[1], textCell(image)}
}
