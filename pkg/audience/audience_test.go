package audience

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestTimesAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		`"2026-06-01T12:00:00Z"`: "2026-06-01T12:00:00.000Z", `"2026-06-01T12:00:00.1239-03:00"`: "2026-06-01T15:00:00.123Z",
		`"0000-01-01T00:00:00Z"`: "0000-01-01T00:00:00.000Z", `"9999-12-31T23:59:59.999999Z"`: "9999-12-31T23:59:59.999Z", `null`: "",
	} {
		var m Millis
		if err := json.Unmarshal([]byte(text), &m); err != nil || m.String() != want {
			t.Errorf("%s: have %q %v, want %q", text, m, err, want)
		}
	}
	for _, text := range []string{
		`"soon"`, `5`, `"2026-06-01 12:00:00"`, `"9999-12-31T23:59:59-14:00"`, `"0000-01-01T00:00:00+14:00"`,
	} {
		var m Millis
		if err := json.Unmarshal([]byte(text), &m); err == nil {
			t.Errorf("%s: have %s, want an error", text, m)
		}
	}
}

// TestATimeOfAnyYearStaysReadable: what a platform says of a post must not make a
// list that has the post unreadable.
func TestATimeOfAnyYearStaysReadable(t *testing.T) {
	for _, m := range []Millis{math.MinInt64, FirstMoment - 1, FirstMoment, -1, 1, LastMoment, LastMoment + 1, math.MaxInt64} {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("%d: %v", m, err)
		}
		var back Millis
		if err := json.Unmarshal(b, &back); err != nil || m.Written() && back != m || !back.Written() {
			t.Errorf("%d is written %s and read %d: %v", m, b, back, err)
		}
		if at, err := time.Parse(time.RFC3339, m.String()); err != nil || MillisOf(at) != back {
			t.Errorf("%d as text is %s, as JSON %s", m, m, b)
		}
	}
}
