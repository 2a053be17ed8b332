package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/certificate"
	"github.com/clamor-live/clamor/services/batch/recount"
)

var final = audience.RoundKey{Poll: "final", Round: 1}

func TestARoundFromOpenToSealed(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.crowd("final", 0, 40)
	r.vote(act{poll: "final", voter: 3, id: 3, slot: 1, perVoter: 1}, act{poll: "final", voter: 4, id: 99, slot: 2, perVoter: 1})

	run := r.run()
	if run.State != views.Done || run.Generation != 1 || run.Agreed != views.AgreedYes {
		t.Fatalf("%+v", run)
	}
	g := r.published()
	if g.Rounds[final].TotalVotes() != 40 || g.Rounds[final].Duplicates != 1 || g.Rounds[final].Limit != 1 || g.FloorEpoch != 0 {
		t.Fatalf("%+v", g)
	}

	r.crowd("final", 40, 20)
	r.run()
	if g = r.published(); g.Rounds[final].TotalVotes() != 60 || g.Agreed != views.AgreedYes {
		t.Fatalf("%+v", g)
	}

	r.command("final", audience.VerbClose)
	r.vote(act{poll: "final", voter: 500, id: 500, slot: 1, perVoter: 1, late: true})
	r.clock.move(r.cfg.SealGrace)
	r.run()
	g = r.published()
	if g.FloorEpoch != 3 || len(g.Seals) != 1 || g.Rounds[final].Late != 1 {
		t.Fatalf("%+v", g)
	}
	for p, floor := range g.Floors {
		if floor != g.Offsets[p] {
			t.Errorf("partition %d: floor %d is not the cut's offset %d", p, floor, g.Offsets[p])
		}
	}
	sealed, err := r.deps.Views.Sealed(t.Context(), final)
	r.must(err)
	statement, _, err := certificate.Open(sealed.Certificate, nil)
	r.must(err)
	if statement.Totals.Votes != 60 || statement.Options[0].Votes+statement.Options[1].Votes != 60 || len(statement.Files) != 3*r.log.Partitions(eventlog.Ballots) {
		t.Errorf("%+v", statement)
	}
	r.recount(recount.Match)

	// What comes after the seal is late, and changes nothing else.
	r.vote(act{poll: "final", voter: 501, id: 501, slot: 1, perVoter: 1})
	r.run()
	g = r.published()
	if g.LateAfterSeal[final] != 1 || len(g.Rounds) != 0 || g.FloorEpoch != 4 {
		t.Fatalf("%+v", g)
	}
	r.vote(act{poll: "final", voter: 502, id: 502, slot: 1, perVoter: 1})
	r.run()
	if g = r.published(); g.LateAfterSeal[final] != 2 || g.Agreed != views.AgreedYes {
		t.Fatalf("%+v", g)
	}
	r.recount(recount.Match)
	if r.speed.expired[0] != 4 {
		t.Errorf("epochs expired below %d", r.speed.expired[0])
	}
	if _, err := r.deps.Views.Generation(t.Context(), 3); !errors.Is(err, views.ErrNotFound) {
		t.Errorf("generation 3: %v", err)
	}
}

func (r *rig) recount(want int) string {
	r.t.Helper()
	var out bytes.Buffer
	if code := recount.Run(r.t.Context(), []string{"--archive", r.dir, "--poll", "final"}, &out, &out); code != want {
		r.t.Fatalf("recount exits %d, want %d: %s", code, want, out.String())
	}
	return out.String()
}

func TestReceiptsSayWhatBecameOfEachBallot(t *testing.T) {
	r := newRig(t, brokers(t))
	free := audience.Limits{BallotsPerVoter: 0, OnRepeat: audience.Add, MinChoices: 1, MaxChoices: 1}
	r.poll("final", once)
	r.poll("claps", free)
	a := act{poll: "final", voter: 1, id: 1, slot: 1, perVoter: 1}
	second, late := a, act{poll: "final", voter: 2, id: 3, slot: 1, perVoter: 1, late: true}
	second.id = 2
	r.vote(a, second, late)
	clap := act{poll: "claps", voter: 1, id: 1, slot: 1}
	r.vote(clap)
	r.clock.move(10 * time.Minute) // claps forgets the first
	again := clap
	again.id = 2
	r.vote(again)
	r.command("final", audience.VerbClose)
	r.command("claps", audience.VerbClose)
	r.clock.move(r.cfg.SealGrace)
	r.run()
	for want, a := range map[tally.Outcome][]act{
		tally.Counted: {a, clap, again}, tally.OverLimit: {second}, tally.Late: {late},
	} {
		for _, a := range a {
			b := r.ballot(a)
			p := audience.PartitionOf(b.Key(), b.Voter, r.log.Partitions(eventlog.Ballots))
			got, found, err := r.deps.Archive.Receipt(t.Context(), b.Key(), p, tally.Mark(b.Voter, b.ID))
			if err != nil || !found || tally.Outcome(got) != want {
				t.Errorf("%+v: %v, %t, %v; want %v", a, tally.Outcome(got), found, err, want)
			}
		}
	}
}

