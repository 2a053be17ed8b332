package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/services/api"
)

func TestStatsOfATopic(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal OR #final", nil)
	for i := range 6 {
		r.say(fmt.Sprint(i), author(i%3), "what a goal tonight, we are so happy about it #final")
	}
	r.say("other", author(9), "nothing to do with it")
	a := r.until("/v1/topics/goal/stats", posts(6))
	if a.number("totals.authors.authors") != 3 || a.number("minutes") != 30 || a.text("topic") != "goal" || a.text("title") != "Talk of goal" {
		t.Fatalf("%s", a.body)
	}
	if a.at("complete") != false || a.number("generation") != 0 || a.at("stale") != false {
		t.Fatalf("before the first batch run nothing says that it is all: %s", a.body)
	}
	r.get("/v1/topics/goal/stats", header("If-None-Match", a.header.Get("ETag"))).is(304, "")
	by := r.get("/v1/topics/goal/stats?by=hashtag&step=10m&window=30m").is(200, "")
	if by.text("parts.0.key") != "final" || by.text("parts.0.label") != "#final" || by.number("parts.0.n") != 6 || by.number("series.2.posts") != 6 || by.number("series.2.parts.0") != 6 || by.number("series.0.posts") != 0 {
		t.Fatalf("%s", by.body)
	}
	if l := r.get("/v1/topics/goal/stats?by=language").is(200, ""); l.text("parts.0.label") != "English" || l.number("parts.0.pct") != 100 {
		t.Fatalf("%s", l.body)
	}
	for _, by := range []string{"country", "region", "sentiment", "platform", "word", "link", "author", "media"} {
		r.get("/v1/topics/goal/stats?by="+by).is(200, "")
	}
}

// TestASeriesSharesOutAllThatItsPartsHave, though a hashtag is spelt otherwise in
// another minute, and two authors have one name.
func TestASeriesSharesOutAllThatItsPartsHave(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	named := func(name string) func(*clamorv1.Post) {
		return func(p *clamorv1.Post) { p.Author.Handle, p.Author.Name = "", name }
	}
	for minute, tag := range []string{"#Final", "#final", "#FINAL"} {
		for i := range 4 {
			id := fmt.Sprint(minute, "-", i)
			r.say(id, author(i), "goal "+tag, named([]string{"Maria", "Maria", "Ana", ""}[i]))
		}
		r.skew.Add(int64(time.Minute))
	}
	r.until("/v1/topics/goal/stats", posts(12))
	for by, keys := range map[string][]string{"hashtag": nil, "author": {"Ana", "Maria", "Maria", author(3)}} {
		a := r.get("/v1/topics/goal/stats?step=1m&by="+by).is(200, "")
		var got []string
		for i := range a.at("parts").([]any) {
			sum := int64(0)
			for step := range a.at("series").([]any) {
				sum += a.number(fmt.Sprintf("series.%d.parts.%d", step, i))
			}
			if n := a.number(fmt.Sprintf("parts.%d.n", i)); n != sum {
				t.Errorf("by %s: part %d has %d posts, its series %d", by, i, n, sum)
			}
			got = append(got, a.text(fmt.Sprintf("parts.%d.key", i)))
		}
		slices.Sort(got)
		if diff := cmp.Diff(keys, got); keys != nil && diff != "" {
			t.Error(diff)
		}
	}
}

// TestBothViewsOfATopic goes over a batch run and a second one: no post is lost
// or counted twice, and the figures say where they come from.
func TestBothViewsOfATopic(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	for i := range 5 {
		r.say(fmt.Sprint("a", i), author(i), "goal")
	}
	r.until("/v1/topics/goal/stats", posts(5))
	for run := range 3 {
		r.run()
		r.skew.Add(int64(90 * time.Second))
		for i := range 4 {
			r.say(fmt.Sprint("b", run, "-", i), author(i), "goal")
		}
		want := int64(5 + 4*(run+1))
		a := r.until("/v1/topics/goal/stats", func(a answer) bool { return posts(want)(a) && a.number("generation") == int64(run+1) })
		if a.at("complete") != true || a.number("totals.authors.authors") != 5 {
			t.Fatalf("%s", a.body)
		}
	}
	c := r.get("/v1/topics/goal/stats?window=3m&compare=previous").is(200, "")
	if c.number("totals.posts")+c.number("compare.posts.before") != 17 {
		t.Fatalf("%s", c.body)
	}
}

