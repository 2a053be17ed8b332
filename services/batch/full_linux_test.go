package batch

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/views"
)

func TestAFullDiskFailsTheRunAndTheNextWorks(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	r := newRig(t, brokers(t))
	a, err := archive.Open(t.Context(), dir)
	r.must(err)
	t.Cleanup(func() { r.check(a.Close()) })
	r.deps.Archive, r.dir = a, dir
	r.poll("final", once)
	r.crowd("final", 0, 40)
	filler := filepath.Join(dir, "filler")
	r.must(os.WriteFile(filler, make([]byte, 500<<10), 0o600))
	run, err := r.service().RunOnce(t.Context())
	if err == nil || run.State != views.Failed || !strings.Contains(run.Error, "no space left on device") || !strings.Contains(run.Error, ".parquet") {
		t.Fatalf("%+v, %v", run, err)
	}
	r.must(os.Remove(filler))
	r.run()
	r.published()
	left, err := filepath.Glob(filepath.Join(dir, "*", "*", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