func TestARunWaitsForARoundThatJustClosed(t *testing.T) {
	r := newRig(t, brokers(t))
	r.cfg.SealGrace = 1200 * time.Millisecond // a second of it has passed when close returns
	r.poll("final", once)
	r.crowd("final", 0, 5)
	r.command("final", audience.VerbClose)
	before := time.Now()
	// The clock stands still; the wait is real, and the plan counts it in.
	s := r.service()
	s.pass = func(point string) error {
		if point == "waited" {
			r.clock.move(time.Since(before))
		}
		return nil
	}
	run, err := s.RunOnce(t.Context())
	r.must(err)
	if _, sealed := r.control.State().SealedAt(final); !sealed || time.Since(before) < 200*time.Millisecond {
		t.Fatalf("sealed %t after %v: %+v", sealed, time.Since(before), run)
	}
	poll, _ := r.control.State().Poll("final")
	r.clock.move(time.Second)
	if phase := poll.At(audience.MillisOf(r.clock.now())).Phase; phase != audience.Verified {
		t.Errorf("the round is %s", phase)
	}
}

func TestWhoeverJoinsARunGetsHisRoundSealed(t *testing.T) {
	r := newRig(t, brokers(t))
	r.cfg.SealGrace = 1200 * time.Millisecond
	r.poll("final", once)
	r.poll("semi", once)
	r.submit(control.KindRunRequest, "run-x", 0, nil)
	s, waits := r.service(), 0
	s.pass = func(point string) error {
		if point != "waited" {
			return nil
		}
		if waits++; waits == 1 {
			r.command("final", audience.VerbClose) // a second passes
			r.submit(control.KindRunRequest, "run-y", 0, nil)
		} else {
			r.clock.move(r.cfg.SealGrace)
		}
		return nil
	}
	run, err := s.RunOnce(t.Context())
	r.must(err)
	if _, sealed := r.control.State().SealedAt(final); !sealed || run.ID != "run-x" || waits != 2 {
		t.Errorf("sealed %t by %s after %d waits", sealed, run.ID, waits)
	}
}

// TestKilledAnywhere lets a run die at every boundary between two acts, and
// another process finish the work.
func TestKilledAnywhere(t *testing.T) {
	servers := brokers(t)
	var points []string
	scene := func(t *testing.T) *rig {
		r := newRig(t, servers)
		r.cfg.Parallel = 1 // boundaries come in one order
		r.poll("final", once)
		r.topic("goal", "gol OR goal OR golaço")
		r.crowd("final", 0, 12)
		r.chat(0, 12)
		r.deps.Search = newEngine()
		r.run()
		r.crowd("final", 10, 12)
		r.chat(12, 12)
		r.topic("cup", "#copa OR #worldcup")
		r.command("final", audience.VerbClose)
		r.clock.move(r.cfg.SealGrace)
		return r
	}
	whole := scene(t)
	s := whole.service()
	s.pass = func(point string) error { points = append(points, point); return nil }
	if _, err := s.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(points) < 20 {
		t.Fatalf("only %d boundaries: %v", len(points), points)
	}
	for i, point := range points {
		t.Run(fmt.Sprintf("%02d %s", i, strings.ReplaceAll(point, "/", " ")), func(t *testing.T) {
			t.Parallel()
			r := scene(t)
			s := r.service()
			left := i
			s.pass = func(string) error {
				if left == 0 {
					return errKilled
				}
				left--
				return nil
			}
			if run, err := s.RunOnce(t.Context()); !errors.Is(err, errKilled) || run.State != views.Failed {
				t.Fatalf("the run did not die: %+v, %v", run, err)
			}
			// A reader in between sees one generation or the other.
			if g := r.published(); g.Number != 1 && g.Number != 2 {
				t.Fatalf("generation %d", g.Number)
			}
			r.vote(act{poll: "final", voter: 900, id: 900, slot: 1, perVoter: 1, late: true})
			r.run()
			if _, sealed := r.control.State().SealedAt(final); !sealed {
				t.Fatal("the round is not sealed")
			}
			r.published()
			r.recount(recount.Match)
			r.wantFound(24)
			r.run()
			if g := r.published(); g.LateAfterSeal[final]+r.sealedLate() != 1 {
				t.Errorf("late: %+v", g)
			}
			leftovers, err := filepath.Glob(filepath.Join(r.dir, "*", "*", ".*"))
			if err != nil || len(leftovers) > 0 {
				t.Errorf("left behind: %v, %v", leftovers, err)
			}
		})
	}
}

