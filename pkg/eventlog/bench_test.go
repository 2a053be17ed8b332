package eventlog_test

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
)

// durable opens a log over an embedded Kafka that syncs to disk.
func durable(b *testing.B) *eventlog.Log {
	b.Helper()
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Redis = b.TempDir(), false
	s, err := embedded.Start(b.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return eventlogtest.Open(b, eventlogtest.Config(s.Brokers()))
}

func ballots(n int) []audience.Ballot {
	out := make([]audience.Ballot, n)
	for i := range out {
		out[i] = audience.Ballot{
			Poll: "final-2026", Round: 1, ReceivedAt: 1_790_000_000_000, ClosesAt: 1_790_000_090_000,
			Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Reject, Revision: 7,
			Choices: []audience.Choice{{Slot: uint16(1 + i%5)}},
		}
		out[i].ID[0], out[i].ID[1], out[i].Voter[0], out[i].Voter[1] = byte(i), byte(i>>8), byte(i), byte(i>>8)
	}
	return out
}

// BenchmarkAppend appends records of ballots from 64 writers to a log that syncs
// to disk.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name    string
		per     int
		writers int
	}{{"1-ballot", 1, 64}, {"500-ballots", 500, 16}} {
		b.Run(c.name, func(b *testing.B) {
			l := durable(b)
			value := eventlog.EncodeBallots(nil, ballots(c.per))
			var next atomic.Int64
			var mu sync.Mutex
			var took []time.Duration
			var all sync.WaitGroup
			b.ResetTimer()
			for range c.writers {
				all.Go(func() {
					var mine []time.Duration
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						start := time.Now()
						if _, err := l.AppendRaw(b.Context(), eventlog.Ballots, int32(i%3), slices.Clone(value)); err != nil {
							b.Error(err)
							return
						}
						mine = append(mine, time.Since(start))
					}
					mu.Lock()
					defer mu.Unlock()
					took = append(took, mine...)
				})
			}
			all.Wait()
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(b.N*c.per)/b.Elapsed().Seconds(), "ballots/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkVisible measures one append at a time, from the call until a reader
// has the record.
func BenchmarkVisible(b *testing.B) {
	l := durable(b)
	r, err := l.ReadRaw(b.Context(), eventlog.Ballots, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	value := eventlog.EncodeBallots(nil, ballots(1))
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		start := time.Now()
		if _, err := l.AppendRaw(b.Context(), eventlog.Ballots, 0, slices.Clone(value)); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkRead reads records of one ballot, and of 500, and decodes them.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name string
		per  int
		fill int
	}{{"1-ballot", 1, 200_000}, {"500-ballots", 500, 2_000}} {
		b.Run(c.name, func(b *testing.B) {
			l := durable(b)
			eventlogtest.Fill(b, l, eventlog.EncodeBallots(nil, ballots(c.per)), c.fill)
			total := 0
			for b.Loop() {
				total += drain(b, l, c.fill)
			}
			b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "ballots/s")
			b.ReportMetric(float64(total/c.per)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func drain(b *testing.B, l *eventlog.Log, n int) (ballots int) {
	b.Helper()
	r, err := l.ReadRaw(b.Context(), eventlog.Ballots, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var d eventlog.Decoder
	for seen := 0; seen < n; {
		es, err := r.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for i := range es {
			body, err := d.Decode(es[i].Raw)
			if err != nil {
				b.Fatal(err)
			}
			ballots += len(body.Ballots)
		}
		seen += len(es)
	}
	return ballots
}

func BenchmarkEncode(b *testing.B) {
	bs := ballots(500)
	var buf []byte
	for b.Loop() {
		buf = eventlog.EncodeBallots(buf[:0], bs)
	}
	b.ReportMetric(float64(b.N*len(bs))/b.Elapsed().Seconds(), "ballots/s")
}

func BenchmarkDecode(b *testing.B) {
	raw := eventlog.EncodeBallots(nil, ballots(500))
	var d eventlog.Decoder
	for b.Loop() {
		if _, err := d.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "ballots/s")
}
