package batch

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// benchBallots are voters' ballots with one in a hundred repeated, as retries do.
const benchBallots = 1_000_000

func benchArchive(b *testing.B, perVoter uint32) *archive.Archive {
	b.Helper()
	a, err := archive.Open(context.Background(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Close() })
	w, err := a.Create(context.Background(), archive.Segment{Topic: archive.Ballots}, 0)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	record := make([]audience.Ballot, 50)
	for offset := range int64(benchBallots / 50) {
		for i := range record {
			if i == 0 && offset > 0 && offset%2 == 0 {
				continue // the record before had it too
			}
			record[i] = audience.Ballot{
				Poll: "final", Round: 1, ReceivedAt: 1764547200000 + audience.Millis(offset*5), ClosesAt: 1764550800000,
				Kind: audience.Choose, PerVoter: perVoter, OnRepeat: audience.Reject, Revision: 7,
				Choices: []audience.Choice{{Slot: uint16(1 + rng.IntN(4))}},
			}
			binary.BigEndian.PutUint64(record[i].ID[:], rng.Uint64())
			binary.BigEndian.PutUint64(record[i].ID[8:], rng.Uint64())
			binary.BigEndian.PutUint64(record[i].Voter[:], rng.Uint64())
			binary.BigEndian.PutUint64(record[i].Voter[8:], rng.Uint64())
		}
		if err := w.Ballots(offset, record); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Cut(benchBallots, audience.Cut{Number: 1}); err != nil {
		b.Fatal(err)
	}
	if _, err := w.Commit(benchBallots + 1); err != nil {
		b.Fatal(err)
	}
	return a
}

func benchmarkRecompute(b *testing.B, perVoter uint32, seals ...audience.RoundKey) {
	a := benchArchive(b, perVoter)
	b.ResetTimer()
	began := processorTime(b)
	for b.Loop() {
		part, err := fold.Fold(context.Background(), a, fold.Job{To: 1, Seals: seals}, 0)
		if err != nil {
			b.Fatal(err)
		}
		if part.Ballots != benchBallots {
			b.Fatal(part.Ballots)
		}
	}
	b.ReportMetric(benchBallots*float64(b.N)/b.Elapsed().Seconds(), "ballots/s")
	b.ReportMetric(benchBallots*float64(b.N)/(processorTime(b)-began).Seconds(), "ballots/core-s")
}

// processorTime is what the process has used of all cores: the figure to hold
// against the goal when others share the machine.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRecompute is one core's: one partition from Parquet through the fold.
func BenchmarkRecompute(b *testing.B) {
	b.Run("one ballot a voter", func(b *testing.B) { benchmarkRecompute(b, 1) })
	b.Run("no limit", func(b *testing.B) { benchmarkRecompute(b, 0) })
	b.Run("with receipts", func(b *testing.B) { benchmarkRecompute(b, 1, final) })
}
