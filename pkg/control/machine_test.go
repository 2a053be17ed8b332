package control_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/google/go-cmp/cmp"
)

const t0 audience.Millis = 1_780_000_000_000

// desk is a machine with a producer before it, whose clock is set by hand.
type desk struct {
	t      testing.TB
	m      *control.Machine
	now    audience.Millis
	offset int64
}

func newDesk(t testing.TB) *desk {
	d := &desk{t: t, m: control.NewMachine(), now: t0}
	d.must(control.KindShowPut, "gala", 0, audience.Show{Title: "Gala", Timezone: "UTC", Locale: "en"})
	return d
}

func (d *desk) send(kind, subject string, base uint64, payload any) control.Verdict {
	d.t.Helper()
	e := control.Event{
		ID: fmt.Sprintf("e%d", d.offset), At: d.now, Actor: "ada", Kind: kind, Subject: subject, Base: base,
		Payload: encode(d.t, payload),
	}
	if err := control.Check(&e); err != nil {
		return control.Verdict{Err: err}
	}
	v := d.m.Apply(e, d.offset)
	d.offset++
	return v
}

func encode(t testing.TB, v any) json.RawMessage {
	t.Helper()
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (d *desk) must(kind, subject string, base uint64, payload any) control.Verdict {
	d.t.Helper()
	v := d.send(kind, subject, base, payload)
	if v.Err != nil {
		d.t.Fatalf("%s %s: %v", kind, subject, v.Err)
	}
	return v
}

func (d *desk) refused(code fault.Code, kind, subject string, base uint64, payload any) control.Verdict {
	d.t.Helper()
	v := d.send(kind, subject, base, payload)
	if v.Err == nil || v.Err.Code != code {
		d.t.Fatalf("%s %s: got %v, want %s", kind, subject, v.Err, code)
	}
	return v
}

func (d *desk) do(verb audience.Verb) control.Verdict {
	d.t.Helper()
	return d.must(control.KindPollCommand, "final", 0, audience.Command{Command: verb})
}

func (d *desk) wrong(verb audience.Verb) {
	d.t.Helper()
	d.refused(fault.WrongPhase, control.KindPollCommand, "final", 0, audience.Command{Command: verb})
}

// pass lets time go by.
func (d *desk) pass(ms audience.Millis) { d.now += ms }

func (d *desk) poll() *control.Poll {
	d.t.Helper()
	p, ok := d.m.State().Poll("final")
	if !ok {
		d.t.Fatal("no poll")
	}
	return p
}

func (d *desk) phase(want audience.Phase) {
	d.t.Helper()
	if got := d.poll().At(d.now).Phase; got != want {
		d.t.Fatalf("phase at %s is %s, want %s", d.now, got, want)
	}
}

func final() audience.Poll {
	return control.PollForm{
		ID: "final", Show: "gala", Kind: audience.Choose, Question: "Who wins?",
		Options: []audience.Option{{ID: "a", Label: "ANNA"}, {ID: "b", Label: "BOB"}},
	}.Poll()
}

func onStage(t testing.TB, change func(*audience.Poll)) *desk {
	d := newDesk(t)
	p := final()
	if change != nil {
		change(&p)
	}
	d.must(control.KindPollPut, "final", 0, p)
	return d
}

func TestCommandTable(t *testing.T) {
	d := onStage(t, nil)
	steps := []struct {
		verb  audience.Verb
		phase audience.Phase
		not   []audience.Verb
	}{
		{audience.VerbOpen, audience.Open, []audience.Verb{"close", "pause", "resume", "freeze", "unfreeze", "reset", "extend"}},
		{audience.VerbPause, audience.Paused, []audience.Verb{"open", "resume", "unfreeze", "reset"}},
		{audience.VerbFreeze, audience.Frozen, []audience.Verb{"open", "pause", "unfreeze", "reset"}},
		{audience.VerbUnfreeze, audience.Paused, []audience.Verb{"open", "pause", "resume", "freeze", "reset"}},
		{audience.VerbResume, audience.Open, nil},
		{audience.VerbFreeze, audience.Frozen, nil},
		{audience.VerbUnfreeze, audience.Open, nil},
		{audience.VerbClose, audience.Closed, nil},
		{audience.VerbReset, audience.Standby, []audience.Verb{"open", "close", "pause", "resume", "freeze", "unfreeze", "extend"}},
	}
	revision := uint64(1)
	for _, step := range steps {
		for _, verb := range step.not {
			if verb == audience.VerbExtend {
				d.refused(fault.WrongPhase, control.KindPollCommand, "final", 0, audience.Command{Command: verb, Seconds: 5})
				continue
			}
			d.wrong(verb)
		}
		v := d.do(step.verb)
		revision++
		want := control.Verdict{
			Offset: d.offset - 1, Revision: revision, Phase: step.phase, Round: 1, EffectiveAt: d.now + control.Margin,
		}
		if step.verb == audience.VerbReset {
			want.Round = 2
		}
		if diff := cmp.Diff(want, v); diff != "" {
			t.Fatalf("%s: %s", step.verb, diff)
		}
		d.pass(control.Margin - 1)
		if got := d.poll().At(d.now); got.Phase == step.phase {
			t.Fatalf("%s takes effect too early", step.verb)
		}
		d.pass(1)
		d.phase(step.phase)
	}
}

func TestSecondCommandInsideTheMargin(t *testing.T) {
	d := onStage(t, nil)
	first := d.do(audience.VerbOpen)
	second := d.do(audience.VerbPause)
	if second.Phase != audience.Paused || second.EffectiveAt <= first.EffectiveAt {
		t.Fatalf("got %+v after %+v", second, first)
	}
	d.pass(-100) // a sender whose clock is behind
	third := d.do(audience.VerbResume)
	if third.EffectiveAt <= second.EffectiveAt {
		t.Fatalf("a later command of a slow clock takes effect at %s, before %s", third.EffectiveAt, second.EffectiveAt)
	}
}

func TestRevisions(t *testing.T) {
	d := onStage(t, nil)
	d.must(control.KindPollCommand, "final", 1, audience.Command{Command: "open"})
	v := d.refused(fault.RevisionConflict, control.KindPollCommand, "final", 1, audience.Command{Command: "close"})
	if v.Err.Extra["revision"] != uint64(2) {
		t.Errorf("extra %v", v.Err.Extra)
	}
	d.refused(fault.RevisionConflict, control.KindPollCommand, "final", 0, audience.Command{Command: "close", Revision: 7})
	d.refused(fault.PreconditionFailed, control.KindPollPut, "final", 1, final())
	d.refused(fault.AlreadyExists, control.KindPollPut, "final", 0, final())
	d.refused(fault.PollNotFound, control.KindPollPut, "other", 1, final())
	d.refused(fault.PollNotFound, control.KindPollCommand, "other", 0, audience.Command{Command: "open"})
	d.must(control.KindPollPut, "final", 2, final())
	d.must(control.KindPollPut, "final", control.Current, final())
	if got := d.poll().Revision; got != 4 {
		t.Errorf("revision %d", got)
	}
}

func TestScheduledCommands(t *testing.T) {
	d := onStage(t, nil)
	d.do(audience.VerbOpen)
	at := func(verb audience.Verb, in audience.Millis) audience.Command {
		return audience.Command{Command: verb, At: d.now + in}
	}
	d.refused(fault.InvalidRequest, control.KindPollCommand, "final", 0, at("close", -1))
	near := d.must(control.KindPollCommand, "final", 0, at("pause", 100))
	if near.EffectiveAt != d.now+control.Margin+1 {
		t.Errorf("at nearer than the margin takes effect at +%d", near.EffectiveAt-d.now)
	}
	d.do(audience.VerbResume)
	closing := d.must(control.KindPollCommand, "final", 0, at("close", 60_000))
	// Judged on the state in force then: closed.
	d.refused(fault.WrongPhase, control.KindPollCommand, "final", 0, at("pause", 61_000))
	d.must(control.KindPollCommand, "final", 0, at("reset", 70_000))
	// Before it, the poll is still open.
	d.must(control.KindPollCommand, "final", 0, at("pause", 50_000))
	if s := d.poll().At(d.now + 300); s.Phase != audience.Open || s.ClosesAt != closing.EffectiveAt || s.NextChange != d.now+50_000 {
		t.Errorf("standing %+v", s)
	}
	d.pass(30_000)
	d.do(audience.VerbClose) // overtakes the scheduled close, which is skipped
	d.pass(45_000)
	if s := d.poll().At(d.now); s.Round != 2 || s.Phase != audience.Standby {
		t.Fatalf("standing %+v", s)
	}
	var skipped []audience.Verb
	for _, e := range d.m.State().Audit("final", d.now) {
		if e.Kind == control.AuditSkipped {
			skipped = append(skipped, e.Command.Command)
		}
	}
	if diff := cmp.Diff([]audience.Verb{"pause", "close"}, skipped); diff != "" {
		t.Error(diff)
	}
}

func TestClosingTime(t *testing.T) {
	d := onStage(t, func(p *audience.Poll) { p.ClosesAt = t0 + 60_000 })
	d.do(audience.VerbOpen)
	d.pass(1000)
	v := d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "extend", Seconds: 30})
	if v.Phase != audience.Open || d.poll().Definition.ClosesAt != t0+90_000 {
		t.Errorf("verdict %+v, definition closes %s", v, d.poll().Definition.ClosesAt)
	}
	d.pass(88_999)
	d.phase(audience.Open)
	if s := d.poll().At(d.now); s.ClosesAt != t0+90_000 || s.NextChange != t0+90_000 {
		t.Errorf("standing %+v", s)
	}
	d.pass(1)
	d.phase(audience.Closed)
	d.refused(fault.WrongPhase, control.KindPollCommand, "final", 0, audience.Command{Command: "extend", Seconds: 30})
	d.do(audience.VerbReset)
	d.pass(300)
	if got := d.poll().DefinitionAt(d.now); got.ClosesAt != 0 {
		t.Errorf("a reset keeps a past closing time, %s", got.ClosesAt)
	}
	if closed, ok := d.poll().ClosedAt(1); !ok || closed != t0+90_000 {
		t.Errorf("round 1 closed at %s, %v", closed, ok)
	}
	d.do(audience.VerbOpen)
	d.pass(300)
	d.refused(fault.NoClosingTime, control.KindPollCommand, "final", 0, audience.Command{Command: "extend", Seconds: 30})
}

