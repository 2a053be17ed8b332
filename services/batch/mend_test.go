package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/certificate"
	"github.com/clamor-live/clamor/services/batch/fold"
	"github.com/clamor-live/clamor/services/batch/recount"
)

// harms are what befalls a file; none leaves it readable.
var harms = map[string]func(whole []byte) []byte{
	"cut in half":   func(b []byte) []byte { return b[:len(b)/2] },
	"without end":   func(b []byte) []byte { return b[:len(b)-3] },
	"empty":         func([]byte) []byte { return []byte{} },
	"a flipped bit": func(b []byte) []byte { b[len(b)/4] ^= 4; return b },
	"a zeroed page": func(b []byte) []byte { clear(b[64:256]); return b },
	"foreign":       func([]byte) []byte { return []byte("PAR1 is not enough") },
	"gone":          nil,
}

func (r *rig) file(s archive.Segment) string {
	return filepath.Join(r.dir, filepath.FromSlash(s.Path()))
}

// harm does it, and gives the file before and after.
func (r *rig) harm(s archive.Segment, how func([]byte) []byte) (whole, bent []byte) {
	r.t.Helper()
	whole, err := os.ReadFile(r.file(s))
	r.must(err)
	if how == nil {
		r.must(os.Remove(r.file(s)))
		return whole, nil
	}
	bent = how(bytes.Clone(whole))
	r.must(os.WriteFile(r.file(s), bent, 0o600))
	if _, err := r.deps.Archive.Check(r.t.Context(), s); !errors.Is(err, archive.ErrCorrupt) {
		r.t.Fatalf("%s can still be read: %v", s.Path(), err)
	}
	return whole, bent
}

// wantMended holds a segment against what it was, and what is kept aside against
// what had become of it.
func (r *rig) wantMended(s archive.Segment, whole, bent []byte) {
	r.t.Helper()
	if got, err := os.ReadFile(r.file(s)); err != nil || !bytes.Equal(got, whole) {
		r.t.Errorf("%s came back otherwise: %v", s.Path(), err)
	}
	if bent == nil {
		return // it was gone
	}
	aside, err := r.deps.Archive.Aside(r.t.Context(), s.Path())
	r.must(err)
	if len(aside) == 0 {
		r.t.Fatalf("the damaged %s is not kept", s.Path())
	}
	if kept, err := r.deps.Archive.Get(r.t.Context(), aside[len(aside)-1]); err != nil || !bytes.Equal(kept, bent) {
		r.t.Errorf("%s holds other bytes: %v", aside[len(aside)-1], err)
	}
}

func says(run views.Run, parts ...string) bool {
	return slices.ContainsFunc(run.Warnings, func(text string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
	})
}

// TestDamageIsMended in the middle of a run that counts everything again: it ends
// as if nothing had been wrong.
func TestDamageIsMended(t *testing.T) {
	r := newRig(t, brokers(t))
	registry := prometheus.NewRegistry()
	r.deps.Metrics = registry
	s := r.service()
	run := func() views.Run {
		t.Helper()
		run, err := s.RunOnce(t.Context())
		r.must(err)
		return run
	}
	r.poll("final", once)
	r.topic("goal", "gol OR goal")
	for n := range 3 {
		r.crowd("final", uint64(20*n), 20)
		r.chat(20*n, 20)
		if run := run(); len(run.Warnings) > 0 {
			t.Fatalf("%q", run.Warnings)
		}
	}
	mended := 0
	for name, how := range harms {
		for _, segment := range []archive.Segment{
			{Topic: archive.Posts, Epoch: 0, Partition: 1},
			{Topic: archive.Posts, Epoch: 1},
			{Topic: archive.Ballots, Epoch: 1, Partition: 1},
		} {
			t.Run(name+" "+segment.Path(), func(t *testing.T) {
				r := *r
				r.t = t
				r.topic("cup", fmt.Sprintf("#copa OR word%d", mended)) // counted from the first post on
				whole, bent := r.harm(segment, how)
				run := run()
				r.published()
				r.wantMended(segment, whole, bent)
				if !says(run, segment.Path(), "written again") || run.State != views.Done || run.Agreed != views.AgreedYes {
					t.Errorf("%+v", run)
				}
				if saved, err := r.deps.Views.Run(t.Context(), run.ID); err != nil || len(saved.Warnings) != 1 {
					t.Errorf("%+v, %v", saved, err)
				}
			})
			mended++
		}
	}
	if got := testutil.ToFloat64(s.metrics.mended.WithLabelValues(archive.Posts)); got != float64(mended*2/3) {
		t.Errorf("%v segments of posts mended, want %d", got, mended*2/3)
	}
	r.topic("cup", "#copa")
	if run := run(); len(run.Warnings) > 0 {
		t.Errorf("%q of what was mended before", run.Warnings)
	}
}

