package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

func TestTopicsAreHeardAgain(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("goal", "gol OR goal OR golaço")
	r.chat(0, 60)
	if run := r.run(); run.Agreed != views.AgreedYes {
		t.Fatalf("%+v", run)
	}
	g := r.published()
	if got := r.total(g, "goal").Posts; got != 40 {
		t.Fatalf("%d posts on goals, want 40: those with another text do not count", got)
	}
	if g.PostRows != 60+7+int64(r.log.Partitions(eventlog.Posts)) || len(g.PostOffsets) != r.log.Partitions(eventlog.Posts) {
		t.Errorf("%+v", g)
	}
	first := r.ref(g, "goal")

	// More posts: one epoch more, the rest shared.
	r.chat(60, 30)
	r.run()
	if g = r.published(); g.Agreed != views.AgreedYes || r.total(g, "goal").Posts != 60 {
		t.Fatalf("%+v", g)
	}

	// A topic made during the show knows what was said before it.
	r.topic("cup", "#copa")
	r.run()
	if g = r.published(); r.total(g, "cup").Posts == 0 || r.ref(g, "goal").Manifest == first.Manifest {
		t.Fatalf("%+v", g)
	}
	goal := r.ref(g, "goal")

	// A corrected rule repairs the past of its own topic, and of no other.
	r.topic("cup", "#copa OR #worldcup")
	was := r.total(g, "cup").Posts
	r.run()
	g = r.published()
	if r.ref(g, "cup").Revision != 2 || r.total(g, "cup").Posts <= was || r.ref(g, "goal").Manifest != goal.Manifest {
		t.Fatalf("%+v", g)
	}

	// Another title changes no count.
	cup := r.ref(g, "cup")
	state, _ := r.control.State().Topic("cup")
	renamed := state.Topic
	renamed.Title = "The cup"
	r.submit(control.KindTopicPut, "cup", state.Revision, renamed)
	r.run()
	g = r.published()
	if ref := r.ref(g, "cup"); ref.Revision != 2 || ref.Manifest != cup.Manifest {
		t.Fatalf("%+v", g)
	}
	if len(g.Topics) != 2 || g.Agreed != views.AgreedYes {
		t.Errorf("%+v", g)
	}

	// The show's languages help to understand its posts.
	r.show("es")
	r.run()
	r.published()
	r.submit(control.KindTopicDelete, "cup", 0, nil)
	r.run()
	if g = r.published(); len(g.Topics) != 1 {
		t.Errorf("%+v", g)
	}
	for _, gone := range []views.PieceID{first.Manifest, cup.Manifest} {
		if _, err := views.ReadManifest(t.Context(), r.deps.Views, gone); !errors.Is(err, views.ErrNotFound) {
			t.Errorf("the manifest of generation 1: %v", err)
		}
	}
}

func TestModerationReachesThePast(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("goal", "gol")
	bad, held := r.somePost(1, "gol contra"), r.somePost(2, "gol de placa")
	held.Decision = topic.HeldBy
	r.post(bad, r.somePost(3, "gol"), held)
	r.run()
	if got := r.total(r.published(), "goal"); got.Posts != 2 {
		t.Fatalf("%d posts, one is held back", got.Posts)
	}
	r.moderate(bad, true)
	r.moderate(bad, true)
	r.moderate(held, false)
	r.run()
	if got := r.total(r.published(), "goal"); got.Posts != 2 || got.Rejected == 0 {
		t.Fatalf("%s", sayMinute(got))
	}
	r.moderate(bad, false)
	r.run()
	g := r.published()
	if got := r.total(g, "goal"); got.Posts != 3 || g.Agreed != views.AgreedYes {
		t.Fatalf("%s, agreed %s", sayMinute(got), g.Agreed)
	}
}

