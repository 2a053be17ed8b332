package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/embedded"
)

// Process is Clamor as one program.
type Process struct {
	Binary, Data string
	// Redis, if set, is a Redis outside the process: it survives kills, and is
	// emptied on request. Without it every kill empties Redis.
	Redis *embedded.Servers

	child  *child
	kafka  string
	client *Client
}

// NewProcess chooses addresses, which stay over restarts, and starts.
func NewProcess(ctx context.Context, binary, data string, redis *embedded.Servers) (*Process, error) {
	listen, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	kafka, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	args := []string{"--data", data, "--listen", listen, "--kafka-listen", kafka, "--kafka-partitions", "3"}
	if redis != nil {
		args = append(args, "--redis", redis.RedisURL())
	}
	c, err := newChild(ctx, filepath.Dir(data), "clamor", binary, args...)
	if err != nil {
		return nil, err
	}
	p := &Process{Binary: binary, Data: data, Redis: redis, child: c, kafka: kafka, client: NewClient("http://"+listen, "")}
	if err := p.Start(ctx); err != nil {
		p.Down() // one that never was ready runs on otherwise
		return nil, err
	}
	return p, nil
}

// Start runs it again after Down, and waits until it is ready.
func (p *Process) Start(ctx context.Context) error {
	if err := p.child.start(ctx); err != nil {
		return err
	}
	if err := p.child.ready(ctx); err != nil {
		return err
	}
	if p.client.Token != "" {
		return nil
	}
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

// Admin is the base URL of the admin listener.
func (p *Process) Admin() string { return "http://" + p.child.admin }

// Down kills and leaves it dead.
func (p *Process) Down() {
	p.child.kill()
	p.client.HTTP.CloseIdleConnections()
}

// Stop asks it to end.
func (p *Process) Stop() error { return p.child.stop() }

// Kill implements System; all services are one process.
func (p *Process) Kill(ctx context.Context, _ string) error {
	p.Down()
	return p.Start(ctx)
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
