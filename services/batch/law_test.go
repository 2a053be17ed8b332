package batch

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// history is a random log: its partitions, cut at the same numbers.
type history struct {
	partitions [][]archive.Row
	seals      map[uint64][]audience.RoundKey // by cut
	cuts       uint64
}

func (h *history) sealedAt(k audience.RoundKey) (uint64, bool) {
	for cut, keys := range h.seals {
		if slices.Contains(keys, k) {
			return cut, true
		}
	}
	return 0, false
}

func (h *history) sealedBy(cut uint64) []audience.RoundKey {
	var keys []audience.RoundKey
	for at, some := range h.seals {
		if at <= cut {
			keys = append(keys, some...)
		}
	}
	slices.SortFunc(keys, audience.RoundKey.Compare)
	return keys
}

// rules of the polls that a history votes in.
var rules = map[string]audience.Ballot{
	"once":  {Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Reject},
	"last":  {Kind: audience.Choose, PerVoter: 2, OnRepeat: audience.Replace},
	"score": {Kind: audience.Score, PerVoter: 1, OnRepeat: audience.Replace},
	"claps": {Kind: audience.React, OnRepeat: audience.Add},
}

func drawHistory(t *rapid.T) *history {
	h := &history{seals: map[uint64][]audience.RoundKey{}, cuts: rapid.Uint64Range(1, 5).Draw(t, "cuts")}
	polls := slices.Sorted(maps.Keys(rules))
	for _, poll := range polls {
		for round := uint32(1); round <= 2; round++ {
			if cut := rapid.Uint64Range(0, h.cuts).Draw(t, "sealed by"); cut > 0 {
				h.seals[cut] = append(h.seals[cut], audience.RoundKey{Poll: poll, Round: round})
			}
		}
	}
	for _, keys := range h.seals {
		slices.SortFunc(keys, audience.RoundKey.Compare)
	}
	for range rapid.IntRange(1, 3).Draw(t, "partitions") {
		h.partitions = append(h.partitions, h.drawPartition(t, polls))
	}
	return h
}

func (h *history) drawPartition(t *rapid.T, polls []string) (rows []archive.Row) {
	add := func(row archive.Row) {
		row.Offset = int64(len(rows)) * 2 // offsets are sparse
		rows = append(rows, row)
	}
	for cut := uint64(1); cut <= h.cuts+1; cut++ {
		for range rapid.IntRange(0, 12).Draw(t, "records") {
			add(drawRow(t, polls, cut))
		}
		if cut <= h.cuts {
			add(archive.Row{Type: archive.RowCut, Cut: audience.Cut{Number: cut, At: 9, Seals: h.seals[cut]}})
		}
	}
	return rows
}

func drawRow(t *rapid.T, polls []string, cut uint64) archive.Row {
	if rapid.IntRange(0, 9).Draw(t, "what") == 0 { // a marker written twice
		return archive.Row{Type: archive.RowCut, Cut: audience.Cut{Number: rapid.Uint64Range(0, cut-1).Draw(t, "again")}}
	}
	poll := rapid.SampledFrom(polls).Draw(t, "poll")
	b := rules[poll]
	b.Poll, b.Round = poll, rapid.Uint32Range(1, 2).Draw(t, "round")
	binary.BigEndian.PutUint64(b.Voter[:], rapid.Uint64Range(1, 4).Draw(t, "voter"))
	binary.BigEndian.PutUint64(b.ID[:], rapid.Uint64Range(1, 6).Draw(t, "id"))
	b.ReceivedAt = audience.Millis(rapid.Int64Range(1, 900).Draw(t, "at")) * 1000
	b.ClosesAt = 800_000
	b.Choices = []audience.Choice{{Slot: rapid.Uint16Range(1, 3).Draw(t, "slot")}}
	if b.Kind == audience.Score {
		b.Choices[0].Score = rapid.Int32Range(-3, 3).Draw(t, "score")
	}
	if rapid.IntRange(0, 7).Draw(t, "revoke") == 0 {
		return archive.Row{Type: archive.RowRevocation, Revocation: audience.Revocation{
			Poll: b.Poll, Round: b.Round, Voter: b.Voter, Ballot: b.ID, Choices: b.Choices, ReceivedAt: b.ReceivedAt,
			Restore: rapid.Bool().Draw(t, "restore"),
		}}
	}
	return archive.Row{Type: archive.RowBallot, Ballot: b}
}

