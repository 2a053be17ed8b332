// Package audience is the domain: shows, polls, options, ballots, posts,
// sources, destinations and commands, in the words producers use. It holds data
// and the rules that need nothing else, and imports the standard library only.
//
// JSON names are those of the HTTP contract, so that a definition reads the same
// in a request, in the control log and in the archive.
package audience

import (
	"fmt"
	"time"
)

// Millis is an instant in Unix milliseconds, the resolution of the log. Zero
// means none.
type Millis int64

// MillisOf cuts t to the millisecond.
func MillisOf(t time.Time) Millis {
	if t.IsZero() {
		return 0
	}
	return Millis(t.UnixMilli())
}

// Time is the instant in UTC; the zero Millis is the zero Time.
func (m Millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// TimeLayout is how instants are written: RFC 3339 UTC with milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// FirstMoment and LastMoment are the first and the last instant that RFC 3339 has
// words for: its years have four digits.
const (
	FirstMoment Millis = -62167219200000
	LastMoment  Millis = 253402300799999
)

// Written says whether the instant can be written.
func (m Millis) Written() bool { return m >= FirstMoment && m <= LastMoment }

// MarshalJSON writes RFC 3339 UTC with milliseconds, and null for none (fields
// that may have none are left out by omitzero). What is beyond the years that can
// be written is their first or last instant: platforms lie, and what holds such a
// time must stay readable.
func (m Millis) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return m.bounded().AppendFormat(nil, `"`+TimeLayout+`"`), nil
}

func (m Millis) bounded() time.Time { return min(max(m, FirstMoment), LastMoment).Time() }

// UnmarshalJSON reads any RFC 3339 time that is one in UTC as well.
func (m *Millis) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*m = 0
		return nil
	}
	var t time.Time
	if err := t.UnmarshalJSON(b); err != nil {
		return fmt.Errorf("a time is written as RFC 3339, like %q", TimeLayout)
	}
	at := MillisOf(t)
	if !at.Written() {
		return fmt.Errorf("a time is from the year 0000 to 9999 in UTC, like %q", TimeLayout)
	}
	*m = at
	return nil
}

// String is the instant as the contract writes it; empty for none.
func (m Millis) String() string {
	if m == 0 {
		return ""
	}
	return m.bounded().Format(TimeLayout)
}
