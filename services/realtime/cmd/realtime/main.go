// Command realtime folds the ballots and posts logs into the speed view in Redis.
package main

import (
	"context"
	"io"
	"time"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/pkg/speed"
	_ "github.com/clamor-live/clamor/services/internal/buckets"
	"github.com/clamor-live/clamor/services/internal/process"
	"github.com/clamor-live/clamor/services/realtime"
)

type settings struct {
	process.Config
	Kafka    eventlog.Config
	Redis    process.Redis
	Archive  string `doc:"folder or bucket of the archive: what the log keeps no more is refilled from it"`
	Control  control.Config
	Realtime realtime.Config
}

func (s *settings) Validate() error {
	return process.Validate(s.Config, s.Kafka, s.Redis, s.Control, s.Realtime)
}

func main() { run.Main(program) }

func program(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg := settings{
		process.DefaultConfig(), eventlog.DefaultConfig(), process.Redis{Config: speed.DefaultConfig()}, "archive",
		control.DefaultConfig(), realtime.DefaultConfig(),
	}
	return process.Program(ctx, "realtime", &cfg, &cfg.Config, args, stdout, stderr, func(ctx context.Context, p *process.Process) error {
		return compose(ctx, p, cfg)
	})
}

func compose(ctx context.Context, p *process.Process, cfg settings) error {
	past, err := p.OpenArchive(ctx, cfg.Archive)
	if err != nil {
		return err
	}
	store, err := p.OpenSpeed(ctx, cfg.Redis)
	if err != nil {
		return err
	}
	log, err := p.OpenLog(ctx, cfg.Kafka)
	if err != nil {
		return err
	}
	registry := p.ControlClient(log, cfg.Control)
	service, err := realtime.New(cfg.Realtime, realtime.Deps{
		Log: realtime.Kafka{Log: log}, Store: store, Origin: realtime.Published{Control: registry}, Past: past,
		Topics: registry, PostOrigin: realtime.PublishedPosts{Control: registry, States: past, Logger: p.Logger},
		Logger: p.Logger, Metrics: p.Metrics, Now: time.Now,
	})
	if err != nil {
		return err
	}
	p.Add("realtime", service)
	p.Check("realtime", service.Ready)
	return nil
}
