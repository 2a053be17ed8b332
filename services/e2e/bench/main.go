// Command bench measures the table "how fast": what is promised, what is got,
// and the ratio to a bare Gin handler that is measured in the same run, on the
// same machine, by the same load generator.
//
// It starts bin/clamor over a data folder of its own, so the figures are those
// of the program that users run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/run"
)

func main() { run.Main(bench) }

// settings are the flags.
type settings struct {
	clamor      string
	dir         string
	connections int
	duration    time.Duration
	steady      float64
	batch       int64
	restart     int64
	posts       int64
	only        string
	out         io.Writer
}

func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 2 && args[0] == "bare" {
		return serveBare(ctx, args[1])
	}
	s := settings{out: stderr}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&s.clamor, "clamor", "bin/clamor", "the program to measure")
	fs.IntVar(&s.connections, "connections", 64, "connections of the load generator")
	fs.DurationVar(&s.duration, "duration", 10*time.Second, "how long each rate is measured")
	fs.Float64Var(&s.steady, "steady", 10_000, "ballots a second of the steady run")
	fs.Int64Var(&s.batch, "batch", 2_000_000, "ballots through the batch door")
	fs.Int64Var(&s.restart, "restart", 1_000_000, "ballots in the log at the restart")
	fs.Int64Var(&s.posts, "posts", 300_000, "posts in the log that is folded at one go")
	fs.StringVar(&s.only, "only", "", "rows to measure: ballots, steady, batch, fold, recompute, reads, restart, posts, understand (comma separated; default all)")
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "clamor-bench-")
	if err != nil {
		return fmt.Errorf("make a data folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system clears it too
	s.dir = dir
	rows, err := s.measure(ctx)
	printTable(stdout, rows)
	return err
}

// row is a line of the table.
type row struct {
	what        string
	least, goal string
	got         string
	note        string
	ok          bool
}

// part measures some rows.
type part struct {
	name string
	f    func(ctx context.Context, s settings) ([]row, error)
}

var parts = []part{
	{"ballots", ballots}, {"steady", steady}, {"batch", batchDoor}, {"fold", foldRow}, {"recompute", recomputeRow},
	{"reads", reads}, {"restart", restart}, {"posts", posts}, {"understand", understand},
}

func (s settings) measure(ctx context.Context) (rows []row, err error) {
	for _, p := range parts {
		if s.only != "" && !slices.Contains(strings.Split(s.only, ","), p.name) {
			continue
		}
		fmt.Fprintf(s.out, "measuring %s\n", p.name)
		got, failed := p.f(ctx, s)
		rows = append(rows, got...)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", p.name, failed))
		}
		if ctx.Err() != nil {
			return rows, ctx.Err()
		}
	}
	return rows, err
}

func printTable(w io.Writer, rows []row) {
	fmt.Fprintf(w, "\n| what | at least | goal | measured | |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		mark := "met"
		if !r.ok {
			mark = "**missed**"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", r.what, r.least, r.goal, r.got, mark)
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		if r.note != "" {
			fmt.Fprintf(w, "- %s: %s\n", r.what, r.note)
		}
	}
	fmt.Fprintf(w, "- machine: %s\n", machine())
}

// machine is the processor and the load that others put on it.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%d cores, %s; load average now %s", runtime.NumCPU(), model, strings.Join(strings.Fields(string(load))[:min(3, len(strings.Fields(string(load))))], " "))
}

// repository is the root of the checkout: the Go benchmarks run there.
func repository(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return "", fmt.Errorf("find the workspace: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}