func TestAChangedRuleIsCountedAnew(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	r.say("1", author(1), "goal")
	r.until("/v1/topics/goal/stats", posts(1))
	r.do(http.MethodPut, "/v1/topics/goal", map[string]any{"show": "final", "title": "T", "rule": "save"}, header("If-Match", `"1"`)).is(200, "")
	a := r.until("/v1/topics/goal/stats", posts(0))
	if a.number("revision") != 2 || a.at("complete") != false {
		t.Fatalf("%s", a.body)
	}
	r.say("2", author(1), "what a save")
	r.until("/v1/topics/goal/stats", posts(1))
}

func TestTopicsWithoutAStore(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	r.say("1", author(1), "goal")
	before := r.until("/v1/topics/goal/stats", posts(1))
	r.hearing.fails(errors.New("down"))
	a := r.until("/v1/topics/goal/stats", func(a answer) bool { return a.at("stale") == true })
	if a.number("totals.posts") != 1 || a.number("seq") <= before.number("seq") {
		t.Fatalf("the last good figures, marked: %s", a.body)
	}
	r.get("/v1/topics/goal/trends").is(200, "")
	r.hearing.fails(nil)
	r.say("2", author(1), "goal")
	r.until("/v1/topics/goal/stats", func(a answer) bool { return posts(2)(a) && a.at("stale") == false })
}

func TestReadsOfTopicsCostTheStoresNothing(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.TopicRefresh = time.Hour })
	r.about("goal", "goal", nil)
	r.say("1", author(1), "goal")
	r.until("/v1/topics/goal/stats", func(a answer) bool { return a.status == 200 })
	r.get("/v1/topics/goal/posts").is(200, "")
	r.hearing.mu.Lock()
	reads, lists := r.hearing.reads, r.hearing.lists
	r.hearing.mu.Unlock()
	for range 50 {
		r.get("/v1/topics/goal/stats?by=word&step=1m").is(200, "")
		r.get("/v1/topics/goal/trends").is(200, "")
		r.get("/v1/topics/goal/map").is(200, "")
		r.get("/v1/topics/goal/posts").is(200, "")
	}
	r.hearing.mu.Lock()
	defer r.hearing.mu.Unlock()
	if r.hearing.reads != reads || r.hearing.lists != lists {
		t.Fatalf("%d reads and %d lists for answers that are held", r.hearing.reads-reads, r.hearing.lists-lists)
	}
}

func TestWhatCannotBeAskedOfATopic(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	r.until("/v1/topics/goal/stats", posts(0))
	for _, query := range []string{
		"window=soon", "window=90s", "window=0m", "window=300h", "step=1s", "by=mood", "compare=next", "top=0", "top=1000", "from=yesterday",
		"from=2020-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z&to=2019-01-01T00:00:00Z", "to=1970-01-01T00:10:00Z", "window=120h&compare=previous", "window=-5m",
	} {
		if a := r.get("/v1/topics/goal/stats?"+query).is(422, "invalid-request"); a.text("detail") == "" {
			t.Errorf("%s: %s", query, a.body)
		}
	}
	r.get("/v1/topics/none/stats").is(404, "not-found")
}

func TestTrends(t *testing.T) {
	r := newRig(t)
	r.about("goal", "lang:en OR NOT nothing", nil)
	for i := range 20 {
		r.say(fmt.Sprint(i), author(i), "the penalty was unbelievable #final")
	}
	a := r.until("/v1/topics/goal/trends?window=10m", func(a answer) bool {
		return a.status == 200 && len(a.at("themes").([]any)) > 0 && a.number("themes.0.n") == 20
	})
	if a.text("hashtags.0.key") != "final" || a.at("themes.0.weight") != 1.0 {
		t.Fatalf("%s", a.body)
	}
	if strings.Contains(string(a.body), `"the"`) {
		t.Fatalf("words that every sentence has: %s", a.body)
	}
}

