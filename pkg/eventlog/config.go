package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/clamor-live/clamor/pkg/config"
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
	Brokers []string `doc:"bootstrap addresses of Kafka, host:port"`
	// Prefix lets several Clamors share a Kafka.
	Prefix   string `doc:"stands before every topic and group name"`
	ClientID string `doc:"names this process in the brokers' logs and quotas"`
	// Partitions, Replication and Retention are used for topics that are created;
	// those that are there keep theirs. Control is kept for ever.
	Partitions  int           `doc:"partitions of the topics ballots and posts, when they are created"`
	Replication int           `doc:"replicas of each topic, when it is created"`
	Retention   time.Duration `doc:"how long the brokers keep ballots and posts, when the topics are created; 0 for ever"`
	AckDeadline time.Duration `doc:"how long an append waits for the brokers"`
	// At either bound Append fails at once with ErrOverloaded.
	MaxInFlightBytes   int64 `doc:"bytes sent and not yet answered, at most"`
	MaxInFlightRecords int64 `doc:"records sent and not yet answered, at most"`
	MaxRecordBytes     int   `doc:"bytes of one record, at most; below what the brokers take"`
	FetchBytes         int32 `doc:"bytes of one fetch of a reader, at most"`
	// SessionTimeout is how long the brokers wait for a silent member before they
	// give its seats to others.
	SessionTimeout time.Duration `doc:"silence after which a member's seats go to others"`

	// Dial reaches the brokers; nil: over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	TLS      bool          `doc:"speak TLS to the brokers"`
	CAFile   string        `doc:"PEM file of the authorities to trust, in place of the system's"`
	CertFile string        `doc:"PEM file of this client's certificate"`
	KeyFile  string        `doc:"PEM file of the certificate's key"`
	SASL     string        `doc:"how to log in: plain, scram-sha-256, scram-sha-512 or nothing"`
	User     string        `doc:"user to log in as"`
	Password config.Secret `doc:"the user's password"`
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
	errs = append(errs, c.checkSecurity())
	return errors.Join(errs...)
}
