package embedded_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
)

// BenchmarkRestart starts over a log of a million ballots, in records of 500 and
// of one, after a clean stop and after a crash, until a client knows the end.
func BenchmarkRestart(b *testing.B) {
	const total = 1_000_000
	for _, c := range []struct {
		name  string
		per   int
		crash bool
	}{
		{"500-a-record/clean", 500, false},
		{"500-a-record/crash", 500, true},
		{"1-a-record/clean", 1, false},
		{"1-a-record/crash", 1, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			value := eventlog.EncodeBallots(nil, make([]audience.Ballot, c.per))
			run(b, dir, func(l *eventlog.Log) { eventlogtest.Fill(b, l, value, total/c.per) })
			for b.Loop() {
				b.StopTimer()
				if c.crash {
					forget(b, dir)
				}
				b.StartTimer()
				s, err := embedded.Start(b.Context(), config(dir), quiet)
				if err != nil {
					b.Fatal(err)
				}
				l, err := dial(b.Context(), s.Brokers())
				if err != nil {
					b.Fatal(err)
				}
				if _, next, err := l.Bounds(b.Context(), eventlog.Ballots, 0); err != nil || next != int64(total/c.per) {
					b.Fatal(next, err)
				}
				b.StopTimer()
				_ = l.Close()
				_ = s.Close()
				b.StartTimer()
			}
		})
	}
}

// forget removes what only a clean stop leaves.
func forget(b *testing.B, dir string) {
	b.Helper()
	snapshots, err := filepath.Glob(filepath.Join(dir, "log", "partitions", "*", "snapshot.json"))
	if err != nil || len(snapshots) == 0 {
		b.Fatal(snapshots, err)
	}
	for _, path := range snapshots {
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
	}
}
