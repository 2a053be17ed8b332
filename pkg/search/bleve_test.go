package search_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/search"
)

func posts(from, to int) (docs []search.Doc) {
	for i := from; i < to; i++ {
		docs = append(docs, search.Doc{ID: fmt.Sprint("p", i), Text: fmt.Sprintf("gol número %d", i), Language: "pt", ReceivedAt: 1, Generation: 1, Raw: []byte("raw")})
	}
	return docs
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill makes a published build of n posts, in several segments, in a new folder.
func fill(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := search.Open(t.Context(), "file:"+dir)
	must(t, err)
	must(t, s.Begin(t.Context(), "b1"))
	must(t, s.Put(t.Context(), "b1", posts(0, n/2)))
	must(t, s.Put(t.Context(), "b1", posts(n/2, n)))
	must(t, s.Publish(t.Context(), "b1"))
	must(t, s.Close())
	return dir
}

func total(t *testing.T, s search.Store) int64 {
	t.Helper()
	page, err := s.Search(t.Context(), search.Query{Text: "gol", MaxGeneration: 1})
	must(t, err)
	return page.Total
}

func TestBleveIsLocked(t *testing.T) {
	address := "file:" + t.TempDir()
	openStore(t, address)
	if _, err := search.Open(t.Context(), address); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("opened twice: %v", err)
	}
}

func TestBleveComesBackAfterAKill(t *testing.T) {
	dir := os.Getenv("CLAMOR_TEST_KILLED_SEARCH")
	if dir != "" {
		putForEver(dir)
	}
	dir = fill(t, 10)
	for n := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBleveComesBackAfterAKill$")
		child.Env = append(os.Environ(), "CLAMOR_TEST_KILLED_SEARCH="+dir)
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		acknowledged := 0
		for lines := bufio.NewScanner(out); acknowledged < 3*(n+1) && lines.Scan(); acknowledged++ {
		}
		must(t, child.Process.Kill())
		_ = child.Wait()

		s, err := search.Open(t.Context(), "file:"+dir)
		must(t, err)
		if build, err := s.Current(t.Context()); err != nil || build != "b1" || total(t, s) != 10 {
			t.Fatalf("after a kill %q is read, %v", build, err)
		}
		must(t, s.Begin(t.Context(), "b2"))
		must(t, s.Publish(t.Context(), "b2"))
		if got := total(t, s); got < int64(acknowledged)*100 {
			t.Fatalf("%d of %d acknowledged posts are there", got, acknowledged*100)
		}
		must(t, s.Publish(t.Context(), "b1"))
		must(t, s.Expire(t.Context()))
		must(t, s.Close())
	}
}

