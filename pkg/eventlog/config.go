package eventlog

import (
	"errors"
	"fmt"
	"time"
)

// The topics. Ballots, posts and seats have the same number of partitions;
// control and deadletter have one.
const (
	Control    = "control"
	Ballots    = "ballots"
	Posts      = "posts"
	Seats      = "seats"
	DeadLetter = "deadletter"
)

// Config says where the log is and how hard it may be driven.
type Config struct {
	// Brokers are bootstrap addresses, host:port.
	Brokers []string `yaml:"brokers" doc:"addresses of the brokers, host:port"`
	// Prefix stands before every topic and group name, so that several Clamors
	// may share a Kafka.
	Prefix string `yaml:"prefix"`
	// ClientID names this process in the brokers' logs and quotas.
	ClientID string `yaml:"client_id"`
	// Partitions is used for topics that are created; existing ones keep theirs.
	Partitions int `yaml:"partitions"`
	// Replication is used for topics that are created.
	Replication int `yaml:"replication"`
	// Retention of topics that are created; 0 keeps records for ever. Control is
	// always kept for ever.
	Retention time.Duration `yaml:"retention"`
	// AckDeadline is the longest that Append waits for the brokers.
	AckDeadline time.Duration `yaml:"ack_deadline"`
	// MaxInFlightBytes and MaxInFlightRecords bound what is sent and not yet
	// answered; at the bound Append fails at once with ErrOverloaded.
	MaxInFlightBytes   int64 `yaml:"max_in_flight_bytes"`
	MaxInFlightRecords int64 `yaml:"max_in_flight_records"`
	// MaxRecordBytes bounds one record; it must stay below what the brokers take.
	MaxRecordBytes int `yaml:"max_record_bytes"`
	// FetchBytes bounds one fetch of a Reader.
	FetchBytes int32 `yaml:"fetch_bytes"`
	// SessionTimeout is how long the brokers wait for a silent holder of seats
	// before giving its seats to others.
	SessionTimeout time.Duration `yaml:"session_timeout"`
}

// DefaultConfig is right for a small cluster; Brokers must be filled in.
func DefaultConfig() Config {
	return Config{
		ClientID:           "clamor",
		Prefix:             "clamor.",
		Partitions:         4,
		Replication:        1,
		AckDeadline:        2 * time.Second,
		MaxInFlightBytes:   64 << 20,
		MaxInFlightRecords: 100_000,
		MaxRecordBytes:     900_000,
		FetchBytes:         4 << 20,
		SessionTimeout:     6 * time.Second,
	}
}

// Validate names every fault.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(len(c.Brokers) > 0, "brokers: name at least one host:port")
	check(c.ClientID != "", "client_id: must not be empty")
	check(c.Partitions > 0 && c.Partitions <= 1024, "partitions: %d is not in 1..1024", c.Partitions)
	check(c.Replication > 0 && c.Replication <= 9, "replication: %d is not in 1..9", c.Replication)
	check(c.Retention >= 0, "retention: %s is negative", c.Retention)
	check(c.AckDeadline > 0, "ack_deadline: %s is not positive", c.AckDeadline)
	check(c.MaxInFlightBytes > 0, "max_in_flight_bytes: %d is not positive", c.MaxInFlightBytes)
	check(c.MaxInFlightRecords > 0, "max_in_flight_records: %d is not positive", c.MaxInFlightRecords)
	check(c.MaxRecordBytes > 0 && int64(c.MaxRecordBytes) <= c.MaxInFlightBytes,
		"max_record_bytes: %d is not in 1..max_in_flight_bytes", c.MaxRecordBytes)
	check(c.FetchBytes > 0, "fetch_bytes: %d is not positive", c.FetchBytes)
	check(c.SessionTimeout >= 6*time.Second, "session_timeout: %s is below 6s, the least that Kafka allows", c.SessionTimeout)
	return errors.Join(errs...)
}
