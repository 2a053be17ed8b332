// Command capture is the doors of Clamor: ballots and posts come in here.
package main

import (
	"context"
	"io"
	"time"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/services/capture"
	_ "github.com/clamor-live/clamor/services/internal/buckets"
	"github.com/clamor-live/clamor/services/internal/process"
)

type settings struct {
	process.Config
	Kafka   eventlog.Config
	Redis   process.Redis // without a URL nobody is told how sources fare
	Control control.Config
	Keys    process.Keys
	Capture capture.Config
}

func (s *settings) Validate() error {
	return process.Validate(s.Config, s.Kafka, s.Redis, s.Control, s.Keys, s.Capture)
}

func main() { run.Main(program) }

func program(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg := settings{
		process.DefaultConfig(), eventlog.DefaultConfig(), process.Redis{Config: speed.DefaultConfig()}, control.DefaultConfig(), process.Keys{}, capture.DefaultConfig(),
	}
	return process.Program(ctx, "capture", &cfg, &cfg.Config, args, stdout, stderr, func(ctx context.Context, p *process.Process) error {
		return compose(ctx, p, cfg)
	})
}

func compose(ctx context.Context, p *process.Process, cfg settings) error {
	listener, err := p.Listen(cfg.Listen)
	if err != nil {
		return err
	}
	ring, err := p.OpenKeys(ctx, cfg.Keys)
	if err != nil {
		return err
	}
	log, err := p.OpenLog(ctx, cfg.Kafka)
	if err != nil {
		return err
	}
	deps := capture.Deps{
		Log: log, Past: capture.Kafka{Log: log}, Control: p.ControlClient(log, cfg.Control), Keys: ring, Logger: p.Logger, Metrics: p.Metrics, Tracer: p.Tracer, Now: time.Now,
	}
	if cfg.Redis.URL != "" {
		if deps.Board, err = p.OpenSpeed(ctx, cfg.Redis); err != nil {
			return err
		}
	}
	service, err := capture.New(cfg.Capture, deps)
	if err != nil {
		return err
	}
	p.Add("capture", service)
	p.Serve("http", listener, service.Handler())
	return nil
}
