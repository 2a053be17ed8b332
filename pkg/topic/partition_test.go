package topic_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// fold is one partition under one catalog.
type fold struct {
	*topic.Partition
	*topic.Listener
	catalog *topic.Catalog
	open    *topic.Open
}

func newFold(t *testing.T, topics ...topic.Definition) *fold {
	c := compile(t, topics...)
	return &fold{topic.NewPartition(), topic.NewListener(c), c, topic.NewOpen()}
}

func (f *fold) post(p *clamorv1.Post) topic.Outcome { return f.Post(f.Hear(p), f.open) }

func (f *fold) word(p *clamorv1.Post, reject bool) bool { return f.Moderate(f.Hear(p), reject, f.open) }

// count is posts and rejected ones of a subject, all minutes.
func (f *fold) count(number int) [2]int64 {
	var n [2]int64
	for key, m := range f.open.All() {
		if key.Subject == f.catalog.Subject(number) {
			n[0] += m.Posts
			n[1] += m.Rejected
		}
	}
	return n
}

func (f *fold) expect(t *testing.T, what string, posts, rejected int64) {
	t.Helper()
	if got := f.count(0); got != [2]int64{posts, rejected} {
		t.Errorf("%s: %d posts, %d rejected, want %d and %d", what, got[0], got[1], posts, rejected)
	}
}

// TestTwoShowsHearTheSamePost: each counts it, takes it out for itself alone, and
// has its own near-duplicates.
func TestTwoShowsHearTheSamePost(t *testing.T) {
	refusing := &audience.TopicFilters{Duplicates: no()}
	mine, theirs := define("a", "gol", refusing), define("b", "gol", refusing)
	theirs.Show = "z"
	f := newFold(t, mine, theirs)
	heard := func(show, id string) *clamorv1.Post {
		p := say(id, "um gol de placa no fim do primeiro tempo da final, que noite incrível para todos nós")
		p.Show = show
		return p
	}
	for _, show := range []string{"s", "z"} {
		if o := f.post(heard(show, "1")); o != topic.Counted {
			t.Errorf("%s: %d", show, o)
		}
		if o := f.post(heard(show, "1")); o != topic.Repeated {
			t.Errorf("%s, again: %d", show, o)
		}
		f.post(heard(show, "2")) // a near-duplicate
	}
	if a, b := f.count(0), f.count(1); a != [2]int64{1, 0} || b != a {
		t.Errorf("%v and %v", a, b)
	}
	f.word(heard("z", "1"), true)
	if a, b := f.count(0), f.count(1); a != [2]int64{1, 0} || b != [2]int64{0, 1} {
		t.Errorf("%v and %v: a show's moderator speaks for the show", a, b)
	}
}

func TestTheSameIDCountsOnce(t *testing.T) {
	f := newFold(t, define("all", "NOT zzz", nil))
	f.post(say("1", "gol"))
	if o := f.post(say("1", "another text")); o != topic.Repeated {
		t.Errorf("a repeat is %d", o)
	}
	other := say("1", "gol")
	other.Platform = "mastodon"
	f.post(other)
	f.expect(t, "two platforms", 2, 0)
	if got := f.Totals(); got != (topic.Totals{Posts: 2, Repeated: 1}) {
		t.Errorf("have %+v", got)
	}
}

func TestModeration(t *testing.T) {
	f := newFold(t, define("all", "NOT zzz", nil))
	p, held := say("1", "que gol #copa"), say("2", "que gol #copa")
	held.Decision = topic.HeldBy
	f.post(p)
	if o := f.post(held); o != topic.Held {
		t.Errorf("a held post is %d", o)
	}
	f.expect(t, "one held", 1, 1)
	for _, step := range []struct {
		what     string
		post     *clamorv1.Post
		reject   bool
		changes  bool
		posts    int64
		rejected int64
	}{
		{"reject what is held", held, true, false, 1, 1},
		{"reject", p, true, true, 0, 2},
		{"reject again", p, true, false, 0, 2},
		{"approve what was held", held, false, true, 1, 1},
		{"approve", p, false, true, 2, 0},
		{"approve again", p, false, false, 2, 0},
		{"reject what was held", held, true, true, 1, 1},
	} {
		if changes := f.word(step.post, step.reject); changes != step.changes {
			t.Errorf("%s: changes %v", step.what, changes)
		}
		f.expect(t, step.what, step.posts, step.rejected)
	}
}

