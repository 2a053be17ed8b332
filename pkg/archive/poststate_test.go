package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/clamor-live/clamor/pkg/archive"
)

func TestPostStates(t *testing.T) {
	both(t, func(t *testing.T, a *archive.Archive) {
		if _, err := a.PostState(t.Context(), 3, 1); !errors.Is(err, archive.ErrNotFound) {
			t.Fatalf("none: %v", err)
		}
		for epoch, state := range map[uint64]string{2: "two", 3: "", 11: "eleven"} {
			for range 2 {
				if err := a.PutPostState(t.Context(), epoch, 1, []byte(state)); err != nil {
					t.Fatal(err)
				}
			}
			got, err := a.PostState(t.Context(), epoch, 1)
			if err != nil || string(got) != state {
				t.Fatalf("epoch %d: %q, %v", epoch, got, err)
			}
		}
		if err := a.ExpirePostStates(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		for epoch, want := range map[uint64]error{2: archive.ErrNotFound, 3: nil, 11: nil} {
			if _, err := a.PostState(t.Context(), epoch, 1); !errors.Is(err, want) {
				t.Errorf("epoch %d: %v, want %v", epoch, err, want)
			}
		}
	})
}

func TestADamagedPostStateIsNamed(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	state := bytes.Repeat([]byte("what the fold remembers "), 20)
	if err := a.PutPostState(t.Context(), 4, 0, state); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "state", "posts", "epoch=4", "partition=0.bin")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, place int32, body []byte) {
		to := filepath.Join(filepath.Dir(path), "partition="+fmt.Sprint(place)+".bin")
		if err := os.WriteFile(to, body, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := a.PostState(t.Context(), 4, place); !errors.Is(err, archive.ErrCorrupt) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	check("empty", 0, nil)
	check("moved", 1, whole)
	harm(whole, 100, func(name string, body []byte) { check(name, 0, body) })
}
