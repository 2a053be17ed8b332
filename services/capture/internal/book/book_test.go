package book

import (
	"encoding/json"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/form"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// script is a machine that is told what happens, at given times.
type script struct {
	t *testing.T
	m *control.Machine
	n int64
}

func (s *script) tell(at audience.Millis, kind, subject string, payload any) {
	s.t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	if v := s.m.Apply(control.Event{At: at, Kind: kind, Subject: subject, Payload: raw}, s.n); v.Err != nil {
		s.t.Fatal(v.Err)
	}
	s.n++
}

func newScript(t *testing.T, p audience.Poll) *script {
	s := &script{t: t, m: control.NewMachine()}
	s.tell(1000, control.KindShowPut, "show", audience.Show{ID: "show"})
	s.tell(1000, control.KindPollPut, p.ID, p)
	return s
}

func poll() audience.Poll {
	return audience.Poll{
		ID: "p", Show: "show", Kind: audience.Choose, Reveal: audience.RevealManual,
		Options: []audience.Option{{ID: "a"}, {ID: "b"}, {ID: "c"}},
		Limits:  audience.Limits{BallotsPerVoter: 1, OnRepeat: audience.Reject, MinChoices: 1, MaxChoices: 2, ScoreMin: -5, ScoreMax: 5},
	}
}

// TestTheKeptMomentIsTheTrueOne: whatever is asked in whatever order, the answer
// is what control says.
func TestTheKeptMomentIsTheTrueOne(t *testing.T) {
	s := newScript(t, poll())
	for i, verb := range []audience.Verb{audience.VerbOpen, audience.VerbPause, audience.VerbResume, audience.VerbClose, audience.VerbReset, audience.VerbOpen} {
		s.tell(audience.Millis(2000+1000*i), control.KindPollCommand, "p", audience.Command{Command: verb})
	}
	state := s.m.State()
	truth, _ := state.Poll("p")
	rapid.Check(t, func(t *rapid.T) {
		var b Book
		for range rapid.IntRange(1, 20).Draw(t, "questions") {
			now := audience.Millis(rapid.Int64Range(900, 9000).Draw(t, "now"))
			m, ok := b.Poll(state, "p", now)
			if !ok {
				t.Fatal("no poll")
			}
			if diff := cmp.Diff(truth.At(now), m.Standing); diff != "" {
				t.Fatalf("at %d: %s", now, diff)
			}
		}
	})
}

func TestAChangedDefinitionIsSeenAtOnce(t *testing.T) {
	s := newScript(t, poll())
	var b Book
	before, _ := b.Poll(s.m.State(), "p", 5000)
	s.tell(2000, control.KindPollCommand, "p", audience.Command{Command: audience.VerbOpen})
	after, _ := b.Poll(s.m.State(), "p", 5000)
	if before.Phase != audience.Standby || after.Phase != audience.Open || after.Revision <= before.Revision {
		t.Errorf("%+v, then %+v", before.Standing, after.Standing)
	}
	if _, ok := b.Poll(s.m.State(), "q", 5000); ok {
		t.Error("a poll that is not there")
	}
}

func TestChoices(t *testing.T) {
	state := newScript(t, poll()).m.State()
	var b Book
	m, _ := b.Poll(state, "p", 5000)
	scored := *m
	scored.Poll.Kind = audience.Score
	for body, want := range map[string]struct {
		m    *Moment
		want []audience.Choice
	}{
		`"choices":["c","a"]`:         {m, []audience.Choice{{Slot: 3}, {Slot: 1}}},
		`"choices":["a"],"scores":{}`: {m, []audience.Choice{{Slot: 1}}},
		`"choices":["a","a"]`:         {m, nil},
		`"choices":["a","b","c"]`:     {m, nil},
		`"choices":[]`:                {m, nil},
		`"choices":["A"]`:             {m, nil},
		`"scores":{"c":-5,"a":5}`:     {&scored, []audience.Choice{{Slot: 1, Score: 5}, {Slot: 3, Score: -5}}},
		`"scores":{"c":-6}`:           {&scored, nil},
		`"scores":{"c":99999999999}`:  {&scored, nil},
		`"scores":{"x":1}`:            {&scored, nil},
		`"scores":{}`:                 {&scored, nil},
	} {
		var f form.Form
		if err := f.Read([]byte(`{"ballot_id":"x",`+body+`}`), form.Voter); err != nil {
			t.Fatal(body, err)
		}
		got, err := want.m.Choices(&f, nil)
		if want.want == nil {
			if !fault.Is(err, fault.InvalidBallot) {
				t.Errorf("%s: %v %v", body, got, err)
			}
			continue
		}
		if diff := cmp.Diff(want.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
}
