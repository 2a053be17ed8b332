package batch

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/views"
)

// standing is an installation in which posts stand still.
type standing struct {
	*rig

	s       *Service
	segment archive.Segment
	whole   []byte
	next    int
}

// stand harms the first segment of posts, which the log has no more.
func stand(t *testing.T, how string) *standing {
	r := newGala(t)
	w := &standing{rig: r, segment: archive.Segment{Topic: archive.Posts, Epoch: 0, Partition: 1}}
	w.s = r.service()
	w.s.d.Log = forgetful{w.s.d.Log, eventlog.Posts, 1}
	for range 3 {
		w.chatOn()
		r.run()
	}
	w.whole, _ = r.harm(w.segment, harms[how])
	return w
}

// chatOn is what goes on meanwhile.
func (w *standing) chatOn() {
	w.crowd("final", uint64(w.next), 10)
	w.chat(w.next, 20)
	w.next += 20
}

func (w *standing) run() (views.Run, *views.Generation) {
	w.t.Helper()
	run, _ := w.runWithout()
	return run, w.published()
}

// runWithout is a run whose generation may lack posts that the log had.
func (w *standing) runWithout() (views.Run, *views.Generation) {
	w.t.Helper()
	w.chatOn()
	run, err := w.s.RunOnce(w.t.Context())
	w.must(err)
	p, _ := w.control.State().Published()
	g, err := w.deps.Views.Generation(w.t.Context(), p.Generation)
	w.must(err)
	return run, g
}

// TestPostsStandStillAndBallotsGoOn where a segment of posts is lost, until it is
// there again.
func TestPostsStandStillAndBallotsGoOn(t *testing.T) {
	for name := range harms {
		if harms[name] == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := stand(t, name)
			before := w.published()
			w.topic("cup", "#copa") // counted from the first post on
			for unheard := uint64(1); unheard < 4; unheard++ {
				run, g := w.run()
				if run.State != views.Done || run.Agreed != views.AgreedYes || len(run.Warnings) != 1 ||
					!says(run, "posts stand still at cut 3", w.segment.Path(), "the log no longer has offset 0", "remove it") {
					t.Fatalf("%+v", run)
				}
				if g.Unheard != unheard || g.PostCut() != 3 || g.Searched != before.Searched {
					t.Fatalf("%+v", g)
				}
				if diff := cmp.Diff(before.Topics, g.Topics) + cmp.Diff(before.PostOffsets, g.PostOffsets); diff != "" {
					t.Fatal(diff)
				}
				if p, _ := w.control.State().Published(); p.PostCut() != 3 || p.Cut != g.Number {
					t.Fatalf("%+v", p)
				}
				if _, err := w.deps.Archive.PostState(t.Context(), 3, 1); err != nil {
					t.Fatal("whoever refills the speed view has nothing to go on from: ", err)
				}
				if got := testutil.ToFloat64(w.s.metrics.unheard); got != float64(unheard) {
					t.Errorf("%v epochs unheard, want %d", got, unheard)
				}
				if fresh, err := w.s.topicsChanged(t.Context(), w.control.State(), g.Number); fresh || err != nil {
					t.Errorf("runs for nothing, %v", err)
				}
			}
			if got := w.total(before, "goal").Posts; got == 0 || w.published().Rounds[final].TotalVotes() != 60 {
				t.Errorf("%d posts, %+v", got, w.published().Rounds[final])
			}

			w.must(os.WriteFile(w.file(w.segment), w.whole, 0o600))
			for _, expired := range []uint64{3, 7} { // what readers of the generation before need stays
				run, g := w.run()
				if w.speed.expiredPosts != expired {
					t.Errorf("posts below epoch %d expired, want %d", w.speed.expiredPosts, expired)
				}
				if len(run.Warnings) > 0 || g.Unheard > 0 || w.total(g, "cup").Posts == 0 {
					t.Fatalf("%+v\n%+v", run, g)
				}
			}
			if got := testutil.ToFloat64(w.s.metrics.unheard); got > 0 {
				t.Errorf("%v epochs unheard", got)
			}
		})
	}
}