func TestMap(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	from := func(place string) func(*clamorv1.Post) {
		return func(p *clamorv1.Post) { p.Author.Location = place }
	}
	r.say("1", author(1), "goal", from("São Paulo, Brasil"))
	r.say("2", author(2), "goal", from("Brasil"))
	r.say("3", author(3), "goal", from("mi casa"))
	a := r.until("/v1/topics/goal/map", func(a answer) bool {
		return a.status == 200 && len(a.at("features").([]any)) > 1 && a.number("unknown") == 1
	})
	if a.text("type") != "FeatureCollection" || a.text("features.0.id") != "BR" || a.number("features.0.properties.posts") != 2 || a.number("unknown") != 1 {
		t.Fatalf("%s", a.body)
	}
	if lon := a.at("features.0.geometry.coordinates.0").(float64); lon > -34 || lon < -75 {
		t.Fatalf("Brazil lies at longitude %v", lon)
	}
}

func TestCrowdOnlyWhereItIsAsked(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	r.about("crowd", "goal", map[string]any{"crowd": true})
	r.say("1", author(1), "goal")
	r.until("/v1/topics/crowd/stats", posts(1))
	if a := r.get("/v1/topics/goal/crowd").is(200, ""); a.text("reason") != "not-asked" || a.at("hidden") != true || a.at("gender") != nil {
		t.Fatalf("%s", a.body)
	}
	if a := r.get("/v1/topics/crowd/crowd").is(200, ""); a.text("reason") != "too-few-authors" || a.at("hidden") != true || a.at("gender") != nil {
		t.Fatalf("%s", a.body)
	}
	for i := range 700 {
		name := [...]string{"Maria", "João", "Ana", "Pedro"}[i%4]
		r.say(fmt.Sprint("c", i), author(100+i), "goal", func(p *clamorv1.Post) { p.Author.Name = name })
	}
	a := r.until("/v1/topics/crowd/crowd", func(a answer) bool { return a.at("hidden") == false })
	if share := a.at("gender.0.share").(float64); share < 0.4 || share > 0.6 {
		t.Fatalf("%s", a.body)
	}
	if a.at("gender.0.low").(float64) >= a.at("gender.0.share").(float64) {
		t.Fatalf("no interval: %s", a.body)
	}
}

