package e2e_test

import (
	"context"
	"flag"
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
	return filepath.Join(bin, "clamor"), build("../standalone/cmd/clamor")
})

// services builds the services' own programs at the first call, but for batch,
// which not every cluster has.
var services = sync.OnceValues(func() (string, error) {
	return bin, build("../capture/cmd/capture", "../realtime/cmd/realtime", "../api/cmd/api")
})

func build(programs ...string) error {
	out, err := exec.Command("go", append([]string{"build", "-o", bin + "/"}, programs...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build %v: %w\n%s", programs, err, out)
	}
	return nil
}

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // tests wait for the program more than they compute
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
		showLogs(t, dir)
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Down()
		if t.Failed() {
			showLogs(t, dir)
		}
	})
	return p
}

// startCluster runs the services on real servers, where there are any.
func startCluster(t *testing.T) (servers e2e.Servers, c *e2e.Cluster, bin string) {
	t.Helper()
	servers, err := e2e.ServersFromEnv()
	if err != nil {
		t.Skip(err)
	}
	binary, err := program()
	if err == nil {
		err = build("../batch/cmd/batch")
	}
	if err != nil {
		t.Fatal(err)
	}
	return servers, newCluster(t, servers), filepath.Dir(binary)
}

func newCluster(t *testing.T, servers e2e.Servers) *e2e.Cluster {
	t.Helper()
	folder, err := services()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c, err := e2e.NewCluster(t.Context(), folder, dir, servers)
	t.Cleanup(func() {
		if c != nil {
			c.Close()
		}
		if t.Failed() {
			showLogs(t, dir)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func showLogs(t *testing.T, dir string) {
	logs, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, log := range logs {
		b, _ := os.ReadFile(log)
		t.Logf("%s:\n%s", filepath.Base(log), b[max(0, len(b)-6000):])
	}
}

func scenarios(t *testing.T) []string {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	return files
}

func TestScenariosOnRealServers(t *testing.T) {
	_, c, _ := startCluster(t)
	playAll(t, c, "")
}

func TestScenarios(t *testing.T) {
	for _, outside := range []bool{false, true} {
		playAll(t, startProcess(t, outside), fmt.Sprintf("/redis outside %v", outside))
	}
}

func playAll(t *testing.T, sys e2e.System, where string) {
	for i, file := range scenarios(t) {
		t.Run(filepath.Base(file)+where, func(t *testing.T) {
			play(t, sys, file, fmt.Sprintf("show-%d", i))
		})
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
