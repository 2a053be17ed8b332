package feed

import "net/url"

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
func Parse(query url.Values) Options { return Options{} }
