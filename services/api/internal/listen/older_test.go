package listen

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

func TestOlderPostsAreLookedForUntilTheyAreIndexed(t *testing.T) {
	var o older
	at := time.Unix(1_780_000_000, 0)
	p := &Picture{Topic: &control.Topic{Counted: 1}, Generation: 4}
	due := func(after time.Duration) bool { return o.due(p, at.Add(after)) }
	if !due(0) {
		t.Fatal("nothing is known, and nothing is looked for")
	}
	posts := []speed.RecentPost{{ID: "1"}}
	o.found(p, nil, nil, at)
	if due(soonAgain) || !due(soonAgain+1) {
		t.Error("the search engine may have them a second later")
	}
	o.found(p, posts, nil, at.Add(2*time.Second))
	o.found(p, posts, nil, at.Add(settling+time.Second))
	if due(settling+time.Second+lateAgain) || !due(settling+time.Second+lateAgain+1) {
		t.Error("later they are looked for seldom")
	}
	o.found(p, nil, errors.New("away"), at.Add(time.Minute))
	if len(o.posts) != 1 || due(time.Minute+soonAgain) {
		t.Error("while search is away those found before stay, and not every request asks again")
	}
	p.Generation++
	if !due(time.Minute) {
		t.Error("another generation has others")
	}
	p.Topic = &control.Topic{Counted: 2}
	if o.found(p, nil, errors.New("away"), at); len(o.posts) != 0 {
		t.Error("a corrected topic shows what it listened to before")
	}
}

func TestOlderPostsAreBehindTheRecent(t *testing.T) {
	post := func(id string, at audience.Millis, text string) speed.RecentPost {
		return speed.RecentPost{Platform: "x", ID: id, ReceivedAt: at, Text: text}
	}
	recent := &Recent{[]speed.RecentPost{post("3", 30, "whole"), post("2", 20, "whole")}}
	l := &list{Recent: recent, older: older{counted: 1, posts: []speed.RecentPost{post("2", 20, "found"), post("1", 10, "found")}}}
	joined := l.join(recent, 1)
	want := []speed.RecentPost{post("3", 30, "whole"), post("2", 20, "whole"), post("1", 10, "found")}
	if diff := cmp.Diff(want, joined.Posts); diff != "" {
		t.Error(diff)
	}
	if l.join(recent, 1) != joined {
		t.Error("nothing changed, and the list is another")
	}
	if l.join(recent, 2) != recent {
		t.Error("a corrected topic shows what it listened to before")
	}
	if more := (&Recent{recent.Posts}); l.join(more, 1) == joined {
		t.Error("what is read later is not listed")
	}
}

func TestSieveKeepsWhatACorrectedTopicListensTo(t *testing.T) {
	post := func(id, text string) speed.RecentPost {
		raw, err := proto.Marshal(&clamorv1.Post{Id: id, Platform: "x", Show: "show", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return speed.RecentPost{Platform: "x", ID: id, Raw: raw}
	}
	catalog, err := topic.Compile([]topic.Definition{{Topic: audience.Topic{ID: "a", Show: "show", Rule: "snow"}, Revision: 2}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &sieve{listener: topic.NewListener(catalog)}
	large := speed.RecentPost{Platform: "x", ID: "large"} // no record of it is kept
	for range 2 {
		var ids []string
		for _, p := range s.sift([]speed.RecentPost{post("1", "snow"), post("2", "hail"), large, post("3", "Snow!")}) {
			ids = append(ids, p.ID)
		}
		if diff := cmp.Diff([]string{"1", "large", "3"}, ids); diff != "" {
			t.Error(diff)
		}
	}
	if s.sift(nil); len(s.keeps) != 0 {
		t.Error("posts that left the list are remembered")
	}
}
