package control_test

import (
	"fmt"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
)

// BenchmarkReplay replays 100,000 events over 200 polls, with a snapshot for
// every 1,000 of them, as a tail takes them in batches; on=1 puts all commands
// to one poll.
func BenchmarkReplay(b *testing.B) {
	for _, on := range []int{1, 200} {
		b.Run(fmt.Sprintf("polls=%d", on), func(b *testing.B) {
			events := history(b, on, 100_000)
			b.ReportAllocs()
			for b.Loop() {
				m := control.NewMachine()
				for i := range events {
					if v := m.Apply(events[i], int64(i)); v.Err != nil {
						b.Fatal(v.Err)
					}
					if i%1000 == 0 {
						m.State()
					}
				}
			}
			b.ReportMetric(float64(len(events))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func history(b *testing.B, polls, n int) []control.Event {
	events := []control.Event{event(b, control.KindShowPut, "gala", 0, audience.Show{Title: "Gala", Timezone: "UTC", Locale: "en"})}
	for i := range polls {
		events = append(events, event(b, control.KindPollPut, fmt.Sprintf("p%d", i), 0, final()))
	}
	for turn := 0; len(events) < n; turn++ {
		verb := []audience.Verb{"open", "pause", "resume", "close", "reset"}[turn%5]
		for i := range polls {
			events = append(events, event(b, control.KindPollCommand, fmt.Sprintf("p%d", i), 0, audience.Command{Command: verb}))
		}
	}
	for i := range events {
		events[i].ID, events[i].At = fmt.Sprint(i), t0+audience.Millis(i)*300
	}
	return events[:n]
}
