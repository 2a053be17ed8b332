package feed

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/google/uuid"
)

// field is one numbered value of a template: f0, f1, …
type field struct {
	number int
	value  cell
}

var fieldName = regexp.MustCompile(`^f([0-9]{1,3})$`)

// fieldsOf numbers a poll's values for CasparCG and SPX templates. Where the
// destination's aliases name fields, those are they; else f0 is the question, f1
// the total, and each slot adds its label, votes and percent.
func fieldsOf(s *sheet, in *Input) []field {
	wide := s.table(true)
	if fields := aliasedFields(wide, in.Destination.Aliases); len(fields) > 0 {
		return fields
	}
	fields := []field{{0, s.poll[colQuestion]}, {1, s.poll[colTotalText]}}
	for slot := range s.slots {
		for _, column := range [...]int{colLabel, colVotesText, colPctText} {
			f := field{number: len(fields)}
			if slot < len(s.options) {
				f.value = s.options[slot].cells[column]
			}
			fields = append(fields, f)
		}
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

// appendVizSocial writes the poll as Viz Social's own JSON.
func appendVizSocial(b []byte, s *sheet, in *Input) []byte {
	end := textCell(in.Standing.ClosesAt.String())
	b = append(b, '{')
	b = appendMembers(b, []string{"id", "question", "image", "status", "end_time", "timestamp"}, []cell{
		s.poll[0], s.poll[colQuestion], textCell(""), s.poll[2], end, s.poll[13],
	})
	b = append(b, `,"options":[`...)
	for i, o := range s.options {
		if i > 0 {
			b = append(b, ',')
		}
		id := uuid.NewSHA1(namespace, []byte(s.about.id+"/"+o.cells[1].text)).String()
		b = appendObject(b, []string{"uuid", "text", "count", "image"}, []cell{
			textCell(id), o.cells[colLabel], o.cells[colVotes], textCell(plain(imageOf(&in.Poll, o.option))),
		})
	}
	return append(b, "]}"...)
}

func imageOf(p *audience.Poll, i int) string { return p.Options[i].Image }