// TestMuchDamageIsMendedAtOnce: in one run, in every topic, whichever end of the
// files is left.
func TestMuchDamageIsMendedAtOnce(t *testing.T) {
	r := newGala(t)
	for n := range 4 {
		r.crowd("final", uint64(10*n), 10)
		r.chat(20*n, 20)
		r.run()
	}
	type harmed struct {
		segment     archive.Segment
		whole, bent []byte
	}
	var all []harmed
	for i, name := range []string{"cut in half", "a flipped bit", "gone", "without end"} {
		for _, topic := range archived {
			for p := range int32(r.log.Partitions(topic)) {
				if topic == archive.Control && i < 2 {
					continue // whose rows no run reads
				}
				segment := archive.Segment{Topic: topic, Epoch: uint64(i), Partition: p}
				whole, bent := r.harm(segment, harms[name])
				all = append(all, harmed{segment, whole, bent})
			}
		}
	}
	r.topic("cup", "#copa")
	if run := r.run(); len(run.Warnings) != min(len(all), maxWarnings) {
		t.Errorf("%d warnings of %d mended segments", len(run.Warnings), len(all))
	}
	r.published()
	for _, h := range all {
		r.wantMended(h.segment, h.whole, h.bent)
	}
}

// TestMendingKeepsWhatWasCertified: a mended segment is the file that the
// certificate names, or the run says that it is not.
func TestMendingKeepsWhatWasCertified(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.poll("semi", once) // which stays open, and needs the same segments
	r.crowd("semi", 0, 9)
	r.crowd("final", 0, 30)
	r.run()
	r.crowd("final", 30, 30)
	r.command("final", audience.VerbClose)
	r.clock.move(r.cfg.SealGrace)
	r.run()
	segment := archive.Segment{Topic: archive.Ballots, Epoch: 1}
	whole, bent := r.harm(segment, harms["a flipped bit"])
	r.recount(recount.Unknown) // whoever asks before the next run is told
	run := r.run()
	r.published()
	r.wantMended(segment, whole, bent)
	if !says(run, "damaged/"+segment.Path()) || len(run.Warnings) != 1 {
		t.Errorf("%q", run.Warnings)
	}
	if out := r.recount(recount.Match); !strings.Contains(out, "damaged/"+segment.Path()) {
		t.Errorf("a recount does not tell of what was mended: %s", out)
	}

	// The certificate names the same records in other bytes.
	doc, err := r.deps.Archive.Certificate(t.Context(), final)
	r.must(err)
	recertify := func(change func(*archive.File)) {
		t.Helper()
		statement, _, err := certificate.Open(doc, nil)
		r.must(err)
		for i := range statement.Files {
			if statement.Files[i].Path == segment.Path() {
				change(&statement.Files[i])
			}
		}
		other, err := certificate.Sign(statement, signer)
		r.must(err)
		r.must(r.deps.Archive.PutCertificate(t.Context(), final, other))
	}
	recertify(func(f *archive.File) { f.SHA256 = strings.Repeat("0", 64) })
	r.harm(segment, harms["cut in half"])
	run = r.run()
	if !says(run, segment.Path(), archive.CertificatePath(final), strings.Repeat("0", 64)) {
		t.Errorf("%q", run.Warnings)
	}
	r.recount(recount.Difference)

	// It names other records: then the log is not what was certified.
	recertify(func(f *archive.File) { f.SHA256, f.Ballots = strings.Repeat("0", 64), f.Ballots+1 })
	_, bent = r.harm(segment, harms["cut in half"])
	run, err = r.service().RunOnce(t.Context())
	if !errors.Is(err, errUncertified) || run.State != views.Failed || !strings.Contains(run.Error, segment.Path()) {
		t.Fatalf("%+v, %v", run, err)
	}
	if left, err := os.ReadFile(r.file(segment)); err != nil || !bytes.Equal(left, bent) {
		t.Errorf("the file was touched: %v", err)
	}
}

// TestBallotsThatAreGoneStopTheRun: they are the proof, and nothing stands in for
// them.
func TestBallotsThatAreGoneStopTheRun(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.crowd("final", 0, 20)
	r.run()
	segment := archive.Segment{Topic: archive.Ballots, Epoch: 0, Partition: 1}
	whole, bent := r.harm(segment, harms["a flipped bit"])
	s := r.service()
	s.d.Log = forgetful{s.d.Log, "", 1}
	run, err := s.RunOnce(t.Context())
	if !errors.Is(err, eventlog.ErrOffsetGone) || !strings.Contains(run.Error, segment.Path()) || !strings.Contains(run.Error, "from a copy") {
		t.Fatalf("%+v, %v", run, err)
	}
	if left, err := os.ReadFile(r.file(segment)); err != nil || !bytes.Equal(left, bent) {
		t.Errorf("the file was touched: %v", err)
	}
	if p, _ := r.control.State().Published(); p.Generation != 1 {
		t.Fatalf("published %+v over a damaged archive", p)
	}
	r.must(os.WriteFile(r.file(segment), whole, 0o600))
	r.run()
	r.published()
}

