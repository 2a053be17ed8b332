package batch

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// topic makes a topic, or changes it.
func (r *rig) topic(id, rule string) {
	r.t.Helper()
	if _, ok := r.control.State().Show("gala"); !ok {
		r.show("pt", "en")
	}
	base := uint64(0)
	if was, ok := r.control.State().Topic(id); ok {
		base = was.Revision
	}
	r.submit(control.KindTopicPut, id, base, audience.Topic{ID: id, Show: "gala", Title: id, Rule: rule})
}

// show makes the show, or changes its languages.
func (r *rig) show(languages ...string) {
	r.t.Helper()
	base := uint64(0)
	if was, ok := r.control.State().Show("gala"); ok {
		base = was.Revision
	}
	r.submit(control.KindShowPut, "gala", base, audience.Show{ID: "gala", Title: "Gala", Timezone: "UTC", Locale: "en", Languages: languages})
}

func (r *rig) somePost(id int, text string) *clamorv1.Post {
	return &clamorv1.Post{
		Platform: "x", Id: fmt.Sprint(id), Show: "gala", Source: "main", Text: text, ReceivedAt: r.clock.now().UnixMilli(),
		Author: &clamorv1.Author{Id: fmt.Sprint("a", id%7), Name: "Maria Silva", Handle: "maria", Location: "Recife, Brasil", Followers: 9},
	}
}

// post writes posts into the log, a record each.
func (r *rig) post(posts ...*clamorv1.Post) {
	r.t.Helper()
	for _, p := range posts {
		r.append(p, &clamorv1.Record{Body: &clamorv1.Record_Post{Post: p}})
	}
}

// moderate writes a moderator's word behind a post.
func (r *rig) moderate(p *clamorv1.Post, reject bool) {
	r.t.Helper()
	r.append(p, &clamorv1.Record{Body: &clamorv1.Record_Moderation{Moderation: &clamorv1.Moderation{Post: p, Reject: reject, At: 1, Actor: "mona"}}})
}

func (r *rig) append(p *clamorv1.Post, rec *clamorv1.Record) {
	r.t.Helper()
	_, err := r.log.Append(r.t.Context(), eventlog.Posts, audience.PartitionOfPost(p.Platform+":"+p.Id, r.log.Partitions(eventlog.Posts)), rec)
	r.must(err)
}

var chatter = []string{
	"que golaço do neymar #copa", "what a goal #worldcup", "não gostei do árbitro", "o gol foi lindo https://example.org/gol",
	"boring match", "GOL GOL GOL #copa",
}

// chat writes posts number from to from+n-1, every ninth of them twice.
func (r *rig) chat(from, n int) {
	r.t.Helper()
	for i := from; i < from+n; i++ {
		p := r.somePost(i, fmt.Sprintf("%s %d", chatter[i%len(chatter)], i))
		r.post(p)
		if i%9 == 0 {
			again := proto.CloneOf(p)
			again.Text = "the same id with another text: gol"
			r.post(again)
		}
		if i%5 == 0 {
			r.clock.move(13 * 1e9)
		}
	}
}

// foldPosts is the oracle: the fold of a whole partition of posts, by epoch.
func foldPosts(ctx context.Context, log *eventlog.Log, p int32, c *topic.Catalog) (epochs []topic.View, next int64, err error) {
	state, open, listener := topic.NewCounter(), topic.NewOpen(), topic.NewListener(c)
	next, err = walk(ctx, log, eventlog.Posts, p, func(body eventlog.Body) {
		switch {
		case body.Cut != nil:
			if state.Cut(*body.Cut) {
				epochs = append(epochs, open.View())
				open.Reset()
			}
		case body.Post != nil:
			state.Post(listener.Hear(body.Post), open)
		case body.Moderation != nil:
			state.Moderate(listener.Hear(body.Moderation.GetPost()), body.Moderation.GetReject(), open)
		}
	})
	return append(epochs, open.View()), next, err
}

// catalog is what the speed view listens by.
func (m *mirror) catalog() (*topic.Catalog, error) {
	return topic.Compile(definitions(m.control.State(), everything), nil)
}