func TestExtendJustBeforeTheCloseIsTooLate(t *testing.T) {
	d := onStage(t, func(p *audience.Poll) { p.ClosesAt = t0 + 10_000 })
	d.do(audience.VerbOpen)
	d.pass(9_900)
	d.refused(fault.WrongPhase, control.KindPollCommand, "final", 0, audience.Command{Command: "extend", Seconds: 30})
}

func TestExtendToAnInstant(t *testing.T) {
	d := onStage(t, func(p *audience.Poll) { p.ClosesAt = t0 + 60_000 })
	d.do(audience.VerbOpen)
	d.pass(1000)
	d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "extend", At: t0 + 20_000})
	d.pass(19_000)
	d.phase(audience.Closed)
}

func TestOpenBehindTheClosingTime(t *testing.T) {
	d := onStage(t, func(p *audience.Poll) { p.ClosesAt = t0 + 1_000 })
	d.refused(fault.InvalidRequest, control.KindPollPut, "other", 0, func() audience.Poll {
		p := final()
		p.ClosesAt = t0 - 1
		return p
	}())
	d.pass(2_000)
	d.phase(audience.Standby)
	d.refused(fault.InvalidRequest, control.KindPollCommand, "final", 0, audience.Command{Command: "open"})
}

func TestReveal(t *testing.T) {
	type shown struct{ OnAir, Public, WithReceipt bool }
	tests := map[audience.RevealMode]struct{ standby, open, closed shown }{
		audience.RevealManual: {},
		audience.RevealNever:  {},
		audience.RevealOpen:   {open: shown{true, true, true}, closed: shown{true, true, true}},
		audience.RevealClose:  {closed: shown{true, true, true}},
		audience.RevealVote:   {open: shown{true, false, true}, closed: shown{true, false, true}},
	}
	for mode, want := range tests {
		t.Run(string(mode), func(t *testing.T) {
			d := onStage(t, func(p *audience.Poll) { p.Reveal = mode })
			look := func(want shown) {
				t.Helper()
				s := d.poll().At(d.now)
				if got := (shown{s.OnAir, s.Public, s.WithReceipt}); got != want {
					t.Errorf("%s: shown %+v, want %+v", s.Phase, got, want)
				}
			}
			look(want.standby)
			d.do(audience.VerbOpen)
			d.pass(300)
			look(want.open)
			d.do(audience.VerbClose)
			d.pass(300)
			look(want.closed)
			if mode == audience.RevealNever {
				d.refused(fault.RevealNever, control.KindPollCommand, "final", 0, audience.Command{Command: "reveal"})
				d.refused(fault.RevealNever, control.KindPollCommand, "final", 0, audience.Command{Command: "hide"})
				return
			}
			d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "hide"})
			d.pass(300)
			look(shown{})
			d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "reveal", Audience: audience.OnAir})
			d.pass(300)
			look(shown{OnAir: true})
			d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "reveal", Audience: control.All})
			d.pass(300)
			look(shown{true, true, true})
			d.do(audience.VerbReset)
			d.pass(300)
			look(want.standby)
		})
	}
}