// TestKilledWhileMending: whoever takes the run up finds the damaged file in its
// place still, and kept besides.
func TestKilledWhileMending(t *testing.T) {
	r := newGala(t)
	r.crowd("final", 0, 20)
	r.chat(0, 20)
	r.run()
	for _, topic := range []string{archive.Ballots, archive.Posts} {
		segment := archive.Segment{Topic: topic, Epoch: 0, Partition: 1}
		whole, bent := r.harm(segment, harms["a flipped bit"])
		r.topic("cup", "#copa OR "+topic)
		s := r.service()
		s.pass = func(point string) error {
			if point == "mend "+segment.Path() {
				return errKilled
			}
			return nil
		}
		if _, err := s.RunOnce(t.Context()); !errors.Is(err, errKilled) {
			t.Fatalf("the run did not die: %v", err)
		}
		if left, err := os.ReadFile(r.file(segment)); err != nil || !bytes.Equal(left, bent) {
			t.Errorf("the file was touched: %v", err)
		}
		run := r.run()
		r.published()
		r.wantMended(segment, whole, bent)
		if !says(run, segment.Path()) {
			t.Errorf("%+v", run)
		}
	}
}

// TestTwoMendAtOnce, who both believe that they lead.
func TestTwoMendAtOnce(t *testing.T) {
	r := newRig(t, brokers(t))
	r.topic("goal", "gol OR goal")
	r.chat(0, 40)
	r.run()
	segment := archive.Segment{Topic: archive.Posts, Epoch: 0, Partition: 1}
	for range 5 {
		whole, bent := r.harm(segment, harms["a flipped bit"])
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			wg.Go(func() { _, errs[i] = r.service().mend(t.Context(), nil, r.deps.Archive.Check, archive.Posts, 0, 1) })
		}
		wg.Wait()
		if errs[0] != nil && errs[1] != nil {
			t.Fatal(errors.Join(errs...))
		}
		if got, err := os.ReadFile(r.file(segment)); err != nil || !bytes.Equal(got, whole) {
			t.Fatalf("%s came back otherwise: %v", segment.Path(), err)
		}
		aside, err := r.deps.Archive.Aside(t.Context(), segment.Path())
		r.must(err)
		kept := false
		for _, place := range aside {
			body, err := r.deps.Archive.Get(t.Context(), place)
			r.must(err)
			kept = kept || bytes.Equal(body, bent)
			r.must(r.deps.Archive.Delete(t.Context(), place))
		}
		if !kept {
			t.Fatalf("%v: none is what was damaged", aside)
		}
	}
}

// textual is a runner whose errors are texts, as a cluster's are.
type textual struct{ Runner }

func (r textual) Recompute(ctx context.Context, a *archive.Archive, job fold.Job, partitions int, done func(*fold.Part)) ([]*fold.Part, error) {
	parts, err := r.Runner.Recompute(ctx, a, job, partitions, done)
	if err != nil {
		err = errors.New("job failed: " + err.Error())
	}
	return parts, err
}

func TestAClustersDamageIsMended(t *testing.T) {
	r := newRig(t, brokers(t))
	r.deps.Runner = textual{Local{}}
	r.poll("final", once)
	r.crowd("final", 0, 20)
	r.run()
	for _, how := range []string{"a flipped bit", "without end", "gone"} {
		segment := archive.Segment{Topic: archive.Ballots, Epoch: 0, Partition: 1}
		whole, bent := r.harm(segment, harms[how])
		r.run()
		r.published()
		r.wantMended(segment, whole, bent)
	}
}

// TestAStoreThatStumbledMendsNothing of what is whole.
func TestAStoreThatStumbledMendsNothing(t *testing.T) {
	r := newRig(t, brokers(t))
	r.poll("final", once)
	r.crowd("final", 0, 9)
	r.run()
	segment := archive.Segment{Topic: archive.Ballots, Epoch: 0}
	r.must(r.service().rewrite(t.Context(), nil, segment, archive.ErrCorrupt))
	if aside, err := r.deps.Archive.Aside(t.Context(), segment.Path()); err != nil || len(aside) > 0 {
		t.Errorf("%v is set aside, %v", aside, err)
	}
}

// TestSearchIsFilledOverDamage in the archive.
func TestSearchIsFilledOverDamage(t *testing.T) {
	r := newRig(t, brokers(t))
	e := newEngine()
	r.deps.Search = e
	r.topic("goal", "gol OR goal")
	e.leave(errors.New("no route to the engine"))
	for n := range 3 {
		r.chat(20*n, 20)
		r.run()
	}
	e.leave(nil)
	segment := archive.Segment{Topic: archive.Posts, Epoch: 1, Partition: 1}
	whole, bent := r.harm(segment, harms["a zeroed page"])
	s, done := r.service(), false
	for !done {
		var err error
		done, err = s.CatchUp(t.Context(), func() bool { return false })
		r.must(err)
	}
	if docs := e.found(3); len(docs) != 60 {
		t.Errorf("%d posts found, want 60", len(docs))
	}
	r.wantMended(segment, whole, bent)
}
