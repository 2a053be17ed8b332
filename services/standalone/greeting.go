package standalone

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/services/internal/process"
	"github.com/clamor-live/clamor/services/standalone/internal/demo"
)

// greeting tells the person at the terminal what to open.
func greeting(cfg Config, at net.Addr, ready <-chan struct{}, began time.Time, w io.Writer) run.Runner {
	return process.Once(func(ctx context.Context) error {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		}
		if cfg.Started != nil {
			cfg.Started(baseURL(at))
		}
		token, err := filepath.Abs(adminTokenPath(cfg.Data))
		if err != nil {
			return fmt.Errorf("find the admin's token: %w", err)
		}
		health := "off"
		if cfg.AdminListen != "" {
			health = "http://" + cfg.AdminListen + "/readyz"
		}
		_, err = fmt.Fprintf(w, `
Clamor is ready, after %v.

  shows, polls, topics  %s/
  the contract          %s/openapi.json
  health and metrics    %s
  admin token           in %s

  curl -H "Authorization: Bearer $(cat %s)" %s/v1/polls
`, time.Since(began).Round(time.Millisecond), baseURL(at), baseURL(at), health, token, token, baseURL(at))
		return err
	})
}

// baseURL is the address as a browser on this machine opens it.
func baseURL(at net.Addr) string {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return "http://" + at.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// demonstration drives the demo through the doors, like anybody else.
func demonstration(cfg Config, at net.Addr, stdout io.Writer, log *slog.Logger) run.Runner {
	return run.Func(func(ctx context.Context) error {
		text, err := os.ReadFile(adminTokenPath(cfg.Data))
		if err != nil {
			return fmt.Errorf("read the admin's token: %w", err)
		}
		return demo.Run(ctx, demo.Config{
			URL: baseURL(at), Token: strings.TrimSpace(string(text)), TokenFile: adminTokenPath(cfg.Data), Out: stdout,
		}, log)
	})
}
