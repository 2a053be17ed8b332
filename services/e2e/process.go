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

	"github.com/clamor-live/clamor/pkg/embedded"
)

// Process is Clamor as one program, run as a child so that kill -9 is real.
type Process struct {
	Binary, Data string
	// Redis, if set, is a Redis outside the process: it survives kills, and is
	// emptied on request. Without it every kill empties Redis.
	Redis *embedded.Servers

	listen, admin, kafka string
	client               *Client
	mu                   sync.Mutex
	cmd                  *exec.Cmd
	exited               chan struct{}
	logs                 *os.File
}

// startTime bounds a start on a loaded machine.
const startTime = 60 * time.Second

// NewProcess chooses addresses, which stay over restarts, and starts.
func NewProcess(ctx context.Context, binary, data string, redis *embedded.Servers) (*Process, error) {
	p := &Process{Binary: binary, Data: data, Redis: redis}
	for _, addr := range []*string{&p.listen, &p.admin, &p.kafka} {
		free, err := freeAddr(ctx)
		if err != nil {
			return nil, err
		}
		*addr = free
	}
	if err := os.MkdirAll(data, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	logs, err := os.Create(filepath.Join(filepath.Dir(data), "clamor.log"))
	if err != nil {
		return nil, fmt.Errorf("make the log file: %w", err)
	}
	p.logs = logs
	p.client = NewClient("http://"+p.listen, "")
	return p, p.start(ctx)
}

func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (p *Process) start(ctx context.Context) error {
	args := []string{"--data", p.Data, "--listen", p.listen, "--admin-listen", p.admin, "--kafka-listen", p.kafka}
	if p.Redis != nil {
		args = append(args, "--redis", p.Redis.RedisURL())
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.Binary, args...) //nolint:gosec // the program under test
	cmd.Stdout, cmd.Stderr = p.logs, p.logs
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CLAMOR_") })
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Binary, err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	p.mu.Lock()
	p.cmd, p.exited = cmd, exited
	p.mu.Unlock()
	return p.awaitReady(ctx, exited)
}

func (p *Process) awaitReady(ctx context.Context, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		select {
		case <-exited:
			return fmt.Errorf("clamor ended while starting; see %s", p.logs.Name())
		default:
		}
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.admin+"/readyz", nil)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return p.readToken()
			}
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("clamor was not ready in %s; see %s", startTime, p.logs.Name())
		}
	}
}

func (p *Process) readToken() error {
	b, err := os.ReadFile(filepath.Join(p.Data, "admin.token"))
	if err != nil {
		return fmt.Errorf("read the admin token: %w", err)
	}
	p.client.Token = strings.TrimSpace(string(b))
	return nil
}

// Client implements System.
func (p *Process) Client() *Client { return p.client }

// Broker is the address of the log.
func (p *Process) Broker() string { return p.kafka }

// Down kills and leaves it dead.
func (p *Process) Down() {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	_ = cmd.Process.Signal(syscall.SIGKILL)
	<-exited
	p.client.HTTP.CloseIdleConnections()
}

// Kill implements System; all services are one process.
func (p *Process) Kill(ctx context.Context, _ string) error {
	p.Down()
	return p.start(ctx)
}

// Stop asks it to end, and says whether it did in time and cleanly.
func (p *Process) Stop() error {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-exited:
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		return errors.New("clamor did not end within 30 s of SIGTERM")
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("clamor ended with %d; see %s", code, p.logs.Name())
	}
	return nil
}

// EmptyRedis implements System.
func (p *Process) EmptyRedis(ctx context.Context) error {
	if p.Redis == nil {
		return p.Kill(ctx, "")
	}
	return FlushRedis(ctx, strings.TrimPrefix(p.Redis.RedisURL(), "redis://"))
}

// FlushRedis drops every key of one Redis.
func FlushRedis(ctx context.Context, addr string) error {
	addr, _, _ = strings.Cut(addr, "/")
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("empty redis: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("*1\r\n$8\r\nFLUSHALL\r\n")); err != nil {
		return fmt.Errorf("empty redis: %w", err)
	}
	reply := make([]byte, 64)
	if n, err := conn.Read(reply); err != nil || !strings.HasPrefix(string(reply[:n]), "+OK") {
		return fmt.Errorf("empty redis: %q %w", reply[:n], err)
	}
	return nil
}
