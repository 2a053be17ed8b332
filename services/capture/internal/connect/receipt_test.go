package connect

import (
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/google/go-cmp/cmp"
)

func TestAReceiptTakesBack(t *testing.T) {
	var r Receipt
	for _, id := range []string{"1", "2", "1"} {
		r.Add(audience.Post{ID: id, Platform: "p", Text: "t"}, 1)
	}
	r.Add(audience.Post{ID: "1", Platform: "q", Text: "t"}, 1)
	r.TakeBack("p", "1")
	r.TakeBack("p", "3")
	r.TakeBack("p", "")
	var left []string
	for _, p := range r.Posts {
		left = append(left, NameOf(p.Platform, p.ID))
	}
	if diff := cmp.Diff([]string{"p:2", "q:1"}, left); diff != "" || r.Malformed != 1 || r.First == nil {
		t.Error(diff, r.Malformed)
	}
	if diff := cmp.Diff([]string{"p:1", "p:3"}, r.Gone); diff != "" {
		t.Error(diff)
	}
	for range 2 * MaxMessages {
		r.TakeBack("p", "4")
	}
	if len(r.Gone) != MaxMessages {
		t.Error(len(r.Gone))
	}
}