func TestChangingTheDefinition(t *testing.T) {
	relabel := func(p *audience.Poll) { p.Options[0].Label = "ANNA K." }
	grow := func(p *audience.Poll) { p.Options = append(p.Options, audience.Option{ID: "c", Label: "CY"}) }
	swap := func(p *audience.Poll) { p.Options[0], p.Options[1] = p.Options[1], p.Options[0] }
	limit := func(p *audience.Poll) { p.Limits.BallotsPerVoter = 3 }
	kind := func(p *audience.Poll) { p.Kind = audience.React }
	show := func(p *audience.Poll) { p.Show = "matinee" }
	d := onStage(t, nil)
	d.must(control.KindShowPut, "matinee", 0, audience.Show{Title: "Matinee", Timezone: "UTC", Locale: "en"})
	put := func(code fault.Code, change func(*audience.Poll)) {
		t.Helper()
		p := d.poll().DefinitionAt(d.now)
		p.Options = append([]audience.Option(nil), p.Options...)
		change(&p)
		if code == "" {
			d.must(control.KindPollPut, "final", control.Current, p)
			return
		}
		d.refused(code, control.KindPollPut, "final", control.Current, p)
	}
	put("", grow)
	put("", limit)
	put("", show)
	put(fault.InvalidRequest, kind)
	d.do(audience.VerbOpen)
	put(fault.NeedsReset, swap) // judged on what it meets, although the poll is not open yet
	d.pass(300)
	put("", relabel)
	put(fault.NeedsReset, swap)
	put(fault.NeedsReset, func(p *audience.Poll) { p.Limits.BallotsPerVoter = 1 })
	put(fault.InvalidRequest, func(p *audience.Poll) { p.Show = "gala" })
	d.do(audience.VerbClose)
	d.pass(300)
	put(fault.NeedsReset, swap)
	put("", func(p *audience.Poll) { p.Question = "Who won?" })
	d.do(audience.VerbReset)
	put("", swap) // the reset is on its way; round 1 keeps its options
	d.pass(300)
	one, _ := d.poll().DefinitionOf(1)
	two, _ := d.poll().DefinitionOf(2)
	if one.Options[0].Label != "ANNA K." || two.Options[0].ID != "b" || one.Question != "Who won?" {
		t.Errorf("round 1 %+v\nround 2 %+v", one, two)
	}
	put(fault.InvalidRequest, func(p *audience.Poll) { p.Show = "gala" })
	if _, ok := d.poll().DefinitionOf(3); ok {
		t.Error("there is no round 3")
	}
}