// wantFound lets the search engine catch up.
func (r *rig) wantFound(posts int) {
	r.t.Helper()
	if done, err := r.service().CatchUp(r.t.Context(), func() bool { return false }); err != nil || !done {
		r.t.Fatal(done, err)
	}
	p, _ := r.control.State().Published()
	if docs := r.deps.Search.(*engine).found(p.Generation); len(docs) != posts {
		r.t.Fatalf("%d posts are found, want %d", len(docs), posts)
	}
}

func (r *rig) sealedLate() int64 {
	r.t.Helper()
	s, err := r.deps.Views.Sealed(r.t.Context(), final)
	r.must(err)
	return s.Round.Late
}

// TestTwoLeaders both believe that they lead.
func TestTwoLeaders(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	for round := range uint64(6) {
		r.crowd("final", round*10, 10)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			wg.Go(func() { _, errs[i] = r.service().RunOnce(t.Context()) })
		}
		wg.Wait()
		if errs[0] != nil && errs[1] != nil {
			t.Fatal(errors.Join(errs...))
		}
	}
	r.command("final", audience.VerbClose)
	r.clock.move(r.cfg.SealGrace)
	r.run()
	r.published()
	r.recount(recount.Match)
}

func TestARunThatCannotWriteFailsAndTheNextWorks(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.crowd("final", 0, 9)
	obstacle := filepath.Join(r.dir, "ballots")
	r.must(os.WriteFile(obstacle, nil, 0o600))
	run, err := r.service().RunOnce(t.Context())
	if err == nil || run.State != views.Failed || !strings.Contains(run.Error, "ballots") {
		t.Fatalf("%+v, %v", run, err)
	}
	r.must(os.Remove(obstacle))
	if again := r.run(); again.ID != run.ID || again.Generation != 1 || again.Error != "" {
		t.Fatalf("%+v", again)
	}
	r.published()
}

