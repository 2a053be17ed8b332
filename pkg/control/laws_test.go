package control_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// script draws events. Their senders' clocks go forward with the log, or a few
// seconds apart.
func script(t *rapid.T, apart bool) []control.Event {
	now := t0
	pauses := []int{0, 1, 40, 100, 249, 250, 251, 1_000, 4_000, 15_000}
	if apart {
		pauses = append(pauses, -100, -3_000, -12_000)
	}
	events := []control.Event{
		{Kind: control.KindShowPut, Subject: "gala", Payload: encodeFor(t, audience.Show{Title: "Gala", Timezone: "UTC", Locale: "en"})},
		{Kind: control.KindPollPut, Subject: "final", Payload: encodeFor(t, drawPoll(t, now))},
	}
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		now += audience.Millis(rapid.SampledFrom(pauses).Draw(t, "pause"))
		e := drawEvent(t, now)
		e.At = now
		events = append(events, e)
	}
	for i := range events {
		events[i].ID, events[i].Actor = fmt.Sprint(i), "ada"
		if events[i].At == 0 {
			events[i].At = t0
		}
	}
	return events
}

func encodeFor(t *rapid.T, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func drawPoll(t *rapid.T, now audience.Millis) audience.Poll {
	p := final()
	p.Reveal = rapid.SampledFrom([]audience.RevealMode{"manual", "open", "vote", "close", "never"}).Draw(t, "reveal")
	p.Options[0].Label = rapid.SampledFrom([]string{"ANNA", "Anna", "A."}).Draw(t, "label")
	if in := rapid.SampledFrom([]int{0, 0, 200, 3_000, 20_000, 60_000}).Draw(t, "closes in"); in > 0 {
		p.ClosesAt = now + audience.Millis(in)
	}
	if rapid.IntRange(0, 3).Draw(t, "grow") == 0 {
		p.Options = append(p.Options, audience.Option{ID: "c", Label: "CY"})
	}
	return p
}

func drawEvent(t *rapid.T, now audience.Millis) control.Event {
	base := uint64(rapid.SampledFrom([]int{0, 0, 0, 0, 3}).Draw(t, "base"))
	seal := []audience.RoundKey{{Poll: "final", Round: uint32(rapid.IntRange(1, 3).Draw(t, "round"))}}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return control.Event{Kind: control.KindPollPut, Subject: "final", Base: control.Current, Payload: encodeFor(t, drawPoll(t, now))}
	case 1:
		n := uint64(now - t0 + 1)
		return control.Event{Kind: control.KindCut, Payload: encodeFor(t, control.CutDecision{Number: n, At: now, Seals: seal})}
	case 2:
		n := uint64(now - t0 + 1)
		return control.Event{Kind: control.KindPublished, Payload: encodeFor(t, control.Published{Generation: n, Cut: n, Seals: seal})}
	}
	return control.Event{Kind: control.KindPollCommand, Subject: "final", Base: base, Payload: encodeFor(t, drawCommand(t, now))}
}

func drawCommand(t *rapid.T, now audience.Millis) audience.Command {
	c := audience.Command{Command: rapid.SampledFrom([]audience.Verb{
		"open", "open", "close", "close", "reset", "reset", "pause", "resume", "freeze", "unfreeze", "extend", "reveal", "hide",
	}).Draw(t, "verb")}
	switch c.Command {
	case audience.VerbExtend:
		c.Seconds = int64(rapid.IntRange(1, 30).Draw(t, "seconds"))
	case audience.VerbReveal, audience.VerbHide:
		c.Audience = rapid.SampledFrom([]audience.Audience{"", "all", "onair", "public"}).Draw(t, "audience")
	}
	if in := rapid.SampledFrom([]int{0, 0, 0, 100, 2_000, 30_000}).Draw(t, "in"); in > 0 && c.Seconds == 0 {
		c.At = now + audience.Millis(in)
	}
	return c
}

// sight is everything that can be seen of a state.
type sight struct {
	Offset    int64
	Shows     []*control.Show
	Revision  uint64
	Poll      audience.Poll
	Rounds    []audience.Poll
	Standings []control.Standing
	Audit     []control.AuditEntry
	Cuts      []control.CutDecision
	Published control.Published
}

func see(s *control.State) sight {
	v := sight{Offset: s.Offset(), Shows: s.Shows(), Cuts: s.Cuts(), Audit: s.Audit("final", t0+1_000_000)}
	v.Published, _ = s.Published()
	p, ok := s.Poll("final")
	if !ok {
		return v
	}
	v.Revision, v.Poll = p.Revision, p.Definition
	for round := uint32(1); round <= p.Rounds(); round++ {
		d, _ := p.DefinitionOf(round)
		v.Rounds = append(v.Rounds, d)
	}
	v.Standings = walk(p)
	return v
}

