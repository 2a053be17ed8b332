package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// topics: what is listened to, from the door of posts to graphics, and what
// moderators and a show's rules decide about it.
func topics(t *testing.T, c *customer) {
	show := "topics"
	c.post(t, "/v1/shows", object{
		"id": show, "title": "Talk", "timezone": "UTC", "locale": "en", "languages": []string{"en", "pt"},
		"moderation": object{"reject": "spamword", "approve": "from:officialvoice"},
	}).is(t, 201, "")
	key := c.source(t, show, "topics-push", "push", nil)
	say := func(all ...any) {
		t.Helper()
		c.do(t, request{method: http.MethodPost, path: "/v1/sources/topics-push/posts", as: key, body: lines(t, all...)}).report(t, len(all), 0, nil)
	}
	c.post(t, "/v1/topics", object{"id": "topics-goal", "show": show, "title": "Goals", "rule": "goal OR #final"}).is(t, 201, "")
	t.Run("counted", func(t *testing.T) { counted(t, c, say) })
	t.Run("feeds", func(t *testing.T) { topicFeeds(t, c, show) })
	t.Run("presets", func(t *testing.T) { topicPresets(t, c, show) })
	t.Run("moderation", func(t *testing.T) { moderation(t, c, show, say) })
	t.Run("overtaken", func(t *testing.T) { overtaken(t, c, show, say) })
	t.Run("budget", func(t *testing.T) { budget(t, c, show) })
	t.Run("shows", func(t *testing.T) { twoShows(t, c, show, key) })
	t.Run("late", func(t *testing.T) { late(t, c, show, say) })
	t.Run("explained", func(t *testing.T) {
		a := c.post(t, "/v1/rules/explain", object{"topic": "topics-goal", "text": "what a GOAL"}).is(t, 200, "").object(t)
		if a["matches"] != true {
			t.Errorf("%v", a)
		}
		c.post(t, "/v1/topics", object{"show": show, "title": "T", "rule": "goal AND ("}).is(t, 422, "invalid-request").names(t, "/rule")
		c.post(t, "/v1/shows", object{"title": "T", "moderation": object{"reject": "((("}}).is(t, 422, "invalid-request").names(t, "/moderation/reject")
	})
}

func (c *customer) stats(t testing.TB, topic, query string) object {
	t.Helper()
	a := c.get(t, "/v1/topics/"+topic+"/stats"+query)
	if a.status == http.StatusServiceUnavailable {
		return object{"totals": object{}}
	}
	return a.is(t, 200, "").object(t)
}

// heard waits until a topic has so many posts.
func (c *customer) heard(t testing.TB, topic string, n float64) object {
	t.Helper()
	var s object
	c.await(t, fmt.Sprintf("%v posts of %s", n, topic), func() bool {
		s = c.stats(t, topic, "?by=hashtag&compare=previous&step=10m")
		return s["totals"].(object)["posts"] == n
	})
	return s
}

func counted(t *testing.T, c *customer, say func(...any)) {
	say(
		post("g1", "u1", "what a goal tonight, we love it #final"), post("g2", "u2", "terrible goal, I hate this #final"),
		post("g3", "u1", "goal goal goal"), post("other", "u4", "nothing to see"), post("g1", "u1", "what a goal tonight, we love it #final"),
		post("held", "u5", "goal spamword"), with(post("voice", "u6", "the #final begins"), object{"author": object{"id": "u6", "handle": "officialvoice"}}),
	)
	s := c.heard(t, "topics-goal", 4)
	totals := s["totals"].(object)
	if totals["authors"].(object)["authors"] != 3.0 || totals["rejected"] != 1.0 {
		t.Errorf("%v", totals)
	}
	if part := s["parts"].([]any)[0].(object); part["key"] != "final" || part["n"] != 3.0 {
		t.Errorf("%v", part)
	}
	c.get(t, "/v1/topics/topics-goal/trends?window=10m").is(t, 200, "")
	c.get(t, "/v1/topics/topics-goal/map").is(t, 200, "")
	if crowd := c.get(t, "/v1/topics/topics-goal/crowd").is(t, 200, "").object(t); crowd["reason"] != "not-asked" || crowd["hidden"] != true {
		t.Errorf("%v", crowd)
	}
	c.run(t) // the batch view, and what came since: the same
	c.await(t, "the topic is complete", func() bool { return c.stats(t, "topics-goal", "")["complete"] == true })
	say(post("g4", "u7", "another goal"))
	if s := c.heard(t, "topics-goal", 5); s["generation"] == 0.0 {
		t.Errorf("%v", s)
	}
	topic := c.get(t, "/v1/topics/topics-goal")
	c.put(t, "/v1/topics/topics-goal", topic.header.Get("ETag"), with(topic.object(t), object{"title": "The goal", "revision": nil})).is(t, 200, "")
	c.await(t, "the new title", func() bool { // it costs no figure
		s := c.stats(t, "topics-goal", "")
		if s["totals"].(object)["posts"] != 5.0 || s["complete"] != true {
			t.Errorf("another title: %v", s)
		}
		return s["title"] == "The goal" && s["revision"] == 2.0
	})
	for _, query := range []string{"?window=soon", "?by=mood", "?step=1s", "?window=1000h"} {
		c.get(t, "/v1/topics/topics-goal/stats"+query).is(t, 422, "invalid-request")
	}
	c.get(t, "/v1/topics/nope/stats").is(t, 404, "not-found")
	found := c.get(t, "/v1/posts/search?q=tonight&topic=topics-goal").is(t, 200, "")
	items, _ := found.object(t)["items"].([]any)
	if len(items) != 1 || items[0].(object)["post"] != "mastodon:g1" || items[0].(object)["highlights"] == nil {
		t.Errorf("by search: %s", found.body)
	}
}

