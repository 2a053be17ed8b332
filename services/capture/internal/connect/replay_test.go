package connect

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func postAt(id string, second int) string {
	at := time.Date(2026, 5, 1, 20, 0, second, 0, time.UTC)
	return fmt.Sprintf(`{"id":%q,"text":"t","created_at":%q}`, id, at.Format(time.RFC3339))
}

// into is an Outlet that hands batches to a function.
type into func(context.Context, Batch) error

func (f into) Deliver(ctx context.Context, b Batch) error { return f(ctx, b) }
func (f into) Streaming()                                 {}
func (f into) Spend(context.Context, int64) error         { return nil }

func write(t testing.TB, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "posts.ndjson"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReplayKeepsThePace(t *testing.T) {
	dir := write(t, strings.Join([]string{postAt("1", 0), postAt("2", 0), postAt("3", 10), postAt("4", 30)}, "\n"))
	synctest.Test(t, func(t *testing.T) {
		r := &Replay{Folder: dir, File: "posts.ndjson", Speed: 10, Now: time.Now}
		begun := time.Now()
		var got []string
		err := r.Run(t.Context(), Place(""), into(func(_ context.Context, b Batch) error {
			for _, p := range b.Posts {
				got = append(got, fmt.Sprint(p.ID, " ", time.Since(begun)))
			}
			return nil
		}))
		if want := []string{"1 0s", "2 0s", "3 1s", "4 3s"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%v %v, want %v", got, err, want)
		}
	})
}

func TestReplayStopsAtOnce(t *testing.T) {
	dir := write(t, postAt("1", 0)+"\n"+postAt("2", 59))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &Replay{Folder: dir, File: "posts.ndjson", Speed: 1, Now: time.Now}
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx, Place(""), into(func(context.Context, Batch) error { return nil })) }()
		synctest.Wait()
		begun := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(begun) != 0 {
			t.Error(err, time.Since(begun))
		}
	})
}

// TestReplayResumesAtItsPlace: wherever a replay is cut off, the next one goes
// on behind the last batch that was delivered.
func TestReplayResumesAtItsPlace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var file strings.Builder
		var want []string
		for n := range rapid.IntRange(0, 30).Draw(rt, "posts") {
			id := fmt.Sprint(n)
			want = append(want, id)
			file.WriteString(postAt(id, rapid.IntRange(0, 40).Draw(rt, "second")))
			file.WriteString(rapid.SampledFrom([]string{"\n", "\r\n", "\n\n", "\nnonsense\n"}).Draw(rt, "end"))
		}
		dir := write(t, file.String())
		var got []string
		place, err := Place(""), error(nil)
		for run := 0; run < 100; run++ {
			left := rapid.IntRange(1, 4).Draw(rt, "batches until it is cut off")
			r := &Replay{Folder: dir, File: "posts.ndjson", Speed: MaxSpeed, Now: func() time.Time { return time.Unix(0, 0) }}
			err = r.Run(context.Background(), place, into(func(_ context.Context, b Batch) error {
				if left--; left < 0 {
					return fmt.Errorf("cut off")
				}
				for _, p := range b.Posts {
					got = append(got, p.ID)
				}
				place = b.Behind
				return nil
			}))
			if err == nil {
				break
			}
		}
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("%v %v, want %v", got, err, want)
		}
	})
}

func TestReplayLoops(t *testing.T) {
	dir := write(t, postAt("1", 0)+"\n"+postAt("2", 0))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &Replay{Folder: dir, File: "posts.ndjson", Speed: 1, Loop: true, Now: time.Now}
	var got []string
	err := r.Run(ctx, Place(""), into(func(_ context.Context, b Batch) error {
		for _, p := range b.Posts {
			got = append(got, p.ID+"/"+p.Author.ID)
		}
		if strings.Contains(string(b.Behind), "/2/") {
			cancel()
		}
		return nil
	}))
	if want := []string{"1/1", "2/2", "1~2/1", "2~2/2", "1~3/1", "2~3/2"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	empty := write(t, "nonsense\n")
	r.Folder = empty
	if err := r.Run(t.Context(), Place(""), into(func(context.Context, Batch) error { return nil })); err != nil {
		t.Error(err)
	}
}

func TestReplayCountsWhatIsNoPost(t *testing.T) {
	dir := write(t, "{\n"+postAt("1", 0)+"\n"+strings.Repeat("x", 200<<10)+"\n[]\n"+postAt("2", 0))
	r := &Replay{Folder: dir, File: "posts.ndjson", Speed: 1, Now: time.Now}
	malformed, posts := 0, 0
	err := r.Run(t.Context(), Place(""), into(func(_ context.Context, b Batch) error {
		malformed, posts = malformed+b.Malformed, posts+len(b.Posts)
		return nil
	}))
	if err != nil || malformed != 3 || posts != 2 {
		t.Error(malformed, posts, err)
	}
}

func TestReplayReadsFromItsFolderOnly(t *testing.T) {
	dir := write(t, postAt("1", 0))
	inside := filepath.Join(dir, "replay")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../posts.ndjson", filepath.Join(inside, "link")); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"../posts.ndjson", filepath.Join(dir, "posts.ndjson"), "link", "x/../../posts.ndjson", ".", "none"} {
		r := &Replay{Folder: inside, File: file, Speed: 1, Now: time.Now}
		err := r.Run(t.Context(), Place(""), into(func(context.Context, Batch) error {
			t.Errorf("%s was read", file)
			return nil
		}))
		if err == nil {
			t.Errorf("%s is no error", file)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range []map[string]any{{}, {"file": 1}, {"file": "f", "speed": "fast"}, {"file": "f", "speed": 0.0}, {"file": "f", "loop": "yes"}} {
		if _, err := NewReplay("dir", bad, time.Now); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if _, err := NewReplay("", map[string]any{"file": "f"}, time.Now); err == nil {
		t.Error("no folder is no error")
	}
	r, err := NewReplay("dir", map[string]any{"file": "f", "speed": 2.5, "loop": true}, time.Now)
	if err != nil || r.Speed != 2.5 || !r.Loop {
		t.Error(r, err)
	}
}
