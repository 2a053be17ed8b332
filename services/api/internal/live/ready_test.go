package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const noon = audience.Millis(1_800_000_000_000)

// sealed is the registry of one poll that was verified, and one in standby.
func sealedState(t *testing.T) *control.State {
	t.Helper()
	m := control.NewMachine()
	n := int64(0)
	tell := func(at audience.Millis, kind, subject string, payload any) {
		t.Helper()
		body, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		v := m.Apply(control.Event{ID: kind + subject + at.String(), At: at, Actor: "test", Kind: kind, Subject: subject, Payload: body}, n)
		if v.Err != nil {
			t.Fatalf("%s: %v", kind, v.Err)
		}
		n++
	}
	tell(noon, control.KindShowPut, "s", audience.Show{ID: "s", Title: "S", Timezone: "UTC", Locale: "en"})
	for _, id := range []string{final.Poll, "other"} {
		form := control.PollForm{ID: id, Show: "s", Kind: audience.Choose, Question: "?", Options: []audience.Option{{Label: "A"}, {Label: "B"}}}
		tell(noon, control.KindPollPut, id, form.Poll())
	}
	tell(noon, control.KindPollCommand, final.Poll, audience.Command{Command: audience.VerbOpen})
	tell(noon+5000, control.KindPollCommand, final.Poll, audience.Command{Command: audience.VerbClose})
	seals := []audience.RoundKey{final}
	tell(noon+10_000, control.KindCut, "", control.CutDecision{Number: 1, At: noon + 10_000, Seals: seals})
	tell(noon+11_000, control.KindPublished, "", control.Published{Generation: 1, Cut: 1, Seals: seals})
	return m.State()
}

// TestALostSealHoldsNobodyBackForEver starts over a views store that has the
// generation behind a seal, but not the seal.
func TestALostSealHoldsNobodyBackForEver(t *testing.T) {
	n := nothing{state: sealedState(t)}
	b := New(Config{Refresh: time.Millisecond, ReadTimeout: time.Second, SeriesRefresh: time.Second}, Deps{
		Control: n, Views: later{n}, Partitions: 1, Log: slog.New(slog.DiscardHandler),
		Speed: &one{pos: speed.Position{Incarnation: 1, Ready: true, Epoch: 2}},
		End:   func(context.Context, int32) (int64, error) { return 0, nil },
		Now:   func() time.Time { return (noon + 60_000).Time() },
	})
	b.patience = 30 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	defer cancel()
	select {
	case <-b.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("never ready")
	}
	if _, ok := b.Answer("other", OnAir); !ok {
		t.Fatal("the other poll has no answer")
	}
	if _, ok := b.Answer(final.Poll, OnAir); ok {
		t.Fatal("a seal that cannot be found is not zero votes")
	}
}

// TestARoundIsVerifiedWithItsSeal: the word that a round is sealed may come before
// the seal does. Until then the round is closed, for everybody.
func TestARoundIsVerifiedWithItsSeal(t *testing.T) {
	now := noon + 60_000
	state := sealedState(t)
	b := New(Config{}, Deps{Control: nothing{state: state}, Now: now.Time})
	poll, _ := state.Poll(final.Poll)
	seen := func(m *merged) (phases, states [faces]string) {
		t.Helper()
		sc, _, ok := b.scene(m, state, poll, poll.At(now), now)
		if !ok {
			t.Fatal("there is nothing to see")
		}
		for face := range faces {
			c := sc.look(face)
			phases[face], states[face] = string(c.Phase), c.Status
		}
		return phases, states
	}
	old := merge(&views.Generation{}, nil)
	if phases, states := seen(old); phases != [faces]string{"closed", "closed", "closed", "closed"} || slices.Contains(states[:], Verified) {
		t.Error(phases, states)
	}
	b.sealed.Store(final, &views.SealedRound{Generation: 1, Round: &tally.Round{}})
	if phases, _ := seen(old); phases[Producer] != "closed" {
		t.Error("verified by a seal of a generation that is not merged yet:", phases)
	}
	want := [faces]string{Verified, Verified, Verified, Verified}
	if phases, states := seen(merge(&views.Generation{Number: 1}, nil)); phases != want || states != want {
		t.Error(phases, states)
	}
}
