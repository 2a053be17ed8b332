package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/services/e2e"
)

// bin is the folder of the built program, which all tests share.
var bin string

// program builds clamor at the first call.
var program = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(bin, "clamor")
	out, err := exec.Command("go", "build", "-o", binary, "../standalone/cmd/clamor").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build clamor: %w\n%s", err, out)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "clamor-e2e-")
	if err != nil {
		panic(err)
	}
	bin = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// startProcess runs clamor on a data folder of the test's own; a Redis outside
// the process survives its kills.
func startProcess(t *testing.T, outside bool) *e2e.Process {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var redis *embedded.Servers
	if outside {
		cfg := embedded.DefaultConfig()
		cfg.DataDir, cfg.Kafka = "", false
		if redis, err = embedded.Start(t.Context(), cfg, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = redis.Close() })
	}
	dir := t.TempDir()
	p, err := e2e.NewProcess(t.Context(), binary, filepath.Join(dir, "data"), redis)
	if err != nil {
		showLog(t, dir)
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Down()
		if t.Failed() {
			showLog(t, dir)
		}
	})
	return p
}

// showLog prints the end of what clamor said.
func showLog(t *testing.T, dir string) {
	b, _ := os.ReadFile(filepath.Join(dir, "clamor.log"))
	t.Logf("clamor said:\n%s", b[max(0, len(b)-8000):])
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, outside := range []bool{false, true} {
		p := startProcess(t, outside)
		for i, file := range files {
			t.Run(fmt.Sprintf("%s/redis outside %v", filepath.Base(file), outside), func(t *testing.T) {
				play(t, p, file, fmt.Sprintf("show-%d", i))
			})
		}
	}
}

func play(t *testing.T, sys e2e.System, file, show string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := e2e.ParseScript(string(text))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	player, err := e2e.NewPlayer(ctx, sys, show)
	if err != nil {
		t.Fatal(err)
	}
	if err := player.Play(ctx, steps); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}
