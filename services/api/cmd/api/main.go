// Command api serves results, producers' calls and feeds.
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
	"github.com/clamor-live/clamor/services/api"
	"github.com/clamor-live/clamor/services/console"
	_ "github.com/clamor-live/clamor/services/internal/buckets"
	"github.com/clamor-live/clamor/services/internal/process"
)

// version is set by the linker.
var version = "dev"

type settings struct {
	process.Config
	Kafka      eventlog.Config
	Redis      process.Redis
	Views      config.Secret `doc:"store of generations: mongodb://… or file:PATH"`
	Archive    string        `doc:"folder or bucket of the archive"`
	Search     config.Secret `doc:"search engine: http(s)://host:9200/prefix (Elasticsearch) or file:FOLDER; empty: none"`
	Keys       process.Keys
	AdminToken config.Secret `doc:"API token with the role admin, registered when the control log is empty"`
	Control    control.Config
	API        api.Config
}

func (s *settings) Validate() error {
	return errors.Join(process.ValidateSearch(s.Search), process.Validate(s.Config, s.Kafka, s.Redis, s.Keys, s.Control, s.API))
}

func main() { run.Main(program) }

func program(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg := settings{
		Config: process.DefaultConfig(), Kafka: eventlog.DefaultConfig(), Redis: process.Redis{Config: speed.DefaultConfig()},
		Views: "file:views.db", Archive: "archive", Control: control.DefaultConfig(), API: api.DefaultConfig(),
	}
	return process.Program(ctx, "api", &cfg, &cfg.Config, args, stdout, stderr, func(ctx context.Context, p *process.Process) error {
		return compose(ctx, p, cfg)
	})
}

func compose(ctx context.Context, p *process.Process, cfg settings) error {
	listener, err := p.Listen(cfg.Listen)
	if err != nil {
		return err
	}
	s, err := p.OpenStores(ctx, process.Stores{
		Kafka: cfg.Kafka, Redis: cfg.Redis, Views: cfg.Views, Archive: cfg.Archive, Search: cfg.Search, Keys: cfg.Keys, Control: cfg.Control,
	})
	if err != nil {
		return err
	}
	if cfg.AdminToken != "" {
		p.Add("admin token", process.FirstAdmin(s.Control, cfg.AdminToken))
	}
	pages, err := console.New()
	if err != nil {
		return err
	}
	service, err := api.New(cfg.API, api.Deps{
		Control: s.Control, Speed: s.Speed, Views: s.Views, Archive: s.Archive, Search: s.Search, Log: s.Log, Receipts: s.Keys, Pages: pages,
		Secrets: s.Keys, Board: s.Speed,
		Logger: p.Logger, Metrics: p.Metrics, Tracer: p.Tracer, Now: time.Now, Version: version,
	})
	if err != nil {
		return err
	}
	p.Add("api", service)
	p.Check("api", service.Useful)
	p.Serve("http", listener, service.Handler())
	return nil
}
