package api_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// fakeHearing is the speed view of posts in memory, moved by the real fold.
type fakeHearing struct {
	mu       sync.Mutex
	state    *control.State
	listener *topic.Listener
	parts    []*heardPart
	err      error
	reads    int
	lists    int
	batch    topic.View
}

type heardPart struct {
	pos    speed.Position
	fold   *topic.Partition
	open   *topic.Open
	epochs map[uint64]map[speed.MinuteKey]written
	recent map[string][]speed.RecentPost
}

// written is a minute and the offset behind the step that wrote it last.
type written struct {
	blob []byte
	at   int64
}

func newFakeHearing() *fakeHearing {
	h := &fakeHearing{batch: topic.View{}}
	for range partitions {
		h.parts = append(h.parts, &heardPart{
			pos: speed.Position{Incarnation: 1, Ready: true}, fold: topic.NewPartition(), open: topic.NewOpen(),
			epochs: map[uint64]map[speed.MinuteKey]written{0: {}}, recent: map[string][]speed.RecentPost{},
		})
	}
	return h
}

func (h *fakeHearing) ReadMinutes(_ context.Context, _ string, p int32, from uint64, since speed.Position) (speed.Minutes, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads++
	if h.err != nil {
		return speed.Minutes{}, h.err
	}
	hp := h.parts[p]
	if from < hp.pos.Keep {
		return speed.Minutes{}, speed.ErrExpired
	}
	m := speed.Minutes{Position: hp.pos, Epochs: map[uint64]map[speed.MinuteKey][]byte{}, Whole: since.Incarnation != hp.pos.Incarnation}
	for epoch, minutes := range hp.epochs {
		for key, w := range minutes {
			if epoch < from || !m.Whole && w.at <= since.Next {
				continue
			}
			if m.Epochs[epoch] == nil {
				m.Epochs[epoch] = map[speed.MinuteKey][]byte{}
			}
			m.Epochs[epoch][key] = w.blob
		}
	}
	return m, nil
}

func (h *fakeHearing) Recent(_ context.Context, _ string, p int32, topic string, limit int) ([]speed.RecentPost, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lists++
	if h.err != nil {
		return nil, h.err
	}
	list := slices.Clone(h.parts[p].recent[topic])
	slices.Reverse(list)
	return list[:min(len(list), limit)], nil
}

