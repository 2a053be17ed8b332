package realtime

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// desk is control as tests move it.
type desk struct {
	mu      sync.Mutex
	machine *control.Machine
	offset  int64
	ready   chan struct{}
	changed chan struct{}
}

func newDesk() *desk {
	d := &desk{machine: control.NewMachine(), ready: make(chan struct{}), changed: make(chan struct{})}
	close(d.ready)
	d.put(control.KindShowPut, "gala", 0, audience.Show{Title: "Gala", Timezone: "UTC", Locale: "en", Languages: []string{"pt", "en"}})
	return d
}

func (d *desk) put(kind, subject string, base uint64, payload any) {
	body, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e := control.Event{ID: fmt.Sprint(d.offset), At: 1_764_000_000_000, Actor: "ada", Kind: kind, Subject: subject, Base: base, Payload: body}
	if v := d.machine.Apply(e, d.offset); v.Err != nil {
		panic(v.Err)
	}
	d.offset++
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *desk) topic(id, rule string, filters *audience.TopicFilters) {
	base := uint64(0)
	if t, ok := d.State().Topic(id); ok {
		base = t.Revision
	}
	d.put(control.KindTopicPut, id, base, audience.Topic{Show: "gala", Title: id, Rule: rule, Filters: filters})
}

func (d *desk) Ready() <-chan struct{} { return d.ready }

func (d *desk) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

func (d *desk) State() *control.State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.machine.State()
}

// stage is a desk with topics of every sort.
func stage() *desk {
	d, no := newDesk(), false
	d.topic("goals", "goal OR gol", nil)
	d.topic("fresh", "goal OR gol", &audience.TopicFilters{Duplicates: &no})
	d.topic("all", "lang:pt OR lang:en OR lang:und", nil)
	return d
}

func (l *memoryLog) post(p *clamorv1.Post) {
	l.record(&clamorv1.Record{Body: &clamorv1.Record_Post{Post: p}})
}

func (l *memoryLog) moderate(p *clamorv1.Post, reject bool) {
	l.record(&clamorv1.Record{Body: &clamorv1.Record_Moderation{Moderation: &clamorv1.Moderation{Post: p, Reject: reject}}})
}

func (l *memoryLog) record(rec *clamorv1.Record) {
	value, err := proto.Marshal(rec)
	if err != nil {
		panic(err)
	}
	l.append(value)
}

// blobs are the encoded minutes of one epoch.
type blobs map[speed.MinuteKey]string

// postOracle folds the log once, record by record, and remembers every change.
type postOracle struct {
	state    *topic.Partition
	open     *topic.Open
	listener *topic.Listener
	decoder  eventlog.Decoder
	changes  []change
	states   map[uint64]kept
}

// change is what one record did.
type change struct {
	epoch   uint64
	minutes blobs
}

// kept is the state of the fold at a cut, and the offset behind it.
type kept struct {
	next  int64
	state []byte
}

func newPostOracle(c *topic.Catalog) *postOracle {
	return &postOracle{
		state: topic.NewCounter(), open: topic.NewOpen(), listener: topic.NewListener(c), states: map[uint64]kept{},
	}
}

// follow folds what was appended since.
func (o *postOracle) follow(values [][]byte) {
	for offset := len(o.changes); offset < len(values); offset++ {
		body, err := o.decoder.Decode(values[offset])
		switch {
		case err != nil:
		case body.Cut != nil:
			if o.state.Cut(*body.Cut) {
				o.open.Reset()
				o.states[o.state.Epoch()] = kept{int64(offset) + 1, o.state.Snapshot()}
			}
		case body.Post != nil:
			o.state.Post(o.listener.Hear(body.Post), o.open)
		case body.Moderation != nil:
			o.state.Moderate(o.listener.Hear(body.Moderation.GetPost()), body.Moderation.GetReject(), o.open)
		}
		c := change{epoch: o.state.Epoch(), minutes: blobs{}}
		for key, blob := range o.open.Take() {
			c.minutes[minuteKey(key.Subject, key.Minute)] = string(blob)
		}
		o.changes = append(o.changes, c)
	}
}

// view is what was counted before an offset, by epoch.
func (o *postOracle) view(next int64) map[uint64]blobs {
	epochs := map[uint64]blobs{}
	for _, c := range o.changes[:next] {
		if epochs[c.epoch] == nil {
			epochs[c.epoch] = blobs{}
		}
		maps.Copy(epochs[c.epoch], c.minutes)
	}
	return epochs
}

// postWorld is world for posts.
type postWorld struct {
	*rivals

	desk    *desk
	service *Service
	oracle  *postOracle
	now     int64
	// reader follows the minutes as the API does.
	at   speed.Position
	held map[uint64]blobs
}

