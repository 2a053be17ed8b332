// Command batch-flink is batch with the recomputation on a Flink cluster. The
// cluster's task managers start the same program as their worker.
package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/services/batch"
	"github.com/clamor-live/clamor/services/batch/flink"
	_ "github.com/clamor-live/clamor/services/internal/buckets"
	"github.com/clamor-live/clamor/services/internal/process"
)

type settings struct {
	process.Config
	Kafka   eventlog.Config
	Redis   process.Redis
	Views   config.Secret `doc:"store of generations: mongodb://… or file:PATH"`
	Archive string        `doc:"bucket of the archive, or a folder that every task manager sees under the same path"`
	Search  config.Secret `doc:"search engine: http(s)://host:9200/prefix (Elasticsearch) or file:FOLDER; empty: none"`
	Keys    process.Keys
	Control control.Config
	Batch   batch.Config
	Flink   flink.Config
}

func (s *settings) Validate() error {
	return errors.Join(process.ValidateSearch(s.Search), process.Validate(s.Config, s.Kafka, s.Redis, s.Keys, s.Control, s.Batch, s.Flink))
}

func main() { run.Main(program) }

func program(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if flink.IsWorker(args) {
		flink.Init()
		return flink.Work(ctx, args, stderr)
	}
	cfg := settings{
		process.DefaultConfig(), eventlog.DefaultConfig(), process.Redis{Config: speed.DefaultConfig()},
		"file:views.db", "archive", "", process.Keys{}, control.DefaultConfig(), batch.DefaultConfig(), flink.DefaultConfig(),
	}
	return process.Program(ctx, "batch-flink", &cfg, &cfg.Config, args, stdout, stderr, func(ctx context.Context, p *process.Process) error {
		return compose(ctx, p, cfg)
	})
}

func compose(ctx context.Context, p *process.Process, cfg settings) error {
	flink.Init()
	runner, err := flink.New(cfg.Flink, p.Logger)
	if err != nil {
		return err
	}
	s, err := p.OpenStores(ctx, process.Stores{
		Kafka: cfg.Kafka, Redis: cfg.Redis, Views: cfg.Views, Archive: cfg.Archive, Search: cfg.Search, Keys: cfg.Keys, Control: cfg.Control,
	})
	if err != nil {
		return err
	}
	service, err := batch.New(cfg.Batch, batch.Deps{
		Log: s.Log, Control: s.Control, Speed: s.Speed, Views: s.Views, Archive: s.Archive, Search: s.Search,
		Key: s.Keys.Certificate(), Runner: runner, Now: time.Now, Logger: p.Logger, Metrics: p.Metrics, Tracer: p.Tracer,
	})
	if err != nil {
		return err
	}
	p.Add("batch", service)
	return nil
}
