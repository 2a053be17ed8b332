package x

import (
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/google/go-cmp/cmp"
)

func TestIDs(t *testing.T) {
	// A post of X's documentation, which was written at 2018-10-10T20:19:24Z.
	const id = 1050118621198921728
	at := time.Date(2018, 10, 10, 20, 19, 24, 0, time.UTC)
	if lower, upper := IDAt(at), IDAt(at.Add(time.Second)); id < lower || id >= upper {
		t.Errorf("%d is not in [%d, %d)", int64(id), lower, upper)
	}
	if got := Before(id, 10*time.Second); id-got != 10_000<<22 || Before(5, time.Hour) != 0 || IDAt(time.Unix(0, 0)) != 0 {
		t.Error(got)
	}
	for place, want := range map[connect.Place]int64{"7": 7, "": 0, "-7": 0, "~?/": 0, "99999999999999999999": 0} {
		if got := ID(place); got != want {
			t.Errorf("%q is %d", place, got)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{"a &amp; b": "a & b", "&lt;3 &gt;": "<3 >", "&amp;lt;": "&lt;", "&quot;&copy;": "&quot;&copy;", "": ""} {
		if got := Text(text); got != want {
			t.Errorf("%q reads %q", text, got)
		}
	}
}

func TestMiddle(t *testing.T) {
	if diff := cmp.Diff(&audience.Coordinates{Lat: 40.25, Lon: -73.75}, Middle(-74, 40, -73.5, 40.5)); diff != "" {
		t.Error(diff)
	}
	if Middle(-74, -34, -34, 5) != nil {
		t.Error("a country is a point")
	}
}
