// Package standalone is all of Clamor in one process: the same services as in
// the cluster, over an embedded log and Redis and a folder for the rest. Any of
// the servers is replaced by a real one by giving its address.
package standalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/internal/process"
)

// Run runs everything until ctx ends. What is for people to read goes to stdout,
// the log to stderr.
func Run(ctx context.Context, cfg Config, version string, stdout, stderr io.Writer) error {
	began := time.Now()
	p, err := process.New("clamor", cfg.Config, stderr)
	if err != nil {
		return err
	}
	if err := compose(ctx, p, cfg, version, began, stdout); err != nil {
		return errors.Join(err, p.Close())
	}
	return p.Run(ctx)
}

// compose opens the stores and adds the parts, from the log outwards.
func compose(ctx context.Context, p *process.Process, cfg Config, version string, began time.Time, stdout io.Writer) error {
	public, err := p.Listen(cfg.Listen)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	servers, err := embedded.Start(ctx, cfg.servers(), p.Logger)
	if err != nil {
		return err
	}
	p.OnClose("embedded servers", servers.Close)
	cfg.fill(servers)
	s, err := open(ctx, p, cfg)
	if err != nil {
		return err
	}
	handler, err := s.services(p, cfg, version)
	if err != nil {
		return err
	}
	p.Serve("http", public, handler)
	p.Add("greeting", greeting(cfg, public.Addr(), s.ready, began, stdout))
	if cfg.Demo {
		p.Add("demo", demonstration(cfg, public.Addr(), stdout, p.Logger))
	}
	return nil
}

// stores are the clients that the services share.
type stores struct {
	log     *eventlog.Log
	control *control.Client
	speed   *speed.Store
	archive *archive.Archive
	views   views.Store
	keys    *keys.Ring
	ready   <-chan struct{} // closed when the API has its first answers
}

func open(ctx context.Context, p *process.Process, cfg Config) (s stores, err error) {
	if err := os.MkdirAll(cfg.Capture.ReplayDir, 0o750); err != nil {
		return s, fmt.Errorf("make the folder of replays: %w", err)
	}
	if s.keys, err = p.OpenKeys(ctx, cfg.Keys); err != nil {
		return s, err
	}
	if s.archive, err = p.OpenArchive(ctx, cfg.Archive); err != nil {
		return s, err
	}
	if s.views, err = p.OpenViews(ctx, cfg.Views); err != nil {
		return s, err
	}
	if s.speed, err = p.OpenSpeed(ctx, cfg.Redis); err != nil {
		return s, err
	}
	if s.log, err = p.OpenLog(ctx, cfg.Kafka); err != nil {
		return s, err
	}
	s.control = p.ControlClient(s.log, cfg.Control)
	p.Add("admin token", once(func(ctx context.Context) error { return adminToken(ctx, cfg.Data, s.control) }))
	return s, nil
}

// step is a part that is done once; what stands behind it waits for that.
type step struct {
	run.Func
	done chan struct{}
}

func (s step) Ready() <-chan struct{} { return s.done }

func once(f func(ctx context.Context) error) run.Runner {
	done := make(chan struct{})
	return step{done: done, Func: func(ctx context.Context) error {
		if err := f(ctx); err != nil {
			return err
		}
		close(done)
		return nil
	}}
}