// walk gives every standing of a poll in order.
func walk(p *control.Poll) []control.Standing {
	all := []control.Standing{p.At(0)}
	for next := all[0].NextChange; next != 0; next = all[len(all)-1].NextChange {
		s := p.At(next)
		if s.NextChange == next {
			panic("time stands still")
		}
		all = append(all, s)
	}
	return all
}

func TestReplayFromAnyPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := script(t, true)
		live := control.NewMachine()
		var snapshots []*control.State
		var verdicts []control.Verdict
		for i, e := range events {
			verdicts = append(verdicts, live.Apply(e, int64(i)))
			snapshots = append(snapshots, live.State())
		}
		n := rapid.IntRange(1, len(events)).Draw(t, "prefix")
		replayed := control.NewMachine()
		for i, e := range events[:n] {
			if diff := cmp.Diff(verdicts[i], replayed.Apply(e, int64(i))); diff != "" {
				t.Fatalf("verdict %d: %s", i, diff)
			}
		}
		if diff := cmp.Diff(see(replayed.State()), see(snapshots[n-1])); diff != "" {
			t.Fatalf("the snapshot at %d is not what a replay gives: %s", n, diff)
		}
	})
}

var leads = map[audience.Phase][]audience.Phase{
	audience.Standby:  {audience.Standby, audience.Open},
	audience.Open:     {audience.Open, audience.Paused, audience.Frozen, audience.Closed},
	audience.Paused:   {audience.Paused, audience.Open, audience.Frozen, audience.Closed},
	audience.Frozen:   {audience.Frozen, audience.Open, audience.Paused, audience.Closed},
	audience.Closed:   {audience.Closed, audience.Verified, audience.Standby},
	audience.Verified: {audience.Verified, audience.Standby},
}

func TestLawsOfTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := control.NewMachine()
		for i, e := range script(t, rapid.Bool().Draw(t, "apart")) {
			m.Apply(e, int64(i))
		}
		p, ok := m.State().Poll("final")
		if !ok {
			return
		}
		all := walk(p)
		for i, s := range all {
			if s.Phase == audience.Open && (s.OpensAt == 0 || s.OpensAt > s.Since || s.ClosesAt != 0 && s.ClosesAt <= s.Since) {
				t.Fatalf("open from %d, and yet %+v", s.Since, s)
			}
			if s.Public && !s.WithReceipt || s.Reveal == audience.RevealNever && (s.OnAir || s.WithReceipt) {
				t.Fatalf("shown to too many: %+v", s)
			}
			if i == 0 {
				continue
			}
			was := all[i-1]
			if s.Transitions > was.Transitions+1 {
				continue // several at the same instant
			}
			if !slices.Contains(leads[was.Phase], s.Phase) || s.Transitions <= was.Transitions {
				t.Fatalf("%+v leads to %+v", was, s)
			}
			began := s.Phase == audience.Standby && was.Phase != audience.Standby
			if began != (s.Round == was.Round+1) || !began && s.Round != was.Round {
				t.Fatalf("a round begins with a reset only: %+v leads to %+v", was, s)
			}
			// A round that ends, ends where the stretches before it said.
			if s.Phase == audience.Closed && was.Phase != audience.Closed && was.ClosesAt != s.Since {
				t.Fatalf("%+v closes at %d", was, s.Since)
			}
		}
	})
}

// What is in force up to the margin ahead of a sender's clock never changes any
// more, so that every door that has read the log up to there judges alike.
func TestNoEventChangesWhatIsInForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := control.NewMachine()
		for i, e := range script(t, false) {
			before, ok := m.State().Poll("final")
			m.Apply(e, int64(i))
			if !ok || e.Kind == control.KindPublished {
				continue
			}
			after, _ := m.State().Poll("final")
			for _, at := range []audience.Millis{e.At - 20_000, e.At - 1_000, e.At, e.At + control.Margin - 1} {
				b, a := before.At(at), after.At(at)
				if b.Phase != a.Phase || b.Round != a.Round || b.OnAir != a.OnAir || b.Public != a.Public || b.Transitions != a.Transitions {
					t.Fatalf("event %d at %d changes %d: %+v becomes %+v", i, e.At, at, b, a)
				}
			}
		}
	})
}