func TestDisagreementIsKept(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.crowd("final", 0, 9)
	r.speed.bend = func(p int32, s *speed.Slice) error {
		if p == 1 {
			s.Epochs[0].Of(final).Votes[0]++
		}
		return nil
	}
	r.run()
	g := r.published()
	if g.Agreed != views.AgreedNo || len(g.Differences) != 1 || !strings.Contains(g.Differences[0], "final in partition 1") {
		t.Fatalf("%+v", g)
	}
	if p, _ := r.control.State().Published(); p.Agreed != views.AgreedNo {
		t.Errorf("%+v", p)
	}
	r.cfg.CompareWait = 100 * time.Millisecond
	for name, bend := range map[string]func(int32, *speed.Slice) error{
		"behind":    func(_ int32, s *speed.Slice) error { s.Epoch--; return nil },
		"refilling": func(_ int32, s *speed.Slice) error { s.Ready = false; return nil },
		"empty":     func(int32, *speed.Slice) error { return speed.ErrEmpty },
		"expired":   func(int32, *speed.Slice) error { return speed.ErrExpired },
	} {
		r.speed.bend = bend
		r.run()
		if g := r.published(); g.Agreed != views.AgreedUnknown {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

func TestTheViewsStoreCanBeLost(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.crowd("final", 0, 30)
	r.run()
	r.command("final", audience.VerbClose)
	r.clock.move(r.cfg.SealGrace)
	r.run()
	r.vote(act{poll: "final", voter: 900, id: 900, slot: 1, perVoter: 1})
	r.run()
	before, err := r.deps.Views.Sealed(t.Context(), final)
	r.must(err)
	r.deps.Views = r.openViews()
	r.run()
	g := r.published()
	after, err := r.deps.Views.Sealed(t.Context(), final)
	r.must(err)
	if !bytes.Equal(before.Certificate, after.Certificate) || !after.Round.Equal(before.Round) || g.LateAfterSeal[final] != 1 {
		t.Errorf("%s\n%s\n%+v", before.Certificate, after.Certificate, g)
	}
}

// Another log has a cut of the same number: its generation is not taken for the
// run's own.
func TestAViewsStoreOfAnotherLogIsRefused(t *testing.T) {
	for name, before := range map[string]func(other, r *rig){
		"of other rounds": func(other, _ *rig) {
			other.command("final", audience.VerbClose)
			other.clock.move(other.cfg.SealGrace)
		},
		"of an earlier day": func(_, r *rig) { r.clock.move(24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			all := brokers(t)
			other, r := newRig(t, all), newRig(t, all)
			other.poll("final", once)
			other.crowd("final", 0, 30)
			before(other, r)
			other.run()
			r.poll("final", once)
			r.crowd("final", 0, 5)
			r.deps.Views = other.deps.Views
			run, err := r.service().RunOnce(t.Context())
			if err == nil || !strings.Contains(err.Error(), "another log") || run.State != views.Failed {
				t.Errorf("%v, %v", run.State, err)
			}
		})
	}
}

// TestLead starts runs on request and by itself.
func TestLead(t *testing.T) {
	r := newRig(t, brokers(t))
	r.cfg.Interval = 100 * time.Millisecond
	r.deps.Now = time.Now
	r.poll("final", once)
	r.crowd("final", 0, 9)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.service().Run(ctx) }()
	r.await(func(p control.Published) bool { return p.Generation == 1 })
	r.submit(control.KindRunRequest, "run-x", 0, nil)
	r.await(func(p control.Published) bool { return p.Run == "run-x" })
	run, err := r.deps.Views.Run(t.Context(), "run-x")
	r.must(err)
	if run.Trigger != "request" {
		t.Errorf("%+v", run)
	}
	r.crowd("final", 9, 9)
	r.await(func(p control.Published) bool { return p.Generation >= 3 })
	stop()
	r.must(<-ended)
	r.published()
}

func (r *rig) await(ok func(control.Published) bool) {
	r.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		changed := r.control.Changed()
		if p, _ := r.control.State().Published(); ok(p) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			r.t.Fatal("nothing came of it")
		}
	}
}

