package connect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlaces(t *testing.T) {
	p := Places{"a": {Place: "x/2/1099511627776"}, "b": {}, "c": {"y", 1790000000, 7, 9}, "d": {Window: 0, Posts: 1}}
	got, err := ParsePlaces(p.String())
	if diff := cmp.Diff(p, got); err != nil || diff != "" {
		t.Error(diff, err)
	}
	if old, err := ParsePlaces(`{"a":"x/0/17"}`); err != nil || old["a"] != (Kept{Place: "x/0/17"}) {
		t.Error(old, err)
	}
	for _, bad := range []string{"{", `{"a":1}`, `{"a":["p","q"]}`, "[]"} {
		if _, err := ParsePlaces(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if got, err := ParsePlaces(""); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestPlacesFitBesideASeat(t *testing.T) {
	p := Places{}
	for n := range 40 {
		p[fmt.Sprint("source", n)] = Kept{Place: Place(strings.Repeat("p", n*5))}
	}
	text, left := p.Fit(2000)
	got, err := ParsePlaces(text)
	if err != nil || len(text) > 2000 || len(got)+len(left) != 40 || len(left) == 0 {
		t.Fatal(len(text), len(got), left, err)
	}
	if _, ok := got["source0"]; !ok || left[0] != "source39" {
		t.Error("the longest are not what is left out")
	}
	if text, left := p.Fit(1 << 20); text != p.String() || left != nil {
		t.Error(left)
	}
}

func FuzzPlaces(f *testing.F) {
	f.Add(`{"a":"x/0/17","b":["y",1790000000,7,9]}`)
	f.Add(`{"a":[1,2],"b":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePlaces(text)
		if err != nil {
			return
		}
		again, err := ParsePlaces(p.String())
		if err != nil || len(again) != len(p) {
			t.Fatalf("%q: %v", p.String(), err)
		}
	})
}
