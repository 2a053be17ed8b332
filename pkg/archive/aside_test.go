package archive_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
)

func TestADamagedSegmentIsKeptAside(t *testing.T) {
	both(t, func(t *testing.T, a *archive.Archive) {
		ctx := t.Context()
		begin := func() *archive.Writer {
			t.Helper()
			w, err := a.Create(ctx, segment, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Ballots(0, []audience.Ballot{ballot(1)}); err != nil {
				t.Fatal(err)
			}
			return w
		}
		whole, err := begin().Commit(1)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, body := range []string{"cut", "bent"} {
			if err := a.Put(ctx, segment.Path(), []byte(body)); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Check(ctx, segment); !errors.Is(err, archive.ErrCorrupt) {
				t.Fatalf("%s: %v", body, err)
			}
			w := begin()
			file, err := w.End(1)
			if err != nil || file != whole {
				t.Fatalf("%+v, %v; want %+v", file, err, whole)
			}
			if got, err := a.Get(ctx, segment.Path()); err != nil || string(got) != body {
				t.Fatalf("seen before it was committed: %q, %v", got, err)
			}
			place, err := a.SetAside(ctx, segment)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Commit(1); err != nil {
				t.Fatal(err)
			}
			if kept, err := a.Get(ctx, place); err != nil || !bytes.Equal(kept, []byte(body)) {
				t.Errorf("%s holds %q, %v", place, kept, err)
			}
			if _, err := a.Check(ctx, segment); err != nil {
				t.Error(err)
			}
			want = append(want, place)
		}
		got, err := a.Aside(ctx, segment.Path())
		if diff := cmp.Diff(want, got); err != nil || diff != "" || want[0] != "damaged/"+segment.Path()+".1" {
			t.Errorf("%v %s", err, diff)
		}
		if _, err := a.SetAside(ctx, archive.Segment{Topic: archive.Posts, Epoch: 9}); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("a missing file is set aside: %v", err)
		}
	})
}
