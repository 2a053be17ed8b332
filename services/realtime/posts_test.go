package realtime

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// studio is a log, a control desk, a Redis and one worker of posts.
type studio struct {
	t     *testing.T
	log   *memoryLog
	desk  *desk
	store *speed.Store
	w     *worker
}

func newStudio(t *testing.T, d *desk) *studio {
	t.Helper()
	s := &studio{t: t, log: newMemoryLog(), desk: d, store: speedtest.Open(t, "redis://"+miniredis.RunT(t).Addr())}
	cfg := quickConfig()
	cfg.Posts.CutPatience = 20 * time.Millisecond
	s.w = newPostsWorker(newService(t, cfg, Deps{
		Log: s.log, Store: s.store, Past: s.log, Topics: d, PostOrigin: &fixedOrigin{},
	}), 0)
	return s
}

func (s *studio) say(id, text string) *clamorv1.Post {
	p := &clamorv1.Post{
		Platform: "x", Id: id, Show: "gala", Source: "main", Text: text, ReceivedAt: 60_000,
		Author: &clamorv1.Author{Id: "a" + id, Handle: "h" + id, Name: "Maria", Followers: 7},
	}
	s.log.post(p)
	return p
}

// work folds all that the log has.
func (s *studio) work() {
	s.t.Helper()
	if s.w.records == nil {
		if err := s.w.open(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
	for s.w.fold.at().Next < s.log.end() {
		if err := s.w.turn(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// counted are the posts of each subject in the epoch that the worker is in.
func (s *studio) counted() map[string]int64 {
	s.t.Helper()
	epoch := s.w.fold.at().Epoch
	held, err := s.store.ReadMinutes(s.t.Context(), eventlog.Posts, 0, epoch, speed.Position{})
	if err != nil {
		s.t.Fatal(err)
	}
	counts := map[string]int64{}
	for key, blob := range held.Epochs[epoch] {
		m, err := topic.Decode(blob)
		if err != nil {
			s.t.Fatal(err)
		}
		counts[topic.Subject{Topic: key.Topic, Revision: key.Revision}.String()] += m.Posts
	}
	return counts
}

func (s *studio) expect(want map[string]int64) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.counted()); diff != "" {
		s.t.Fatalf("counted (-want +got):\n%s", diff)
	}
}

func (s *studio) recent(id string) (ids []string) {
	s.t.Helper()
	list, err := s.store.Recent(s.t.Context(), eventlog.Posts, 0, id, 50)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	return ids
}

func TestTopicsChange(t *testing.T) {
	d := newDesk()
	s := newStudio(t, d)
	s.say("1", "goal")
	s.work()
	s.expect(map[string]int64{})
	d.topic("goals", "goal", nil)
	d.topic("saves", "save", nil)
	d.topic("broken", "((", nil)
	s.say("2", "goal")
	s.say("3", "what a save")
	s.work()
	s.expect(map[string]int64{"goals@1": 1, "saves@1": 1})
	d.topic("goals", "goal OR gol", nil)
	d.put(control.KindTopicDelete, "saves", 1, nil)
	s.say("4", "gol")
	s.say("5", "another save")
	s.work()
	s.expect(map[string]int64{"goals@2": 1})
	if got := s.recent("goals"); !slices.Equal(got, []string{"4", "2"}) {
		t.Errorf("recent posts %q", got)
	}
	if got := s.recent("saves"); len(got) > 0 {
		t.Errorf("recent posts of a topic that is no more: %q", got)
	}
	if err := s.w.turn(t.Context()); err != nil { // nothing to do: it looks at Redis
		t.Errorf("a heartbeat: %v", err)
	}
	// A worker that begins knows what the last one left.
	d.put(control.KindTopicDelete, "goals", 2, nil)
	s.w = newPostsWorker(newService(t, quickConfig(), s.w.deps), 0)
	s.say("6", "gol")
	s.work()
	s.expect(map[string]int64{})
	if listed, err := s.store.Listed(t.Context(), eventlog.Posts, 0); err != nil || len(listed) > 0 {
		t.Errorf("lists of %q, error %v", listed, err)
	}
}

// What stands behind a cut is counted by topics at least as new as the cut.
func TestCutWaitsForControl(t *testing.T) {
	d := newDesk()
	d.topic("goals", "goal", nil)
	s := newStudio(t, d)
	s.say("1", "goal")
	s.log.cut(audience.Cut{Number: 1})
	s.say("2", "goal")
	err := errors.Join(s.w.open(t.Context()), s.w.turn(t.Context()))
	if err == nil || !strings.Contains(err.Error(), "cut 1 stands in the log") {
		t.Fatalf("error %v", err)
	}
	s.w.close()
	s.expect(map[string]int64{"goals@1": 1})
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		d.topic("goals", "goal OR gol", nil)
		d.put(control.KindCut, "", 0, control.CutDecision{Number: 1})
	})
	s.w.cfg.Posts.CutPatience = time.Minute
	s.work()
	s.expect(map[string]int64{"goals@2": 1})
	if pos := s.w.fold.at(); pos.Epoch != 1 {
		t.Errorf("stands at %v", pos)
	}
}

func TestRecordsThatAreNoPosts(t *testing.T) {
	d := newDesk()
	d.topic("all", "lang:en OR lang:und", nil)
	s := newStudio(t, d)
	s.log.append([]byte{0xff, 1})
	s.log.ballots(polls[0])
	s.log.moderate(nil, true)
	s.log.post(&clamorv1.Post{Platform: "x", Show: "gala", Text: "goal"})
	s.log.post(&clamorv1.Post{Id: "1", Show: "gala", Text: "goal"})
	s.say("2", "\xff\xfe goal \x00"[3:])
	s.work()
	s.expect(map[string]int64{"all@1": 1})
	if s.log.rejected != 5 {
		t.Errorf("%d records rejected, want 5", s.log.rejected)
	}
}

func TestRecentPosts(t *testing.T) {
	d := newDesk()
	d.topic("goals", "gol", nil)
	d.topic("all", "gol OR goal", nil)
	s := newStudio(t, d)
	p := &clamorv1.Post{
		Platform: "x", Id: "7", Show: "gala", Source: "main", Text: "o gol saiu no último minuto, que coisa linda #Brasil", ReceivedAt: 60_000, CreatedAt: 1,
		Author: &clamorv1.Author{Id: "a", Name: "Ana", Handle: "ana", Location: "São Paulo, Brasil", Followers: 3},
		Media:  []string{"m"}, Links: []string{"http://x.example/1"}, Decision: topic.HeldBy,
		Votes: []*clamorv1.Vote{{Poll: "final", Round: 2, Voter: make([]byte, 16), Ballot: make([]byte, 16), Slots: []uint32{3}}, {Poll: "x"}},
	}
	s.log.post(p)
	s.log.post(p)
	long := s.say("8", strings.Repeat("gol ", 20_000))
	s.work()
	list, err := s.store.Recent(t.Context(), eventlog.Posts, 0, "goals", 5)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d posts, error %v", len(list), err)
	}
	if got := list[0]; got.ID != long.GetId() || len(got.Raw) > 0 || len(got.Text) != recentText {
		t.Errorf("a long post became %d bytes of text and %d of record", len(got.Text), len(got.Raw))
	}
	raw := &clamorv1.Post{}
	unmarshal(t, list[1].Raw, raw)
	if raw.GetAuthor().GetLocation() != p.GetAuthor().GetLocation() || raw.GetVotes()[0].GetSlots()[0] != 3 {
		t.Errorf("the record is %v", raw)
	}
	got := list[1]
	got.Raw, got.Sentiment = nil, ""
	want := speed.RecentPost{
		ID: "7", Platform: "x", Source: "main", Show: "gala", Text: p.GetText(), CreatedAt: 1, ReceivedAt: 60_000,
		Author:   audience.Author{ID: "a", Name: "Ana", Handle: "ana", Location: "São Paulo, Brasil", Followers: 3},
		Language: "pt", Place: &speed.RecentPlace{Country: "BR", Admin1: got.Place.Admin1, City: "São Paulo"},
		Hashtags: []string{"Brasil"}, Links: []string{"http://x.example/1"}, Media: []string{"m"}, Topics: []string{"all", "goals"}, Decision: "reject",
		Votes: []speed.RecentVote{{
			Poll: "final", Round: 2, Voter: strings.Repeat("0", 32), Ballot: "00000000-0000-0000-0000-000000000000", Slots: []uint32{3},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.expect(map[string]int64{"goals@1": 1, "all@1": 1}) // the held post waits for a moderator
	s.log.moderate(p, false)
	s.work()
	s.expect(map[string]int64{"goals@1": 2, "all@1": 2})
}

// The newest of many are listed, and one step pushes a bounded number.
func TestRecentPostsOfManyTopics(t *testing.T) {
	d := newDesk()
	for _, id := range []string{"a", "b"} {
		d.topic(id, "goal", nil)
	}
	catalog, err := topic.Compile(definitions(d.State()), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, r := topic.NewListener(catalog), recents{}
	for i := range 3*speed.RecentMax - 5 {
		p := &clamorv1.Post{Platform: "x", Id: string(rune('a' + i%26)), Show: "gala", Text: "goal", ReceivedAt: int64(i)}
		u := l.Hear(p)
		r.add(p, u, u.Subjects)
	}
	for id, list := range r {
		if len(list) >= 2*speed.RecentMax || list[len(list)-1].post.GetReceivedAt() != 3*speed.RecentMax-6 {
			t.Errorf("%s: %d posts wait", id, len(list))
		}
	}
	for id, entries := range r.take() {
		if len(entries) != speed.RecentMax {
			t.Errorf("%s: %d entries", id, len(entries))
		}
	}
	if len(r) != 0 {
		t.Errorf("%d lists stay", len(r))
	}
}

// Whatever the ears, the fold sees the records in their order, and stops where it
// wants to.
func TestHearingKeepsOrder(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	log := newMemoryLog()
	s := &studio{t: t, log: log}
	var entries []eventlog.Entry
	for i := range 300 {
		s.say(string(rune(0x100+i)), "goal")
		entries = append(entries, eventlog.Entry{Offset: int64(i), Raw: log.values[i]})
	}
	catalog, err := topic.Compile(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ears := range []int{1, 2, 3, 16} {
		h := newHearing(ears)
		h.use(catalog)
		for _, most := range []int{300, 299, 17, 1} {
			var got []rune
			n := h.each(entries, func(_ *eventlog.Entry, r *record) bool {
				got = append(got, []rune(string(r.u.Post.ID))...)
				return len(got) < most
			})
			for i, r := range got {
				if r != rune(0x100+i) {
					t.Fatalf("%d ears: post %d came as number %d", ears, r-0x100, i)
				}
			}
			if n != most || len(got) != most {
				t.Errorf("%d ears: %d of %d posts, wanted %d", ears, len(got), n, most)
			}
		}
	}
}

func TestOriginOfPosts(t *testing.T) {
	a, err := archive.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, a)
	d := newDesk()
	origin := PublishedPosts{Control: d, States: a, Logger: slog.New(slog.DiscardHandler)}
	check := func(name string, want speed.Start) {
		t.Helper()
		got, err := origin.Origin(t.Context(), 1, 5)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
	check("nothing published", speed.Start{Next: 5})
	d.put(control.KindCut, "", 0, control.CutDecision{Number: 1})
	d.put(control.KindPublished, "", 0, control.Published{Generation: 1, Cut: 1})
	check("a generation without posts", speed.Start{Keep: 1})
	d.put(control.KindCut, "", 0, control.CutDecision{Number: 2})
	d.put(control.KindPublished, "", 0, control.Published{Generation: 2, Cut: 2, PostOffsets: map[int32]int64{1: 70}})
	check("no state", speed.Start{Keep: 2})
	if err := a.PutPostState(t.Context(), 2, 1, []byte("state")); err != nil {
		t.Fatal(err)
	}
	check("a state", speed.Start{Next: 70, Epoch: 2, Keep: 2, State: []byte("state")})
	d.put(control.KindCut, "", 0, control.CutDecision{Number: 3})
	d.put(control.KindPublished, "", 0, control.Published{Generation: 3, Cut: 3, Unheard: 1, PostOffsets: map[int32]int64{1: 70}})
	check("posts that stand still", speed.Start{Next: 70, Epoch: 2, Keep: 2, State: []byte("state")})
}
