// Command batch cuts, archives, recomputes, publishes and seals.
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
	_ "github.com/clamor-live/clamor/services/internal/buckets"
	"github.com/clamor-live/clamor/services/internal/process"
)

type settings struct {
	process.Config
	Kafka   eventlog.Config
	Redis   process.Redis
	Views   config.Secret `doc:"store of generations: mongodb://… or file:PATH"`
	Archive string        `doc:"folder or bucket of the archive"`
	Search  config.Secret `doc:"search engine: http(s)://host:9200/prefix (Elasticsearch) or file:FOLDER; empty: none"`
	Keys    process.Keys
	Control control.Config
	Batch   batch.Config
}

func (s *settings) Validate() error {
	return errors.Join(process.ValidateSearch(s.Search), process.Validate(s.Config, s.Kafka, s.Redis, s.Keys, s.Control, s.Batch))
}

func main() { run.Main(program) }

func program(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg := settings{
		process.DefaultConfig(), eventlog.DefaultConfig(), process.Redis{Config: speed.DefaultConfig()},
		"file:views.db", "archive", "", process.Keys{}, control.DefaultConfig(), batch.DefaultConfig(),
	}
	return process.Program(ctx, "batch", &cfg, &cfg.Config, args, stdout, stderr, func(ctx context.Context, p *process.Process) error {
		return compose(ctx, p, cfg)
	})
}

func compose(ctx context.Context, p *process.Process, cfg settings) error {
	s, err := p.OpenStores(ctx, process.Stores{
		Kafka: cfg.Kafka, Redis: cfg.Redis, Views: cfg.Views, Archive: cfg.Archive, Search: cfg.Search, Keys: cfg.Keys, Control: cfg.Control,
	})
	if err != nil {
		return err
	}
	service, err := batch.New(cfg.Batch, batch.Deps{
		Log: s.Log, Control: s.Control, Speed: s.Speed, Views: s.Views, Archive: s.Archive, Search: s.Search,
		Key: s.Keys.Certificate(), Now: time.Now, Logger: p.Logger, Metrics: p.Metrics, Tracer: p.Tracer,
	})
	if err != nil {
		return err
	}
	p.Add("batch", service)
	return nil
}
