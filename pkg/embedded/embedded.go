// Package embedded runs the in-process Kafka and Redis.
package embedded

import (
	"context"
	"errors"
	"log/slog"
)

// Config says which servers to start and where.
type Config struct {
	// DataDir holds the log; it is created if missing.
	DataDir string `yaml:"data_dir"`
	Kafka   bool   `yaml:"kafka"`
	Redis   bool   `yaml:"redis"`
	// KafkaListen and RedisListen are loopback addresses; port 0 takes a free one.
	KafkaListen string `yaml:"kafka_listen"`
	RedisListen string `yaml:"redis_listen"`
}

func DefaultConfig() Config {
	return Config{DataDir: "data", Kafka: true, Redis: true, KafkaListen: "127.0.0.1:0", RedisListen: "127.0.0.1:0"}
}

type Servers struct{}

func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Servers, error) {
	return nil, errors.ErrUnsupported
}
func (s *Servers) Brokers() []string { return nil }
func (s *Servers) RedisURL() string  { return "" }
func (s *Servers) Close() error      { return nil }
