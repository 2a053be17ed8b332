package listen

import (
	"context"
	"math"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// painter makes pictures of what was fetched. One goroutine uses it.
type painter struct {
	hub    *Hub
	fetch  *fetcher
	canvas map[string]*canvas // by topic
	// near is how many minutes the horizon was drawn in, so that all that is held
	// stays within bounds.
	near int64
	said string
}

// canvas is what a topic's next picture is made from.
type canvas struct {
	subject   topic.Subject
	from      int64 // first minute that is held
	minutes   []Entry
	additions additions
	basis     basis
	sums      *sums
}

// Run keeps the pictures fresh until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	p := &painter{hub: h, fetch: newFetcher(h.cfg, h.deps), canvas: map[string]*canvas{}, said: unread}
	tick := time.NewTicker(h.cfg.Refresh)
	defer tick.Stop()
	for {
		changed := h.deps.Control.Changed()
		p.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

// look is one look at the stores, and the pictures that come of it.
func (p *painter) look(ctx context.Context) {
	state := p.hub.deps.Control.State()
	now := audience.MillisOf(p.hub.deps.Now())
	p.fetch.fetch(ctx, state, now, p.horizon(now))
	if ctx.Err() != nil {
		return
	}
	topics := state.Topics("")
	p.report()
	if len(topics) > 0 && !p.fetch.begun && !p.fetch.impatient() {
		return // the first pictures are to be whole
	}
	live, more := map[string]bool{}, p.fetch.additions()
	held := 0
	for _, t := range topics {
		live[t.ID] = true
		p.paint(state, t, more, now)
		held += len(p.canvas[t.ID].minutes)
	}
	p.bound(held, now)
	p.forget(live)
	p.hub.lists.refresh(ctx, p.hub, live)
	p.open()
}

// horizon is the first minute that is held.
func (p *painter) horizon(now audience.Millis) int64 {
	return topic.MinuteOf(now) - int64(p.hub.cfg.Horizon/time.Minute) + 1 + p.near
}

// bound draws the horizon in by an hour when too much is held, and out again
// when there is room.
func (p *painter) bound(held int, now audience.Millis) {
	const step = 60
	switch {
	case held > p.hub.cfg.Minutes && p.horizon(now)+step < topic.MinuteOf(now):
		p.near += step
		p.hub.deps.Log.Warn("less of the past is held", "minutes", held, "at_most", p.hub.cfg.Minutes)
	case held < p.hub.cfg.Minutes/2 && p.near > 0:
		p.near -= step
	}
	health := *p.hub.health.Load()
	health.Minutes = held
	p.hub.health.Store(&health)
}

// paint renews one topic's picture, if anything changed.
func (p *painter) paint(state *control.State, t *control.Topic, more map[topic.Subject]additions, now audience.Millis) {
	c := p.canvas[t.ID]
	subject := topic.Subject{Topic: t.ID, Revision: t.Counted}
	if c == nil || c.subject != subject {
		c = &canvas{subject: subject, from: math.MaxInt64, sums: &sums{}}
		p.canvas[t.ID] = c
	}
	fresh := p.gather(c)
	if !c.additions.equal(more[subject]) {
		c.additions, fresh = more[subject], true
	}
	b := p.basis(state, t, c, now)
	r := p.hub.room(t.ID)
	if r == nil {
		r = &room{}
		p.hub.rooms.Store(t.ID, r)
	}
	old := r.Get()
	if old != nil && !fresh && b == c.basis {
		return
	}
	c.basis = b
	r.Set(p.picture(state, c, old, now))
}

// gather adds up the minutes that changed. One that cannot be added up is said
// and tried again.
func (p *painter) gather(c *canvas) (fresh bool) {
	f := p.fetch
	from := f.first(c.subject)
	if from < c.from {
		f.touchAll(c.subject, from)
	}
	c.from = from
	changed := map[int64]*topic.Minute{}
	for at := range f.dirty[c.subject] {
		if at < from {
			continue
		}
		m, err := f.minute(c.subject, at)
		if err != nil {
			f.parts[0].err = err
			return false
		}
		changed[at] = m
	}
	delete(f.dirty, c.subject)
	outside := len(c.minutes) > 0 && c.minutes[0].At < from
	if len(changed) == 0 && !outside {
		return false
	}
	c.minutes = put(c.minutes, changed, from)
	return true
}

func (p *painter) basis(state *control.State, t *control.Topic, c *canvas, now audience.Millis) basis {
	f := p.fetch
	show, _ := state.Show(t.Show)
	b := basis{topic: t, show: show, generation: f.generation.Number, partial: !f.begun}
	if shelf := f.shelves[c.subject]; shelf != nil {
		b.complete = shelf.complete
	}
	if b.stale = f.missing() != nil; b.stale {
		b.age = max(0, int64(now-f.wholeAt)/1000*1000) // in whole seconds: a body a second is change enough
		if f.wholeAt == 0 {
			b.age = 0
		}
	}
	b.now, b.from, b.lost = f.now, c.from, f.gap.before > 0
	return b
}

func (p *painter) picture(state *control.State, c *canvas, old *Picture, now audience.Millis) *Picture {
	f, b := p.fetch, &c.basis
	// As for polls: whatever changes a body makes it grow, also across a restart.
	seq := 1000*(f.reach()+state.Offset()+int64(b.generation)) + int64(now)/60
	if old != nil {
		seq, now = max(seq, old.Seq+1), max(now, old.AsOf)
	}
	next := &Picture{
		Stamp: live.NewStamp(seq, now), Topic: b.topic, Now: b.now, From: b.from, Minutes: c.minutes,
		Generation: b.generation, Complete: b.complete, Stale: b.stale, AgeMS: b.age, Partial: b.partial,
		Control: state.Offset(), Offsets: f.offsets(), sums: c.sums, beyond: f.beyond(c.subject, c.additions),
	}
	if b.show != nil {
		next.Show = b.show.Show
	}
	return next
}

// forget takes down the pictures of topics that are no more.
func (p *painter) forget(live map[string]bool) {
	for id := range p.canvas {
		if live[id] {
			continue
		}
		delete(p.canvas, id)
		if r := p.hub.room(id); r != nil {
			p.hub.rooms.Delete(id)
			r.Set(nil)
		}
	}
}

// open makes the hub ready once every topic there is has a picture.
func (p *painter) open() {
	select {
	case <-p.hub.ready:
	default:
		close(p.hub.ready)
	}
}

// unread is what is said before the first whole look, when stores may be late.
const unread = "not read yet"

// report keeps the health and logs when it changes.
func (p *painter) report() {
	f := p.fetch
	h := &Health{Generation: f.generation.Number, WholeAt: f.wholeAt, SpeedErr: f.missing(), ViewsErr: f.viewsErr, Minutes: p.hub.health.Load().Minutes}
	for i := range f.parts {
		h.Positions = append(h.Positions, f.parts[i].pos)
	}
	p.hub.health.Store(h)
	now := ""
	switch {
	case h.SpeedErr != nil:
		now = h.SpeedErr.Error()
	case h.ViewsErr != nil:
		now = h.ViewsErr.Error()
	}
	switch {
	case now == p.said, now != "" && !f.begun:
		return
	case now == "" && p.said != unread:
		p.hub.deps.Log.Info("views of topics are whole again")
	case now != "":
		p.hub.deps.Log.Warn("figures of topics may be stale", "cause", now)
	}
	p.said = now
}
