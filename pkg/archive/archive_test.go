package archive_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

func open(t testing.TB, address string) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// both runs a test on the two kinds of bucket that need no server.
func both(t *testing.T, test func(t *testing.T, a *archive.Archive)) {
	t.Run("folder", func(t *testing.T) { test(t, open(t, t.TempDir())) })
	t.Run("memory", func(t *testing.T) { test(t, open(t, "mem://")) })
}

var segment = archive.Segment{Topic: archive.Ballots, Epoch: 3, Partition: 1}

func someBallot(t *rapid.T) audience.Ballot {
	b := audience.Ballot{
		Poll: rapid.SampledFrom([]string{"final", "semi"}).Draw(t, "poll"), Round: rapid.Uint32().Draw(t, "round"),
		ReceivedAt: audience.Millis(rapid.Int64Min(0).Draw(t, "received")), ClosesAt: audience.Millis(rapid.Int64Min(0).Draw(t, "closes")),
		Kind:     rapid.SampledFrom([]audience.Kind{audience.Choose, audience.Score, audience.React}).Draw(t, "kind"),
		PerVoter: rapid.Uint32Max(1000).Draw(t, "limit"), OnRepeat: rapid.SampledFrom([]audience.OnRepeat{audience.Reject, audience.Replace, audience.Add}).Draw(t, "repeat"),
		Source: rapid.SampledFrom([]string{"", "sms"}).Draw(t, "source"), Revision: uint64(rapid.Uint32().Draw(t, "revision")),
		Post: rapid.SampledFrom([]string{"", "mastodon:1", "mastodon:ä"}).Draw(t, "post"),
	}
	binary.BigEndian.PutUint64(b.ID[:], rapid.Uint64().Draw(t, "id"))
	binary.BigEndian.PutUint64(b.Voter[8:], rapid.Uint64().Draw(t, "voter"))
	b.Choices = someChoices(t, b.Kind)
	return b
}

func someChoices(t *rapid.T, kind audience.Kind) []audience.Choice {
	choices := make([]audience.Choice, rapid.IntRange(1, 4).Draw(t, "choices"))
	for i := range choices {
		choices[i].Slot = rapid.Uint16Min(1).Draw(t, "slot")
		if kind == audience.Score {
			choices[i].Score = rapid.Int32().Draw(t, "score")
		}
	}
	return choices
}

// someRows are the rows of a whole segment.
func someRows(t *rapid.T) (rows []archive.Row, next int64) {
	for range rapid.IntRange(0, 30).Draw(t, "records") {
		next += rapid.Int64Range(0, 3).Draw(t, "gap")
		switch rapid.SampledFrom([]archive.RowType{archive.RowBallot, archive.RowBallot, archive.RowRevocation, archive.RowCut, archive.RowUnreadable}).Draw(t, "type") {
		case archive.RowBallot:
			for range rapid.IntRange(1, 5).Draw(t, "items") {
				rows = append(rows, archive.Row{Offset: next, Type: archive.RowBallot, Ballot: someBallot(t)})
			}
		case archive.RowRevocation:
			b := someBallot(t)
			r := audience.Revocation{
				Poll: b.Poll, Round: b.Round, Voter: b.Voter, Ballot: b.ID, Restore: rapid.Bool().Draw(t, "restore"),
				At: b.ClosesAt, Actor: "mona", ReceivedAt: b.ReceivedAt, Choices: b.Choices,
			}
			rows = append(rows, archive.Row{Offset: next, Type: archive.RowRevocation, Revocation: r})
		case archive.RowCut:
			c := audience.Cut{Number: rapid.Uint64Range(1, 9).Draw(t, "cut"), At: 1700000000000}
			if rapid.Bool().Draw(t, "seals") {
				c.Seals = []audience.RoundKey{{Poll: "final", Round: 1}, {Poll: "semi", Round: 12}}
			}
			rows = append(rows, archive.Row{Offset: next, Type: archive.RowCut, Cut: c})
		default:
			rows = append(rows, archive.Row{Offset: next, Type: archive.RowUnreadable})
		}
		next++
	}
	return rows, next
}

var ballots = kind[archive.Row]{segment: segment, add: addRows, read: read}

func addRows(w *archive.Writer, rows []archive.Row) (err error) {
	for i := 0; i < len(rows) && err == nil; i++ {
		switch row := rows[i]; row.Type {
		case archive.RowBallot:
			var record []audience.Ballot
			for ; i < len(rows) && rows[i].Type == archive.RowBallot && rows[i].Offset == row.Offset; i++ {
				record = append(record, rows[i].Ballot)
			}
			i--
			err = w.Ballots(row.Offset, record)
		case archive.RowRevocation:
			err = w.Revocation(row.Offset, &row.Revocation)
		case archive.RowCut:
			err = w.Cut(row.Offset, row.Cut)
		default:
			err = w.Unreadable(row.Offset)
		}
	}
	return err
}

func read(a *archive.Archive, s archive.Segment) (rows []archive.Row, file archive.File, err error) {
	file, err = a.ReadBallots(context.Background(), s, func(some []archive.Row) error {
		for _, row := range some {
			kept := archive.Row{Offset: row.Offset, Type: row.Type}
			switch row.Type {
			case archive.RowBallot:
				kept.Ballot = row.Ballot
				kept.Ballot.Choices = append([]audience.Choice(nil), row.Ballot.Choices...)
			case archive.RowRevocation:
				kept.Revocation = row.Revocation
				kept.Revocation.Choices = append([]audience.Choice(nil), row.Revocation.Choices...)
			case archive.RowCut:
				kept.Cut = row.Cut
			}
			rows = append(rows, kept)
		}
		return nil
	})
	return rows, file, err
}

