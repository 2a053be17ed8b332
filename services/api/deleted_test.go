package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/control"
)

// TestAPostThatItsPlatformDeleted is on no list and in no feed from the moment
// that the log knows it, and no moderator brings it back.
func TestAPostThatItsPlatformDeleted(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	first := r.say("1", author(1), "goal one")
	r.skew.Add(int64(time.Second))
	second := r.say("2", author(2), "goal two")
	r.until("/v1/topics/goal/stats", posts(2))
	feed := "/feeds/" + r.feed(nil) + "/topics/goal/posts.json"
	command := "/v1/posts/" + url.PathEscape(first) + "/commands"
	for _, key := range []string{first, second} {
		r.post("/v1/posts/"+url.PathEscape(key)+"/commands", map[string]any{"command": "approve"}).is(200, "")
	}
	r.until(feed, func(a answer) bool { return strings.Contains(string(a.body), "goal one") })

	e := control.Event{Actor: "source:sky", Kind: control.KindPostCommand, Subject: first}
	if err := e.Put(control.PostCommand{Command: control.PostReject, Reason: control.ReasonDeleted, Show: "final", Deleted: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.control.Submit(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/v1/topics/goal/posts").is(200, ""); strings.Contains(string(a.body), "goal one") {
		t.Errorf("%s", a.body)
	}
	r.until(feed, func(a answer) bool {
		return !strings.Contains(string(a.body), "goal one") && strings.Contains(string(a.body), "goal two")
	})
	a := r.get("/v1/posts/"+url.PathEscape(first)).is(200, "")
	if a.text("state") != "rejected" || a.text("decision.by") != "platform" || a.text("decision.actor") != "source:sky" || a.text("decision.reason") != control.ReasonDeleted {
		t.Errorf("%s", a.body)
	}
	r.post(command, map[string]any{"command": "approve"}).is(404, "post-not-found")
	r.post(command, map[string]any{"command": "feature"}).is(404, "post-not-found")
	r.post(command, map[string]any{"command": "reject"}).is(200, "")
}
