package form

import (
	"errors"
	"time"
)

// instant is a time that is checked and dropped: received_at alone decides.
type instant struct{}

func (*instant) UnmarshalJSON(b []byte) error {
	var t time.Time
	if len(b) == 0 || b[0] != '"' || t.UnmarshalJSON(b) != nil {
		return errors.New("must be a time as RFC 3339 writes it")
	}
	return nil
}

// isInstant is the same check for a string without escapes.
func isInstant(text []byte) bool {
	var t time.Time
	return t.UnmarshalText(text) == nil
}