// TestWhatThePostsNeedCanBeLost in any part: what is left gives the same.
func TestWhatThePostsNeedCanBeLost(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("goal", "gol OR goal")
	next := 0
	chat := func() { r.chat(next, 20); next += 20 }
	chat()
	r.run()
	states := func() string {
		p, _ := r.control.State().Published()
		return filepath.Join(r.dir, "state", "posts", fmt.Sprintf("epoch=%d", p.Generation))
	}
	for name, lose := range map[string]func(){
		"nothing":        func() {},
		"the states":     func() { r.must(os.RemoveAll(filepath.Join(r.dir, "state"))) },
		"a state":        func() { r.must(os.Remove(filepath.Join(states(), "partition=1.bin"))) },
		"half a state":   func() { r.must(os.Truncate(filepath.Join(states(), "partition=0.bin"), 70)) },
		"another state":  func() { r.must(r.deps.Archive.PutPostState(t.Context(), 99, 0, nil)) },
		"a state of old": func() { r.must(r.putOldState()) },
		"the views":      func() { r.deps.Views = r.openViews() },
		"the archive":    func() { r.must(os.RemoveAll(filepath.Join(r.dir, "posts"))) },
		"everything": func() {
			r.deps.Views = r.openViews()
			r.must(os.RemoveAll(filepath.Join(r.dir, "posts")))
			r.must(os.RemoveAll(filepath.Join(r.dir, "state")))
		},
	} {
		lose()
		chat()
		r.run()
		if g := r.published(); r.total(g, "goal").Posts == 0 || g.Agreed == views.AgreedNo {
			t.Errorf("without %s: %+v", name, g)
		}
	}
}

// putOldState puts the state of the first epoch in the place of the last.
func (r *rig) putOldState() error {
	p, _ := r.control.State().Published()
	state := topic.NewCounter()
	return r.deps.Archive.PutPostState(r.t.Context(), p.Generation, 0, state.Snapshot())
}

func TestPostsThatAreGoneAreSaidToBe(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("goal", "gol OR goal")
	r.chat(0, 20)
	r.run()
	r.chat(20, 20)
	r.run()
	r.must(os.RemoveAll(filepath.Join(r.dir, "posts", "epoch=0")))
	r.topic("cup", "#copa")
	s := r.service()
	s.d.Log = forgetful{s.d.Log, "", 1}
	_, err := s.RunOnce(t.Context())
	r.must(err)
	p, _ := r.control.State().Published()
	g, err := r.deps.Views.Generation(t.Context(), p.Generation)
	r.must(err)
	if r.ref(g, "cup").Complete || !r.ref(g, "goal").Complete {
		t.Errorf("%+v", g.Topics)
	}
}