// epochs is the fold of one partition by epoch, as the speed layer has it.
func (h *history) epochs(p int) []tally.View {
	state, epochs := tally.NewPartition(), []tally.View{{}}
	for i := range h.partitions[p] {
		out := epochs[len(epochs)-1]
		switch row := &h.partitions[p][i]; row.Type {
		case archive.RowCut:
			if state.Cut(row.Cut) {
				epochs = append(epochs, tally.View{})
			}
		case archive.RowRevocation:
			state.Revoke(&row.Revocation, out)
		default:
			state.Ballot(&row.Ballot, out)
		}
	}
	return epochs
}

// archiveTo writes what lies below a cut.
func (h *history) archiveTo(t *rapid.T, a *archive.Archive) {
	for p, rows := range h.partitions {
		next, first := 0, int64(0)
		for epoch := range h.cuts {
			w, err := a.Create(context.Background(), archive.Segment{Topic: archive.Ballots, Epoch: epoch, Partition: int32(p)}, first)
			if err != nil {
				t.Fatal(err)
			}
			for done := false; !done && err == nil; next++ {
				switch row := &rows[next]; row.Type {
				case archive.RowCut:
					done = row.Cut.Number == epoch+1
					err = w.Cut(row.Offset, row.Cut)
				case archive.RowRevocation:
					err = w.Revocation(row.Offset, &row.Revocation)
				default:
					err = w.Ballots(row.Offset, []audience.Ballot{row.Ballot})
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			first = rows[next-1].Offset + 1
			if _, err := w.Commit(first); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestBatchAndSpeedAreTheWholeLog is the first law: at every cut, what batch
// has published and the speed epochs from that cut on are the fold of the log.
func TestBatchAndSpeedAreTheWholeLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		a, err := archive.Open(context.Background(), "mem://")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		h.archiveTo(t, a)
		var speed [][]tally.View
		whole := tally.View{}
		for p := range h.partitions {
			speed = append(speed, h.epochs(p))
			for _, epoch := range speed[p] {
				whole.Add(epoch)
			}
		}
		sealed := tally.View{}
		var before *views.Generation
		for n := uint64(1); n <= h.cuts; n++ {
			if rapid.IntRange(0, 5).Draw(t, "lose the views") == 0 {
				before = nil
			}
			g := h.generation(t, a, n, before, sealed)
			merged := sealed.Clone()
			for k, r := range g.Rounds {
				if !slices.Contains(g.Seals, k) {
					merged.Of(k).Add(r)
				}
			}
			for k, late := range g.LateAfterSeal {
				merged.Of(k).Late += late
			}
			for p := range speed {
				for _, epoch := range speed[p][n:] {
					merged.Add(epoch)
				}
			}
			if !merged.Equal(whole) {
				t.Fatalf("at cut %d: batch and speed are %v, the log %v", n, show(merged), show(whole))
			}
			before = g
		}
	})
}

func show(v tally.View) (text []string) {
	for _, k := range audience.SortedRounds(v) {
		text = append(text, k.Poll+" "+say(v[k]))
	}
	return text
}

// generation does what a run does between archive and publish.
func (h *history) generation(t *rapid.T, a *archive.Archive, n uint64, before *views.Generation, sealed tally.View) *views.Generation {
	w := &work{decision: control.CutDecision{Number: n, Seals: h.seals[n]}, before: before}
	w.sealedAt = func(k audience.RoundKey) (uint64, bool) {
		cut, ok := h.sealedAt(k)
		return cut, ok && cut <= n
	}
	w.job = fold.Job{To: n, Seals: h.seals[n]}
	if before != nil {
		w.job.From = before.FloorEpoch
		w.job.Sealed = h.sealedBy(before.FloorEpoch)
	}
	parts, err := Local{Parallel: 1}.Recompute(context.Background(), a, w.job, len(h.partitions), func(*fold.Part) {})
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range parts {
		b, err := fold.Encode(part)
		if err != nil {
			t.Fatal(err)
		}
		if parts[i], err = fold.Decode(b); err != nil {
			t.Fatal(err)
		}
	}
	w.parts = parts
	if w.sum, err = fold.Sum(parts, len(h.partitions)); err != nil {
		t.Fatal(err)
	}
	if found := w.against(); len(found) > 0 {
		t.Fatal(found)
	}
	for _, k := range h.seals[n] {
		sealed[k] = w.sum.Rounds[k].Clone()
	}
	if before == nil { // the seals of earlier cuts are counted again
		for k, r := range w.sum.Ended {
			if !r.Equal(sealed[k]) {
				t.Fatalf("%v sealed as %s, again %s", k, say(sealed[k]), say(r))
			}
		}
	}
	g := &views.Generation{Number: n, Rounds: w.sum.Rounds, Seals: h.seals[n], LateAfterSeal: w.late(), FloorEpoch: w.floor()}
	g.Offsets, g.Floors = w.offsets(), w.floors(g.FloorEpoch)
	return g
}
