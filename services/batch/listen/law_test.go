package listen_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/batch/listen"
)

// store keeps pieces in memory.
type store struct {
	mu     sync.Mutex
	pieces map[views.PieceID][]byte
	puts   int
}

func newStore() *store { return &store{pieces: map[views.PieceID][]byte{}} }

func (s *store) PutPieces(_ context.Context, _ uint64, pieces []views.Piece) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pieces {
		s.pieces[p.ID] = p.Body
		s.puts++
	}
	return nil
}

func (s *store) Pieces(_ context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[views.PieceID][]byte{}
	for _, id := range ids {
		body, ok := s.pieces[id]
		if !ok {
			return nil, views.ErrNotFound
		}
		found[id] = body
	}
	return found, nil
}

// history is a random log of posts: its partitions, cut at the same numbers.
type history struct {
	partitions [][]archive.PostRow
	cuts       uint64
}

var texts = []string{"que gol lindo #copa", "what a goal #worldcup", "que gol lindo #copa!", "não gostei", "boring boring boring match tonight in the stadium", "a b"}

func drawHistory(t *rapid.T) *history {
	h := &history{cuts: rapid.Uint64Range(1, 5).Draw(t, "cuts")}
	for p := range rapid.IntRange(1, 3).Draw(t, "partitions") {
		h.partitions = append(h.partitions, h.drawPartition(t, p))
	}
	return h
}

func (h *history) drawPartition(t *rapid.T, p int) (rows []archive.PostRow) {
	add := func(row archive.PostRow) {
		row.Offset = int64(len(rows)) * 2 // offsets are sparse
		rows = append(rows, row)
	}
	for cut := uint64(1); cut <= h.cuts+1; cut++ {
		for range rapid.IntRange(0, 10).Draw(t, "records") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0: // a marker written twice
				add(archive.PostRow{Type: archive.RowCut, Cut: audience.Cut{Number: rapid.Uint64Range(0, cut-1).Draw(t, "again")}})
			case 1:
				add(archive.PostRow{Type: archive.RowUnreadable})
			case 2, 3:
				add(archive.PostRow{Type: archive.RowModeration, Moderation: &clamorv1.Moderation{
					Post: drawPost(t, p), Reject: rapid.Bool().Draw(t, "reject"), At: 5, Actor: "mona",
				}})
			default:
				add(archive.PostRow{Type: archive.RowPost, Post: drawPost(t, p)})
			}
		}
		if cut <= h.cuts {
			add(archive.PostRow{Type: archive.RowCut, Cut: audience.Cut{Number: cut, At: 9}})
		}
	}
	return rows
}

// drawPost: few ids, so that they repeat; what a post says is its id's, as a rule.
func drawPost(t *rapid.T, partition int) *clamorv1.Post {
	id := rapid.IntRange(0, 12).Draw(t, "id")
	p := &clamorv1.Post{
		Platform: "x", Id: fmt.Sprint(partition, "-", id), Show: "s", Source: "main", Text: texts[id%len(texts)],
		ReceivedAt: int64(rapid.IntRange(1, 2100).Draw(t, "minute")) * 60_000, SampleRate: []float64{0, 0.5}[id%2],
		Author: &clamorv1.Author{Id: fmt.Sprint(id % 4), Name: "Maria Silva", Location: "Recife, Brasil"},
	}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		p.Text = "another text with a goal"
	case 1:
		p.Decision = topic.HeldBy
	case 2:
		p.RepostOf = "1"
	}
	return p
}

