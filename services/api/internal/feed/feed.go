// Package feed renders a poll for graphics engines. It is pure: everything that
// shows stands in Input, and the same Input gives the same bytes.
//
// For whoever serves the bytes:
//
//   - Fill Input from the definition of the round in force
//     (control.Poll.DefinitionAt), its standing, the merged round through
//     tally.Figure, and the destination. Figures are given as they are; Render
//     itself zeroes them for an audience that may not see them.
//   - Seq and AsOf are those of the last change of what this destination sees:
//     keep Fingerprint of the last Input, and take a new Seq only when it
//     differs. Hidden figures do not move it, so nothing leaks through it.
//   - ParseFormat reads the last element of the path, Parse the query. Neither
//     fails on air: what makes no sense is ignored.
//   - The ETag is the hash of the body.
//
// The one trick: a poll is first laid out as cells (columns), and every format
// is a way of writing cells, so that a column is the same in all of them.
package feed

import (
	"crypto/sha256"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
)

// Input is everything a feed shows.
type Input struct {
	Show audience.Show
	// Poll is the definition of the round that is shown.
	Poll        audience.Poll
	Standing    control.Standing
	Destination audience.Destination
	// Figures are the merged ones, by slot of the definition; Batch and Speed are
	// the votes that come from each view, and PPM the ballots of the last full
	// minute, also by slot. Short slices are read as ending in zeros.
	Figures           tally.Figures
	Batch, Speed, PPM []int64
	// ResultStatus is provisional, reconciled or verified.
	ResultStatus string
	Generation   uint64
	ReconciledAt audience.Millis
	Stale        bool
	// AgeMillis is how old a stale answer is; it is not shown otherwise.
	AgeMillis int64
	Seq       uint64
	AsOf      audience.Millis
}

// Format is a way to write a feed, by the last element of its path.
type Format string

const (
	JSON Format = "feed.json"
	XML  Format = "feed.xml"
	CSV  Format = "feed.csv"
	TSV  Format = "feed.tsv"
	TXT  Format = "feed.txt"
	Atom Format = "feed.atom"
	RSS  Format = "feed.rss"
	// PollJSON is the nested form; events carry it too.
	PollJSON Format = "poll.json"
)

// Formats lists every format.
func Formats() []Format { return []Format{JSON, XML, CSV, TSV, TXT, Atom, RSS, PollJSON} }

// ParseFormat reads the last element of a path.
func ParseFormat(name string) (Format, bool) {
	for _, f := range Formats() {
		if name == string(f) {
			return f, true
		}
	}
	return "", false
}

// Render writes the feed and names its content type.
func Render(in Input, format Format, opts Options) (body []byte, contentType string) {
	return newSheet(&in, opts).write(format, opts, in.aliases(format))
}

// aliases are the destination's; the nested form has none.
func (in *Input) aliases(format Format) map[string]string {
	if format == PollJSON {
		return nil
	}
	return in.Destination.Aliases
}

func (s *sheet) render(format Format, opts Options) ([]byte, string) {
	switch format {
	case PollJSON:
		return nested(s), typeJSON
	case TXT:
		t := s.table(true)
		return appendPairs(t.room(), t, opts.Prefix), typeTXT
	case Atom:
		return appendAtom(nil, s, opts), typeAtom
	case RSS:
		return appendRSS(nil, s), typeRSS
	}
	t := s.table(opts.Wide)
	switch format {
	case XML:
		return appendXML(t.room(), t), typeXML
	case CSV:
		return appendSeparated(t.room(), t, ','), typeCSV
	case TSV:
		return appendSeparated(t.room(), t, '\t'), typeTSV
	}
	if opts.Wide {
		return appendObject(t.room(), t.header, t.rows[0]), typeJSON
	}
	return appendArray(t.room(), t), typeJSON
}

const (
	typeJSON = "application/json; charset=utf-8"
	typeXML  = "application/xml; charset=utf-8"
	typeCSV  = "text/csv; charset=utf-8"
	typeTSV  = "text/tab-separated-values; charset=utf-8"
	typeTXT  = "text/plain; charset=utf-8"
	typeAtom = "application/atom+xml; charset=utf-8"
	typeRSS  = "application/rss+xml; charset=utf-8"
)

// Fingerprint stands for all that the destination sees but Seq, AsOf and
// AgeMillis: as long as it is the same, nothing has changed.
func Fingerprint(in Input) [32]byte {
	in.Seq, in.AsOf, in.AgeMillis = 0, 0, 0
	return sha256.Sum256(nested(newSheet(&in, Options{})))
}
