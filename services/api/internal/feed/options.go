package feed

import (
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// The presets that are made here. Those that are not known are no error: the
// plain feed is what most engines want.
const (
	PresetVertigo   = "vertigo"
	PresetVizSocial = "viz-social"
	PresetCaspar    = "caspar"
	PresetSPX       = "spx"
)

// What sort can be.
const (
	SortSlot  = "slot"
	SortRank  = "rank"
	SortLabel = "label"
	SortVotes = "votes"
	SortPPM   = "ppm"
)

// MaxSlots bounds a wide feed.
const MaxSlots = 100

const maxPrefix = 64

// Options are what a consumer asks for. The zero value is the plain feed.
type Options struct {
	Wide   bool
	Sort   string // slot, rank, label, votes or ppm; "": slot
	Dir    string // asc or desc; "": as the sort has it
	Top    int    // 0: all
	Slots  int    // wide: how many options wide; 0: as the destination has it
	Locale string // "": as the destination or the show has it
	Preset string // vertigo, viz-social, caspar, spx or ""
	Prefix string // txt: stands before every key
}

// Parse reads the query of a feed. Parameters that are unknown or make no sense
// are ignored.
func Parse(query url.Values) Options {
	o := Options{
		Wide:   query.Get("shape") == "wide",
		Sort:   oneOf(query.Get("sort"), SortSlot, SortRank, SortLabel, SortVotes, SortPPM),
		Dir:    oneOf(query.Get("dir"), "asc", "desc"),
		Top:    positive(query.Get("top"), 1<<30),
		Slots:  positive(query.Get("slots"), MaxSlots),
		Preset: oneOf(query.Get("preset"), PresetVertigo, PresetVizSocial, PresetCaspar, PresetSPX),
	}
	if locale := query.Get("locale"); locale != "" {
		if _, err := language.Parse(locale); err == nil {
			o.Locale = locale
		}
	}
	// A bar in it would divide the lines at the wrong place.
	if prefix := query.Get("prefix"); len(prefix) <= maxPrefix && !strings.Contains(prefix, "|") {
		o.Prefix = plain(prefix)
	}
	return o
}

func oneOf(v string, allowed ...string) string {
	for _, a := range allowed {
		if v == a {
			return v
		}
	}
	return ""
}

func positive(s string, most int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0
	}
	return n
}
