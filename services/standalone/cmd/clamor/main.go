// Command clamor is everything in one process, and the tools around it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/services/batch/recount"
	"github.com/clamor-live/clamor/services/internal/load"
	"github.com/clamor-live/clamor/services/internal/process"
	"github.com/clamor-live/clamor/services/standalone"
	"github.com/clamor-live/clamor/services/standalone/internal/doctor"
	"github.com/clamor-live/clamor/services/standalone/internal/enrichcmd"
	"github.com/clamor-live/clamor/services/standalone/internal/replay"
	"github.com/clamor-live/clamor/services/standalone/internal/rulecmd"
	"github.com/clamor-live/clamor/services/standalone/internal/sources"
)

// version is set by the linker.
var version = "dev"

func main() { run.Main(clamor) }

const about = `clamor counts what an audience votes and says.

    clamor [flags]             run everything in one process
    clamor recount [flags]     count a round again from the archive alone
    clamor load [flags] URL    drive ballots and posts at a running system
    clamor replay FILE         count a file of posts by keywords
    clamor sources [URL]       how the sources of a running system fare
    clamor doctor URL          check a feed against what graphics engines can read
    clamor enrich              enrich posts from standard input
    clamor rule explain RULE   why a rule holds for a post
    clamor version

Each command has its own --help. The server:

    clamor --data ./data --listen 127.0.0.1:8080 --demo
`

// commands are the programs besides the server.
func commands() map[string]func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return map[string]func(ctx context.Context, args []string, stdout, stderr io.Writer) int{
		"recount": recount.Run,
		"load":    load.Run,
		"doctor":  doctor.Run,
		"replay":  replay.Run,
		"sources": sources.Run,
		"enrich":  enrich,
		"rule":    explainRule,
		"version": printVersion, "--version": printVersion,
	}
}

func clamor(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		if command, ok := commands()[args[0]]; ok {
			if code := command(ctx, args[1:], stdout, stderr); code != 0 {
				return &run.Exit{Code: code}
			}
			return nil
		}
	}
	if len(args) == 1 && args[0] == "help" {
		args = []string{"--help"}
	}
	cfg := standalone.DefaultConfig()
	err := process.Load(&cfg, config.Options{
		Name: "clamor", About: about,
		Short: map[string]string{
			"kafka": "kafka.brokers", "redis": "redis.url",
			"kafka-listen": "embedded.kafka_listen", "redis-listen": "embedded.redis_listen",
		},
	}, args, stdout)
	if err != nil {
		return process.Done(err)
	}
	return standalone.Run(ctx, cfg, version, stdout, stderr)
}

func printVersion(_ context.Context, _ []string, stdout, _ io.Writer) int {
	fmt.Fprintf(stdout, "clamor %s\n", version)
	return 0
}

func enrich(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return enrichcmd.Run(ctx, args, os.Stdin, stdout, stderr)
}

func explainRule(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return rulecmd.Run(ctx, args, os.Stdin, stdout, stderr)
}