func (m *mirror) ReadMinutes(ctx context.Context, _ string, p int32, from uint64, _ speed.Position) (speed.Minutes, error) {
	c, err := m.catalog()
	if err != nil {
		return speed.Minutes{}, err
	}
	epochs, next, err := foldPosts(ctx, m.log, p, c)
	if err != nil {
		return speed.Minutes{}, err
	}
	out := speed.Minutes{
		Position: speed.Position{Incarnation: 1, Next: next, Epoch: uint64(len(epochs) - 1), Ready: true}, Whole: true,
		Epochs: map[uint64]map[speed.MinuteKey][]byte{},
	}
	for e, view := range epochs {
		if uint64(e) < from {
			continue
		}
		out.Epochs[uint64(e)] = map[speed.MinuteKey][]byte{}
		for subject, minutes := range view {
			for minute, counted := range minutes {
				out.Epochs[uint64(e)][speed.MinuteKey{Topic: subject.Topic, Revision: subject.Revision, Minute: minute}] = topic.Encode(counted)
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bendMinutes != nil {
		err = m.bendMinutes(p, &out)
	}
	return out, err
}

// wantHeard holds what a generation has of the topics against the oracle: every
// minute byte for byte.
func (r *rig) wantHeard(g *views.Generation) {
	r.t.Helper()
	decision, ok := r.control.State().CutNumber(g.Number)
	if !ok {
		r.t.Fatalf("cut %d was never decided", g.Number)
	}
	c, err := topic.Compile(definitions(r.control.State(), decision.Offset), nil)
	r.must(err)
	var partitions [][]topic.View
	for p := range int32(r.log.Partitions(eventlog.Posts)) {
		epochs, _, err := foldPosts(r.t.Context(), r.log, p, c)
		r.must(err)
		partitions = append(partitions, epochs)
	}
	want := sumUp(partitions, int(g.Number))
	if len(g.Topics) != c.Len() {
		r.t.Fatalf("generation %d has %d topics, want %d", g.Number, len(g.Topics), c.Len())
	}
	for _, ref := range g.Topics {
		if !ref.Complete {
			r.t.Errorf("%+v is not complete", ref)
		}
		subject := topic.Subject{Topic: ref.Topic, Revision: ref.Revision}
		got := readMinutes(r.t, r.deps.Views, ref.Manifest)
		for minute, m := range want[subject] {
			if !bytes.Equal(got[minute], topic.Encode(m)) {
				r.t.Fatalf("generation %d, minute %d of %s: %d bytes are not the oracle's %s", g.Number, minute, subject, len(got[minute]), sayMinute(m))
			}
			delete(got, minute)
		}
		if len(got) > 0 {
			r.t.Fatalf("generation %d has minutes %v of %s too many", g.Number, slices.Collect(maps.Keys(got)), subject)
		}
	}
}

// wantWhole holds what a reader adds up of both views against the whole log, of
// the topics that the generation has.
func (r *rig) wantWhole(g *views.Generation) {
	r.t.Helper()
	c, err := r.speed.catalog()
	r.must(err)
	sum, whole := topic.View{}, topic.View{}
	for _, ref := range g.Topics {
		subject := topic.Subject{Topic: ref.Topic, Revision: ref.Revision}
		sum[subject] = topic.Minutes{}
		for minute, blob := range readMinutes(r.t, r.deps.Views, ref.Manifest) {
			if sum[subject][minute], err = topic.Decode(blob); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	if below := r.speed.expiredPosts; below > g.PostCut() {
		r.t.Fatalf("the speed view has no posts below %d any more, generation %d has those up to cut %d", below, g.Number, g.PostCut())
	}
	for p := range int32(r.log.Partitions(eventlog.Posts)) {
		epochs, _, err := foldPosts(r.t.Context(), r.log, p, c)
		r.must(err)
		for epoch, view := range epochs {
			whole.Add(view)
			if uint64(epoch) >= g.PostCut() {
				sum.Add(view)
			}
		}
	}
	for _, ref := range g.Topics {
		subject := topic.Subject{Topic: ref.Topic, Revision: ref.Revision}
		if !c.Has(subject) {
			continue // it is no more
		}
		for minute, want := range whole[subject] {
			if got := sum[subject][minute]; ref.Complete && !want.Equal(got) {
				r.t.Fatalf("minute %d of %s: both views have %s, the log %s", minute, subject, sayMinute(got), sayMinute(want))
			}
		}
	}
}

// sumUp adds epochs up in the order that is the law: epoch by epoch, partition by
// partition. A minute is written after each epoch, which bounds its tops.
func sumUp(partitions [][]topic.View, below int) topic.View {
	sum := topic.View{}
	for epoch := range below {
		for _, epochs := range partitions {
			if epoch < len(epochs) {
				sum.Add(epochs[epoch])
			}
		}
		for subject, minutes := range sum {
			for minute, m := range minutes {
				written, err := topic.Decode(topic.Encode(m))
				if err != nil {
					panic(err)
				}
				sum[subject][minute] = written
			}
		}
	}
	for _, minutes := range sum {
		maps.DeleteFunc(minutes, func(_ int64, m *topic.Minute) bool { return m.IsZero() })
	}
	return sum
}

// fataler is a test, or one of rapid's.
type fataler interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

func readMinutes(t fataler, from views.PieceReader, manifest views.PieceID) map[int64][]byte {
	t.Helper()
	refs, err := views.ReadMinutes(t.Context(), from, manifest, -1<<40, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	var ids []views.PieceID
	for _, ref := range refs {
		ids = append(ids, ref.ID)
	}
	bodies, err := from.Pieces(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	blobs := map[int64][]byte{}
	for _, ref := range refs {
		blobs[ref.Key] = bodies[ref.ID]
	}
	return blobs
}

func (r *rig) ref(g *views.Generation, id string) views.TopicRef {
	r.t.Helper()
	for _, ref := range g.Topics {
		if ref.Topic == id {
			return ref
		}
	}
	r.t.Fatalf("generation %d has no topic %s", g.Number, id)
	return views.TopicRef{}
}

// total is what a generation counted of a topic.
func (r *rig) total(g *views.Generation, id string) *topic.Minute {
	r.t.Helper()
	sum := topic.NewSum()
	for _, blob := range readMinutes(r.t, r.deps.Views, r.ref(g, id).Manifest) {
		m, err := topic.Decode(blob)
		r.must(err)
		sum.Add(m)
	}
	return sum
}

// engine is a search engine in memory.
type engine struct {
	mu      sync.Mutex
	away    error
	builds  map[string]map[string]search.Doc
	read    string
	visible map[string]search.Doc // as of the last Publish
}

func newEngine() *engine { return &engine{builds: map[string]map[string]search.Doc{}} }

func (e *engine) do(act func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away != nil {
		return e.away
	}
	return act()
}

func (e *engine) leave(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away = err
}

func (e *engine) Begin(_ context.Context, build string) error {
	return e.do(func() error {
		if e.builds[build] == nil {
			e.builds[build] = map[string]search.Doc{}
		}
		return nil
	})
}

func (e *engine) Put(_ context.Context, build string, docs []search.Doc) error {
	return e.do(func() error {
		if e.builds[build] == nil {
			return search.ErrNoBuild
		}
		for _, d := range docs {
			e.builds[build][d.ID] = d
		}
		return nil
	})
}

func (e *engine) Publish(_ context.Context, build string) error {
	return e.do(func() error {
		if e.builds[build] == nil {
			return search.ErrNoBuild
		}
		e.read, e.visible = build, maps.Clone(e.builds[build])
		return nil
	})
}

func (e *engine) Current(context.Context) (build string, err error) {
	err = e.do(func() error { build = e.read; return nil })
	return build, err
}

func (e *engine) Expire(_ context.Context, keep ...string) error {
	return e.do(func() error {
		maps.DeleteFunc(e.builds, func(build string, _ map[string]search.Doc) bool {
			return build != e.read && !slices.Contains(keep, build)
		})
		return nil
	})
}

// found are the posts that a reader of a generation finds.
func (e *engine) found(generation uint64) map[string]search.Doc {
	e.mu.Lock()
	defer e.mu.Unlock()
	docs := maps.Clone(e.visible)
	maps.DeleteFunc(docs, func(_ string, d search.Doc) bool { return d.Generation > generation })
	return docs
}
