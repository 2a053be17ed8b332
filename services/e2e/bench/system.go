package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/clamor-live/clamor/services/internal/client"
	"github.com/clamor-live/clamor/services/internal/load"
)

// child is a program being measured.
type child struct {
	cmd   *exec.Cmd
	url   string
	admin string
	data  string
	logs  *bytes.Buffer
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // over at once
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startClamor runs the program over data and waits until it is ready.
func (s settings) startClamor(ctx context.Context, data string, more ...string) (*child, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := append([]string{"--data", data, "--listen", listen, "--admin-listen", admin, "--log-level", "warn", "--capture-limits-voter", "0"}, more...)
	c := &child{cmd: exec.Command(s.clamor, args...), url: "http://" + listen, admin: "http://" + admin, data: data, logs: &bytes.Buffer{}} //nolint:gosec,noctx // our own program; it is stopped below
	return c, c.start(ctx, "/readyz")
}

// startBare runs this program as the yardstick.
func startBare(ctx context.Context) (*child, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, "bare", address), url: "http://" + address, admin: "http://" + address, logs: &bytes.Buffer{}} //nolint:gosec,noctx // ourselves
	return c, c.start(ctx, "/feed.json")
}

func (c *child) start(ctx context.Context, page string) error {
	c.cmd.Stderr = c.logs
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.cmd.Path, err)
	}
	if err := answers(ctx, c.admin+page); err != nil {
		c.kill()
		return fmt.Errorf("start %s: %w\n%s", c.cmd.Path, err, c.logs)
	}
	return nil
}

// answers waits until the URL is answered with 200.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, fmt.Errorf("%s is not answered", url))
	defer cancel()
	return client.WaitFor(ctx, 5*time.Millisecond, func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // if it is gone, Wait says so
	_ = c.cmd.Wait()
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// load is a run's configuration against the child.
func (c *child) load(s settings) (load.Config, error) {
	token, err := os.ReadFile(filepath.Join(c.data, "admin.token"))
	cfg := load.DefaultConfig()
	cfg.URL, cfg.Token = c.url, strings.TrimSpace(string(token))
	cfg.Connections, cfg.Rate, cfg.Duration, cfg.Voters, cfg.Settle = s.connections, 0, s.duration, 1000, time.Minute
	return cfg, err
}
