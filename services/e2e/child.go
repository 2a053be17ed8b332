package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// startTime bounds a start on a loaded machine.
const startTime = 60 * time.Second

// child is one program of ours as a process of its own, so that kill -9 is real.
type child struct {
	binary string
	args   []string
	admin  string // where /readyz is
	logs   *os.File

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// newChild gives it an admin address, and a log file beside others.
func newChild(ctx context.Context, dir, name, binary string, args ...string) (*child, error) {
	admin, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	logs, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("make the log of %s: %w", name, err)
	}
	return &child{binary: binary, args: append(args, "--admin-listen", admin), admin: admin, logs: logs}, nil
}

func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// start runs it; ready waits until it says that it is useful.
func (c *child) start(ctx context.Context) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.binary, c.args...) //nolint:gosec // the program under test
	cmd.Stdout, cmd.Stderr = c.logs, c.logs
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CLAMOR_") })
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.binary, err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cmd, c.exited = cmd, exited
	return nil
}

func (c *child) running() (*exec.Cmd, chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cmd, c.exited
}

func (c *child) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	_, exited := c.running()
	for {
		select {
		case <-exited:
			return fmt.Errorf("%s ended while starting; see %s", filepath.Base(c.binary), c.logs.Name())
		default:
		}
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.admin+"/readyz", nil)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := sleep.For(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("%s was not ready in %s; see %s", filepath.Base(c.binary), startTime, c.logs.Name())
		}
	}
}

// kill ends it by kill -9; it is dead on return.
func (c *child) kill() {
	cmd, exited := c.running()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	<-exited
}

// stop asks it to end, and says whether it did in time and cleanly.
func (c *child) stop() error {
	cmd, exited := c.running()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-exited:
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		return errors.New("it did not end within 30 s of SIGTERM")
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("it ended with %d; see %s", code, c.logs.Name())
	}
	return nil
}