func TestVerified(t *testing.T) {
	d := onStage(t, nil)
	d.do(audience.VerbOpen)
	d.pass(1000)
	key := audience.RoundKey{Poll: "final", Round: 1}
	seal := []audience.RoundKey{key}
	d.refused(fault.WrongPhase, control.KindCut, "", 0, control.CutDecision{Number: 1, Seals: seal})
	d.do(audience.VerbClose)
	d.pass(1000)
	d.must(control.KindRunRequest, "run-1", 0, nil)
	if v := d.must(control.KindRunRequest, "run-2", 0, nil); v.Run != "run-1" {
		t.Errorf("the second request gets %q", v.Run)
	}
	d.must(control.KindCut, "", 0, control.CutDecision{Number: 1, At: d.now, Seals: seal, Run: "run-1"})
	d.refused(fault.RevisionConflict, control.KindCut, "", 0, control.CutDecision{Number: 1})
	d.refused(fault.InvalidRequest, control.KindCut, "", 0, control.CutDecision{Number: 2, Seals: seal})
	if _, ok := d.m.State().PendingRun(); ok {
		t.Error("the request still waits")
	}
	d.phase(audience.Closed)
	d.must(control.KindPublished, "", 0, control.Published{Generation: 1, Cut: 1, Seals: seal})
	d.refused(fault.RevisionConflict, control.KindPublished, "", 0, control.Published{Generation: 1, Cut: 1})
	d.phase(audience.Verified)
	if cut, ok := d.m.State().SealedAt(key); !ok || cut != 1 {
		t.Errorf("sealed at %d, %v", cut, ok)
	}
	d.wrong(audience.VerbOpen)
	d.do(audience.VerbReset)
	d.pass(300)
	d.phase(audience.Standby)
	if s, ok := d.poll().Of(1, d.now); !ok || s.Phase != audience.Verified {
		t.Errorf("round 1 is %+v", s)
	}
}

