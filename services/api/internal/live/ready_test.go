package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
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
