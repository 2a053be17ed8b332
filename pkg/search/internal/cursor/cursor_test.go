package cursor

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCursorsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Cursor{Order: rapid.ByteMax(1).Draw(t, "order"), ID: rapid.StringN(1, 100, MaxID).Draw(t, "id")}
		if want.Order == Newest {
			want.At = rapid.Int64().Draw(t, "at")
		} else {
			want.Score = rapid.Float64Range(-1e9, math.MaxFloat32).Draw(t, "score")
		}
		got, ok := Parse(want.String())
		if !ok || got != want {
			t.Fatalf("%+v came back as %+v, %v", want, got, ok)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(Cursor{At: 5, ID: "x:1"}.String())
	f.Add(Cursor{Order: Relevance, Score: 1.5, ID: "x:1"}.String())
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := Parse(s); ok && c.String() != s {
			t.Fatalf("%q reads as %+v, which is %q", s, c, c)
		}
	})
}
