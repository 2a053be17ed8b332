package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const noon audience.Millis = 1_780_000_020_000

// stage is both views and the registry in memory. It counts posts as what they
// are, one a minute's count, so that any split of them is easily added up.
type stage struct {
	machine    *control.Machine
	offset     int64
	state      *control.State
	now        audience.Millis
	defined    int
	parts      []stagePart
	generation *views.Generation
	pieces     map[views.PieceID][]byte
	pieceReads int
	away       error
	// reading, if any, is called before pieces are read.
	reading func(context.Context) error
}

type stagePart struct {
	pos    speed.Position
	epochs map[uint64]map[speed.MinuteKey]stageMinute
}

type stageMinute struct {
	posts int64
	at    int64
}

func newStage(partitions int) *stage {
	s := &stage{machine: control.NewMachine(), now: noon, pieces: map[views.PieceID][]byte{}}
	for range partitions {
		s.parts = append(s.parts, stagePart{pos: speed.Position{Incarnation: 1, Ready: true}, epochs: map[uint64]map[speed.MinuteKey]stageMinute{}})
	}
	s.tell(control.KindShowPut, "show", `{"title":"S","timezone":"UTC","locale":"en"}`)
	return s
}

func (s *stage) tell(kind, subject, payload string) {
	v := s.machine.Apply(control.Event{At: s.now, Kind: kind, Subject: subject, Base: s.base(kind, subject), Payload: []byte(payload)}, s.offset)
	if v.Err != nil {
		panic(v.Err)
	}
	s.offset++
	s.state = s.machine.State()
}

func (s *stage) base(kind, subject string) uint64 {
	if s.state == nil {
		return 0
	}
	if _, ok := s.state.Topic(subject); ok && kind == control.KindTopicPut {
		return control.Current
	}
	return 0
}

func (s *stage) define(id string) {
	s.defined++ // each definition counts other posts than the one before
	s.tell(control.KindTopicPut, id, fmt.Sprintf(`{"show":"show","title":"T","rule":"x OR y%d"}`, s.defined))
}

func (s *stage) State() *control.State    { return s.state }
func (s *stage) Changed() <-chan struct{} { return nil }

// post counts one post of a topic, as its latest revision.
func (s *stage) post(p int, id string, revision uint64, minute int64) {
	t := &s.parts[p]
	t.pos.Next++
	epoch := t.epochs[t.pos.Epoch]
	if epoch == nil {
		epoch = map[speed.MinuteKey]stageMinute{}
		t.epochs[t.pos.Epoch] = epoch
	}
	key := speed.MinuteKey{Topic: id, Revision: revision, Minute: minute}
	m := epoch[key]
	epoch[key] = stageMinute{m.posts + 1, t.pos.Next}
}

func blobOf(posts int64) []byte {
	m := topic.NewMinute()
	m.Posts = posts
	return topic.Encode(m)
}

func (s *stage) ReadMinutes(_ context.Context, _ string, p int32, from uint64, since speed.Position) (speed.Minutes, error) {
	if s.away != nil {
		return speed.Minutes{}, s.away
	}
	t := &s.parts[p]
	if from < t.pos.Keep {
		return speed.Minutes{}, speed.ErrExpired
	}
	out := speed.Minutes{Position: t.pos, Whole: since.Incarnation != t.pos.Incarnation, Epochs: map[uint64]map[speed.MinuteKey][]byte{}}
	for epoch, minutes := range t.epochs {
		for key, m := range minutes {
			if epoch >= from && (out.Whole || m.at > since.Next) {
				if out.Epochs[epoch] == nil {
					out.Epochs[epoch] = map[speed.MinuteKey][]byte{}
				}
				out.Epochs[epoch][key] = blobOf(m.posts)
			}
		}
	}
	return out, nil
}

func (s *stage) Recent(context.Context, string, int32, string, int) ([]speed.RecentPost, error) {
	return nil, nil
}

func (s *stage) Generation(_ context.Context, n uint64) (*views.Generation, error) {
	if s.generation == nil || s.generation.Number != n {
		return nil, views.ErrNotFound
	}
	return s.generation, nil
}

func (s *stage) Pieces(ctx context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error) {
	if s.reading != nil {
		if err := s.reading(ctx); err != nil {
			return nil, err
		}
	}
	out := map[views.PieceID][]byte{}
	for _, id := range ids {
		body, ok := s.pieces[id]
		if !ok {
			return nil, views.ErrNotFound
		}
		out[id] = body
		s.pieceReads++
	}
	return out, nil
}

// cut ends the epoch in every partition.
func (s *stage) cut() {
	for p := range s.parts {
		s.parts[p].pos.Next++
		s.parts[p].pos.Epoch++
	}
}

