package listen_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/batch/listen"
)

func TestMain(m *testing.M) {
	// Bleve starts its analysis when it is linked in.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}

// TestALongEpochIsFoldedUp has more posts and minutes than are kept open.
func TestALongEpochIsFoldedUp(t *testing.T) {
	const posts, minutes = 40_000, 900
	h := &history{cuts: 1, partitions: make([][]archive.PostRow, 1)}
	for i := range posts {
		minute := i * minutes / posts
		if i%1000 == 999 {
			minute = 3 // late
		}
		h.partitions[0] = append(h.partitions[0], archive.PostRow{Offset: int64(i), Type: archive.RowPost, Post: &clamorv1.Post{
			Platform: "x", Id: fmt.Sprint(i), Show: "s", Text: fmt.Sprintf("%s %d", texts[i%len(texts)], i), ReceivedAt: int64(minute) * 60_000,
			Author: &clamorv1.Author{Id: fmt.Sprint(i % 500)},
		}})
	}
	h.partitions[0] = append(h.partitions[0], archive.PostRow{Offset: posts, Type: archive.RowCut, Cut: audience.Cut{Number: 1}})
	a, err := archive.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	h.archiveTo(t, a)
	c := compile(t, map[string]string{"gol": "gol OR goal", "tags": "#copa OR #worldcup"})
	s := newStore()
	got := h.count(t, a, s, c, 1, nil).view(t, s)
	want := h.epochs(0, c)[0]
	for subject, all := range want {
		if len(got[subject]) != len(all) || len(all) < minutes/2 {
			t.Fatalf("%s has %d minutes, want %d", subject, len(got[subject]), len(all))
		}
		for minute, m := range all {
			sum := topic.NewMinute()
			sum.Add(m)
			if !bytes.Equal(topic.Encode(got[subject][minute]), topic.Encode(sum)) {
				t.Fatalf("minute %d of %s", minute, subject)
			}
		}
	}
	if s.puts > 2*2*minutes {
		t.Errorf("%d pieces put for %d minutes", s.puts, 2*minutes)
	}
}

// TestSegmentsThatDoNotFitAreRefused whatever is wrong with them.
func TestSegmentsThatDoNotFitAreRefused(t *testing.T) {
	c := compile(t, nil)
	cut := func(n uint64, offset int64) archive.PostRow {
		return archive.PostRow{Offset: offset, Type: archive.RowCut, Cut: audience.Cut{Number: n}}
	}
	post := archive.PostRow{Offset: 0, Type: archive.RowPost, Post: &clamorv1.Post{Platform: "x", Id: "1"}}
	for name, segments := range map[string][][]archive.PostRow{
		"no cut at its end":   {{post}},
		"another cut":         {{post, cut(2, 1)}},
		"records behind it":   {{cut(1, 0), {Offset: 1, Type: archive.RowPost, Post: post.Post}}},
		"a gap between them":  {{post, cut(1, 1)}, {cut(2, 9)}},
		"an end of its own":   {{post, cut(1, 1), {Offset: 5, Type: archive.RowUnreadable}}},
		"nothing but a blank": {{{Offset: 0, Type: archive.RowUnreadable}}},
	} {
		a, err := archive.Open(t.Context(), "mem://")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		part := listen.NewPartition(0, 0, c)
		err = nil
		for epoch, rows := range segments {
			write(t, a, uint64(epoch), rows)
			if err == nil {
				_, err = part.Epoch(t.Context(), a, c, nil)
			}
		}
		if !errors.Is(err, listen.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := listen.Restore(0, 3, topic.NewCounter().Snapshot(), c); !errors.Is(err, listen.ErrBroken) {
		t.Errorf("the state of another epoch: %v", err)
	}
	if _, err := listen.Restore(0, 0, []byte("no state"), c); !errors.Is(err, topic.ErrJournal) {
		t.Errorf("no state: %v", err)
	}
}

// write makes a segment of rows, which begins where the first of them stands.
func write(t *testing.T, a *archive.Archive, epoch uint64, rows []archive.PostRow) {
	t.Helper()
	w, err := a.Create(context.Background(), archive.Segment{Topic: archive.Posts, Epoch: epoch}, rows[0].Offset)
	for _, row := range rows {
		if err != nil {
			t.Fatal(err)
		}
		switch row.Type {
		case archive.RowPost:
			err = w.Post(row.Offset, row.Post)
		case archive.RowCut:
			err = w.Cut(row.Offset, row.Cut)
		default:
			err = w.Unreadable(row.Offset)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(rows[len(rows)-1].Offset + 1); err != nil {
		t.Fatal(err)
	}
}
