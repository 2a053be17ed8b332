// Package eventlogtest is what every log must do, whichever Kafka is behind it.
package eventlogtest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// patience bounds every wait of the suite; nothing takes as long when it works.
const patience = 60 * time.Second

// Config is a configuration on topics that no other test uses.
func Config(brokers []string) eventlog.Config {
	var name [6]byte
	for i := range name {
		name[i] = byte(rand.UintN(256))
	}
	cfg := eventlog.DefaultConfig()
	cfg.Brokers = brokers
	cfg.Prefix = "test-" + hex.EncodeToString(name[:]) + "."
	cfg.Partitions = 3
	cfg.Replication = min(3, len(brokers))
	cfg.AckDeadline = 20 * time.Second
	return cfg
}

// Open opens a log that closes with the test.
func Open(t testing.TB, cfg eventlog.Config) *eventlog.Log {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := eventlog.Open(ctx, cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Fill appends a value n times to the first partition of ballots, as many at
// once as a log takes.
func Fill(b *testing.B, l *eventlog.Log, value []byte, n int) {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(2000, 32<<20/len(value)) {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				if _, err := l.AppendRaw(context.Background(), eventlog.Ballots, 0, value); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// Run runs the suite against the brokers.
func Run(t *testing.T, brokers []string) {
	for _, c := range []struct {
		name string
		test func(*testing.T, []string)
	}{
		{"append and read", appendAndRead},
		{"every partition on its own", partitions},
		{"a reader waits", readerWaits},
		{"a reader ends", readerEnds},
		{"places outside the log", outside},
		{"poison goes to the dead letters", poison},
		{"too much in flight", overloaded},
		{"a record too large", tooLarge},
		{"records from many writers", manyWriters},
		{"open again", openAgain},
		{"seats are shared", seatsShared},
		{"seats move when a member leaves", seatsMove},
		{"seats stay where they are", seatsStay},
		{"a hold that fails is called again", holdFails},
		{"a seat's metadata", seatMetadata},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, brokers) })
	}
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Record is a control record that carries a number.
func Record(n int) *clamorv1.Record {
	return &clamorv1.Record{Body: &clamorv1.Record_Control{Control: &clamorv1.Control{
		Id: fmt.Sprintf("record-%d", n), Kind: "test", At: int64(n),
	}}}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Collect reads n entries from an offset.
func Collect(t testing.TB, l *eventlog.Log, topic string, partition int32, from int64, n int) []eventlog.Entry {
	t.Helper()
	ctx := within(t)
	r := must[*eventlog.Reader](t)(l.Read(ctx, topic, partition, from))
	defer func() { _ = r.Close() }()
	var out []eventlog.Entry
	for len(out) < n {
		out = append(out, must[[]eventlog.Entry](t)(r.Next(ctx))...)
	}
	return out
}

func appendAndRead(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	var want []*clamorv1.Record
	var offsets []int64
	for i := range 50 {
		rec := Record(i)
		want = append(want, rec)
		offsets = append(offsets, must[int64](t)(l.Append(ctx, eventlog.Control, 0, rec)))
	}
	got := Collect(t, l, eventlog.Control, 0, offsets[0], len(want))
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i, e := range got {
		if e.Err != nil || e.Offset != offsets[i] || e.Topic != eventlog.Control || e.Partition != 0 {
			t.Errorf("entry %d: %+v, want offset %d", i, e, offsets[i])
		}
		if diff := cmp.Diff(want[i], e.Record, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	oldest, next, err := l.Bounds(ctx, eventlog.Control, 0)
	if err != nil || oldest != offsets[0] || next != offsets[len(offsets)-1]+1 {
		t.Errorf("bounds %d, %d, %v", oldest, next, err)
	}
	if tail := Collect(t, l, eventlog.Control, 0, offsets[47], 3); tail[0].Offset != offsets[47] {
		t.Errorf("reading from %d began at %d", offsets[47], tail[0].Offset)
	}
}

func partitions(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	ballot := audience.Ballot{Poll: "final", Round: 1, Choices: []audience.Choice{{Slot: 1}}}
	for p := range int32(l.Partitions(eventlog.Ballots)) {
		for i := range 10 {
			ballot.ID[0], ballot.Voter[0] = byte(i), byte(p)
			must[int64](t)(l.AppendRaw(ctx, eventlog.Ballots, p, eventlog.EncodeBallots(nil, []audience.Ballot{ballot})))
		}
	}
	for p := range int32(l.Partitions(eventlog.Ballots)) {
		for i, e := range Collect(t, l, eventlog.Ballots, p, 0, 10) {
			bs := must[[]audience.Ballot](t)(eventlog.BallotsFrom(e.Record.GetBallots(), nil))
			if len(bs) != 1 || bs[0].Voter[0] != byte(p) || bs[0].ID[0] != byte(i) {
				t.Errorf("partition %d, entry %d: %+v", p, i, bs)
			}
		}
	}
	if _, err := l.Append(ctx, eventlog.Ballots, 99, Record(0)); err == nil {
		t.Error("partition 99 took a record")
	}
}

func readerWaits(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	r := must[*eventlog.Reader](t)(l.Read(ctx, eventlog.Control, 0, 0))
	defer func() { _ = r.Close() }()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := r.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("an empty log gave %v", err)
	}
	for i := range 20 {
		must[int64](t)(l.Append(ctx, eventlog.Control, 0, Record(i)))
		es := must[[]eventlog.Entry](t)(r.Next(ctx))
		if len(es) != 1 || es[0].Record.GetControl().GetAt() != int64(i) {
			t.Fatalf("after record %d: %+v", i, es)
		}
		if r.End() < es[0].Offset+1 {
			t.Fatalf("end %d at offset %d", r.End(), es[0].Offset)
		}
	}
}

func readerEnds(t *testing.T, brokers []string) {
	cfg := Config(brokers)
	ctx := within(t)
	l := must[*eventlog.Log](t)(eventlog.Open(ctx, cfg, slog.New(slog.DiscardHandler), nil))
	r := must[*eventlog.Reader](t)(l.Read(ctx, eventlog.Control, 0, 0))
	other := must[*eventlog.Reader](t)(l.Read(ctx, eventlog.Control, 0, 0))
	start := time.Now()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("closing took %s", took)
	}
	if _, err := r.Next(ctx); !errors.Is(err, eventlog.ErrClosed) {
		t.Errorf("a closed reader gave %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := other.Next(ctx); !errors.Is(err, eventlog.ErrClosed) {
		t.Errorf("a reader of a closed log gave %v", err)
	}
	if _, err := l.Append(ctx, eventlog.Control, 0, Record(1)); !errors.Is(err, eventlog.ErrClosed) {
		t.Errorf("a closed log gave %v", err)
	}
}

func outside(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	next := must[int64](t)(l.Append(ctx, eventlog.Control, 0, Record(1))) + 1
	if _, err := l.Read(ctx, eventlog.Control, 0, next+5); !errors.Is(err, eventlog.ErrOffsetAhead) {
		t.Errorf("ahead of the log: %v", err)
	}
	if _, err := l.Read(ctx, eventlog.Control, 0, -1); !errors.Is(err, eventlog.ErrOffsetGone) {
		t.Errorf("below the log: %v", err)
	}
}

func poison(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	bad := []byte{0xff, 0xff, 0xff}
	must[int64](t)(l.Append(ctx, eventlog.Posts, 1, Record(1)))
	place := must[int64](t)(l.AppendRaw(ctx, eventlog.Posts, 1, bad))
	must[int64](t)(l.Append(ctx, eventlog.Posts, 1, Record(2)))
	got := Collect(t, l, eventlog.Posts, 1, 0, 3)
	if got[1].Err == nil || got[1].Offset != place || got[0].Err != nil || got[2].Err != nil {
		t.Errorf("entries %+v", got)
	}
	r := must[*eventlog.Reader](t)(l.ReadRaw(ctx, eventlog.DeadLetter, 0, 0))
	defer func() { _ = r.Close() }()
	dead := must[[]eventlog.Entry](t)(r.Next(ctx))
	if len(dead) != 1 || string(dead[0].Raw) != string(bad) {
		t.Errorf("dead letters %+v", dead)
	}
	Collect(t, l, eventlog.Posts, 1, 0, 3)
	if _, next, _ := l.Bounds(ctx, eventlog.DeadLetter, 0); next != 1 {
		t.Errorf("%d dead letters after a second read", next)
	}
}

func overloaded(t *testing.T, brokers []string) {
	cfg := Config(brokers)
	cfg.MaxInFlightRecords, cfg.AckDeadline = 4, 10*time.Second
	l, ctx := Open(t, cfg), within(t)
	var mu sync.Mutex
	var full, taken int
	var writers sync.WaitGroup
	for w := range 64 {
		writers.Go(func() {
			for i := range 20 {
				_, err := l.Append(ctx, eventlog.Control, 0, Record(w*100+i))
				mu.Lock()
				switch {
				case err == nil:
					taken++
				case errors.Is(err, eventlog.ErrOverloaded):
					full++
				default:
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	if taken == 0 || full == 0 {
		t.Errorf("%d taken, %d refused", taken, full)
	}
	if _, next, err := l.Bounds(ctx, eventlog.Control, 0); err != nil || next != int64(taken) {
		t.Errorf("%d records are there, %d were acknowledged, %v", next, taken, err)
	}
}

func tooLarge(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	largest := eventlog.DefaultConfig().MaxRecordBytes
	if _, err := l.AppendRaw(ctx, eventlog.Control, 0, make([]byte, largest+1)); !errors.Is(err, eventlog.ErrTooLarge) {
		t.Errorf("too large gave %v", err)
	}
	rec := Record(1)
	rec.GetControl().Payload = make([]byte, largest-100)
	must[int64](t)(l.Append(ctx, eventlog.Control, 0, rec))
	if got := Collect(t, l, eventlog.Control, 0, 0, 1); len(got[0].Record.GetControl().GetPayload()) != largest-100 {
		t.Errorf("the largest record came back as %+v", got[0].Err)
	}
}

func manyWriters(t *testing.T, brokers []string) {
	l, ctx := Open(t, Config(brokers)), within(t)
	const writers, each = 16, 50
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if _, err := l.Append(ctx, eventlog.Posts, int32(i%3), Record(w*each+i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	seen := make(map[int64]int)
	last := make(map[int64]int64) // by writer
	for p := range int32(3) {
		_, next, err := l.Bounds(ctx, eventlog.Posts, p)
		if err != nil {
			t.Fatal(err)
		}
		clear(last)
		for _, e := range Collect(t, l, eventlog.Posts, p, 0, int(next)) {
			n := e.Record.GetControl().GetAt()
			if before, ok := last[n/each]; ok && before >= n {
				t.Errorf("record %d after %d", n, before)
			}
			last[n/each] = n
			seen[n]++
		}
	}
	if len(seen) != writers*each {
		t.Errorf("%d records, want %d", len(seen), writers*each)
	}
}

func openAgain(t *testing.T, brokers []string) {
	cfg := Config(brokers)
	first, ctx := Open(t, cfg), within(t)
	must[int64](t)(first.Append(ctx, eventlog.Control, 0, Record(1)))
	cfg.Partitions = 7 // topics keep what they have
	second := Open(t, cfg)
	if got := second.Partitions(eventlog.Ballots); got != 3 {
		t.Errorf("%d partitions", got)
	}
	Collect(t, second, eventlog.Control, 0, 0, 1)
}
