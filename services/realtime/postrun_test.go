package realtime

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// say appends posts to every partition, some of them again.
func (c *cluster) say(posts int) {
	c.t.Helper()
	for p := range int32(4) {
		for i := range posts {
			rec := &clamorv1.Record{Body: &clamorv1.Record_Post{Post: &clamorv1.Post{
				Platform: "x", Id: fmt.Sprint(p, "-", i*7%(posts-3), "-", posts), Show: "gala", Source: "main",
				Text: sayings[i%len(sayings)], ReceivedAt: 1_764_000_000_000 + int64(i)*5_000,
				Author: &clamorv1.Author{Id: fmt.Sprint(i % 11), Handle: "h"},
			}}}
			if _, err := c.log.Append(c.t.Context(), eventlog.Posts, p, rec); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func (c *cluster) cutPosts(number uint64) {
	c.t.Helper()
	c.desk.put(control.KindCut, "", 0, control.CutDecision{Number: number})
	for p := range int32(4) {
		rec := eventlog.CutRecord(audience.Cut{Number: number, At: 1_764_000_000_000})
		if _, err := c.log.Append(c.t.Context(), eventlog.Posts, p, rec); err != nil {
			c.t.Fatal(err)
		}
	}
}

// settlePosts waits until the speed view holds the whole log, and holds it
// against the fold.
func (c *cluster) settlePosts(s *Service) {
	c.t.Helper()
	catalog, err := s.shared.latest()
	if err != nil {
		c.t.Fatal(err)
	}
	for p := range int32(4) {
		o := newPostOracle(catalog)
		o.follow(c.valuesOf(eventlog.Posts, p))
		got := c.awaitPosts(p, int64(len(o.changes)))
		for epoch, want := range o.view(got.Next) {
			held := blobs{}
			for key, blob := range got.Epochs[epoch] {
				held[key] = string(blob)
			}
			if !maps.Equal(held, want) {
				c.t.Errorf("partition %d epoch %d: got %v, want %v", p, epoch, minutesOf(held), minutesOf(want))
			}
		}
	}
}

func (c *cluster) awaitPosts(p int32, end int64) (held speed.Minutes) {
	c.t.Helper()
	c.awaitEnd(p, end, func() (at speed.Position, err error) {
		held, err = c.store.ReadMinutes(c.t.Context(), eventlog.Posts, p, 0, speed.Position{})
		return held.Position, err
	})
	return held
}

func TestPostsThroughRebalanceAndEmptiedRedis(t *testing.T) {
	c := newCluster(t)
	c.desk = stage()
	_, stopA := c.instance()
	c.say(40)
	b, _ := c.instance()
	c.say(41)
	c.cutPosts(1)
	stopA()
	c.say(42)
	c.settlePosts(b)
	if err := b.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	older := saveRedis(c.redis)
	c.redis.FlushAll()
	c.say(43)
	c.settlePosts(b)
	older.restore(c.redis)
	c.settlePosts(b)
}

// The two logs are one service: what ends one ends the other.
func TestOneLogEndsTheOther(t *testing.T) {
	broken := errors.New("no seats")
	s := newService(t, quickConfig(), Deps{
		Log: noSeats{newMemoryLog(), broken}, Store: &flaky{}, Origin: &fixedOrigin{}, Topics: stage(), PostOrigin: &fixedOrigin{},
	})
	if err := s.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