// TestPostsGoOnWithoutWhatWasRemoved: an operator who removes a lost segment has
// decided to do without.
func TestPostsGoOnWithoutWhatWasRemoved(t *testing.T) {
	w := stand(t, "cut in half")
	w.topic("cup", "#copa")
	if _, g := w.run(); g.Unheard != 1 {
		t.Fatalf("%+v", g)
	}
	w.must(os.Remove(w.file(w.segment)))
	run, g := w.runWithout()
	if g.Unheard > 0 || w.ref(g, "cup").Complete || !w.ref(g, "goal").Complete || len(run.Warnings) > 0 {
		t.Errorf("%+v\n%+v", run, g)
	}
	w.wantWhole(g)
}

// TestWhatIsGivenUpMeanwhile is not waited for either: the topics say that they are
// not complete.
func TestWhatIsGivenUpMeanwhile(t *testing.T) {
	w := stand(t, "cut in half")
	w.topic("cup", "#copa")
	for range 2 {
		w.run()
	}
	w.submit(control.KindTopicDelete, "cup", 0, nil) // the past is not needed any more
	second := archive.Segment{Topic: archive.Posts, Epoch: 3, Partition: 1}
	w.harm(second, harms["gone"])
	w.s.d.Log = forgetful{w.deps.Log, eventlog.Posts, w.published().PostOffsets[1] + 1}
	run, g := w.runWithout()
	if g.Unheard > 0 || len(g.Topics) != 1 || w.ref(g, "goal").Complete {
		t.Errorf("%+v\n%+v", run, g)
	}
	w.wantWhole(g)
}

// TestPostsThatTheLogLostBeforeTheyWereArchived are no reason for ballots to wait.
func TestPostsThatTheLogLostBeforeTheyWereArchived(t *testing.T) {
	r := newGala(t)
	r.crowd("final", 0, 10)
	r.chat(0, 20)
	r.run()
	r.crowd("final", 10, 10)
	r.chat(20, 20)
	s := r.service()
	s.d.Log = forgetful{s.d.Log, eventlog.Posts, 1 << 40}
	for range 2 {
		run, err := s.RunOnce(t.Context())
		r.must(err)
		if g := r.published(); g.PostCut() != 1 || g.Rounds[final].TotalVotes() != 20 || !says(run, "posts stand still at cut 1") {
			t.Errorf("%+v\n%+v", run, g)
		}
	}
	r.run() // the log is whole again
	if g := r.published(); g.Unheard > 0 || len(g.Topics) != 1 {
		t.Errorf("%+v", g)
	}
}

// TestPostsStandStillFromTheFirstRunOn and when the views store is lost besides:
// there is nothing to carry over.
func TestPostsStandStillFromTheFirstRunOn(t *testing.T) {
	r := newGala(t)
	r.crowd("final", 0, 10)
	r.chat(0, 20)
	s := r.service()
	s.d.Log = forgetful{s.d.Log, eventlog.Posts, 1 << 40}
	run, err := s.RunOnce(t.Context())
	r.must(err)
	if g := r.published(); g.PostCut() != 0 || len(g.Topics) > 0 || g.Rounds[final].TotalVotes() != 10 {
		t.Errorf("%+v\n%+v", run, g)
	}
	r.run()
	if g := r.published(); g.Unheard > 0 || !r.ref(g, "goal").Complete {
		t.Errorf("%+v", g)
	}
	r.deps.Views = r.openViews()
	r.harm(archive.Segment{Topic: archive.Posts}, harms["empty"])
	s = r.service()
	s.d.Log = forgetful{s.d.Log, eventlog.Posts, 1}
	run, err = s.RunOnce(t.Context())
	r.must(err)
	p, _ := r.control.State().Published()
	g, err := r.deps.Views.Generation(t.Context(), p.Generation)
	r.must(err)
	if g.PostCut() != 0 || g.Rounds[final].TotalVotes() != 10 || !strings.Contains(strings.Join(run.Warnings, "\n"), "posts stand still at cut 0") {
		t.Errorf("%+v\n%+v", run, g)
	}
}

// TestPostsGoOnBehindAnEndThatIsLost: where the last segment but one ends is known
// from what was published, and a run needs no more of it.
func TestPostsGoOnBehindAnEndThatIsLost(t *testing.T) {
	w := stand(t, "cut in half")
	lost := archive.Segment{Topic: archive.Posts, Epoch: 2, Partition: 1}
	w.harm(lost, harms["without end"])
	w.s.d.Log = forgetful{w.deps.Log, eventlog.Posts, w.published().PostOffsets[1]}
	run, g := w.run()
	if g.Unheard > 0 || len(run.Warnings) != 1 || !says(run, lost.Path()) {
		t.Errorf("%+v\n%+v", run, g)
	}
}