func TestVerifiedBehindAReset(t *testing.T) {
	d := onStage(t, nil)
	for _, verb := range []audience.Verb{"open", "close", "reset"} {
		d.do(verb)
		d.pass(1000)
	}
	seal := []audience.RoundKey{{Poll: "final", Round: 1}}
	d.must(control.KindCut, "", 0, control.CutDecision{Number: 1, Seals: seal})
	d.must(control.KindPublished, "", 0, control.Published{Generation: 1, Cut: 1, Seals: seal})
	if s, ok := d.poll().Of(1, d.now); !ok || s.Phase != audience.Verified {
		t.Errorf("round 1 is %+v", s)
	}
	d.phase(audience.Standby)
}

func TestThingsWithSecrets(t *testing.T) {
	d := onStage(t, nil)
	source := audience.Source{Show: "gala", Connector: "gateway", Enabled: true, KeyHash: "h1"}
	d.must(control.KindSourcePut, "sms", 0, source)
	d.refused(fault.AlreadyExists, control.KindSourcePut, "sms", 0, source)
	source.KeyHash, source.Enabled = "", false
	d.must(control.KindSourcePut, "sms", control.Current, source)
	if s, ok := d.m.State().SourceByKey("h1"); !ok || s.Enabled {
		t.Errorf("the key is lost by a change: %+v", s)
	}
	source.KeyHash = "h2"
	d.must(control.KindSourcePut, "sms", 2, source)
	if _, ok := d.m.State().SourceByKey("h1"); ok {
		t.Error("the old key still opens")
	}
	before := d.m.State()
	d.must(control.KindSourceDelete, "sms", 0, nil)
	d.refused(fault.NotFound, control.KindSourceDelete, "sms", 0, nil)
	if _, ok := d.m.State().SourceByKey("h2"); ok {
		t.Error("a deleted source's key still opens")
	}
	if _, ok := before.SourceByKey("h2"); !ok {
		t.Error("a snapshot changed")
	}
	d.refused(fault.InvalidRequest, control.KindTokenPut, "t1", 0, audience.Token{Name: "x", Role: "producer", Show: "none", Hash: "h"})
	d.must(control.KindTokenPut, "t1", 0, audience.Token{Name: "x", Role: "producer", Show: "gala", Hash: "h"})
	if tok, ok := d.m.State().TokenByHash("h"); !ok || tok.CreatedAt != d.now {
		t.Errorf("token %+v", tok)
	}
	if _, ok := d.m.State().TokenByHash(""); ok {
		t.Error("no hash finds a token")
	}
	d.must(control.KindDestinationPut, "screen", 0, audience.Destination{Show: "gala", Audience: "onair", TokenHash: "f"})
	d.must(control.KindDestinationDelete, "screen", 0, nil)
	if _, ok := d.m.State().DestinationByToken("f"); ok {
		t.Error("a revoked feed token still opens")
	}
}

