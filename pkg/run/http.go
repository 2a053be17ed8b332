package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// ServerConfig bounds an HTTP server. There is no write timeout: event streams
// live for hours, and other handlers answer in one write.
type ServerConfig struct {
	ReadHeaderTimeout time.Duration
	// ReadTimeout covers the whole request; the largest is a batch of 8 MB.
	ReadTimeout    time.Duration
	IdleTimeout    time.Duration
	MaxHeaderBytes int
	// StreamGrace is how long after the stop begins requests still running have
	// before their contexts are cancelled, DrainTimeout when connections are cut.
	StreamGrace  time.Duration
	DrainTimeout time.Duration
	// Log gets the server's own complaints; nil discards them.
	Log *slog.Logger
}

// DefaultServerConfig suits every service.
func DefaultServerConfig() ServerConfig {
	return ServerConfig{
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		StreamGrace:       3 * time.Second,
		DrainTimeout:      10 * time.Second,
	}
}

type drainingKey struct{}

// Draining is closed when the server that carries the request begins to stop, so
// that an event stream can end at once instead of being cut. It is nil, and so
// blocks for ever, outside such a server.
func Draining(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(drainingKey{}).(<-chan struct{})
	return c
}

// HTTP serves h on l until its context ends, then takes no more connections and
// lets the running requests finish. It closes l.
func HTTP(l net.Listener, h http.Handler, cfg ServerConfig) Runner {
	return Func(func(ctx context.Context) error { return serve(ctx, l, h, cfg) })
}

func serve(ctx context.Context, l net.Listener, h http.Handler, cfg ServerConfig) error {
	draining := ctx.Done()
	requests, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), drainingKey{}, draining))
	defer cancel()
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: cfg.ReadHeaderTimeout,
		ReadTimeout:       cfg.ReadTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		MaxHeaderBytes:    cfg.MaxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(handlerOf(cfg.Log), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	err := drain(srv, cancel, cfg)
	if end := <-failed; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

func handlerOf(log *slog.Logger) slog.Handler {
	if log == nil {
		return slog.DiscardHandler
	}
	return log.Handler()
}

func drain(srv *http.Server, cancelRequests context.CancelFunc, cfg ServerConfig) error {
	limit, stop := context.WithTimeout(context.Background(), cfg.DrainTimeout)
	defer stop()
	grace := time.AfterFunc(cfg.StreamGrace, cancelRequests)
	defer grace.Stop()
	err := srv.Shutdown(limit)
	if errors.Is(err, context.DeadlineExceeded) {
		cancelRequests()
		err = errors.Join(fmt.Errorf("drain requests within %v: connections cut", cfg.DrainTimeout), srv.Close())
	}
	return err
}