func TestBallotsComeBackAsTheyWere(t *testing.T) {
	both(t, func(t *testing.T, a *archive.Archive) {
		rapid.Check(t, func(t *rapid.T) {
			rows, next := someRows(t)
			ballots.comesBack(t, a, rows, next)
		})
	})
}

func TestControlComesBackAsItWas(t *testing.T) {
	both(t, func(t *testing.T, a *archive.Archive) {
		events := []archive.ControlRow{
			{Offset: 0, Type: archive.RowControl, Control: &clamorv1.Control{Id: "i", At: 5, Actor: "ana", Kind: "poll.put", Subject: "p7", BaseRevision: 1<<64 - 1, Payload: []byte(`{"id":"p7"}`)}},
			{Offset: 1, Type: archive.RowCut, Cut: audience.Cut{Number: 1, At: 7, Seals: []audience.RoundKey{{Poll: "p7", Round: 1}}}},
		}
		s := archive.Segment{Topic: archive.Control}
		w, err := a.Create(t.Context(), s, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Control(0, events[0].Control), w.Cut(1, events[1].Cut)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(2); err != nil {
			t.Fatal(err)
		}
		var back []archive.ControlRow
		if _, err = a.ReadControl(t.Context(), s, func(rows []archive.ControlRow) error { back = append(back, rows...); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(events, back, protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDamageIsNamed(t *testing.T) {
	rows := make([]archive.Row, 5000)
	for i := range rows {
		rows[i] = archive.Row{Offset: int64(i), Type: archive.RowBallot, Ballot: ballot(uint64(i))}
	}
	ballots.damageIsNamed(t, rows, 200, func(_ string, got []archive.Row) bool { return !cmp.Equal(rows, got) })
}

func TestNothingIsSeenBeforeCommit(t *testing.T) {
	both(t, func(t *testing.T, a *archive.Archive) {
		w, err := a.Create(t.Context(), segment, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Ballots(0, []audience.Ballot{ballot(1)}); err != nil {
			t.Fatal(err)
		}
		if err := w.Ballots(0, []audience.Ballot{ballot(1)}); err == nil {
			t.Error("the same offset twice is taken")
		}
		if err := w.Post(1, &clamorv1.Post{}); err == nil {
			t.Error("a post among ballots is taken")
		}
		if _, err := a.Stat(t.Context(), segment); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("before commit: %v", err)
		}
		w.Abort()
		if left, err := a.List(t.Context(), ""); err != nil || len(left) != 0 {
			t.Errorf("after abort: %v, %v", left, err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"": "empty", "s3://bucket": "no driver for s3://", file: "not a directory"} {
		if a, err := archive.Open(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %q: %v, %v", address, a, err)
		}
	}
	if _, err := archive.OpenExisting(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing folder is opened")
	}
}

func ballot(n uint64) audience.Ballot {
	b := audience.Ballot{
		Poll: "final", Round: 1, ReceivedAt: 1764547200000 + audience.Millis(n/100), ClosesAt: 1764550800000,
		Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Reject, Revision: 7,
		Choices: []audience.Choice{{Slot: uint16(n%4 + 1)}},
	}
	rng := rand.New(rand.NewPCG(n, 1))
	binary.BigEndian.PutUint64(b.ID[:], rng.Uint64())
	binary.BigEndian.PutUint64(b.ID[8:], rng.Uint64())
	binary.BigEndian.PutUint64(b.Voter[:], rng.Uint64())
	binary.BigEndian.PutUint64(b.Voter[8:], rng.Uint64())
	return b
}

func writeMany(b testing.TB, a *archive.Archive, n int) archive.File {
	b.Helper()
	w, err := a.Create(context.Background(), segment, 0)
	if err != nil {
		b.Fatal(err)
	}
	record := make([]audience.Ballot, 0, 100)
	for i := range n {
		record = append(record, ballot(uint64(i)))
		if len(record) == cap(record) || i == n-1 {
			if err := w.Ballots(int64(i/100), record); err != nil {
				b.Fatal(err)
			}
			record = record[:0]
		}
	}
	file, err := w.Commit(int64(n))
	if err != nil {
		b.Fatal(err)
	}
	return file
}

func BenchmarkReadBallots(b *testing.B) {
	a := open(b, b.TempDir())
	const n = 1_000_000
	file := writeMany(b, a, n)
	b.ResetTimer()
	for b.Loop() {
		if _, err := a.ReadBallots(context.Background(), segment, func([]archive.Row) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "ballots/s")
	b.ReportMetric(float64(file.Bytes)/n, "bytes/ballot")
}

func BenchmarkWriteBallots(b *testing.B) {
	a := open(b, b.TempDir())
	records := make([][]audience.Ballot, 1000)
	for i := range records {
		for k := range 100 {
			records[i] = append(records[i], ballot(uint64(i*100+k)))
		}
	}
	b.ResetTimer()
	for b.Loop() {
		w, err := a.Create(context.Background(), segment, 0)
		if err != nil {
			b.Fatal(err)
		}
		for i, r := range records {
			if err := w.Ballots(int64(i), r); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := w.Commit(1000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "ballots/s")
}