// publish makes a generation of all that lies before the current epoch.
func (s *stage) publish() {
	n := s.parts[0].pos.Epoch
	sums := map[topic.Subject]map[int64]int64{}
	for p := range s.parts {
		for epoch, minutes := range s.parts[p].epochs {
			for key, m := range minutes {
				if epoch >= n {
					continue
				}
				subject := subjectOf(key)
				if sums[subject] == nil {
					sums[subject] = map[int64]int64{}
				}
				sums[subject][key.Minute] += m.posts
			}
		}
	}
	g := &views.Generation{Number: n, PostOffsets: map[int32]int64{}}
	for subject, minutes := range sums {
		pages := map[int64][]views.Ref{}
		sorted := topic.Minutes{}
		for at := range minutes {
			sorted[at] = nil
		}
		for _, at := range sorted.Sorted() {
			pages[views.PageOf(at)] = append(pages[views.PageOf(at)], views.Ref{Key: at, ID: s.put(blobOf(minutes[at]))})
		}
		var refs []views.Ref
		last := topic.Minutes{}
		for page := range pages {
			last[page] = nil
		}
		for _, page := range last.Sorted() {
			refs = append(refs, views.Ref{Key: page, ID: s.put(views.EncodePage(pages[page]))})
		}
		g.Topics = append(g.Topics, views.TopicRef{Topic: subject.Topic, Revision: subject.Revision, Manifest: s.put(views.EncodeManifest(refs)), Complete: true})
	}
	s.turn(g)
}

// standStill makes a generation that has no more of the posts than the one before.
func (s *stage) standStill() {
	g := &views.Generation{PostOffsets: map[int32]int64{}}
	if s.generation != nil {
		g = new(*s.generation)
	}
	cut := g.PostCut()
	g.Number = s.parts[0].pos.Epoch
	g.Unheard = g.Number - cut
	s.turn(g)
}

// turn publishes a generation. What it and the one before need stays.
func (s *stage) turn(g *views.Generation) {
	keep := uint64(0)
	if s.generation != nil {
		keep = min(s.generation.PostCut(), g.PostCut())
	}
	for p := range s.parts {
		s.parts[p].pos.Keep = keep
	}
	s.generation = g
	s.tell(control.KindPublished, "", fmt.Sprintf(`{"generation":%d}`, g.Number))
}

// ended says whether an epoch has ended since the last generation.
func (s *stage) ended() bool {
	last := uint64(0)
	if s.generation != nil {
		last = s.generation.Number
	}
	return s.parts[0].pos.Epoch > last
}

func (s *stage) put(body []byte) views.PieceID {
	p := views.NewPiece(body)
	s.pieces[p.ID] = p.Body
	return p.ID
}

func (s *stage) painter(change func(*Config)) *painter {
	cfg := Config{
		Refresh: time.Hour, ReadTimeout: time.Minute, Horizon: 3 * time.Hour, Minutes: 1 << 20,
		PastBytes: 1 << 20, PastTimeout: time.Minute,
	}
	if change != nil {
		change(&cfg)
	}
	h := New(cfg, Deps{
		Control: s, Speed: s, Views: s, Partitions: len(s.parts), Now: func() time.Time { return s.now.Time() },
		End: func(context.Context, int32) (int64, error) { return 0, nil }, Log: slog.New(slog.DiscardHandler),
	})
	return &painter{hub: h, fetch: newFetcher(cfg, h.deps), canvas: map[string]*canvas{}, said: unread}
}

func total(p *Picture) int64 { return p.Sum(p.From, p.Now+1).Posts }

// TestEveryPostIsInOneView: in whatever order posts come, epochs are cut,
// generations are published, looks are taken, stores fail and topics change, a
// picture that is not stale has every post once, be it of a minute that is held or
// of one long before.
func TestEveryPostIsInOneView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStage(2)
		s.define("a")
		p := s.painter(nil)
		posted, revision, seq, first := int64(0), uint64(1), int64(0), topic.MinuteOf(s.now)-600
		look := func() {
			p.look(context.Background())
			pic, ok := p.hub.Picture("a")
			if !ok || pic.Partial {
				return // nothing whole yet
			}
			if pic.Seq < seq {
				t.Fatalf("seq %d behind %d", pic.Seq, seq)
			}
			seq = pic.Seq
			if pic.Stale {
				return
			}
			if got, err := sumFrom(p.hub, pic, first); err != nil || got != posted {
				t.Fatalf("%d posts, want %d (generation %d): %v", got, posted, pic.Generation, err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"post": func(t *rapid.T) {
				late := rapid.SampledFrom([]int64{0, 1, 2, 30, 170, 179, 180, 181, 300, 500}).Draw(t, "late")
				s.post(rapid.IntRange(0, 1).Draw(t, "partition"), "a", revision, topic.MinuteOf(s.now)-late)
				posted++
			},
			"look": func(*rapid.T) { look() },
			"cut":  func(*rapid.T) { s.cut() },
			"publish": func(*rapid.T) {
				if s.ended() {
					s.publish()
				}
			},
			"publish without posts": func(*rapid.T) {
				if s.ended() {
					s.standStill()
				}
			},
			"fail": func(*rapid.T) {
				s.away = errors.New("away")
				look()
				s.away = nil
			},
			"wipe": func(*rapid.T) { // refilled by another life: the same counts
				for i := range s.parts {
					s.parts[i].pos.Incarnation++
				}
			},
			"change": func(*rapid.T) {
				s.define("a")
				revision, posted = revision+1, 0
			},
			"pass": func(t *rapid.T) { s.now += rapid.SampledFrom([]audience.Millis{20_000, 7_000_000}).Draw(t, "time") },
			"":     func(*rapid.T) {},
		})
		look()
	})
}