func compile(t fatal, rules map[string]string) *topic.Catalog {
	var all []topic.Definition
	no := false
	for id, rule := range rules {
		all = append(all, topic.Definition{
			Topic:    audience.Topic{ID: id, Show: "s", Title: id, Rule: rule, Crowd: id == "gol", Filters: &audience.TopicFilters{Duplicates: &no}},
			Revision: 1, Languages: []string{"pt", "en"},
		})
	}
	c, err := topic.Compile(all, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type fatal interface{ Fatal(args ...any) }

// archiveTo writes what lies below the last cut.
func (h *history) archiveTo(t fatal, a *archive.Archive) {
	for p, rows := range h.partitions {
		next, first := 0, int64(0)
		for epoch := range h.cuts {
			w, err := a.Create(context.Background(), archive.Segment{Topic: archive.Posts, Epoch: epoch, Partition: int32(p)}, first)
			if err != nil {
				t.Fatal(err)
			}
			for done := false; !done && err == nil; next++ {
				switch row := &rows[next]; row.Type {
				case archive.RowCut:
					done = row.Cut.Number == epoch+1
					err = w.Cut(row.Offset, row.Cut)
				case archive.RowModeration:
					err = w.Moderation(row.Offset, row.Moderation)
				case archive.RowPost:
					err = w.Post(row.Offset, row.Post)
				default:
					err = w.Unreadable(row.Offset)
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

// epochs is the fold of one partition by epoch, as the speed layer has it.
func (h *history) epochs(p int, c *topic.Catalog) (epochs []topic.View) {
	state, open, listener := topic.NewPartition(), topic.NewOpen(), topic.NewListener(c)
	for i := range h.partitions[p] {
		switch row := &h.partitions[p][i]; row.Type {
		case archive.RowCut:
			if state.Cut(row.Cut) {
				epochs = append(epochs, open.View())
				open.Reset()
			}
		case archive.RowModeration:
			state.Moderate(listener.Hear(row.Moderation.Post), row.Moderation.Reject, open)
		case archive.RowPost:
			state.Post(listener.Hear(row.Post), open)
		}
	}
	return append(epochs, open.View())
}

// generation is what a run keeps for the next.
type generation struct {
	manifests map[topic.Subject]views.PieceID
	states    [][]byte
}

// count makes generation n: from the one before, or from the first epoch on.
func (h *history) count(t fatal, a *archive.Archive, s *store, c *topic.Catalog, n uint64, before *generation) *generation {
	ctx := context.Background()
	ledger := listen.NewLedger(s, n)
	from := uint64(0)
	var parts []*listen.Partition
	for i := range c.Len() {
		if before == nil {
			ledger.Open(c.Subject(i))
		} else if err := ledger.Carry(ctx, c.Subject(i), before.manifests[c.Subject(i)]); err != nil {
			t.Fatal(err)
		}
	}
	for p := range h.partitions {
		part := listen.NewPartition(int32(p), 0, c)
		if before != nil {
			var err error
			from = n - 1
			if part, err = listen.Restore(int32(p), from, before.states[p], c); err != nil {
				t.Fatal(err)
			}
		}
		parts = append(parts, part)
	}
	for epoch := from; epoch < n; epoch++ {
		for _, part := range parts {
			if _, err := part.Epoch(ctx, a, c, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := ledger.Epoch(ctx, parts, func(topic.Subject) bool { return true }); err != nil {
			t.Fatal(err)
		}
	}
	g := &generation{}
	for _, part := range parts {
		g.states = append(g.states, part.Snapshot())
	}
	var err error
	if g.manifests, err = ledger.Write(ctx); err != nil {
		t.Fatal(err)
	}
	return g
}

// view reads a generation back.
func (g *generation) view(t fatal, s *store) topic.View {
	v := topic.View{}
	for subject, manifest := range g.manifests {
		refs, err := views.ReadMinutes(context.Background(), s, manifest, -1<<40, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range refs {
			m, err := topic.Decode(s.pieces[ref.ID])
			if err != nil {
				t.Fatal(err)
			}
			v.Of(subject)[ref.Key] = m
		}
	}
	return v
}

// TestBatchAndSpeedAreTheWholeLog is the law: at every cut, what batch has
// published and the speed epochs from that cut on are the fold of the log; and a
// generation is the same, byte for byte, however it was come by (any one of a
// history, since to count whole is what costs).
func TestBatchAndSpeedAreTheWholeLog(t *testing.T) {
	c := compile(t, map[string]string{"gol": "gol OR goal", "tags": "#copa OR #worldcup"})
	deaf := compile(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		a, err := archive.Open(context.Background(), "mem://")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		h.archiveTo(t, a)
		var speed [][]topic.View
		whole := topic.View{}
		for p := range h.partitions {
			speed = append(speed, h.epochs(p, c))
			for _, epoch := range speed[p] {
				whole.Add(epoch)
			}
		}
		s := newStore()
		var before *generation
		again := rapid.Uint64Range(1, h.cuts).Draw(t, "again")
		for n := uint64(1); n <= h.cuts; n++ {
			g := h.count(t, a, s, c, n, before)
			if n == again {
				whole := h.count(t, a, newStore(), c, n, nil)
				if diff := cmp.Diff(whole, g, cmp.AllowUnexported(generation{})); diff != "" {
					t.Fatalf("generation %d, counted whole and from the one before: %s", n, diff)
				}
			}
			merged := g.view(t, s)
			for p := range speed {
				for _, epoch := range speed[p][n:] {
					merged.Add(epoch)
				}
			}
			if !merged.Equal(whole) {
				t.Fatalf("at cut %d batch and speed are not the log", n)
			}
			before = g
		}
		if silent := h.count(t, a, newStore(), deaf, h.cuts, nil); !cmp.Equal(silent.states, before.states) {
			t.Fatal("what a fold remembers depends on the topics")
		}
	})
}
