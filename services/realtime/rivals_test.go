package realtime

import (
	"errors"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/speed"
	"pgregory.net/rapid"
)

// rivals are two workers that both believe to own a partition, the log and the
// Redis between which they stand, and what may happen to these whichever log it
// is.
type rivals struct {
	topic   string
	log     *memoryLog
	redis   *miniredis.Miniredis
	store   *flaky
	plain   *speed.Store
	origin  *fixedOrigin
	begin   func() *worker
	workers [2]*worker
	saved   redisState
	cuts    uint64
}

func newRivals(topic string, server *miniredis.Miniredis, plain *speed.Store) *rivals {
	server.FlushAll()
	return &rivals{
		topic: topic, log: newMemoryLog(), redis: server, store: &flaky{Store: plain}, plain: plain, origin: &fixedOrigin{},
	}
}

// with are the acts that may happen to all rivals, and more.
func (w *rivals) with(more map[string]func(*rapid.T)) map[string]func(*rapid.T) {
	one := func(rt *rapid.T) int { return rapid.IntRange(0, 1).Draw(rt, "worker") }
	more["old cut"] = func(*rapid.T) { w.log.cut(audience.Cut{Number: w.cuts}) }
	more["garbage"] = func(*rapid.T) { w.log.append([]byte{0xff, 1, 2}) }
	more["work"] = func(rt *rapid.T) { w.work(rt, one(rt)) }
	more["work on"] = func(rt *rapid.T) { w.workOn(rt, one(rt)) }
	more["crash"] = func(rt *rapid.T) { w.workers[one(rt)] = nil }
	more["flush"] = func(*rapid.T) { w.redis.FlushAll() }
	more["save"] = func(*rapid.T) { w.saved = saveRedis(w.redis) }
	more["roll back"] = func(*rapid.T) { w.saved.restore(w.redis) }
	more["evict"] = w.evict
	more["away"] = func(rt *rapid.T) { w.store.fail = rapid.IntRange(1, 3).Draw(rt, "steps") }
	more["cut off"] = func(*rapid.T) { w.store.forget = 1 }
	return more
}

// work lets a worker take its next turn; whatever fails ends its session.
func (w *rivals) work(rt *rapid.T, i int) {
	if w.workers[i] == nil {
		w.workers[i] = w.begin()
	}
	x := w.workers[i]
	var err error
	if x.records == nil {
		err = x.open(rt.Context())
	} else {
		err = x.turn(rt.Context())
	}
	if err == nil {
		return
	}
	var fenced *speed.Fenced
	if !errors.As(err, &fenced) && ignoreDamage(err) != nil {
		rt.Fatalf("worker %d: %v", i, err)
	}
	x.ended(err)
	x.close()
}

func (w *rivals) workOn(rt *rapid.T, i int) {
	for range 8 {
		w.work(rt, i)
	}
}

// evict takes one key away.
func (w *rivals) evict(rt *rapid.T) {
	if keys := w.redis.Keys(); len(keys) > 0 {
		w.redis.Del(rapid.SampledFrom(keys).Draw(rt, "key"))
	}
}

// published moves the place where refills begin, lets old epochs go, and lets the
// log forget what stands before the end of the newest cut.
func (w *rivals) published(rt *rapid.T, start speed.Start, end int64) {
	w.origin.mu.Lock()
	w.origin.start = &start
	w.origin.mu.Unlock()
	if rapid.Bool().Draw(rt, "expire") {
		if err := w.plain.Expire(rt.Context(), w.topic, 0, w.cuts-1); err != nil && !errors.Is(err, speed.ErrDamaged) {
			rt.Fatal(err)
		}
	}
	if rapid.Bool().Draw(rt, "forget") {
		w.log.forget(end - 1 - rapid.Int64Range(0, 2).Draw(rt, "kept"))
	}
}

// finish heals everything and lets one worker catch up, until what it wrote can
// be read.
func (w *rivals) finish(rt *rapid.T, read func(pos speed.Position) error) {
	w.store.fail, w.store.forget = 0, 0
	for range 500 {
		w.work(rt, 0)
		pos, err := w.plain.Position(rt.Context(), w.topic, 0)
		if err != nil || !pos.Ready || pos.Next < w.log.end() {
			continue
		}
		if read(pos) != nil {
			w.workers[0].broken, w.workers[0].records = true, nil
			continue
		}
		return
	}
	rt.Fatal("the worker does not catch up")
}

func ignoreDamage(err error) error {
	if errors.Is(err, speed.ErrEmpty) || errors.Is(err, speed.ErrDamaged) {
		return nil
	}
	return err
}
