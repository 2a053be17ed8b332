// Package x is what the two APIs of X have in common: ids that tell when a post
// was written, texts written as HTML, and gaps in a stream that a search fills.
package x

import (
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// Platform is that of all posts from X.
const Platform = "x"

const (
	// Ids are milliseconds since the epoch, shifted by 22 bits:
	// https://docs.x.com/fundamentals/x-ids
	shift = 22
	epoch = 1288834974657 // in Unix milliseconds
	// rewind is how far before a post a search begins, for posts are not in order
	// of their ids.
	rewind = 10 * time.Second
)

// IDAt is the id that a post of that time has at least.
func IDAt(t time.Time) int64 { return max(0, (t.UnixMilli()-epoch)<<shift) }

// Before is the id that a post would have which was written some time before
// another.
func Before(id int64, d time.Duration) int64 { return max(0, id-d.Milliseconds()<<shift) }

// Rewound is the id from which on a search finds all that came behind a post; 0
// for none.
func Rewound(id int64) int64 { return Before(id, rewind) }

// ID is the post's id that a place says; 0 is none.
func ID(p connect.Place) int64 {
	id, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

func placeOf(id int64) connect.Place {
	if id == 0 {
		return ""
	}
	return connect.Place(strconv.FormatInt(id, 10))
}

// written is how X writes the three signs that HTML would misread, and no others.
var written = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// Text is what somebody wrote, of what X sends.
func Text(s string) string { return written.Replace(s) }

// Middle is the middle of a place in degrees, unless that is so large that it
// says little.
func Middle(west, south, east, north float64) *audience.Coordinates {
	const large = 1.0
	if east-west > large || north-south > large {
		return nil
	}
	return &audience.Coordinates{Lat: (south + north) / 2, Lon: (west + east) / 2}
}