// TestLawOfPosts: whatever happens, what Redis calls whole are the minutes of the
// log up to the offset that it names.
func TestLawOfPosts(t *testing.T) {
	server := miniredis.RunT(t)
	plain := speedtest.Open(t, "redis://"+server.Addr())
	rapid.Check(t, func(rt *rapid.T) {
		w := &postWorld{rivals: newRivals(eventlog.Posts, server, plain), desk: stage(), now: 1_764_000_000_000, held: map[uint64]blobs{}}
		w.service = newService(t, quickConfig(), Deps{
			Log: w.log, Store: w.store, Past: w.log, Topics: w.desk, PostOrigin: w.origin,
		})
		w.begin = func() *worker { return newPostsWorker(w.service, 0) }
		catalog, err := w.service.shared.latest()
		if err != nil {
			rt.Fatal(err)
		}
		w.oracle = newPostOracle(catalog)
		rt.Repeat(w.with(map[string]func(*rapid.T){
			"posts":      w.posts,
			"moderation": w.moderation,
			"cut":        w.cut,
			"publish":    w.publish,
			"":           w.check,
		}))
		w.log.post(&clamorv1.Post{Platform: "x", Id: "last", Show: "gala", Text: "goal", ReceivedAt: w.now})
		w.finish(rt, func(pos speed.Position) error {
			_, err := plain.ReadMinutes(rt.Context(), eventlog.Posts, 0, pos.Keep, speed.Position{})
			return err
		})
		w.check(rt)
	})
}

var sayings = []string{
	"goal", "GOL do Brasil!!", "nothing to see here at all",
	"what a goal that was tonight by the captain of the home team #final",
	"what a goal that was tonight by the captain of the home team #final http://x.example/1",
	"o gol saiu no último minuto e a torcida inteira comemorou na rua ❤️ #gol",
}

func (w *postWorld) draw(rt *rapid.T) *clamorv1.Post {
	n := rapid.IntRange(0, 15).Draw(rt, "post")
	p := &clamorv1.Post{
		Platform: "x", Id: fmt.Sprint("p", n), Show: "gala", Source: "main", ReceivedAt: w.now,
		Author: &clamorv1.Author{Id: fmt.Sprint("a", n%5), Handle: fmt.Sprint("h", n%5), Name: "Maria"},
		Text:   rapid.SampledFrom(sayings).Draw(rt, "text"),
	}
	if rapid.IntRange(0, 9).Draw(rt, "held") == 0 {
		p.Decision = topic.HeldBy
	}
	if rapid.IntRange(0, 9).Draw(rt, "elsewhere") == 0 {
		p.Show = "another"
	}
	return p
}

func (w *postWorld) posts(rt *rapid.T) {
	for range rapid.IntRange(1, 10).Draw(rt, "posts") {
		w.now += rapid.SampledFrom([]int64{0, 10, 25_000, 400_000}).Draw(rt, "passed")
		w.log.post(w.draw(rt))
	}
}

func (w *postWorld) moderation(rt *rapid.T) {
	var of []*clamorv1.Post
	var d eventlog.Decoder
	for _, value := range w.log.values {
		if body, err := d.Decode(value); err == nil && body.Post != nil {
			of = append(of, body.Post)
		}
	}
	of = append(of, w.draw(rt))
	w.log.moderate(rapid.SampledFrom(of).Draw(rt, "of"), rapid.Bool().Draw(rt, "reject"))
}

// cut is decided before it stands in the log.
func (w *postWorld) cut(*rapid.T) {
	w.cuts++
	c := audience.Cut{Number: w.cuts, At: audience.Millis(w.now)}
	w.desk.put(control.KindCut, "", 0, control.CutDecision{Number: c.Number, At: c.At})
	w.log.cut(c)
}

// publish makes a cut the generation: refills begin at its end, with the state
// that batch kept there or, where that was lost, at the first record.
func (w *postWorld) publish(rt *rapid.T) {
	if w.cuts == 0 {
		rt.Skip("nothing cut")
	}
	w.oracle.follow(w.log.values)
	at := w.oracle.states[w.cuts]
	start := speed.Start{Next: at.next, Epoch: w.cuts, Keep: w.cuts, State: at.state}
	if rapid.IntRange(0, 3).Draw(rt, "lost") == 0 {
		start = speed.Start{Keep: w.cuts}
	}
	w.published(rt, start, at.next)
}

func (w *postWorld) check(rt *rapid.T) {
	if err := w.agrees(rt.Context()); err != nil {
		rt.Fatal(err)
	}
}

// agrees compares what a reader would be served with the fold of the log.
func (w *postWorld) agrees(ctx context.Context) error {
	pos, err := w.plain.Position(ctx, eventlog.Posts, 0)
	if err != nil || !pos.Ready {
		return ignoreDamage(err)
	}
	read, err := w.plain.ReadMinutes(ctx, eventlog.Posts, 0, pos.Keep, w.at)
	if err != nil {
		return ignoreDamage(err)
	}
	if read.Whole {
		w.held = map[uint64]blobs{}
	}
	for epoch, minutes := range read.Epochs {
		if w.held[epoch] == nil {
			w.held[epoch] = blobs{}
		}
		for key, blob := range minutes {
			w.held[epoch][key] = string(blob)
		}
	}
	w.at = read.Position
	w.oracle.follow(w.log.values)
	want := w.oracle.view(pos.Next)
	for epoch := pos.Keep; epoch <= max(pos.Epoch, w.cuts); epoch++ {
		if !maps.Equal(w.held[epoch], want[epoch]) {
			return fmt.Errorf("at %v epoch %d:\n got %v\nwant %v", pos, epoch, minutesOf(w.held[epoch]), minutesOf(want[epoch]))
		}
	}
	return nil
}

func minutesOf(held blobs) (all []string) {
	for key, blob := range held {
		m, err := topic.Decode([]byte(blob))
		if err != nil {
			all = append(all, err.Error())
			continue
		}
		all = append(all, fmt.Sprintf("%s@%d:%d posts %d rejected %d (%x)", key.Topic, key.Revision, key.Minute, m.Posts, m.Rejected, blob))
	}
	return all
}
