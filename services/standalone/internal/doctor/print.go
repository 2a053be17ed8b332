package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// consumer is an engine, the formats it reads and the rules that it alone does
// not need.
type consumer struct {
	name    string
	formats []string
	without []string
}

// consumers, from the vendors' manuals. Who polls a server-side connector needs
// no CORS; who has no cache of its own needs no validators.
var consumers = []consumer{
	{"vMix", []string{"json", "xml", "csv", "wide"}, []string{"CORS"}},
	{"Viz Flowics", []string{"json", "csv", "tsv"}, nil},
	{"Viz Engine / Trio", []string{"txt"}, []string{"CORS"}},
	{"Viz Pilot Edge", []string{"atom"}, []string{"CORS"}},
	{"Ross XPression", []string{"rss", "xml", "json"}, []string{"CORS"}},
	{"Chyron", []string{"xml"}, []string{"CORS"}},
	{"GV Vertigo", []string{"json", "xml", "csv"}, []string{"CORS"}},
	{"CasparCG, SPX", []string{"json", "wide", "template"}, nil},
	{"maps (GeoJSON)", []string{"map"}, nil},
	{"OGraf", []string{"wide"}, nil},
	{"Unreal", []string{"json"}, []string{"CORS"}},
	{"OBS, NodeCG", []string{"json", "wide", "nested", "map"}, nil},
}

func (c consumer) minds(f Finding) bool {
	return slices.Contains(c.formats, f.kind) && !slices.Contains(c.without, f.Rule)
}

// Print lists the findings for each engine that reads a format looked at.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%s\nlooked at %s, %d fetches\n\n", r.URL, strings.Join(r.Looked, ", "), r.Fetches)
	for _, c := range consumers {
		if !slices.ContainsFunc(c.formats, func(f string) bool { return slices.Contains(r.kinds, f) }) {
			continue
		}
		var theirs []Finding
		for _, f := range r.Findings {
			if c.minds(f) {
				theirs = append(theirs, f)
			}
		}
		if len(theirs) == 0 {
			fmt.Fprintf(w, "%-18s healthy\n", c.name)
			continue
		}
		fmt.Fprintf(w, "%-18s %d findings\n", c.name, len(theirs))
		for _, f := range theirs {
			fmt.Fprintf(w, "    %-8s %s: %s\n", f.Format, f.Rule, f.Detail)
		}
	}
}