// putForEver says each Put that was acknowledged, until it is killed.
func putForEver(dir string) {
	ctx := context.Background()
	s, err := search.Open(ctx, "file:"+dir)
	if err == nil {
		err = s.Begin(ctx, "b2")
	}
	for n := 0; err == nil; n++ {
		if err = s.Put(ctx, "b2", posts(n*100, n*100+100)); err == nil {
			fmt.Println(n)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestDamageIsToldAndRepaired(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, index string){
		"a byte of a segment": func(t *testing.T, index string) {
			each(t, index, ".zap", func(b []byte) []byte { b[len(b)/3] ^= 0x10; return b })
		},
		"a segment is cut":      func(t *testing.T, index string) { each(t, index, ".zap", half) },
		"a segment is empty":    func(t *testing.T, index string) { each(t, index, ".zap", none) },
		"a segment is gone":     func(t *testing.T, index string) { each(t, index, ".zap", remove) },
		"the root is cut":       func(t *testing.T, index string) { each(t, index, ".bolt", beginning) },
		"the root is empty":     func(t *testing.T, index string) { each(t, index, ".bolt", none) },
		"the root is noise":     func(t *testing.T, index string) { each(t, index, ".bolt", noise) },
		"the settings are gone": func(t *testing.T, index string) { each(t, index, ".json", remove) },
		"the settings are noise": func(t *testing.T, index string) {
			each(t, index, ".json", noise)
		},
		"of another engine": func(t *testing.T, index string) {
			each(t, index, ".json", func([]byte) []byte { return []byte(`{"storage":"boltdb","index_type":"next"}`) })
		},
		"the index is gone": func(t *testing.T, index string) { must(t, os.RemoveAll(index)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := fill(t, 60)
			harm(t, filepath.Join(dir, "v1-b1"))
			s := openStore(t, "file:"+dir)
			_, err := s.Current(t.Context())
			wantDamaged(t, err, dir)
			_, err = s.Search(t.Context(), search.Query{})
			wantDamaged(t, err, dir)
			_, err = s.Get(t.Context(), "p1")
			wantDamaged(t, err, dir)
			wantDamaged(t, s.Put(t.Context(), "b1", posts(0, 1)), dir)
			wantDamaged(t, s.Publish(t.Context(), "b1"), dir)

			must(t, s.Begin(t.Context(), "b1"))
			if build, err := s.Current(t.Context()); build != "" || err != nil {
				t.Fatalf("%q is read, %v", build, err)
			}
			must(t, s.Put(t.Context(), "b1", posts(0, 60)))
			must(t, s.Publish(t.Context(), "b1"))
			if got := total(t, s); got != 60 {
				t.Fatalf("%d posts after the repair", got)
			}
		})
	}
}

func wantDamaged(t *testing.T, err error, dir string) {
	t.Helper()
	if !errors.Is(err, search.ErrDamaged) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "rebuilt") {
		t.Fatalf("error %v", err)
	}
}

func TestAnotherBuildsDamageHindersNobody(t *testing.T) {
	dir := fill(t, 20)
	s, err := search.Open(t.Context(), "file:"+dir)
	must(t, err)
	must(t, s.Begin(t.Context(), "b2"))
	must(t, s.Put(t.Context(), "b2", posts(0, 5)))
	must(t, s.Close())
	each(t, filepath.Join(dir, "v1-b2"), ".zap", noise)
	s = openStore(t, "file:"+dir)
	if got := total(t, s); got != 20 {
		t.Fatal(got)
	}
	must(t, s.Begin(t.Context(), "b2"))
	if build, err := s.Current(t.Context()); build != "b1" || err != nil {
		t.Fatal(build, err)
	}
}

func TestAnotherLayoutIsNotSeen(t *testing.T) {
	dir := fill(t, 20)
	must(t, os.Rename(filepath.Join(dir, "v1-b1"), filepath.Join(dir, "v0-b1")))
	change(t, filepath.Join(dir, "search.db"), func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("v1-b1"), []byte("v0-b1")) })
	must(t, os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600))
	s := openStore(t, "file:"+dir)
	if build, err := s.Current(t.Context()); build != "" || err != nil {
		t.Fatalf("%q is read, %v", build, err)
	}
	if got := total(t, s); got != 0 {
		t.Fatal(got)
	}
	must(t, s.Begin(t.Context(), "b2"))
	must(t, s.Publish(t.Context(), "b2"))
	must(t, s.Expire(t.Context()))
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "notes search.db v1-b2" {
		t.Fatalf("there are %s", got)
	}
}

func TestADamagedPointerIsTold(t *testing.T) {
	dir := fill(t, 2)
	change(t, filepath.Join(dir, "search.db"), noise)
	_, err := search.Open(t.Context(), "file:"+dir)
	wantDamaged(t, err, dir)
}

// each changes every file of a kind, some of which an index no longer uses.
func each(t *testing.T, dir, ext string, how func([]byte) []byte) {
	t.Helper()
	n := 0
	must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ext {
			n++
			change(t, path, how)
		}
		return err
	}))
	if n == 0 {
		t.Fatalf("no %s in %s", ext, dir)
	}
}

// change writes a file again as how makes it; nil removes it.
func change(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	if b = how(b); b == nil {
		must(t, os.Remove(path))
		return
	}
	must(t, os.WriteFile(path, b, 0o600))
}

func half(b []byte) []byte { return b[:len(b)/2] }

// beginning leaves a bbolt file of less than what any of them uses.
func beginning(b []byte) []byte { return b[:3*os.Getpagesize()] }
func none([]byte) []byte        { return []byte{} }
func remove([]byte) []byte      { return nil }
func noise(b []byte) []byte {
	return []byte(strings.Repeat("no index at all\n", len(b)/16+1))[:len(b)]
}