func topicFeeds(t *testing.T, c *customer, show string) {
	feeds := c.destination(t, show, "topics-onair", "onair", nil)
	list := c.public(t, feeds).is(t, 200, "").object(t)
	listed := 0
	for _, e := range list["feeds"].([]any) {
		entry := e.(object)
		if entry["topic"] != "topics-goal" {
			continue
		}
		listed++
		u, err := url.Parse(entry["url"].(string))
		if err != nil {
			t.Fatal(err)
		}
		a := c.public(t, u.RequestURI()).is(t, 200, "").has(t, "Content-Type", entry["content_type"].(string)).has(t, "Cache-Control", "no-cache")
		c.do(t, request{method: http.MethodGet, path: u.RequestURI(), header: map[string]string{"If-None-Match": a.header.Get("ETag")}}).is(t, 304, "")
	}
	if listed == 0 {
		t.Fatalf("%v", list["topics"])
	}
	base := feeds + "/topics/topics-goal/"
	var rows []object
	if err := json.Unmarshal(c.public(t, base+"feed.json?by=sentiment").is(t, 200, "").body, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 3 || rows[0]["posts"] != 5.0 || rows[0]["topic_id"] != "topics-goal" {
		t.Errorf("%v", rows)
	}
	c.do(t, request{method: http.MethodHead, path: base + "events?plain=1"}).is(t, 200, "").has(t, "Content-Type", "text/event-stream; charset=utf-8")
	c.public(t, base+"overlay").is(t, 200, "")
	c.public(t, "/feeds/nobody/topics/topics-goal/feed.json").is(t, 404, "not-found")
}

// moderation rejects a post that voted: its ballot goes, and comes back.
func moderation(t *testing.T, c *customer, show string, say func(...any)) {
	poll := c.opened(t, show, "topics-poll", object{
		"social": object{}, "options": []object{
			{"id": "a", "label": "Ana", "keywords": []string{"votana"}}, {"id": "b", "label": "Bea", "keywords": []string{"votbea"}},
		},
	})
	c.post(t, "/v1/topics", object{"id": "topics-votes", "show": show, "title": "Votes", "rule": "votana OR votbea"}).is(t, 201, "")
	say(post("v1", "m1", "votana"), post("v2", "m2", "votana"), post("v3", "m3", "votbea"), post("v4", "m4", "votbea spamword"))
	wantVotes(t, c, poll, object{"a": 2, "b": 1}, object{"votes": 3})
	c.heard(t, "topics-votes", 3)
	mod := c.apiToken(t, "moderator", show)
	command := func(id, command, state string) {
		t.Helper()
		a := c.do(t, request{
			method: http.MethodPost, path: "/v1/posts/" + url.PathEscape("mastodon:"+id) + "/commands", as: mod,
			body: object{"command": command, "reason": "because"},
		}).is(t, 200, "").object(t)
		if a["state"] != state {
			t.Errorf("%s %s: %v", command, id, a)
		}
	}
	listed := func(query string) string {
		t.Helper()
		var ids []string
		for _, item := range c.do(t, request{method: http.MethodGet, path: "/v1/topics/topics-votes/posts" + query, as: mod}).is(t, 200, "").object(t)["items"].([]any) {
			ids = append(ids, item.(object)["id"].(string))
		}
		return strings.Join(ids, " ")
	}
	c.await(t, "the posts are listed", func() bool { return strings.Contains(listed(""), "v1") && listed("?state=rejected") == "v4" })
	command("v1", "reject", "rejected")
	if got := listed(""); strings.Contains(got, "v1") {
		t.Errorf("a rejected post is listed: %s", got)
	}
	wantVotes(t, c, poll, object{"a": 1, "b": 1}, object{"votes": 2, "rejected": object{"limit": 0.0, "revoked": 1.0}})
	if r := c.get(t, "/v1/polls/"+poll+"/results").object(t); r["correction"] != true {
		t.Errorf("a total went down without a word: %v", r)
	}
	c.heard(t, "topics-votes", 2)
	command("v1", "reject", "rejected") // again: nothing
	command("v4", "approve", "approved")
	wantVotes(t, c, poll, object{"a": 1, "b": 2}, object{"votes": 3})
	c.heard(t, "topics-votes", 3)
	command("v1", "feature", "featured")
	wantVotes(t, c, poll, object{"a": 2, "b": 2}, object{"votes": 4, "rejected": object{"limit": 0.0, "revoked": 0.0}})
	c.heard(t, "topics-votes", 4)
	c.run(t) // the batch layer agrees
	wantVotes(t, c, poll, object{"a": 2, "b": 2}, object{"votes": 4})
	c.heard(t, "topics-votes", 4)
	if trail := string(c.get(t, "/v1/polls/"+poll+"/audit").body); !strings.Contains(trail, `"post":"mastodon:v1"`) || !strings.Contains(trail, `"reason":"because"`) {
		t.Errorf("%s", trail)
	}
	feeds := c.destination(t, show, "topics-screen", "onair", nil)
	var rows []object
	if err := json.Unmarshal(c.public(t, feeds+"/topics/topics-votes/posts.json").is(t, 200, "").body, &rows); err != nil {
		t.Fatal(err)
	}
	fields := c.fields(t, feeds+"/topics/topics-votes/posts.json?preset=caspar&top=3")
	if len(fields) != 2+3*6 || fields["f0"] != "Votes" || fields["f1"] != "2" || fields["f4"] != "votana" || fields["f5"] != "mastodon" || len(fields["f6"]) != len("21:04") ||
		fields["f10"] != "votbea spamword" || fields["f16"] != "" {
		t.Errorf("%v", fields)
	}
	if len(rows) != 2 || rows[0]["post_id"] != "mastodon:v1" || rows[0]["featured"] != true || rows[1]["post_id"] != "mastodon:v4" {
		t.Errorf("%v", rows)
	}
	observer := c.apiToken(t, "observer", show)
	c.do(t, request{method: http.MethodPost, path: "/v1/posts/mastodon:v1/commands", as: observer, body: object{"command": "reject"}}).is(t, 403, "forbidden")
	c.post(t, "/v1/posts/mastodon:none/commands", object{"command": "reject"}).is(t, 404, "post-not-found")
}

// budget: what a budget has no room for is told apart from what is malformed.
func budget(t *testing.T, c *customer, show string) {
	key := c.source(t, show, "topics-budget", "push", object{"budget": object{"posts": 2, "per": "hour"}})
	body := lines(t, post("b1", "u1", "x"), post("b2", "u2", "x"), post("b3", "u3", "x"), post("b4", "u4", "x"), "{")
	a := c.do(t, request{method: http.MethodPost, path: "/v1/sources/topics-budget/posts", as: key, body: body}).is(t, 200, "").object(t)
	if a["accepted"] != 2.0 || a["rejected"] != 3.0 {
		t.Errorf("%v", a)
	}
	c.await(t, "the source's status", func() bool {
		s, _ := c.get(t, "/v1/sources/topics-budget").object(t)["status"].(object)
		return s["posts"] == 2.0 && s["unsampled"] == 2.0 && s["malformed"] == 1.0
	})
}

// twoShows hear the same posts: both count, find and judge them, each for itself.
func twoShows(t *testing.T, c *customer, show, key string) {
	other := c.show(t, "topics-other")
	keys := map[string]string{show: key, other: c.source(t, other, "topics-other-push", "push", nil)}
	sources := map[string]string{show: "topics-push", other: "topics-other-push"}
	topics := map[string]string{show: "topics-here", other: "topics-there"}
	for _, s := range []string{show, other} {
		c.post(t, "/v1/topics", object{"id": topics[s], "show": s, "title": "T", "rule": "meteor"}).is(t, 201, "")
		body := lines(t, post("m1", "u1", "a meteor over "+s), post("m2", "u2", "what a meteor"))
		c.do(t, request{method: http.MethodPost, path: "/v1/sources/" + sources[s] + "/posts", as: keys[s], body: body}).report(t, 2, 0, nil)
		c.heard(t, topics[s], 2)
	}
	for _, s := range []string{show, other} { // whoever may touch one show only finds that one's
		mod := c.apiToken(t, "moderator", s)
		a := c.do(t, request{method: http.MethodGet, path: "/v1/posts/mastodon:m1", as: mod}).is(t, 200, "").object(t)
		if a["show"] != s || a["text"] != "a meteor over "+s {
			t.Errorf("%v", a)
		}
	}
	c.post(t, "/v1/posts/mastodon:m1/commands?show="+other, object{"command": "reject"}).is(t, 200, "")
	c.heard(t, topics[other], 1)
	c.heard(t, topics[show], 2)
	for s, state := range map[string]string{show: "pending", other: "rejected"} {
		if a := c.get(t, "/v1/posts/mastodon:m1?show="+s).is(t, 200, ""); a.text(t, "state") != state {
			t.Errorf("%s: %s", s, a.body)
		}
	}
	c.get(t, "/v1/posts/mastodon:m1?show=nope").is(t, 404, "post-not-found")
	c.run(t)
	for s, n := range map[string]float64{show: 2, other: 1} {
		c.await(t, "what was found of "+s, func() bool {
			found := c.get(t, "/v1/posts/search?q=meteor&show="+s).is(t, 200, "").object(t)
			items, _ := found["items"].([]any)
			return found["total"] == 2.0 && float64(len(items)) == n
		})
		c.heard(t, topics[s], n)
	}
}

// late: a topic that is made or corrected after its posts has them in its figures
// and in its list, and no others.
func late(t *testing.T, c *customer, show string, say func(...any)) {
	say(post("late-1", "l1", "snow in june"), post("late-2", "l2", "hail in june"), post("late-3", "l3", "snow and hail"))
	listed := func() string {
		t.Helper()
		var ids []string
		for _, item := range c.get(t, "/v1/topics/topics-late/posts").is(t, 200, "").object(t)["items"].([]any) {
			ids = append(ids, item.(object)["id"].(string))
		}
		slices.Sort(ids)
		return strings.Join(ids, " ")
	}
	is := func(rule, ids string, posts float64) {
		t.Helper()
		c.run(t)
		c.await(t, rule+": "+ids, func() bool {
			s := c.stats(t, "topics-late", "")
			return s["complete"] == true && s["totals"].(object)["posts"] == posts && listed() == ids
		})
	}
	made := object{"id": "topics-late", "show": show, "title": "Late", "rule": "snow OR hail"}
	etag := c.post(t, "/v1/topics", made).is(t, 201, "").header.Get("ETag")
	is("made late", "late-1 late-2 late-3", 3)
	say(post("late-4", "l4", "hail again"))
	c.heard(t, "topics-late", 4)
	etag = c.put(t, "/v1/topics/topics-late", etag, with(made, object{"rule": "snow"})).is(t, 200, "").header.Get("ETag")
	is("corrected", "late-1 late-3", 2)
	c.put(t, "/v1/topics/topics-late", etag, with(made, object{"rule": "hail"})).is(t, 200, "")
	is("corrected again", "late-2 late-3 late-4", 3)
	c.post(t, "/v1/posts/mastodon:late-2/commands", object{"command": "reject"}).is(t, 200, "")
	if got := listed(); got != "late-3 late-4" {
		t.Errorf("a rejected post is listed: %s", got)
	}
}

// overtaken: a post that a moderator was shown can be commanded, though a thousand
// others have come since.
func overtaken(t *testing.T, c *customer, show string, say func(...any)) {
	c.post(t, "/v1/topics", object{"id": "topics-many", "show": show, "title": "Many", "rule": "avalanche"}).is(t, 201, "")
	listed := func() string { return string(c.get(t, "/v1/topics/topics-many/posts?limit=500").is(t, 200, "").body) }
	say(post("slow-to-judge", "n0", "the avalanche begins"))
	c.await(t, "the post is listed", func() bool { return strings.Contains(listed(), "slow-to-judge") })
	for batch := range 10 {
		var more []any
		for n := range 100 {
			more = append(more, post(fmt.Sprintf("many-%d-%d", batch, n), fmt.Sprintf("n%d-%d", batch, n), "an avalanche of posts"))
		}
		say(more...)
	}
	c.heard(t, "topics-many", 1001)
	c.await(t, "the list has moved on", func() bool { return !strings.Contains(listed(), "slow-to-judge") })
	c.post(t, "/v1/posts/mastodon:slow-to-judge/commands", object{"command": "reject"}).is(t, 200, "")
	if a := c.get(t, "/v1/posts/mastodon:slow-to-judge").is(t, 200, ""); a.text(t, "state") != "rejected" {
		t.Errorf("%s", a.body)
	}
	c.heard(t, "topics-many", 1000)
}
