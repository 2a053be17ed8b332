package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
)

// smallDisk is a file system of that many bytes of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mounting a small disk needs more rights: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk writes until the disk is full, with and without the guard in
// time: writers learn at once, nothing acknowledged is lost, and when there is
// space the log goes on, with the same servers and the same clients.
func TestFullDisk(t *testing.T) {
	for name, least := range map[string]int64{"guarded": 2 << 20, "unguarded": 0} {
		t.Run(name, func(t *testing.T) { fullDisk(t, least) })
	}
}

func fullDisk(t *testing.T, least int64) {
	disk := smallDisk(t, "16m")
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config(filepath.Join(disk, "data"))
	cfg.MinFreeBytes = least
	s, err := embedded.Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	l, err := dial(t.Context(), s.Brokers())
	if err != nil {
		t.Fatal(err)
	}
	w := &writers{l: l, acked: map[int]bool{}}
	w.until(t, func(failed error) bool { return failed != nil })
	if least > 0 && (!errors.Is(w.failed, eventlog.ErrRefused) || !s.Full()) {
		t.Errorf("a full disk gave %v, full is %v", w.failed, s.Full())
	}
	if !errors.Is(w.failed, eventlog.ErrUnavailable) {
		t.Errorf("a full disk gave %v", w.failed)
	}
	before := len(w.acked)
	if got := contents(t, l); len(got) < before {
		t.Errorf("%d can be read of %d acknowledged", len(got), before)
	}
	remove(t, ballast)
	for deadline := time.Now().Add(10 * time.Second); s.Full() && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	w.failed = nil
	w.until(t, func(error) bool { return len(w.acked) >= before+200 })
	if err := errors.Join(l.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	run(t, cfg.DataDir, func(l *eventlog.Log) {
		for _, n := range contents(t, l) {
			delete(w.acked, n)
		}
		if len(w.acked) > 0 {
			t.Errorf("%d of the acknowledged records are gone", len(w.acked))
		}
	})
}

// TestStartOnFullDisk: what is in the log can be read, and records are refused.
func TestStartOnFullDisk(t *testing.T) {
	disk := smallDisk(t, "128m")
	cfg := config(filepath.Join(disk, "data"))
	cfg.MinFreeBytes = 1 << 20
	run(t, cfg.DataDir, func(l *eventlog.Log) { appendAll(t, l, 0, 10) })
	ballast, err := os.Create(filepath.Join(disk, "ballast"))
	for block := make([]byte, 1<<16); err == nil; {
		_, err = ballast.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = ballast.Close()
	s, err := embedded.Start(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	l, err := dial(t.Context(), s.Brokers())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if got := contents(t, l); len(got) != 10 || !s.Full() {
		t.Errorf("%v, full is %v", got, s.Full())
	}
	if _, err := l.Append(t.Context(), eventlog.Control, 0, record(1)); !errors.Is(err, eventlog.ErrRefused) {
		t.Errorf("an append gave %v", err)
	}
}

// writers append from several goroutines and keep what was acknowledged.
type writers struct {
	l      *eventlog.Log
	next   atomic.Int64
	mu     sync.Mutex
	acked  map[int]bool
	failed error
}

func (w *writers) until(t *testing.T, enough func(failed error) bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for time.Now().Before(deadline) {
				n := int(w.next.Add(1))
				rec := record(n)
				rec.GetControl().Payload = make([]byte, 5000)
				_, err := w.l.Append(t.Context(), eventlog.Control, 0, rec)
				w.mu.Lock()
				if err == nil {
					w.acked[n] = true
				} else {
					w.failed = err
				}
				stop := enough(w.failed)
				w.mu.Unlock()
				if stop {
					return
				}
			}
			t.Error("it took too long")
		})
	}
	all.Wait()
}
