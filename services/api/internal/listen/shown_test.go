package listen

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/speed"
)

var shows = []string{"show"}

func seenPost(n int, text string) speed.RecentPost {
	return speed.RecentPost{Show: "show", Platform: "x", ID: fmt.Sprint(n), Text: text, Raw: []byte(text)}
}

func TestPostsThatWereShownAreFoundForAWhile(t *testing.T) {
	var s shown
	at := func(minute int) time.Time {
		return time.Unix(1_780_000_000, 0).Add(time.Duration(minute) * time.Minute)
	}
	note := func(minute int, posts ...speed.RecentPost) { s.note(posts, at(minute), 10*time.Minute, 1<<20) }
	note(0, seenPost(1, "first"), seenPost(2, "second"))
	note(8, seenPost(2, "told otherwise"))
	note(11, seenPost(3, "third"))
	if s.find(shows, "x:1") != nil {
		t.Error("found after its time")
	}
	if p := s.find(shows, "x:2"); p == nil || p.Text != "second" || string(p.Raw) != "second" {
		t.Errorf("%+v, want the post as it was first shown", p)
	}
	if p := s.find(shows, "x:3"); p == nil || s.find(shows, "y:3") != nil {
		t.Errorf("%+v", p)
	}
	other := seenPost(3, "heard by another show")
	other.Show = "other"
	note(12, other)
	if a, b := s.find(shows, "x:3"), s.find([]string{"none", "other"}, "x:3"); a == nil || b == nil || a.Text == b.Text {
		t.Errorf("%+v %+v", a, b)
	}
	note(30)
	if len(s.byKey) != 0 || s.order.Len() != 0 || s.bytes != 0 {
		t.Errorf("%d posts and %d bytes are held of nothing", len(s.byKey), s.bytes)
	}
}

func TestShownPostsAreBounded(t *testing.T) {
	const room = 64 << 10
	var s shown
	now := time.Unix(1_780_000_000, 0)
	text := strings.Repeat("goal ", 200)
	for n := range 1000 {
		s.note([]speed.RecentPost{seenPost(n, text)}, now, time.Hour, room)
		if s.bytes > room || len(s.byKey) != s.order.Len() {
			t.Fatalf("%d bytes of %d, %d and %d posts", s.bytes, room, len(s.byKey), s.order.Len())
		}
	}
	if s.find(shows, "x:999") == nil || s.find(shows, "x:980") == nil || s.find(shows, "x:0") != nil {
		t.Error("the latest are to be kept")
	}
	s.note([]speed.RecentPost{seenPost(1001, strings.Repeat("x", room))}, now, time.Hour, room)
	if s.order.Len() != 0 || s.bytes != 0 {
		t.Errorf("%d posts beside one that is too large", s.order.Len())
	}
	for n := range maxShown + 10 {
		s.note([]speed.RecentPost{{Show: "show", Platform: "x", ID: fmt.Sprint(n)}}, now, time.Hour, 1<<30)
	}
	if s.order.Len() != maxShown || s.find(shows, "x:9") != nil || s.find(shows, "x:10") == nil {
		t.Errorf("%d posts, %d at most", s.order.Len(), maxShown)
	}
}
