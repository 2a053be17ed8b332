package realtime

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
)

// BenchmarkFoldIntoRedis folds a partition of single ballots of distinct voters
// into Redis: the real one that CLAMOR_TEST_REDIS names, else an in-process one.
// group is how many ballots share a record, as capture's group commit makes it.
// ballots/s is of one worker; ballots/s/core by the processor time that this
// process and Redis took together.
func BenchmarkFoldIntoRedis(b *testing.B) {
	for _, group := range []int{1, 10, 100} {
		log := manyBallots(1_000_000, group)
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) { foldAll(b, log, 1_000_000) })
	}
}

func redisAddress(tb testing.TB) string {
	tb.Helper()
	address := os.Getenv("CLAMOR_TEST_REDIS")
	switch {
	case address == "":
		m := miniredis.NewMiniRedis()
		if err := m.Start(); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(m.Close)
		return "redis://" + m.Addr()
	case !strings.Contains(address, "://"):
		return "redis://" + address
	}
	return address
}

// manyBallots is a log of distinct voters, each with one ballot for one of ten
// options, over ten minutes.
func manyBallots(n, group int) *memoryLog {
	log := newMemoryLog()
	log.chunk = eventlog.MaxEntries
	var bs []audience.Ballot
	for i := range n {
		b := audience.Ballot{
			Poll: "final", Round: 1, Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Reject,
			ReceivedAt: audience.Millis(1_764_000_000_000 + int64(i)*600_000/int64(n)),
			Choices:    []audience.Choice{{Slot: uint16(1 + i%10)}},
		}
		scatter := uint64(i+1) * 0x9e3779b97f4a7c15
		binary.LittleEndian.PutUint64(b.Voter[:], scatter)
		binary.LittleEndian.PutUint64(b.ID[8:], ^scatter)
		if bs = append(bs, b); len(bs) == group || i == n-1 {
			log.values = append(log.values, eventlog.EncodeBallots(nil, bs))
			bs = bs[:0]
		}
	}
	return log
}

func foldAll(b *testing.B, log *memoryLog, ballots int) {
	store := speedtest.Open(b, redisAddress(b))
	s := newService(b, DefaultConfig(), Deps{Log: log, Store: store, Origin: &fixedOrigin{}})
	foldOver(b, log, ballots, "ballots/s", func(partition int32) *worker { return newWorker(s, partition) })
}

// foldOver folds a log of so many things into one partition after the other.
func foldOver(b *testing.B, log *memoryLog, things int, unit string, begin func(partition int32) *worker) {
	b.Helper()
	partition, cpu := int32(0), clock(b)
	began, used := time.Now(), cpu()
	for b.Loop() {
		w := begin(partition)
		partition++
		if err := w.open(b.Context()); err != nil {
			b.Fatal(err)
		}
		for w.fold.at().Next < log.end() {
			if err := w.turn(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		w.close()
	}
	total := float64(things) * float64(partition)
	b.ReportMetric(total/time.Since(began).Seconds(), unit)
	b.ReportMetric(total/(cpu()-used).Seconds(), unit+"/core")
	b.ReportMetric(0, "ns/op")
}

// clock tells the processor time that this process and a real Redis have taken.
func clock(tb testing.TB) func() time.Duration {
	tb.Helper()
	redis := func() time.Duration { return 0 }
	if os.Getenv("CLAMOR_TEST_REDIS") != "" {
		if address, ok := strings.CutPrefix(redisAddress(tb), "redis://"); ok {
			redis = dial(tb, address).cpu
		}
	}
	return func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			tb.Fatal(err)
		}
		return redis() + time.Duration(u.Utime.Nano()+u.Stime.Nano())
	}
}

// BenchmarkSmallStep is what one ballot alone costs: a step of its own.
func BenchmarkSmallStep(b *testing.B) {
	store := speedtest.Open(b, redisAddress(b))
	log := manyBallots(200_000, 1)
	log.chunk = 1
	cfg := DefaultConfig()
	cfg.Pace, cfg.MaxBatch, cfg.MaxFold = 0, 1, 1
	w := newWorker(newService(b, cfg, Deps{Log: log, Store: store, Origin: &fixedOrigin{}}), 0)
	if err := w.open(b.Context()); err != nil {
		b.Fatal(err)
	}
	cpu := clock(b)
	used := cpu()
	for b.Loop() {
		if err := w.turn(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/float64(b.N), "cpu-µs/op")
}