func TestRepeatedEvent(t *testing.T) {
	d := onStage(t, nil)
	e := control.Event{ID: "once", At: d.now, Actor: "ada", Kind: control.KindPollCommand, Subject: "final",
		Payload: encode(t, audience.Command{Command: "open"})}
	if v := d.m.Apply(e, d.offset); v.Err != nil {
		t.Fatal(v.Err)
	}
	if v := d.m.Apply(e, d.offset+1); !v.Repeated || d.poll().Revision != 2 {
		t.Errorf("verdict %+v, revision %d", v, d.poll().Revision)
	}
}

func TestAudit(t *testing.T) {
	d := onStage(t, func(p *audience.Poll) { p.ClosesAt = t0 + 5_000 })
	d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "open", Reason: "on cue"})
	d.pass(6_000)
	got := d.m.State().Audit("final", d.now)
	if len(got) != 3 {
		t.Fatalf("%d entries", len(got))
	}
	open, closed := got[1], got[2]
	if open.Reason != "on cue" || open.Actor != "ada" || open.Offset != 2 || open.Before.Phase != audience.Standby ||
		open.After.Phase != audience.Open || open.EffectiveAt != t0+control.Margin {
		t.Errorf("open: %+v", open)
	}
	if closed.Kind != control.AuditClosed || closed.Actor != control.ActorClock || closed.At != t0+5_000 {
		t.Errorf("closed: %+v", closed)
	}
}

func TestScheduledOpening(t *testing.T) {
	d := onStage(t, nil)
	d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "open", At: t0 + 60_000})
	d.must(control.KindPollCommand, "final", 0, audience.Command{Command: "close", At: t0 + 90_000})
	s := d.poll().At(d.now)
	if s.Phase != audience.Standby || s.OpensAt != t0+60_000 || s.ClosesAt != t0+90_000 || s.NextChange != t0+60_000 {
		t.Errorf("standing %+v", s)
	}
	if p := d.poll().DefinitionAt(d.now); p.ClosesAt != 0 {
		t.Errorf("a scheduled close is no closing time, and yet %s", p.ClosesAt)
	}
	d.pass(60_000)
	d.phase(audience.Open)
	d.refused(fault.NoClosingTime, control.KindPollCommand, "final", 0, audience.Command{Command: "extend", Seconds: 10})
}

func TestClosingTimeOfAnOpenPoll(t *testing.T) {
	d := onStage(t, nil)
	d.do(audience.VerbOpen)
	d.pass(1000)
	put := func(closesAt audience.Millis) audience.Poll {
		p := d.poll().DefinitionAt(d.now)
		p.ClosesAt = closesAt
		return p
	}
	d.refused(fault.InvalidRequest, control.KindPollPut, "final", control.Current, put(d.now-1))
	d.must(control.KindPollPut, "final", control.Current, put(d.now+100)) // too near: at the margin
	if s := d.poll().At(d.now); s.ClosesAt != d.now+control.Margin {
		t.Errorf("closes at +%d", s.ClosesAt-d.now)
	}
	d.pass(100)
	d.must(control.KindPollPut, "final", control.Current, put(0))
	d.pass(1000)
	d.phase(audience.Closed) // the change came within the margin of the close
}

func TestTooManyScheduledCommands(t *testing.T) {
	d := onStage(t, nil)
	d.do(audience.VerbOpen)
	var last control.Verdict
	for i := range 600 {
		verb := []audience.Verb{"pause", "resume"}[i%2]
		last = d.send(control.KindPollCommand, "final", 0, audience.Command{Command: verb, At: t0 + audience.Millis(i+1)*1000})
		if last.Err != nil {
			break
		}
	}
	if last.Err == nil || last.Err.Code != fault.Overloaded || last.Err.RetryAfter <= 0 {
		t.Errorf("got %+v", last)
	}
}
