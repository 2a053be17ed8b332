// Package process is what every program of Clamor is made of besides its
// services: configuration, logger, metrics, admin listener, clients of the
// stores, and an order to start and to stop them in.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/pkg/telemetry"
)

// Config is what every program has.
type Config struct {
	Listen      string `doc:"where viewers, producers and engines are served"`
	AdminListen string `doc:"where /metrics, /healthz, /readyz and pprof are served"`
	Log         Log
	Traces      telemetry.Traces
}

// Log says what is logged.
type Log struct {
	Level  string `doc:"debug, info, warn or error"`
	Format string `doc:"text or json"`
}

// DefaultConfig listens on loopback.
func DefaultConfig() Config {
	return Config{Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:9090", Log: Log{Level: "info", Format: "text"}, Traces: telemetry.DefaultTraces()}
}

// Validate names every fault.
func (c Config) Validate() error {
	_, err := telemetry.ParseLevel(c.Log.Level)
	if c.Log.Format != "text" && c.Log.Format != "json" {
		err = errors.Join(err, fmt.Errorf("log.format: %q is neither text nor json", c.Log.Format))
	}
	return errors.Join(err, c.Traces.Validate())
}

// Load fills cfg from args, the environment and the file they name. It returns
// config.ErrPrinted when the program has nothing more to do.
func Load(cfg any, o config.Options, args []string, stdout io.Writer) error {
	o.Args, o.Environ, o.Out = args, os.Environ(), stdout
	o.Others = []string{"CLAMOR_TOKEN", "CLAMOR_URL", "CLAMOR_TEST_", "CLAMOR_CHAOS_", "CLAMOR_SERVERS_"} // of the tools and tests
	rest, err := config.Load(cfg, o)
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("%s: unknown argument %q (see --help)", o.Name, rest[0])
	}
	return err
}

// Process collects the parts of a program; Run runs them.
type Process struct {
	Name    string
	Logger  *slog.Logger
	Metrics *prometheus.Registry
	Tracer  trace.Tracer // nil when nothing is traced

	group   run.Group
	closers []part[func() error]

	mu       sync.Mutex
	checks   []part[func() error]
	stopping bool
}

type part[T any] struct {
	name string
	it   T
}

// New listens for the admin's questions from its first part on.
func New(name string, cfg Config, stderr io.Writer) (*Process, error) {
	p := &Process{
		Name: name, Metrics: telemetry.NewRegistry(),
		Logger: telemetry.NewLogger(cfg.Log.Level, cfg.Log.Format, stderr).With("program", name),
	}
	var (
		err    error
		traced func() error
	)
	if p.Tracer, traced, err = telemetry.NewTracer(name, cfg.Traces); err != nil {
		return nil, err
	}
	p.OnClose("traces", func() error {
		if err := traced(); err != nil {
			p.Logger.Warn("the last traces were not sent", "error", err)
		}
		return nil
	})
	if cfg.AdminListen == "" {
		return p, nil
	}
	l, err := p.Listen(cfg.AdminListen)
	if err != nil {
		return nil, err
	}
	p.Serve("admin", l, telemetry.Admin(p.Metrics, p.Ready))
	return p, nil
}

// Listen takes an address at once, so that one in use is found before anything
// is started.
func (p *Process) Listen(address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (choose another with --listen or --admin-listen): %w", address, err)
	}
	p.OnClose("listener "+address, func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

// Serve adds an HTTP server on l.
func (p *Process) Serve(name string, l net.Listener, h http.Handler) {
	cfg := run.DefaultServerConfig()
	cfg.Log = p.Logger
	p.Add(name, run.HTTP(l, h, cfg))
}

// Add adds a part; parts start in this order and stop in reverse.
func (p *Process) Add(name string, r run.Runner) { p.group.Add(name, r) }

// OnClose adds something to let go of after all parts have stopped, in reverse.
func (p *Process) OnClose(name string, f func() error) {
	p.closers = append(p.closers, part[func() error]{name, f})
}

// Check adds a condition of being ready: nil when fulfilled.
func (p *Process) Check(name string, f func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks = append(p.checks, part[func() error]{name, f})
}

// Ready says why the process is of no use, or nil.
func (p *Process) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return errors.New("stopping")
	}
	var errs []error
	for _, c := range p.checks {
		if err := c.it(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	return errors.Join(errs...)
}

// Run runs the parts until ctx ends or one fails, then closes everything.
func (p *Process) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, p.stop)()
	err := p.group.Run(ctx)
	p.stop() // the parts may be done before the function behind ctx has begun
	return errors.Join(err, p.Close())
}

// stop makes the process not ready.
func (p *Process) stop() {
	p.mu.Lock()
	first := !p.stopping
	p.stopping = true
	p.mu.Unlock()
	if first {
		p.Logger.Info("stopping")
	}
}

// Close lets go of everything that was opened; Run does so by itself.
func (p *Process) Close() error {
	var errs []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		if err := p.closers[i].it(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", p.closers[i].name, err))
		}
	}
	p.closers = nil
	return errors.Join(errs...)
}

// Done turns config.ErrPrinted into success.
func Done(err error) error {
	if errors.Is(err, config.ErrPrinted) {
		return nil
	}
	return err
}
