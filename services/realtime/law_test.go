package realtime

import (
	"context"
	"errors"
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

// world is a log, a Redis and two workers that both believe to own the
// partition.
type world struct {
	log     *memoryLog
	redis   *miniredis.Miniredis
	store   *flaky
	plain   *speed.Store
	origin  *fixedOrigin
	service *Service
	workers [2]*worker
	saved   redisState
	now     audience.Millis
	cuts    uint64
	sealed  []audience.RoundKey
}

// TestLaw: whatever happens, what Redis calls whole is the fold of the log up to
// the offset that it names.
func TestLaw(t *testing.T) {
	server := miniredis.RunT(t)
	plain := speedtest.Open(t, "redis://"+server.Addr())
	rapid.Check(t, func(rt *rapid.T) {
		server.FlushAll()
		w := &world{
			log: newMemoryLog(), redis: server, plain: plain,
			store: &flaky{Store: plain}, origin: &fixedOrigin{}, now: 1_764_000_000_000,
		}
		w.service = newService(t, quickConfig(), Deps{Log: w.log, Store: w.store, Origin: w.origin, Past: w.log})
		rt.Repeat(map[string]func(*rapid.T){
			"ballots":    w.ballots,
			"revocation": w.revocation,
			"cut":        w.cut,
			"old cut":    func(*rapid.T) { w.log.cut(audience.Cut{Number: w.cuts}) },
			"garbage":    func(*rapid.T) { w.log.append([]byte{0xff, 1, 2}) },
			"work":       func(rt *rapid.T) { w.work(rt, rapid.IntRange(0, 1).Draw(rt, "worker")) },
			"work on":    func(rt *rapid.T) { w.workOn(rt, rapid.IntRange(0, 1).Draw(rt, "worker")) },
			"crash":      func(rt *rapid.T) { w.workers[rapid.IntRange(0, 1).Draw(rt, "worker")] = nil },
			"flush":      func(*rapid.T) { server.FlushAll() },
			"save":       func(*rapid.T) { w.saved = saveRedis(server) },
			"roll back":  func(*rapid.T) { w.saved.restore(server) },
			"evict":      w.evict,
			"away":       func(rt *rapid.T) { w.store.fail = rapid.IntRange(1, 3).Draw(rt, "steps") },
			"cut off":    func(*rapid.T) { w.store.forget = 1 },
			"publish":    w.publish,
			"":           w.check,
		})
		w.finish(rt)
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

// work lets a worker take its next turn; whatever fails ends its session.
func (w *world) work(rt *rapid.T, i int) {
	ctx := rt.Context()
	if w.workers[i] == nil {
		w.workers[i] = newWorker(w.service, 0)
	}
	x := w.workers[i]
	var err error
	if x.records == nil {
		err = x.open(ctx)
	} else {
		err = x.turn(ctx)
	}
	if err == nil {
		return
	}
	var fenced *speed.Fenced
	if !errors.As(err, &fenced) && !errors.Is(err, speed.ErrEmpty) && !errors.Is(err, speed.ErrDamaged) {
		rt.Fatalf("worker %d: %v", i, err)
	}
	x.ended(err)
	x.close()
}

func (w *world) workOn(rt *rapid.T, i int) {
	for range 8 {
		w.work(rt, i)
	}
}

// evict takes one key away.
func (w *world) evict(rt *rapid.T) {
	if keys := w.redis.Keys(); len(keys) > 0 {
		w.redis.Del(rapid.SampledFrom(keys).Draw(rt, "key"))
	}
}

// publish makes a cut the generation, which moves the place where refills begin,
// lets old epochs go, and lets the log forget what the archive holds.
func (w *world) publish(rt *rapid.T) {
	if w.cuts == 0 {
		rt.Skip("nothing cut")
	}
	start := w.floor(w.cuts)
	w.origin.mu.Lock()
	w.origin.start = &start
	w.origin.mu.Unlock()
	if rapid.Bool().Draw(rt, "expire") && w.cuts > 0 {
		if err := w.plain.Expire(rt.Context(), eventlog.Ballots, 0, w.cuts-1); err != nil && !errors.Is(err, speed.ErrDamaged) {
			rt.Fatal(err)
		}
	}
	if rapid.Bool().Draw(rt, "forget") {
		w.log.forget(w.lastCut() - rapid.Int64Range(0, 2).Draw(rt, "kept"))
	}
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

func ignoreDamage(err error) error {
	if errors.Is(err, speed.ErrEmpty) || errors.Is(err, speed.ErrDamaged) {
		return nil
	}
	return err
}

func show(v tally.View) string {
	var s string
	for k, r := range v {
		s += fmt.Sprintf("%s/%d %+v; ", k.Poll, k.Round, *r)
	}
	return s
}

// finish heals everything and lets one worker catch up.
func (w *world) finish(rt *rapid.T) {
	w.store.fail, w.store.forget = 0, 0
	w.log.ballots(polls[0])
	for range 500 {
		w.work(rt, 0)
		pos, err := w.plain.Position(rt.Context(), eventlog.Ballots, 0)
		if err != nil || !pos.Ready || pos.Next < w.log.end() {
			continue
		}
		if _, err := w.plain.Read(rt.Context(), eventlog.Ballots, 0, pos.Keep); err != nil {
			w.workers[0].broken, w.workers[0].records = true, nil
			continue
		}
		w.check(rt)
		return
	}
	rt.Fatal("the worker does not catch up")
}
