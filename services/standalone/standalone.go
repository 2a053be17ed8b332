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

	"github.com/clamor-live/clamor/pkg/embedded"
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
	servers, err := embedded.Start(ctx, cfg.servers(), p.Logger)
	if err != nil {
		return err
	}
	p.OnClose("embedded servers", servers.Close)
	cfg.fill(servers)
	if err := os.MkdirAll(cfg.Capture.ReplayDir, 0o750); err != nil {
		return fmt.Errorf("make the folder of replays: %w", err)
	}
	stores, err := p.OpenStores(ctx, process.Stores{
		Kafka: cfg.Kafka, Redis: cfg.Redis, Views: cfg.Views, Archive: cfg.Archive, Search: cfg.Search, Keys: cfg.Keys, Control: cfg.Control,
	})
	if err != nil {
		return err
	}
	p.Add("admin token", process.Once(func(ctx context.Context) error { return adminToken(ctx, cfg.Data, stores.Control) }))
	handler, ready, err := services(p, stores, cfg, version)
	if err != nil {
		return err
	}
	p.Serve("http", public, handler)
	p.Add("greeting", greeting(cfg, public.Addr(), ready, began, stdout))
	if cfg.Demo {
		p.Add("demo", demonstration(cfg, public.Addr(), stdout, p.Logger))
	}
	return nil
}
