package post

import (
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/google/go-cmp/cmp"
)

func TestFit(t *testing.T) {
	p := audience.Post{
		ID: "7", Text: "t", Author: audience.Author{Name: strings.Repeat("é", 300)}, Language: strings.Repeat("x", 64),
		ReplyTo: strings.Repeat("y", 257), RepostOf: "6", Links: make([]string, 1000), CreatedAt: -5,
		Coordinates: &audience.Coordinates{Lat: 91}, Media: []string{"", "a\x00", "\xff", strings.Repeat("z", 2049), "m"},
	}
	for i := range p.Links {
		p.Links[i] = "https://a.test/"
	}
	if err := Fit(&p, 99); err != nil {
		t.Fatal(err)
	}
	if len(p.Links) != 100 {
		t.Errorf("%d links", len(p.Links))
	}
	p.Links = nil
	want := audience.Post{
		ID: "7", Text: "t", Author: audience.Author{ID: "7", Name: strings.Repeat("é", 256)}, RepostOf: "6", CreatedAt: 99, Media: []string{"m"},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []audience.Post{
		{Text: "no id"}, {ID: strings.Repeat("i", 257)}, {ID: "7", Text: "\x00"}, {ID: "7", Text: "\xff"}, {ID: "7", Author: audience.Author{ID: "\xff"}},
		{ID: "7", Platform: "a:b"},
	} {
		if err := Fit(&bad, 99); !fault.Is(err, fault.BadJSON) && !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	late := audience.Post{ID: "7", CreatedAt: 1 << 60, Author: audience.Author{ID: "u", CreatedAt: 1 << 60}}
	if err := Fit(&late, 99); err != nil || late.CreatedAt != 99 || late.Author.CreatedAt != 0 {
		t.Error(late.CreatedAt, late.Author.CreatedAt, err)
	}
}
