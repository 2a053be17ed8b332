package feed

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
)

// Entry is one URL of a destination, with the schema of what it answers.
type Entry struct {
	Poll        string `json:"poll,omitempty"`
	Topic       string `json:"topic,omitempty"`
	Format      string `json:"format"`
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
	// Schema is a JSON Schema (2020-12) of the body where that is JSON, else of
	// one row as an object.
	Schema map[string]any `json:"schema"`
	// Example is the body for the poll with made-up figures.
	Example string `json:"example"`
}

// variants are the forms of a feed worth listing beside the plain ones.
var variants = [...]struct {
	query  string
	format Format
	opts   Options
}{
	{"", JSON, Options{}},
	{"", XML, Options{}},
	{"", CSV, Options{}},
	{"", TSV, Options{}},
	{"", TXT, Options{}},
	{"", Atom, Options{}},
	{"", RSS, Options{}},
	{"", PollJSON, Options{}},
	{"?shape=wide", JSON, Options{Wide: true}},
	{"?shape=wide", XML, Options{Wide: true}},
	{"?shape=wide", CSV, Options{Wide: true}},
	{"?preset=vertigo", JSON, Options{Preset: PresetVertigo}},
	{"?preset=viz-social", JSON, Options{Preset: PresetVizSocial}},
	{"?preset=caspar", JSON, Options{Preset: PresetCaspar}},
	{"?preset=caspar", XML, Options{Preset: PresetCaspar}},
	{"?preset=spx", JSON, Options{Preset: PresetSPX}},
}

// Catalog lists the feeds of a destination. base is its address up to and with
// the token, such as "https://host/feeds/TOKEN".
func Catalog(base string, show audience.Show, destination audience.Destination, polls []audience.Poll) []Entry {
	entries := make([]Entry, 0, len(polls)*len(variants))
	for _, poll := range polls {
		if len(poll.Options) == 0 {
			continue
		}
		in := example(show, destination, poll)
		for _, v := range variants {
			body, contentType := Render(in, v.format, v.opts)
			entries = append(entries, Entry{
				Poll: poll.ID, Format: string(v.format) + v.query, ContentType: contentType,
				URL:    base + "/polls/" + poll.ID + "/" + string(v.format) + v.query,
				Schema: newSheet(&in, v.opts).schema(v.format, v.opts, in.aliases(v.format)), Example: string(body),
			})
		}
	}
	return entries
}

// example makes up figures for a poll: the first option leads.
func example(show audience.Show, destination audience.Destination, poll audience.Poll) Input {
	const asOf = 1_767_225_600_000
	n := len(poll.Options)
	r := &tally.Round{Votes: make([]int64, n), Sums: make([]int64, n)}
	speed, ppm := make([]int64, n), make([]int64, n)
	for i := range n {
		r.Votes[i] = int64(1000 * (n - i))
		r.Sums[i] = r.Votes[i] * int64(poll.Limits.ScoreMax)
		r.Voters += r.Votes[i]
		speed[i], ppm[i] = 10, 60
	}
	batch := make([]int64, n)
	for i := range n {
		batch[i] = r.Votes[i] - speed[i]
	}
	return Input{
		Show: show, Poll: poll, Destination: destination,
		Standing: control.Standing{Round: 1, Phase: audience.Open, OpensAt: asOf - 60_000, OnAir: true, Public: true},
		Figures:  tally.Figure(&poll, r), Batch: batch, Speed: speed, PPM: ppm,
		ResultStatus: "provisional", Generation: 1, ReconciledAt: asOf - 30_000, Seq: 1, AsOf: asOf,
	}
}

// schema describes what write writes. It is read off the cells that make the body,
// so it cannot differ from them.
func (s *sheet) schema(format Format, opts Options, aliases map[string]string) map[string]any {
	schema := s.bodySchema(format, opts, aliases)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return schema
}

func (s *sheet) bodySchema(format Format, opts Options, aliases map[string]string) map[string]any {
	switch s.preset(format, opts) {
	case PresetVizSocial:
		return vizSocialSchema()
	case PresetCaspar, PresetSPX:
		return fieldsSchema(s.fields(aliases))
	case PresetVertigo:
		s.vertigo()
	default:
		s.alias(aliases)
	}
	if format == PollJSON {
		return nestedSchema(s.pollNames, s.poll, s.about.rows, s.optionNames, s.options[0].cells)
	}
	return rowsSchema(s, format, opts)
}

// rowsSchema describes the rows of a sheet, or the one row of its wide shape.
func rowsSchema(s *sheet, format Format, opts Options) map[string]any {
	wide := opts.Wide || format == TXT
	cells := append(append([]cell(nil), s.poll...), s.options[0].cells...)
	if !wide {
		row := objectSchema(s.table(false).header, cells)
		if format == JSON {
			return map[string]any{"type": "array", "minItems": 1, "items": row}
		}
		return row
	}
	for range s.slots - 1 {
		cells = append(cells, s.options[0].cells...)
	}
	row := objectSchema(s.table(true).header, cells)
	mayBeEmpty(row, s)
	return row
}

// mayBeEmpty lets the columns of every slot but the first be the empty string.
func mayBeEmpty(row map[string]any, s *sheet) {
	properties := row["properties"].(map[string]any)
	for slot := 2; slot <= s.slots; slot++ {
		for i, column := range s.optionNames {
			if of := typeOf(s.options[0].cells[i]); of != "string" {
				properties[s.wideNames(slot, column)] = map[string]any{"type": []string{of, "string"}}
			}
		}
	}
}

// objectSchema describes a flat object.
func objectSchema(names []string, cells []cell) map[string]any {
	properties := make(map[string]any, len(names))
	for i, name := range names {
		properties[name] = map[string]any{"type": typeOf(cells[i])}
	}
	return map[string]any{"type": "object", "required": names, "properties": properties}
}

func typeOf(c cell) string {
	switch c.kind {
	case whole:
		return "integer"
	case truth:
		return "boolean"
	case places3, places5:
		return "number"
	}
	return "string"
}

// nestedSchema describes an object with a list of objects.
func nestedSchema(names []string, cells []cell, list string, itemNames []string, item []cell) map[string]any {
	schema := objectSchema(names, cells)
	schema["required"] = append(append([]string(nil), names...), list)
	schema["properties"].(map[string]any)[list] = map[string]any{
		"type": "array", "minItems": 1, "items": objectSchema(itemNames, item),
	}
	return schema
}

func vizSocialSchema() map[string]any {
	option := make([]cell, len(vizOptionNames))
	option[2] = wholeCell(0) // count
	return nestedSchema(vizSocialNames[:], make([]cell, len(vizSocialNames)), "options", vizOptionNames[:], option)
}

func fieldsSchema(fields []field) map[string]any {
	t := fieldTable(fields)
	return objectSchema(t.header, t.rows[0])
}
