package flink_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/batch"
	"github.com/clamor-live/clamor/services/batch/flink"
	"github.com/clamor-live/clamor/services/batch/fold"
)

func TestMain(m *testing.M) {
	flink.Init()
	os.Exit(m.Run())
}

// jobServer is Flink's when CLAMOR_TEST_FLINK says where, else Beam's own
// runner for tests, which cannot be stopped.
func jobServer(t *testing.T) string {
	t.Helper()
	if address := os.Getenv("CLAMOR_TEST_FLINK"); address != "" {
		return address
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := prism.CreateJobServer(context.Background(), prism.Options{Port: port}); err != nil {
		t.Fatal(err)
	}
	_, number, _ := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort("localhost", number)
}

const (
	partitions = 4
	epochs     = 3
)

var final = audience.RoundKey{Poll: "final", Round: 1}

// fill writes an archive of some epochs; the last cut seals the round.
func fill(t *testing.T, a *archive.Archive) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for p := range int32(partitions) {
		next := int64(0)
		for epoch := range uint64(epochs) {
			w, err := a.Create(t.Context(), archive.Segment{Topic: archive.Ballots, Epoch: epoch, Partition: p}, next)
			if err != nil {
				t.Fatal(err)
			}
			for range 2000 {
				b := audience.Ballot{
					Poll: final.Poll, Round: final.Round, ReceivedAt: 1764547200000 + audience.Millis(next), Kind: audience.Choose,
					PerVoter: 1, OnRepeat: audience.Replace, Choices: []audience.Choice{{Slot: uint16(1 + rng.IntN(4))}},
				}
				binary.BigEndian.PutUint64(b.ID[:], rng.Uint64N(10000))
				binary.BigEndian.PutUint64(b.Voter[:], rng.Uint64N(3000))
				if err := w.Ballots(next, []audience.Ballot{b}); err != nil {
					t.Fatal(err)
				}
				next++
			}
			cut := audience.Cut{Number: epoch + 1}
			if epoch == epochs-1 {
				cut.Seals = []audience.RoundKey{final}
			}
			if err := w.Cut(next, cut); err != nil {
				t.Fatal(err)
			}
			next++
			if _, err := w.Commit(next); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func open(t *testing.T) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func encode(t *testing.T, parts []*fold.Part) [][]byte {
	t.Helper()
	slices.SortFunc(parts, func(a, b *fold.Part) int { return int(a.Partition - b.Partition) })
	var all [][]byte
	for _, p := range parts {
		b, err := fold.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func runner(t *testing.T) *flink.Runner {
	t.Helper()
	cfg := flink.DefaultConfig()
	cfg.JobServer = jobServer(t)
	r, err := flink.New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBothRunnersGiveTheSameBytes is for parts and receipts alike.
func TestBothRunnersGiveTheSameBytes(t *testing.T) {
	a := open(t)
	fill(t, a)
	job := fold.Job{To: epochs, Seals: []audience.RoundKey{final}}
	receipts := func() (all [][]byte) {
		paths, err := a.List(t.Context(), "receipts/")
		if err != nil || len(paths) != partitions {
			t.Fatal(paths, err)
		}
		for _, path := range paths {
			b, err := a.Get(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
			if err := a.Delete(t.Context(), path); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	parts, err := batch.Local{}.Recompute(t.Context(), a, job, partitions, func(*fold.Part) {})
	if err != nil {
		t.Fatal(err)
	}
	local, localReceipts := encode(t, parts), receipts()
	done := 0
	if parts, err = runner(t).Recompute(t.Context(), a, job, partitions, func(*fold.Part) { done++ }); err != nil {
		t.Fatal(err)
	}
	if done != partitions || !slices.EqualFunc(local, encode(t, parts), bytes.Equal) || !slices.EqualFunc(localReceipts, receipts(), bytes.Equal) {
		t.Error("the runners differ")
	}
	if left, err := a.List(t.Context(), "work/"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAFailedJobSaysWhy(t *testing.T) {
	a := open(t)
	fill(t, a)
	missing := archive.Segment{Topic: archive.Ballots, Epoch: 1, Partition: 2}.Path()
	if err := a.Delete(t.Context(), missing); err != nil {
		t.Fatal(err)
	}
	_, err := runner(t).Recompute(t.Context(), a, fold.Job{To: epochs}, partitions, func(*fold.Part) {})
	if err == nil || !strings.Contains(err.Error(), missing) {
		t.Fatal(err)
	}
}

func TestNoJobServer(t *testing.T) {
	cfg := flink.DefaultConfig()
	cfg.JobServer = "127.0.0.1:1"
	r, err := flink.New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := open(t)
	if _, err := r.Recompute(t.Context(), a, fold.Job{To: 1}, 1, nil); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Fatal(err)
	}
}
