// Package embedded runs a Kafka and a Redis inside the process, on loopback, for
// development, rehearsal and small shows. Clients use them like any other.
//
// The log is kfake with a data folder; every batch is synced to disk before it
// is acknowledged, and nothing is ever deleted. What it is not:
//
//   - replicated: one disk holds the only copy;
//   - a cluster: one goroutine serves every request, two syncs a batch. Group
//     what is written: it takes some thousand batches a second, whatever is in
//     them;
//   - able to find damage on its own: it would cut the log off at the first
//     damaged batch. So Start checks every batch first, takes only an unfinished
//     last one for the mark of a crash, and refuses the rest by name;
//   - small in memory while it recovers: a clean start reads the log through and
//     keeps about 80 bytes a batch, the start after a crash holds the whole log
//     for a moment;
//   - aware of idempotent producers across a crash: the copy of a record that was
//     sent again then stays. Readers know records by their ids.
//
// When the disk is nearly full the log refuses records before a write can fail
// half-way, serves readers on, and takes records again when there is space.
//
// The Redis is miniredis: it keeps nothing and is refilled from the log.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Config says which servers to start and where.
type Config struct {
	// DataDir is created if missing. Empty keeps the log in memory only, for tests.
	DataDir string `doc:"folder that holds the log"`
	Kafka   bool   `doc:"run a log in this process"`
	Redis   bool   `doc:"run a Redis in this process"`
	// Port 0 takes a free one.
	KafkaListen string `doc:"where the log listens, on 127.0.0.1"`
	RedisListen string `doc:"where Redis listens, on 127.0.0.1"`
	// MinFreeBytes is the disk space below which the log refuses records.
	MinFreeBytes int64 `doc:"free disk space in bytes below which the log takes no more records"`
}

// DefaultConfig runs both servers on free ports over the folder data.
func DefaultConfig() Config {
	return Config{
		DataDir: "data", Kafka: true, Redis: true,
		KafkaListen: "127.0.0.1:0", RedisListen: "127.0.0.1:0", MinFreeBytes: 64 << 20,
	}
}

// Validate names every fault.
func (c Config) Validate() error {
	var errs []error
	for _, at := range []struct{ name, addr string }{
		{"kafka_listen", c.KafkaListen}, {"redis_listen", c.RedisListen},
	} {
		if _, err := loopback(at.addr); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", at.name, err))
		}
	}
	if c.MinFreeBytes < 0 {
		errs = append(errs, fmt.Errorf("min_free_bytes: %d is negative", c.MinFreeBytes))
	}
	return errors.Join(errs...)
}

// loopback is the port of an address on 127.0.0.1. The servers know no passwords,
// so they are kept off every network.
func loopback(addr string) (int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	if host != "127.0.0.1" && host != "localhost" {
		return 0, fmt.Errorf("%q is not on 127.0.0.1: embedded servers know no passwords", addr)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return int(n), err
}

// Servers are the servers that run.
type Servers struct {
	folder *folder
	kafka  *kfake.Cluster
	wire   *wire
	addrs  []string
	guard  *guard
	redis  *miniredis.Miniredis
	once   sync.Once
}

// Start takes the data folder, checks the log in it and starts the servers. They
// run until Close; ctx bounds the start only.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Servers, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("embedded servers: %w", err)
	}
	s := &Servers{}
	if err := s.start(ctx, cfg, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Servers) start(ctx context.Context, cfg Config, log *slog.Logger) (err error) {
	if cfg.DataDir != "" {
		if s.folder, err = takeFolder(cfg.DataDir); err != nil {
			return err
		}
	}
	if cfg.Kafka {
		if err := s.startKafka(ctx, cfg, log); err != nil {
			return err
		}
	}
	if cfg.Redis {
		return s.startRedis(cfg)
	}
	return nil
}

func (s *Servers) startKafka(ctx context.Context, cfg Config, log *slog.Logger) error {
	port, err := loopback(cfg.KafkaListen)
	if err != nil {
		return err
	}
	opts := []kfake.Opt{
		kfake.Ports(port), kfake.ListenFn(s.listen), kfake.ClusterID("clamor"), kfake.WithLogger(logger{log}),
		// What stands beside a group's seats outlives a pause between two seasons.
		kfake.BrokerConfigs(map[string]string{"offsets.retention.minutes": "5256000"}),
	}
	dir := filepath.Join(cfg.DataDir, "log")
	if cfg.DataDir != "" {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("make the log's folder: %w", err)
		}
		if err := check(ctx, dir, log); err != nil {
			return err
		}
		opts = append(opts, kfake.DataDir(dir), kfake.SyncWrites())
	}
	if s.kafka, err = kfake.NewCluster(opts...); err != nil {
		return fmt.Errorf("start the embedded log on %s: %w", cfg.KafkaListen, err)
	}
	s.addrs = s.kafka.ListenAddrs()
	if cfg.DataDir != "" {
		s.guard = watch(s.kafka, dir, cfg.MinFreeBytes, log)
	}
	return nil
}

// listen keeps the wire that the log listens on: there is one broker.
func (s *Servers) listen(network, address string) (net.Listener, error) {
	w, err := listen(network, address)
	if err != nil {
		return nil, err
	}
	s.wire = w
	return w, nil
}

func (s *Servers) startRedis(cfg Config) error {
	m := miniredis.NewMiniRedis()
	m.ClockTTL(true)
	if err := m.StartAddr(cfg.RedisListen); err != nil {
		return fmt.Errorf("start the embedded redis on %s: %w", cfg.RedisListen, err)
	}
	s.redis = m
	return nil
}

// Brokers are the log's addresses, none if it does not run.
func (s *Servers) Brokers() []string { return s.addrs }

// RedisURL is empty if Redis does not run.
func (s *Servers) RedisURL() string {
	if s.redis == nil {
		return ""
	}
	return "redis://" + s.redis.Addr() + "/0"
}

// Full says whether the log refuses records for want of disk space.
func (s *Servers) Full() bool { return s.guard != nil && s.guard.full.Load() }

// Close stops the servers, writes the log's state and frees the data folder.
// Stop the clients first.
func (s *Servers) Close() error {
	var err error
	s.once.Do(func() {
		if s.redis != nil {
			s.redis.Close()
		}
		if s.guard != nil {
			s.guard.stop()
		}
		if s.kafka != nil {
			s.kafka.Close()
		}
		if s.folder != nil {
			err = s.folder.free()
		}
	})
	return err
}

// logger passes the log's own warnings on.
type logger struct{ log *slog.Logger }

func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("embedded log", "detail", fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Warn("embedded log", "detail", fmt.Sprintf(format, args...))
	}
}
