package realtime

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
	"github.com/clamor-live/clamor/pkg/tally"
	"pgregory.net/rapid"
)

// world is what becomes of a log of ballots.
type world struct {
	*rivals

	service *Service
	now     audience.Millis
	sealed  []audience.RoundKey
}

// TestLaw: whatever happens, what Redis calls whole is the fold of the log up to
// the offset that it names.
func TestLaw(t *testing.T) {
	server := miniredis.RunT(t)
	plain := speedtest.Open(t, "redis://"+server.Addr())
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{rivals: newRivals(eventlog.Ballots, server, plain), now: 1_764_000_000_000}
		w.service = newService(t, quickConfig(), Deps{Log: w.log, Store: w.store, Origin: w.origin, Past: w.log})
		w.begin = func() *worker { return newWorker(w.service, 0) }
		rt.Repeat(w.with(map[string]func(*rapid.T){
			"ballots":    w.ballots,
			"revocation": w.revocation,
			"cut":        w.cut,
			"publish":    w.publish,
			"":           w.check,
		}))
		w.log.ballots(polls[0])
		w.finish(rt, func(pos speed.Position) error {
			_, err := plain.Read(rt.Context(), eventlog.Ballots, 0, pos.Keep)
			return err
		})
		w.check(rt)
	})
}

var polls = []audience.Ballot{
	{Poll: "once", Round: 1, PerVoter: 1, OnRepeat: audience.Reject, Kind: audience.Choose},
	{Poll: "change", Round: 1, PerVoter: 2, OnRepeat: audience.Replace, Kind: audience.Choose},
	{Poll: "score", Round: 7, PerVoter: 3, OnRepeat: audience.Reject, Kind: audience.Score},
	{Poll: "cheer", Round: 2, PerVoter: 0, OnRepeat: audience.Add, Kind: audience.React},
}

func (w *world) ballots(rt *rapid.T) {
	w.now += audience.Millis(rapid.SampledFrom([]int{0, 10, 12_000, 290_000}).Draw(rt, "passed"))
	bs := make([]audience.Ballot, rapid.IntRange(1, 12).Draw(rt, "ballots"))
	for i := range bs {
		b := &bs[i]
		*b = polls[rapid.IntRange(0, len(polls)-1).Draw(rt, "poll")]
		b.Voter[0] = rapid.Byte().Filter(func(v byte) bool { return v < 6 }).Draw(rt, "voter")
		b.ID[0] = rapid.ByteRange(1, 24).Draw(rt, "id")
		b.ReceivedAt = w.now - audience.Millis(rapid.IntRange(0, 11_000).Draw(rt, "skew"))
		if rapid.IntRange(0, 9).Draw(rt, "late") == 0 {
			b.ClosesAt = b.ReceivedAt
		}
		b.Choices = []audience.Choice{{Slot: rapid.Uint16Range(1, 3).Draw(rt, "slot")}}
		if b.Kind == audience.Score {
			b.Choices[0].Score = rapid.Int32Range(-5, 10).Draw(rt, "score")
		}
	}
	w.log.ballots(bs...)
}

func (w *world) revocation(rt *rapid.T) {
	of := polls[rapid.IntRange(0, len(polls)-1).Draw(rt, "poll")]
	r := audience.Revocation{Poll: of.Poll, Round: of.Round, Restore: rapid.Bool().Draw(rt, "restore")}
	r.Voter[0] = rapid.ByteRange(0, 5).Draw(rt, "voter")
	r.Ballot[0] = rapid.ByteRange(1, 24).Draw(rt, "id")
	r.Choices, r.ReceivedAt = []audience.Choice{{Slot: 1}}, w.now
	w.log.revoke(r)
}

func (w *world) cut(rt *rapid.T) {
	w.cuts++
	c := audience.Cut{Number: w.cuts, At: w.now}
	for _, of := range polls {
		if rapid.IntRange(0, 11).Draw(rt, "seal") == 0 && !slices.Contains(w.sealed, of.Key()) {
			c.Seals = append(c.Seals, of.Key())
		}
	}
	w.sealed = append(w.sealed, c.Seals...)
	w.log.cut(c)
}

// publish makes a cut the generation.
func (w *world) publish(rt *rapid.T) {
	if w.cuts == 0 {
		rt.Skip("nothing cut")
	}
	w.published(rt, w.floor(w.cuts), w.lastCut()+1)
}

// lastCut is the offset of the newest cut.
func (w *world) lastCut() int64 {
	var d eventlog.Decoder
	for offset, value := range w.log.values {
		if body, err := d.Decode(value); err == nil && body.Cut != nil && body.Cut.Number == w.cuts {
			return int64(offset)
		}
	}
	return 0
}

// floor is where a refill for the generation of a cut begins: at the first epoch
// that holds a record of a round not sealed by then.
func (w *world) floor(cut uint64) speed.Start {
	var epoch uint64
	var d eventlog.Decoder
	seals := map[uint64][]audience.RoundKey{}
	begins, rounds := map[uint64]int64{0: 0}, map[uint64][]audience.RoundKey{}
	for offset, value := range w.log.values {
		body, err := d.Decode(value)
		if err != nil {
			continue
		}
		if c := body.Cut; c != nil && c.Number > epoch {
			epoch = c.Number
			begins[epoch], seals[epoch] = int64(offset)+1, c.Seals
		}
		if r := body.Revocation; r != nil {
			rounds[epoch] = append(rounds[epoch], r.Key())
		}
		for i := range body.Ballots {
			rounds[epoch] = append(rounds[epoch], body.Ballots[i].Key())
		}
	}
	floor := uint64(0)
	for floor < cut && !slices.ContainsFunc(rounds[floor], func(k audience.RoundKey) bool { return !slices.Contains(w.sealed, k) }) {
		floor++
	}
	start := speed.Start{Next: begins[floor], Epoch: floor, Keep: cut}
	for number := uint64(1); number <= floor; number++ {
		start.Sealed = append(start.Sealed, seals[number]...)
	}
	return start
}

// check compares what a reader would be served with the fold of the log.
func (w *world) check(rt *rapid.T) {
	if err := w.agrees(rt.Context()); err != nil {
		rt.Fatal(err)
	}
}

func (w *world) agrees(ctx context.Context) error {
	pos, err := w.plain.Position(ctx, eventlog.Ballots, 0)
	if err != nil || !pos.Ready {
		return ignoreDamage(err)
	}
	slice, err := w.plain.Read(ctx, eventlog.Ballots, 0, pos.Keep)
	if err != nil {
		return ignoreDamage(err)
	}
	series, err := w.plain.ReadSeries(ctx, eventlog.Ballots, 0, pos.Keep)
	if err != nil {
		return ignoreDamage(err)
	}
	want := oracle(w.log.values[:pos.Next])
	for epoch, view := range want {
		got := tally.View{}
		got.Add(slice.Epochs[epoch])
		got.Add(series.Epochs[epoch])
		if epoch >= pos.Keep && !got.Equal(view) {
			return fmt.Errorf("at %v epoch %d:\n got %v\nwant %v", pos, epoch, show(got), show(view))
		}
	}
	for epoch := range slice.Epochs {
		if want[epoch] == nil {
			return fmt.Errorf("at %v: there is no epoch %d", pos, epoch)
		}
	}
	return nil
}

func show(v tally.View) string {
	var s string
	for k, r := range v {
		s += fmt.Sprintf("%s/%d %+v; ", k.Poll, k.Round, *r)
	}
	return s
}
