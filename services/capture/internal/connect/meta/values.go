package meta

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

var errNoID = errors.New("it has no id")

// text is an id, which Meta writes as a string in some places and as a number in
// others.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var n json.Number
	if json.Unmarshal(b, &n) == nil {
		*t = text(n)
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// moment is a time: Unix seconds or milliseconds, as a number or a string of
// digits, or ISO 8601.
type moment audience.Millis

func (m *moment) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(t), 10, 64)
	switch {
	case err == nil && n < 1e11: // seconds until the year 5138
		*m = moment(n * 1000)
	case err == nil:
		*m = moment(n)
	default:
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
			if at, err := time.Parse(layout, string(t)); err == nil {
				*m = moment(audience.MillisOf(at))
			}
		}
	}
	return nil
}

// first is the first text that says something.
func first[T ~string](all ...T) T {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