func TestModeratingPosts(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	r.stage("p7", nil)
	r.token("mod", audience.RoleModerator, "", "ca_mod")
	first := r.say("1", author(1), "goal one", func(p *clamorv1.Post) {
		p.Votes = []*clamorv1.Vote{{Poll: "p7", Round: 1, Voter: make([]byte, 16), Ballot: make([]byte, 16), Slots: []uint32{2}}}
	})
	r.skew.Add(int64(time.Second))
	second := r.say("2", author(2), "goal two")
	r.skew.Add(int64(time.Second))
	r.say("at://did:plc:x/y", author(3), "goal three", func(p *clamorv1.Post) { p.Decision = control.PostReject })
	r.until("/v1/topics/goal/stats", posts(2))
	ids := func(query string) []string {
		t.Helper()
		var out []string
		a := r.get("/v1/topics/goal/posts"+query, as("ca_mod")).is(200, "")
		for i := range a.at("items").([]any) {
			out = append(out, a.text(fmt.Sprintf("items.%d.post", i)))
		}
		return out
	}
	same := func(query string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, ids(query)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	same("", second, first)
	same("?state=pending", second, first)
	same("?state=rejected", "x:at://did:plc:x/y")

	command := "/v1/posts/" + url.PathEscape(first) + "/commands"
	r.post(command, map[string]any{"command": "reject", "reason": "spam"}, as("ca_mod")).is(200, "")
	same("", second) // at once
	same("?state=rejected", "x:at://did:plc:x/y", first)
	a := r.get("/v1/posts/"+url.PathEscape(first)).is(200, "")
	if a.text("state") != "rejected" || a.text("decision.actor") != "mod (mod)" || a.text("decision.reason") != "spam" || a.text("votes.0.options.0") != "b" {
		t.Fatalf("%s", a.body)
	}
	if strings.Contains(string(a.body), "voter") || strings.Contains(string(a.body), "ballot") {
		t.Fatalf("a ballot beside a name: %s", a.body)
	}
	d, _ := r.control.State().Post("final", first)
	if post, err := d.Captured(); err != nil || len(post.GetVotes()) != 1 || d.Show != "final" || len(d.Topics) != 1 {
		t.Fatalf("%v %v %+v", post, err, d)
	}
	if trail := r.get("/v1/polls/p7/audit"); !strings.Contains(string(trail.body), `"post":"x:1"`) || !strings.Contains(string(trail.body), `"verdict":"rejected"`) {
		t.Fatalf("%s", trail.body)
	}
	r.post("/v1/posts/"+url.PathEscape("x:at://did:plc:x/y")+"/commands", map[string]any{"command": "feature"}).is(200, "")
	same("?state=featured", "x:at://did:plc:x/y")
	r.post(command, map[string]any{"command": "approve"}).is(200, "")
	same("?state=approved", first)

	r.post(command, map[string]any{"command": "like"}).is(422, "invalid-request")
	r.post(command, map[string]any{"command": "reject", "who": "me"}).is(422, "invalid-request")
	r.post("/v1/posts/x:none/commands", map[string]any{"command": "reject"}).is(404, "post-not-found")
	r.get("/v1/posts/nothing").is(404, "post-not-found")
	r.get("/v1/topics/goal/posts?state=liked").is(422, "invalid-request")
	r.get("/v1/topics/goal/posts?after=zzz").is(422, "invalid-request")
	r.post("/v1/shows", map[string]any{"id": "other", "title": "Another"}).is(201, "")
	r.token("guest", audience.RoleAdmin, "other", "ca_guest")
	r.post(command, map[string]any{"command": "reject"}, as("ca_guest")).is(404, "post-not-found")
	r.get("/v1/topics/goal/posts", as("ca_guest")).is(404, "not-found")
}

// TestAPostThatWasShownCanBeCommanded: it is overtaken by others before the
// moderator has read it, and no batch run has indexed it.
func TestAPostThatWasShownCanBeCommanded(t *testing.T) {
	for name, look := range map[string]func(r *rig, key string) answer{
		"in the list": func(r *rig, _ string) answer { return r.get("/v1/topics/goal/posts") },
		"in a feed": func(r *rig, _ string) answer {
			return r.get("/feeds/" + r.feed(map[string]any{"audience": "producer"}) + "/topics/goal/posts.json")
		},
		"by itself": func(r *rig, key string) answer { return r.get("/v1/posts/" + url.PathEscape(key)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.about("goal", "goal", nil)
			r.stage("p7", nil)
			key := r.say("first", author(1), "goal of the night", func(p *clamorv1.Post) {
				p.Votes = []*clamorv1.Vote{{Poll: "p7", Round: 1, Voter: make([]byte, 16), Ballot: make([]byte, 16), Slots: []uint32{2}}}
			})
			never := r.say("never", author(2), "goal that nobody looks at")
			r.until("/v1/topics/goal/stats", posts(2))
			if a := look(r, key).is(200, ""); !strings.Contains(string(a.body), "goal of the night") {
				t.Fatalf("%s", a.body)
			}
			r.skew.Add(int64(time.Second))
			for n := range 5 * speed.RecentMax {
				r.say(fmt.Sprint("more", n), author(3+n), "goal goal goal")
			}
			r.until("/v1/topics/goal/posts?limit=500", func(a answer) bool {
				return len(a.at("items").([]any)) >= 2*speed.RecentMax-50 && !strings.Contains(string(a.body), key)
			})
			command := "/v1/posts/" + url.PathEscape(key) + "/commands"
			if a := r.post(command, map[string]any{"command": "reject", "reason": "spam"}).is(200, ""); a.text("state") != "rejected" {
				t.Fatalf("%s", a.body)
			}
			d, _ := r.control.State().Post("final", key)
			if post, err := d.Captured(); err != nil || len(post.GetVotes()) != 1 || post.GetText() != "goal of the night" {
				t.Fatalf("its ballots are to go with it: %v %v", post, err)
			}
			if a := r.get("/v1/posts/"+url.PathEscape(key)).is(200, ""); a.text("state") != "rejected" {
				t.Fatalf("%s", a.body)
			}
			if name == "by itself" {
				r.post("/v1/posts/"+never+"/commands", map[string]any{"command": "reject"}).is(404, "post-not-found")
			}
		})
	}
}

func TestPagesOfPosts(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	for i := range 25 {
		r.say(fmt.Sprintf("%02d", i), author(i), "goal number "+fmt.Sprint(i))
		if i%3 == 0 {
			r.skew.Add(int64(time.Millisecond))
		}
	}
	r.until("/v1/topics/goal/stats", func(a answer) bool { return a.status == 200 && a.number("totals.posts") > 0 })
	seen := map[string]bool{}
	after := ""
	for range 4 {
		a := r.get("/v1/topics/goal/posts?limit=7&after="+after).is(200, "")
		for i := range a.at("items").([]any) {
			key := a.text(fmt.Sprintf("items.%d.post", i))
			if seen[key] {
				t.Errorf("%s comes twice", key)
			}
			seen[key] = true
		}
		after = a.text("next")
	}
	if len(seen) != 25 || after != "" {
		t.Fatalf("%d posts, then %q", len(seen), after)
	}
}

func TestTopicsAreJudgedWhereTheyAreWritten(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal", nil)
	for _, rule := range []string{"goal AND (x", `"open`, "...", "lang:"} {
		a := r.post("/v1/topics", map[string]any{"show": "final", "title": "T", "rule": rule}).is(422, "invalid-request")
		if a.text("errors.0.pointer") != "/rule" || a.text("errors.0.detail") == "" {
			t.Errorf("%s: %s", rule, a.body)
		}
	}
	for pointer, more := range map[string]map[string]any{
		"/rule":                    {"rule": "gol lang:brazilian"},
		"/filters/block_words/1":   {"rule": "gol", "filters": map[string]any{"block_words": []string{"spam", "http://spam.test"}}},
		"/filters/block_authors/0": {"rule": "gol", "filters": map[string]any{"block_authors": []string{"?"}}},
	} {
		more["show"], more["title"] = "final", "T"
		a := r.post("/v1/topics", more).is(422, "invalid-request")
		if a.text("errors.0.pointer") != pointer || strings.Contains(a.text("errors.0.detail"), "topic-") {
			t.Errorf("%s: %s", pointer, a.body)
		}
	}
	a := r.post("/v1/shows", map[string]any{"title": "S", "moderation": map[string]any{"reject": "((("}}).is(422, "invalid-request")
	if a.text("errors.0.pointer") != "/moderation/reject" {
		t.Fatalf("%s", a.body)
	}
	made := r.post("/v1/shows", map[string]any{"id": "strict", "title": "S", "moderation": map[string]any{"reject": "spam OR scam"}}).is(201, "")
	if made.text("moderation.reject") != "spam OR scam" {
		t.Fatalf("%s", made.body)
	}
}

func TestExplainingRules(t *testing.T) {
	r := newRig(t)
	r.about("goal", "goal NOT spam", map[string]any{"filters": map[string]any{"min_followers": 100}})
	a := r.post("/v1/rules/explain", map[string]any{"rule": "gol AND (brasil OR #copa)", "text": "Que GÓL! #Copa"}).is(200, "")
	if a.at("matches") != true || a.text("tree.op") != "and" || a.at("tree.parts.1.parts.0.holds") != false || a.at("tree.parts.1.parts.1.holds") != true {
		t.Fatalf("%s", a.body)
	}
	key := r.say("1", author(1), "goal", func(p *clamorv1.Post) { p.Author.Followers = 1000 })
	a = r.post("/v1/rules/explain", map[string]any{"topic": "goal", "post": key}).is(200, "")
	if a.at("matches") != true || a.text("post") != key {
		t.Fatalf("%s", a.body)
	}
	a = r.post("/v1/rules/explain", map[string]any{"topic": "goal", "text": "goal", "author": map[string]any{"id": "a", "followers": 3}}).is(200, "")
	if a.at("holds") != true || a.at("matches") != false || a.text("filter") != "followers" {
		t.Fatalf("the rule holds and a filter keeps the post out: %s", a.body)
	}
	for body, pointer := range map[string]string{
		`{"text":"x"}`: "/rule", `{"rule":"x"}`: "/text", `{"rule":"(","text":"x"}`: "/rule", `{"rule":"x","topic":"goal","text":"x"}`: "/rule",
	} {
		if a := r.post("/v1/rules/explain", body).is(422, "invalid-request"); a.text("errors.0.pointer") != pointer {
			t.Errorf("%s: %s", body, a.body)
		}
	}
	r.post("/v1/rules/explain", `{"topic":"none","text":"x"}`).is(404, "not-found")
	r.post("/v1/rules/explain", `{"rule":"x","post":"x:none"}`).is(404, "post-not-found")
}

func TestSearchWithoutSearch(t *testing.T) {
	r := newRig(t)
	r.get("/v1/posts/search?q=goal").is(501, "no-search")
}