func TestPostsDisagreementIsKept(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("goal", "gol OR goal")
	r.chat(0, 20)
	r.run()
	r.chat(20, 20)
	r.cfg.CompareWait = 100 * time.Millisecond
	r.speed.bendMinutes = func(p int32, m *speed.Minutes) error {
		for _, minutes := range m.Epochs {
			for key := range minutes {
				delete(minutes, key)
			}
		}
		return nil
	}
	r.run()
	g := r.published()
	if g.Agreed != views.AgreedNo || !strings.Contains(strings.Join(g.Differences, "\n"), "of goal@1 in partition") {
		t.Fatalf("%+v", g)
	}
	for name, bend := range map[string]func(int32, *speed.Minutes) error{
		"behind":    func(_ int32, m *speed.Minutes) error { m.Epoch--; return nil },
		"refilling": func(_ int32, m *speed.Minutes) error { m.Ready = false; return nil },
		"empty":     func(int32, *speed.Minutes) error { return speed.ErrEmpty },
		"expired":   func(int32, *speed.Minutes) error { return speed.ErrExpired },
	} {
		r.speed.bendMinutes = bend
		r.run()
		if g := r.published(); g.Agreed != views.AgreedUnknown {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

func TestATopicIsReasonEnoughForARun(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("goal", "gol")
	r.chat(0, 9)
	r.run()
	// The markers of the run themselves are no news.
	fresh := func() bool {
		t.Helper()
		ok, err := r.service().somethingNew(t.Context(), r.control.State())
		r.must(err)
		return ok
	}
	if fresh() {
		t.Fatal("a run for nothing")
	}
	for name, change := range map[string]func(){
		"a topic":            func() { r.topic("cup", "#copa") },
		"a rule":             func() { r.topic("cup", "#copa OR #worldcup") },
		"a show's languages": func() { r.show("es", "en") },
		"a post":             func() { r.chat(9, 1) },
	} {
		change()
		if !fresh() {
			t.Errorf("%s: no run", name)
		}
		r.run()
		r.published()
		if fresh() {
			t.Errorf("%s: a run for nothing after it", name)
		}
	}
}

func TestSearchIsFilled(t *testing.T) {
	r := newRig(t, brokers(t))
	e := newEngine()
	r.deps.Search = e
	s := r.service()
	run := func() *views.Generation {
		t.Helper()
		_, err := s.RunOnce(t.Context())
		r.must(err)
		return r.published()
	}
	fill := func() {
		t.Helper()
		if done, err := s.CatchUp(t.Context(), func() bool { return false }); err != nil || !done {
			t.Fatal(done, err)
		}
	}
	wantFound := func(g *views.Generation, n int) {
		t.Helper()
		if docs := e.found(g.Number); len(docs) != n {
			t.Fatalf("%d posts found of generation %d, want %d", len(docs), g.Number, n)
		}
	}
	r.topic("goal", "gol OR goal")
	r.chat(0, 20)
	g := run()
	wantFound(g, 20)
	if g.Searched != 1 || e.read != g.Build {
		t.Fatalf("%+v", g)
	}
	doc := e.found(1)["gala/x:1"]
	if doc.Language != "en" || doc.Country != "BR" || len(doc.Topics) != 1 || doc.Topics[0] != "goal" || doc.Generation != 1 || doc.Hashtags[0] != "worldcup" || len(doc.Raw) == 0 {
		t.Errorf("%+v", doc)
	}

	// A moderator's word is seen at once, and the post does not vanish meanwhile.
	bad := r.somePost(1, doc.Text)
	r.moderate(bad, true)
	r.chat(20, 10)
	g = run()
	wantFound(g, 30)
	if doc := e.found(1)["gala/x:1"]; doc.Decision != "reject" {
		t.Errorf("%+v", doc)
	}

	// The engine is away: counting goes on, and what is missing is put later.
	e.leave(errors.New("no route to the engine"))
	r.chat(30, 10)
	g = run()
	if g.Searched != 2 || r.total(g, "goal").Posts == 0 {
		t.Fatalf("%+v", g)
	}
	if _, err := s.CatchUp(t.Context(), func() bool { return false }); err == nil {
		t.Error("an engine that is away was filled")
	}
	e.leave(nil)
	r.chat(40, 10)
	g = run() // it is behind: the epoch is not put alone
	wantFound(g, 30)
	fill()
	wantFound(g, 50)
	r.chat(50, 5)
	if g = run(); g.Searched != g.Number {
		t.Errorf("%+v", g)
	}
	wantFound(g, 55)

	// Another rule is another build: the one before is read until it is filled.
	was := e.read
	r.topic("cup", "#copa")
	g = run()
	wantFound(g, 55)
	if e.read != was || g.Build == was {
		t.Fatalf("%s is read, the generation's is %s", e.read, g.Build)
	}
	stops := 0
	if done, err := s.CatchUp(t.Context(), func() bool { stops++; return stops > 3 }); err != nil || done {
		t.Fatal(done, err)
	}
	r.chat(55, 3) // which the index that is read is given meanwhile
	g = run()
	if e.read != was || g.Searched != g.Number {
		t.Fatalf("%s is read, not %s: %+v", e.read, was, g)
	}
	wantFound(g, 58)
	s = r.service() // another leader goes on where the first was stopped
	fill()
	if e.read != g.Build || len(e.builds) != 1 {
		t.Fatalf("%s is read of %d", e.read, len(e.builds))
	}
	wantFound(g, 58)
	if doc := e.found(g.Number)["gala/x:5"]; len(doc.Topics) != 2 {
		t.Errorf("%+v", doc.Topics)
	}
	if doc := e.found(g.Number)["gala/x:1"]; doc.Decision != "reject" {
		t.Errorf("%+v", doc)
	}

	// The engine lost everything.
	*e = engine{builds: map[string]map[string]search.Doc{}}
	r.chat(58, 2)
	g = run()
	fill()
	wantFound(g, 60)
}

// TestBleveIsFilled runs against the real thing.
func TestBleveIsFilled(t *testing.T) {
	r := newRig(t, brokers(t))
	index, err := search.Open(t.Context(), "file:"+t.TempDir())
	r.must(err)
	t.Cleanup(func() { r.check(index.Close()) })
	r.deps.Search = index
	r.topic("goal", "gol OR goal")
	r.chat(0, 30)
	r.run()
	page, err := index.Search(t.Context(), search.Query{Text: "líndo", Topic: "goal", Language: "pt", MaxGeneration: 1})
	r.must(err)
	if page.Total == 0 || !strings.Contains(page.Posts[0].Text, "lindo") {
		t.Errorf("%+v", page)
	}
}

// TestTheLeaderCatchesUp between runs, on its own.
func TestTheLeaderCatchesUp(t *testing.T) {
	r := newRig(t, brokers(t))
	r.cfg.Interval, r.cfg.RetryDelay = 100*time.Millisecond, 100*time.Millisecond
	r.deps.Now = time.Now
	e := newEngine()
	r.deps.Search = e
	r.topic("goal", "gol OR goal")
	r.chat(0, 9)
	filled := make(chan struct{}, 64)
	s := r.service()
	s.pass = func(point string) error {
		if strings.HasPrefix(point, "fill") {
			filled <- struct{}{}
		}
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	r.await(func(p control.Published) bool { return p.Generation >= 1 })
	r.topic("cup", "#copa")
	r.await(func(p control.Published) bool { return p.Generation >= 2 })
	<-filled
	stop()
	r.must(<-ended)
}

// TestRealPosts goes through a day of the world cup.
func TestRealPosts(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("cup", "worldcup OR #worldcup OR #worldcup2022 OR qatar")
	r.topic("ecuador", "ecuador OR #ecuador OR #qatecu")
	posts := realPosts(t)
	for i, p := range posts {
		if i > 0 && i%(len(posts)/3) == 0 {
			r.run()
			r.published()
		}
		r.post(p)
	}
	r.run()
	g := r.published()
	cup := r.total(g, "cup")
	if cup.Posts < int64(len(posts))/2 || len(cup.Languages) < 3 || cup.Hashtags.Len() < 100 || cup.AuthorCount().Authors < 100 {
		t.Errorf("%s, %d languages, %d hashtags", sayMinute(cup), len(cup.Languages), cup.Hashtags.Len())
	}
	if len(g.Topics) != 2 || g.Agreed != views.AgreedYes {
		t.Errorf("%+v", g)
	}
}

// realPosts are the handed-out posts; what needs them is skipped where they are
// absent.
func realPosts(t testing.TB) []*clamorv1.Post {
	t.Helper()
	var posts []*clamorv1.Post
	var d enrich.Decoder
	for i, line := range enrichtest.WorldCup(t) {
		var p enrich.Post
		if _, err := d.Decode(line, &p); err != nil {
			t.Fatal(err)
		}
		posts = append(posts, &clamorv1.Post{
			Platform: "x", Id: fmt.Sprint(i), Show: "gala", Source: "main", Text: string(p.Text), Language: string(p.Language),
			ReceivedAt: 1668960000000 + int64(i)*100, Author: &clamorv1.Author{Id: fmt.Sprint(i * 7919 % 1000), Name: string(p.AuthorName), Location: string(p.Place.Profile)},
		})
	}
	return posts
}
