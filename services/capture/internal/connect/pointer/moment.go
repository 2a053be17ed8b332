package pointer

import (
	"strconv"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Moment is a time as RFC 3339, Unix seconds or Unix milliseconds; zero if it is
// none.
func Moment(v any) audience.Millis {
	text := Text(v)
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return audience.MillisOf(t)
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(n > 0 && n < 1e15):
		return 0
	case n < 1e11: // seconds until the year 5138, milliseconds from 1973 on
		return audience.Millis(n * 1000)
	}
	return audience.Millis(n)
}