func TestCertificates(t *testing.T) {
	s := &certificate.Statement{Version: certificate.Version, Poll: "final", Round: 1, Offsets: map[int32]int64{0: 4}}
	s.Count(audience.Poll{ID: "final", Kind: audience.Score, Options: []audience.Option{{ID: "a", Label: "<é & ü>\u2028"}}},
		&tally.Round{Votes: []int64{3}, Sums: []int64{-9007199254740993}})
	doc, err := certificate.Sign(s, signer)
	if err != nil {
		t.Fatal(err)
	}
	again, err := certificate.Sign(s, signer)
	if err != nil || !bytes.Equal(doc, again) {
		t.Fatal("another certificate of the same statement", err)
	}
	// Reformatted by a program that sorts keys and escapes otherwise.
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	other, err := json.MarshalIndent(v, "  ", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got, key, err := certificate.Open(other, nil)
	if err != nil || *got.Options[0].Sum != -9007199254740993 {
		t.Fatal(got, err)
	}
	if _, _, err := certificate.Open(doc, key); err != nil {
		t.Fatal(err)
	}
	bent := bytes.Replace(doc, []byte(`"votes": 3`), []byte(`"votes": 4`), 1)
	if _, _, err := certificate.Open(bent, nil); !errors.Is(err, certificate.ErrSignature) || bytes.Equal(bent, doc) {
		t.Fatalf("a changed statement: %v", err)
	}
	stranger := append([]byte(nil), key...)
	stranger[0]++
	if _, _, err := certificate.Open(doc, stranger); !errors.Is(err, certificate.ErrSignature) {
		t.Fatalf("another key: %v", err)
	}
}

func TestTheArchiveIsWrittenAgainWhileTheLogLasts(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	for n := range uint64(3) {
		r.crowd("final", 10*n, 10)
		r.run()
	}
	before, err := r.deps.Archive.List(t.Context(), "")
	r.must(err)
	for _, topic := range archived {
		r.must(os.RemoveAll(filepath.Join(r.dir, topic)))
	}
	r.command("final", audience.VerbClose)
	r.clock.move(r.cfg.SealGrace)
	r.run()
	r.published()
	r.recount(recount.Match)
	for _, path := range before {
		if strings.HasPrefix(path, "state/") {
			continue // of the generation then
		}
		if _, _, err := r.deps.Archive.Hash(t.Context(), path); err != nil {
			t.Error(err)
		}
	}
}

// TestRecountFindsWhatIsWrong in a copy of the archive that somebody changed.
func TestRecountFindsWhatIsWrong(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.crowd("final", 0, 30)
	r.run()
	r.crowd("final", 30, 30)
	r.recount(recount.Unknown) // not sealed yet
	r.command("final", audience.VerbClose)
	r.clock.move(r.cfg.SealGrace)
	r.run()
	if out := r.recount(recount.Match); !strings.Contains(out, "MATCH") || !strings.Contains(out, "60 ballots") {
		t.Error(out)
	}
	certificatePath := filepath.Join(r.dir, archive.CertificatePath(final))
	doc, err := os.ReadFile(certificatePath)
	r.must(err)

	// Another key, another round, no archive.
	other := filepath.Join(t.TempDir(), "key")
	r.must(os.WriteFile(other, []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0o600))
	for _, c := range []struct {
		want int
		args []string
	}{
		{recount.Difference, []string{"--archive", r.dir, "--poll", "final", "--public-key", other}},
		{recount.Match, []string{"--archive", r.dir, "--poll", "final", "--round", "1", "--certificate", certificatePath}},
		{recount.Unknown, []string{"--archive", r.dir, "--poll", "final", "--round", "2"}},
		{recount.Unknown, []string{"--archive", r.dir, "--poll", "semi"}},
		{recount.Unknown, []string{"--archive", filepath.Join(r.dir, "none"), "--poll", "final"}},
		{recount.Unknown, []string{"--archive", r.dir, "--poll", "../final"}},
		{recount.Unknown, []string{"--archive", r.dir, "--poll", "final", "--public-key", "x"}},
		{recount.Unknown, []string{"--poll", "final"}},
	} {
		var out bytes.Buffer
		if got := recount.Run(t.Context(), c.args, &out, &out); got != c.want || out.Len() == 0 {
			t.Errorf("%v: exits %d, want %d: %s", c.args, got, c.want, out.String())
		}
	}

	// The statement is changed.
	r.must(os.WriteFile(certificatePath, bytes.Replace(doc, []byte(`"votes": 60`), []byte(`"votes": 61`), 1), 0o600))
	if out := r.recount(recount.Difference); !strings.Contains(out, "signature") {
		t.Error(out)
	}
	r.must(os.WriteFile(certificatePath, doc, 0o600))

	// A ballot is taken out of a segment, which is otherwise sound.
	segment := archive.Segment{Topic: archive.Ballots, Epoch: 1, Partition: 0}
	file, err := r.deps.Archive.Stat(t.Context(), segment)
	r.must(err)
	out, err := r.deps.Archive.Create(t.Context(), segment, file.First)
	r.must(err)
	dropped := false
	_, err = r.deps.Archive.ReadBallots(t.Context(), segment, func(rows []archive.Row) error {
		for i := range rows {
			switch {
			case rows[i].Type == archive.RowCut:
				r.must(out.Cut(rows[i].Offset, rows[i].Cut))
			case dropped:
				r.must(out.Ballots(rows[i].Offset, []audience.Ballot{rows[i].Ballot}))
			default:
				dropped = true
			}
		}
		return nil
	})
	r.must(err)
	_, err = out.Commit(file.Next)
	r.must(err)
	if said := r.recount(recount.Difference); !strings.Contains(said, segment.Path()+" has changed") || !strings.Contains(said, "certified 60, recounted 59") {
		t.Error(said)
	}

	// A segment is gone.
	r.must(r.deps.Archive.Delete(t.Context(), segment.Path()))
	if said := r.recount(recount.Unknown); !strings.Contains(said, segment.Path()) {
		t.Error(said)
	}
}
