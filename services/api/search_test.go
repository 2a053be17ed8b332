package api_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/search"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// fakeSearch finds what it was given, and remembers what it was asked.
type fakeSearch struct {
	docs  []search.Doc
	asked search.Query
}

func (s *fakeSearch) Search(_ context.Context, q search.Query) (search.Page, error) {
	s.asked = q
	switch q.After {
	case "":
	case "next":
		return search.Page{}, nil
	default:
		return search.Page{}, search.ErrCursor
	}
	page := search.Page{Total: int64(len(s.docs)), Next: "next"}
	for _, d := range s.docs {
		d.Raw = nil
		page.Posts = append(page.Posts, search.Hit{Doc: d, Fragments: []string{"a <em>goal</em>"}})
	}
	return page, nil
}

func (s *fakeSearch) Get(_ context.Context, id string) (search.Doc, error) {
	for _, d := range s.docs {
		if d.ID == id {
			return d, nil
		}
	}
	return search.Doc{}, search.ErrNotFound
}

func TestSearchingPosts(t *testing.T) {
	found := &fakeSearch{docs: []search.Doc{
		{ID: "final/x:1", Platform: "x", Show: "final", Topics: []string{"goal"}, Text: "a goal", Language: "en", Country: "BR", AuthorName: "Ana", ReceivedAt: 1_780_000_000_000},
		{ID: "final/x:2", Platform: "x", Show: "final", Text: "a bad goal", ReceivedAt: 1_780_000_000_000},
	}}
	r := newSearchRig(t, found)
	r.about("goal", "goal", nil)
	a := r.get("/v1/posts/search?q=goal&language=en&country=br&topic=goal&from=2026-01-01T00:00:00Z&limit=7&sort=relevance").is(200, "")
	if a.number("total") != 2 || a.text("items.0.post") != "x:1" || a.text("items.0.highlights.0") != "a <em>goal</em>" || a.text("next") != "next" || a.text("items.0.place.country") != "BR" {
		t.Fatalf("%s", a.body)
	}
	want := search.Query{Text: "goal", Topic: "goal", Language: "en", Country: "BR", From: 1_767_225_600_000, Limit: 7, Sort: search.Relevance, Highlight: true}
	if diff := cmp.Diff(want, found.asked); diff != "" {
		t.Error(diff)
	}
	r.post("/v1/posts/x:2/commands", map[string]any{"command": "reject"}).is(200, "") // found by search alone
	if a := r.get("/v1/posts/search?q=goal").is(200, ""); len(a.at("items").([]any)) != 1 {
		t.Fatalf("a rejected post is listed: %s", a.body)
	}
	if a := r.get("/v1/posts/search?q=goal&state=rejected").is(200, ""); len(a.at("items").([]any)) != 2 {
		t.Fatalf("%s", a.body)
	}
	r.get("/v1/posts/search?q=goal&after=next").is(200, "")
	r.get("/v1/posts/search?after=forged").is(422, "invalid-request")
	r.get("/v1/posts/search?sort=best").is(422, "invalid-request")
	for _, query := range []string{
		"from=soon", "from=9999-12-31T23:59:59-14:00", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
		"language=xx", "language=portuguese", "country=Brasil", "country=b1", "sentiment=happy", "sentiment=POS", "state=liked",
	} {
		r.get("/v1/posts/search?"+query).is(422, "invalid-request")
	}
	r.get("/v1/posts/search?language=PT_br&sentiment=neg&from=1960-01-01T00:00:00Z&to=1970-01-01T00:00:01Z").is(200, "")
	if q := found.asked; q.Language != "pt" || q.Sentiment != "neg" || q.From != 1 || q.To != 1000 {
		t.Errorf("%+v", q)
	}
	r.post("/v1/shows", map[string]any{"id": "other", "title": "Another"}).is(201, "")
	r.token("guest", audience.RoleObserver, "other", "ca_guest")
	r.get("/v1/posts/search?q=goal", as("ca_guest")).is(200, "")
	if found.asked.Show != "other" {
		t.Errorf("a token of one show searched %q", found.asked.Show)
	}
	r.get("/v1/posts/search?show=final", as("ca_guest")).is(404, "not-found")
	r.get("/v1/posts/x:1", as("ca_guest")).is(404, "post-not-found")
}

// TestAPostTooLargeForTheList is commanded with its ballots once it is indexed,
// though the list that shows it has no room for the whole of it.
func TestAPostTooLargeForTheList(t *testing.T) {
	found := &fakeSearch{}
	r := newSearchRig(t, found)
	r.about("goal", "goal", nil)
	r.stage("p7", nil)
	key := r.say("1", author(1), "goal, and much more", func(p *clamorv1.Post) {
		p.Votes = []*clamorv1.Vote{{Poll: "p7", Round: 1, Voter: make([]byte, 16), Ballot: make([]byte, 16), Slots: []uint32{2}}}
	})
	list := r.hearing.parts[audience.PartitionOfPost(key, partitions)].recent["goal"]
	raw := list[0].Raw
	list[0].Text, list[0].Raw = "goal…", nil
	r.until("/v1/topics/goal/posts", func(a answer) bool { return a.text("items.0.text") == "goal…" })
	command := "/v1/posts/" + key + "/commands"
	r.post(command, map[string]any{"command": "reject"}).is(503, "unavailable")
	found.docs = []search.Doc{{ID: "final/" + key, Platform: "x", Show: "final", Topics: []string{"goal"}, Text: "goal, and much more", Raw: raw}}
	r.post(command, map[string]any{"command": "reject"}).is(200, "")
	d, _ := r.control.State().Post("final", key)
	if post, err := d.Captured(); err != nil || len(post.GetVotes()) != 1 {
		t.Fatalf("%v %v", post, err)
	}
}