func (h *fakeHearing) fails(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

// use compiles the topics of a state.
func (h *fakeHearing) use(r *rig) {
	state := r.control.State()
	if h.state == state {
		return
	}
	var topics []topic.Definition
	for _, t := range state.Topics("") {
		show, _ := state.Show(t.Show)
		topics = append(topics, topic.Definition{Topic: t.Topic, Revision: t.Counted, Languages: show.Languages})
	}
	catalog, err := topic.Compile(topics, nil)
	must(r.t, err)
	h.state, h.listener = state, topic.NewListener(catalog)
}

// say is a post of an author, received now.
func (r *rig) say(id, author, text string, change ...func(*clamorv1.Post)) string {
	r.t.Helper()
	post := &clamorv1.Post{
		Platform: "x", Id: id, Source: "feed", Show: "final", Text: text, ReceivedAt: r.now().UnixMilli(), CreatedAt: r.now().UnixMilli(),
		Author: &clamorv1.Author{Id: author, Name: "Ana " + author, Handle: author},
	}
	for _, f := range change {
		f(post)
	}
	h := r.hearing
	h.mu.Lock()
	defer h.mu.Unlock()
	h.use(r)
	key := post.GetPlatform() + ":" + post.GetId()
	hp := h.parts[audience.PartitionOfPost(key, partitions)]
	u := h.listener.Hear(post)
	hp.fold.Post(u, hp.open)
	hp.pos.Next++
	hp.write()
	hp.list(r, post, u)
	return key
}

// write takes the minutes that changed into the view.
func (hp *heardPart) write() {
	for key, blob := range hp.open.Take() {
		hp.epochs[hp.pos.Epoch][speed.MinuteKey{Topic: key.Topic, Revision: key.Revision, Minute: key.Minute}] = written{blob, hp.pos.Next}
	}
}

func (hp *heardPart) list(r *rig, post *clamorv1.Post, u *topic.Understood) {
	raw, err := proto.Marshal(post)
	must(r.t, err)
	p := speed.RecentPost{
		ID: post.GetId(), Platform: post.GetPlatform(), Source: post.GetSource(), Show: post.GetShow(), Text: post.GetText(),
		Author:    audience.Author{ID: post.GetAuthor().GetId(), Name: post.GetAuthor().GetName(), Handle: post.GetAuthor().GetHandle()},
		CreatedAt: audience.Millis(post.GetCreatedAt()), ReceivedAt: audience.Millis(post.GetReceivedAt()),
		Language: u.Result.Language, Decision: post.GetDecision(), Media: post.GetMedia(), Raw: raw,
	}
	for _, v := range post.GetVotes() {
		p.Votes = append(p.Votes, speed.RecentVote{Poll: v.GetPoll(), Round: v.GetRound(), Voter: hex.EncodeToString(v.GetVoter()), Slots: v.GetSlots()})
	}
	for _, n := range u.Subjects {
		p.Topics = append(p.Topics, u.Catalog.Subject(n).Topic)
	}
	for _, id := range p.Topics {
		hp.recent[id] = append(hp.recent[id], p)
	}
}

// cut ends an epoch and gives what the generation of that number holds of topics.
func (h *fakeHearing) cut(r *rig, g *views.Generation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g.PostOffsets = map[int32]int64{}
	for n, hp := range h.parts {
		for key, w := range hp.epochs[g.Number-1] {
			m, err := topic.Decode(w.blob)
			must(r.t, err)
			h.batch.Of(topic.Subject{Topic: key.Topic, Revision: key.Revision}).Of(key.Minute).Add(m)
		}
		hp.fold.Cut(audience.Cut{Number: g.Number})
		hp.open = topic.NewOpen()
		hp.pos.Next++
		hp.pos.Epoch = g.Number
		hp.epochs[g.Number] = map[speed.MinuteKey]written{}
		g.PostOffsets[int32(n)] = hp.pos.Next
	}
	for _, s := range slices.SortedFunc(maps.Keys(h.batch), topic.Subject.Compare) {
		g.Topics = append(g.Topics, r.piece(g.Number, s, h.batch[s]))
	}
}

// piece puts a subject's minutes into the views.
func (r *rig) piece(number uint64, s topic.Subject, minutes topic.Minutes) views.TopicRef {
	byPage := map[int64][]views.Ref{}
	var pieces []views.Piece
	for _, at := range minutes.Sorted() {
		p := views.NewPiece(topic.Encode(minutes[at]))
		pieces = append(pieces, p)
		byPage[views.PageOf(at)] = append(byPage[views.PageOf(at)], views.Ref{Key: at, ID: p.ID})
	}
	var pages []views.Ref
	for _, page := range slices.Sorted(maps.Keys(byPage)) {
		p := views.NewPiece(views.EncodePage(byPage[page]))
		pieces = append(pieces, p)
		pages = append(pages, views.Ref{Key: page, ID: p.ID})
	}
	manifest := views.NewPiece(views.EncodeManifest(pages))
	must(r.t, r.views.PutPieces(r.t.Context(), number, append(pieces, manifest)))
	return views.TopicRef{Topic: s.Topic, Revision: s.Revision, Manifest: manifest.ID, Complete: true}
}

// expire drops the epochs that a generation holds, but for the last.
func (h *fakeHearing) expire(number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, hp := range h.parts {
		for epoch := range hp.epochs {
			if epoch+1 < number {
				delete(hp.epochs, epoch)
				hp.pos.Keep = max(hp.pos.Keep, epoch+1)
			}
		}
	}
}

func (h *fakeHearing) next(p int32) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parts[p].pos.Next
}

// about makes a topic of the show "final".
func (r *rig) about(id, rule string, more map[string]any) {
	r.t.Helper()
	if _, ok := r.control.State().Show("final"); !ok {
		r.post("/v1/shows", map[string]any{"id": "final", "title": "The Final", "locale": "en", "languages": []string{"en", "pt"}}).is(201, "")
	}
	body := map[string]any{"id": id, "show": "final", "title": "Talk of " + id, "rule": rule}
	for k, v := range more {
		body[k] = v
	}
	r.post("/v1/topics", body).is(201, "")
}

// posts says how many posts a topic's stats are to show.
func posts(n int64) func(answer) bool {
	return func(a answer) bool { return a.status == 200 && a.number("totals.posts") == n }
}

// speaking is the speed view of ballots and of posts.
type speaking struct {
	*fakeSpeed
	*fakeHearing
}

func author(n int) string { return fmt.Sprintf("u%d", n) }