// The word may overtake the post.
func TestWordBeforeThePost(t *testing.T) {
	f := newFold(t, define("all", "NOT zzz", nil))
	p, q := say("1", "gol"), say("2", "gol")
	q.Decision = topic.HeldBy
	f.word(p, true)
	f.word(q, false)
	f.expect(t, "nothing came yet", 0, 0)
	if o := f.post(p); o != topic.Held {
		t.Errorf("a rejected post is %d", o)
	}
	if o := f.post(q); o != topic.Counted {
		t.Errorf("an approved post is %d", o)
	}
	f.expect(t, "both came", 1, 1)
	f.word(p, false)
	f.expect(t, "approved after all", 2, 0)
}

// What was counted in an earlier epoch is negative in the later one, and the sum
// is right.
func TestModerationInALaterEpoch(t *testing.T) {
	f := newFold(t, define("all", "NOT zzz", nil))
	p := say("1", "que gol #copa")
	f.post(p)
	first := f.open.View()
	f.Cut(audience.Cut{Number: 1})
	f.open.Reset()
	f.word(p, true)
	f.expect(t, "later epoch", -1, 1)
	s := f.catalog.Subject(0)
	first.Add(f.open.View())
	sum := first[s][100]
	if parts, _ := sum.By(topic.ByHashtag, 9); sum.Posts != 0 || sum.Figures().Rejected != 1 || len(parts) != 0 {
		t.Errorf("the sum has %d posts and hashtags %v", sum.Posts, parts)
	}
}

func TestNearDuplicates(t *testing.T) {
	f := newFold(t, define("a-keeps", "NOT zzz", nil), define("b-drops", "NOT zzz", &audience.TopicFilters{Duplicates: no()}))
	const text = "o participante saiu da casa ontem à noite depois de perder a prova do líder e chorou muito ao lado de todos"
	copied := say("2", text+" https://t.co/abc")
	f.post(say("1", text))
	u := f.Hear(copied)
	f.Post(u, f.open)
	if d := cmp.Diff([]int{0}, u.Counted); d != "" || len(u.Subjects) != 2 {
		t.Error(d)
	}
	for i, want := range []int64{2, 1} {
		if got := f.count(i)[0]; got != want {
			t.Errorf("topic %d counts %d, want %d", i, got, want)
		}
	}
	f.word(copied, true) // is taken out where it was counted, and nowhere else
	if a, b := f.count(0)[0], f.count(1)[0]; a != 1 || b != 1 {
		t.Errorf("have %d and %d", a, b)
	}
}

func TestCut(t *testing.T) {
	p := topic.NewPartition()
	for _, step := range []struct {
		number uint64
		moves  bool
	}{{3, true}, {3, false}, {2, false}, {4, true}} {
		if moves := p.Cut(audience.Cut{Number: step.number}); moves != step.moves {
			t.Errorf("cut %d: %v", step.number, moves)
		}
	}
	back := topic.NewPartition()
	if err := back.Restore(p.Snapshot()); err != nil || back.Epoch() != 4 {
		t.Errorf("epoch %d, %v", back.Epoch(), err)
	}
	if err := back.Restore([]byte("nonsense")); err == nil {
		t.Error("nonsense is a journal")
	}
}

// Moving to another catalog keeps the minutes of subjects that stay.
func TestAnotherCatalog(t *testing.T) {
	f := newFold(t, define("a", "gol", nil), define("b", "gol", nil))
	f.post(say("1", "gol"))
	c := define("a", "gol OR copa", nil)
	c.Revision = 2
	next := compile(t, c, define("b", "gol", nil))
	f.Use(next)
	f.post(say("2", "gol"))
	got := map[string]int64{}
	for key, m := range f.open.All() {
		got[key.Subject.String()] += m.Posts
	}
	if d := cmp.Diff(map[string]int64{"a@1": 1, "a@2": 1, "b@1": 2}, got); d != "" {
		t.Error(d)
	}
	if gone := f.open.Forget(next.Has); len(gone) != 1 || gone[0].String() != "a@1" {
		t.Errorf("gone are %v", gone)
	}
	f.post(say("3", "copa"))
	if taken := f.open.Take(); len(taken) != 2 {
		t.Errorf("%d minutes are to be written", len(taken))
	}
}

// A minute that was closed is opened again for what comes late.
func TestLatePosts(t *testing.T) {
	f := newFold(t, define("all", "NOT zzz", nil))
	for i := range 3 {
		f.post(say(strconv.Itoa(i), "gol do brasil"))
		f.open.Cool(1000) // not taken yet: stays open
		if n := len(f.open.Take()); n != 1 {
			t.Fatalf("%d minutes changed", n)
		}
		f.open.Cool(1000)
	}
	f.expect(t, "three late posts", 3, 0)
	if f.open.Changed() != 0 || len(f.open.Take()) != 0 {
		t.Error("nothing changed since")
	}
	if err := f.open.Load(topic.MinuteKey{}, []byte{9}); err == nil {
		t.Error("nonsense is a minute")
	}
}