func TestATopicThatTheSpeedViewKnowsFirst(t *testing.T) {
	s := newStage(1)
	s.define("other")
	p := s.painter(nil)
	s.post(0, "a", 1, topic.MinuteOf(s.now))
	p.look(t.Context())
	s.define("a")
	p.look(t.Context())
	if pic, _ := p.hub.Picture("a"); total(pic) != 1 {
		t.Errorf("%d posts: what came before the topic was known is lost", total(pic))
	}
}

func TestPiecesAreReadOnce(t *testing.T) {
	s := newStage(1)
	s.define("a")
	p := s.painter(nil)
	for i := range int64(20) {
		s.post(0, "a", 1, topic.MinuteOf(s.now)-i)
	}
	s.cut()
	s.publish()
	p.look(t.Context())
	before := s.pieceReads
	s.post(0, "a", 1, topic.MinuteOf(s.now))
	s.cut()
	s.publish()
	p.look(t.Context())
	if n := s.pieceReads - before; n != 3 { // the minute that changed, its page, and the manifest
		t.Errorf("%d pieces read for one minute", n)
	}
}

func TestNoMoreIsHeldThanAllowed(t *testing.T) {
	s := newStage(1)
	s.define("a")
	p := s.painter(func(c *Config) { c.Minutes = 50 })
	for i := range int64(170) {
		s.post(0, "a", 1, topic.MinuteOf(s.now)-i)
	}
	for range 5 {
		p.look(t.Context())
	}
	pic, _ := p.hub.Picture("a")
	if len(pic.Minutes) > 60 || pic.From <= topic.MinuteOf(s.now)-170 {
		t.Errorf("%d minutes from %d", len(pic.Minutes), pic.From)
	}
}

func TestMinutesFallBehindTheHorizon(t *testing.T) {
	s := newStage(1)
	s.define("a")
	p := s.painter(nil)
	s.post(0, "a", 1, topic.MinuteOf(s.now))
	p.look(t.Context())
	s.now += 4 * 3600_000
	p.look(t.Context())
	pic, _ := p.hub.Picture("a")
	if len(pic.Minutes) != 0 || pic.Now != topic.MinuteOf(s.now) {
		t.Errorf("%d minutes at %d", len(pic.Minutes), pic.Now)
	}
}

func TestDamageIsNeverTakenForNothing(t *testing.T) {
	s := newStage(1)
	s.define("a")
	p := s.painter(nil)
	s.post(0, "a", 1, topic.MinuteOf(s.now))
	s.cut()
	s.publish()
	for id := range s.pieces {
		s.pieces[id] = append([]byte{0xff}, s.pieces[id]...)
	}
	p.look(t.Context())
	if p.fetch.viewsErr == nil || p.fetch.generation.Number != 0 {
		t.Errorf("generation %d was taken up: %v", p.fetch.generation.Number, p.fetch.viewsErr)
	}
	if pic, _ := p.hub.Picture("a"); !pic.Partial && total(pic) != 1 {
		t.Errorf("%d posts", total(pic))
	}
}

func TestLongWindowsAreSumsOfHours(t *testing.T) {
	s := newStage(1)
	s.define("a")
	p := s.painter(nil)
	for i := range int64(150) {
		s.post(0, "a", 1, topic.MinuteOf(s.now)-i)
	}
	p.look(t.Context())
	pic, _ := p.hub.Picture("a")
	for _, w := range []topic.Window{{From: pic.Now - 149, To: pic.Now + 1}, {From: pic.Now - 61, To: pic.Now - 1}, {From: pic.Now, To: pic.Now + 1}, {From: pic.Now, To: pic.Now}} {
		if got := pic.Sum(w.From, w.To).Posts; got != w.Len() {
			t.Errorf("%v: %d posts", w, got)
		}
	}
	if len(pic.sums.blocks) == 0 {
		t.Error("no hour was kept")
	}
}

func TestLabels(t *testing.T) {
	pt, en := NewLabels("pt-BR"), NewLabels("nonsense!", "")
	for _, c := range []struct {
		labels *Labels
		by     topic.Dimension
		key    string
		want   string
	}{
		{pt, topic.ByLanguage, "en", "inglês"}, {en, topic.ByLanguage, "en", "English"}, {pt, topic.ByLanguage, "und", "desconhecido"},
		{pt, topic.ByCountry, "BR", "Brasil"}, {en, topic.ByCountry, "", "unknown"}, {en, topic.ByRegion, "BR/São Paulo", "São Paulo"},
		{pt, topic.BySentiment, "pos", "positivo"}, {en, topic.ByHashtag, "goal", "#goal"}, {en, topic.ByWord, "goal", "goal"}, {pt, ByMedia, "with", "com mídia"},
	} {
		if got := c.labels.Of(c.by, c.key); got != c.want {
			t.Errorf("%s %q is %q, want %q", c.by, c.key, got, c.want)
		}
	}
}
