package archive_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/clamor-live/clamor/pkg/archive"
)

// kind is a kind of segment, and how its rows are written and read. read keeps
// copies, because the archive's reader reuses what it gives.
type kind[R any] struct {
	segment archive.Segment
	add     func(w *archive.Writer, rows []R) error
	read    func(a *archive.Archive, s archive.Segment) ([]R, archive.File, error)
}

func (k kind[R]) write(a *archive.Archive, rows []R, next int64) (archive.File, error) {
	w, err := a.Create(context.Background(), k.segment, 0)
	if err != nil {
		return archive.File{}, err
	}
	defer w.Abort()
	if err := k.add(w, rows); err != nil {
		return archive.File{}, err
	}
	return w.Commit(next)
}

// fatal is a test, or one of rapid's.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// comesBack writes rows twice, to the same bytes, and reads them.
func (k kind[R]) comesBack(t fatal, a *archive.Archive, rows []R, next int64) {
	t.Helper()
	written, err := k.write(a, rows, next)
	if err != nil {
		t.Fatal(err)
	}
	got, file, err := k.read(a, k.segment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, got, protocmp.Transform()); diff != "" {
		t.Fatal(diff)
	}
	sha, size, err := a.Hash(context.Background(), k.segment.Path())
	if err != nil || sha != written.SHA256 || size != written.Bytes {
		t.Fatalf("hash %s of %d bytes, %v; written %+v", sha, size, err, written)
	}
	written.SHA256 = ""
	if file != written || file.Rows != int64(len(rows)) || file.Next != next {
		t.Fatalf("read %+v, wrote %+v", file, written)
	}
	again, err := k.write(a, rows, next)
	if err != nil || again.SHA256 != sha {
		t.Fatalf("written again: %s, %v; want %s", again.SHA256, err, sha)
	}
}

// damageIsNamed reads a file that was harmed in many ways. A harm may be one that
// shows nowhere, as in a byte that nothing reads.
func (k kind[R]) damageIsNamed(t *testing.T, rows []R, harms int, shows func(harm string, got []R) bool) {
	t.Helper()
	dir := t.TempDir()
	a := open(t, dir)
	if _, err := k.write(a, rows, int64(len(rows))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.FromSlash(k.segment.Path()))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(harm string, body []byte) {
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		got, _, err := k.read(a, k.segment)
		if err == nil && len(got) == len(rows) && !shows(harm, got) {
			return
		}
		if !errors.Is(err, archive.ErrCorrupt) || !strings.Contains(err.Error(), k.segment.Path()) {
			t.Errorf("%s: %d rows, error %v", harm, len(got), err)
		}
	}
	check("empty", nil)
	check("foreign", []byte("PAR1 is not enough"))
	harm(whole, harms, check)
	k.placesAreKept(t, a, dir, whole)
}

// harm cuts a file short and bends it, n times each.
func harm(whole []byte, n int, check func(harm string, body []byte)) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range n {
		check("truncated", whole[:rng.IntN(len(whole))])
		bent := append([]byte(nil), whole...)
		bent[rng.IntN(len(bent))] ^= byte(1 + rng.IntN(255))
		check("bent", bent)
	}
}

// placesAreKept puts a whole file in another's place, and looks where none is.
func (k kind[R]) placesAreKept(t *testing.T, a *archive.Archive, dir string, whole []byte) {
	t.Helper()
	moved := k.segment
	moved.Epoch++
	path := filepath.Join(dir, filepath.FromSlash(moved.Path()))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.read(a, moved); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("a file in another's place: %v", err)
	}
	moved.Epoch++
	if _, _, err := k.read(a, moved); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("a missing file: %v", err)
	}
}
