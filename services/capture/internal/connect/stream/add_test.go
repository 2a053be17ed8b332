package stream

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestAdd(t *testing.T) {
	var b connect.Batch
	now := time.UnixMilli(99)
	Add(&b, &audience.Post{ID: "7", Author: audience.Author{ID: "u", Name: "\xff"}, Text: "a\x00b\xff", CreatedAt: 1}, now)
	Add(&b, &audience.Post{ID: "8", Author: audience.Author{ID: "u"}, Text: strings.Repeat("é", 1<<16), CreatedAt: 1 << 45}, now)
	Add(&b, &audience.Post{ID: "\x00", Author: audience.Author{ID: "u"}}, now)
	want := connect.Batch{Posts: []audience.Post{
		{ID: "7", Author: audience.Author{ID: "u", Name: "\uFFFD"}, Text: "ab\uFFFD", CreatedAt: 1},
		{ID: "8", Author: audience.Author{ID: "u"}, Text: strings.Repeat("é", 1<<15), CreatedAt: 1 << 45},
	}, Malformed: 1, First: b.First}
	if diff := cmp.Diff(want, b, cmpopts.EquateErrors()); diff != "" || b.First == nil {
		t.Error(b.First, diff)
	}
}

func TestTakeBack(t *testing.T) {
	var b connect.Batch
	for _, id := range []string{"1", "2"} {
		Add(&b, &audience.Post{ID: id, Platform: "x", Author: audience.Author{ID: "u"}}, time.UnixMilli(99))
	}
	TakeBack(&b, "y", "1")
	TakeBack(&b, "x", "2", "", "3")
	TakeBack(&b, "x")
	if diff := cmp.Diff([]string{"y:1", "x:2", "x:3"}, b.Gone); diff != "" || len(b.Posts) != 1 || b.Posts[0].ID != "1" {
		t.Error(diff, b.Posts)
	}
}

// TestOnlyIdsAreRefused: whatever a stranger writes, a post with a short id and
// author is taken.
func TestOnlyIdsAreRefused(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := func(label string) string {
			return strings.Repeat(string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, label)), rapid.SampledFrom([]int{1, 1, 30, 3000}).Draw(rt, "times"))
		}
		p := audience.Post{ID: "7", Author: audience.Author{ID: "u", Name: text("name"), Handle: text("handle"), Location: text("location")},
			Text: text("text"), Language: text("language"), ReplyTo: text("reply"), RepostOf: text("repost"), Links: []string{text("link")}}
		var b connect.Batch
		Add(&b, &p, time.UnixMilli(rapid.Int64Range(0, 1<<45).Draw(rt, "now")))
		if len(b.Posts) != 1 || len(b.Posts[0].Text) > maxText || !utf8.ValidString(b.Posts[0].Text) {
			rt.Fatalf("%v: %+v", b.First, p)
		}
	})
}
