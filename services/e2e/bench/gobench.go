package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/services/internal/client"
)

// times is how often a Go benchmark repeats what it measures, or for how long.
type times string

// goBench runs a Go benchmark of the repository and returns one of its metrics
// by the benchmark's name.
func goBench(ctx context.Context, pkg, name, unit string, n times, env ...string) (map[string]float64, error) {
	root, err := repository(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", name, "-benchtime", string(n), pkg) //nolint:gosec // our own benchmarks
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s %s: %w\n%s", name, pkg, err, out)
	}
	return metrics(out, unit), nil
}

// metrics reads "BenchmarkX-2  3  12 unit  34 other" lines.
func metrics(out []byte, unit string) map[string]float64 {
	found := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		for i := 2; i < len(fields); i++ {
			if strings.HasPrefix(fields[0], "Benchmark") && fields[i] == unit {
				found[fields[0]], _ = strconv.ParseFloat(fields[i-1], 64)
			}
		}
	}
	return found
}

func best(of map[string]float64, containing string) (name string, value float64) {
	for n, v := range of {
		if strings.Contains(n, containing) && v > value {
			name, value = n, v
		}
	}
	return name, value
}

// foldRow: the fold with its state in a real Redis, where there is one.
func foldRow(ctx context.Context, _ settings) ([]row, error) {
	address, stop, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	figures, err := goBench(ctx, "./services/realtime", "BenchmarkFoldIntoRedis", "ballots/s/core", "3x", "CLAMOR_TEST_REDIS="+address)
	if err != nil {
		return nil, err
	}
	name, rate := best(figures, "group=10")
	note := "records of 10 ballots or more; the worker's own processor time"
	if address == "" {
		note = "no redis-server here: an in-process stand-in, whose time counts too"
	}
	if name == "" {
		return nil, fmt.Errorf("no figure in %v", figures)
	}
	return []row{{what: "fold with state in real Redis, ballots/s a core", least: "150,000", goal: "300,000",
		got: fmt.Sprintf("%.0f", rate), ok: rate >= 150_000, note: note}}, nil
}

func startRedis(ctx context.Context) (address string, stop func(), err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return "", func() {}, nil // none is fine, and is said in the table
	}
	at, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	host, port, _ := strings.Cut(at, ":")
	cmd := exec.Command(program, "--port", port, "--bind", host, "--save", "", "--appendonly", "no") //nolint:gosec,noctx // stopped below
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start redis-server: %w", err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	limit, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := client.WaitFor(limit, 20*time.Millisecond, func() bool { return dials(limit, at) }); err != nil {
		stop()
		return "", nil, fmt.Errorf("start redis-server: %w", err)
	}
	return "redis://" + at + "/0", stop, nil
}

// recomputeRow: from Parquet through the fold, one partition on one core.
func recomputeRow(ctx context.Context, _ settings) ([]row, error) {
	figures, err := goBench(ctx, "./services/batch", "BenchmarkRecompute", "ballots/core-s", "3x")
	if err != nil {
		return nil, err
	}
	_, rate := best(figures, "one_ballot_a_voter")
	if rate == 0 {
		return nil, fmt.Errorf("no figure in %v", figures)
	}
	return []row{{what: "batch recompute from Parquet, ballots/s a core", least: "1,000,000", goal: "2,000,000",
		got: fmt.Sprintf("%.0f", rate), ok: rate >= 1_000_000, note: fmt.Sprint(figures)}}, nil
}
