package eventlog

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

const dialTimeout = 3 * time.Second

// base is what every connection shares.
func (c Config) base() *sarama.Config {
	s := sarama.NewConfig()
	s.ClientID = c.ClientID
	s.Version = sarama.V2_8_0_0
	s.Net.DialTimeout = dialTimeout
	s.Net.ReadTimeout = 15 * time.Second
	s.Net.WriteTimeout = 10 * time.Second
	s.Metadata.Retry.Max = 3
	s.Metadata.Retry.Backoff = 250 * time.Millisecond
	s.Metadata.RefreshFrequency = time.Minute
	s.Metadata.AllowAutoTopicCreation = false
	s.Net.Proxy.Enable, s.Net.Proxy.Dialer = true, c.wire(context.Background())
	c.secure(s)
	return s
}

// asking leaves every second try to the caller, who can be cancelled.
func (c Config) asking() *sarama.Config {
	s := c.base()
	s.Metadata.Retry.Max = 0
	return s
}

// producing keeps a partition's records in order and each of them once, through
// retries that outlast the election of a new leader. Shorter retries turned
// every record for a dead leader into an error.
func (c Config) producing() *sarama.Config {
	s := c.base()
	// A batch whose partition has no leader for longer is given up.
	s.Metadata.Retry.Max = 20
	s.Net.MaxOpenRequests = 1
	s.Producer.Idempotent = true
	s.Producer.RequiredAcks = sarama.WaitForAll
	s.Producer.Partitioner = sarama.NewManualPartitioner
	s.Producer.Retry.Max = 30
	s.Producer.Retry.Backoff = 500 * time.Millisecond
	s.Producer.Return.Successes = true
	s.Producer.Return.Errors = true
	// The topic's own limit decides; this one only bounds a batch.
	s.Producer.MaxMessageBytes = c.MaxRecordBytes + recordOverhead
	s.ChannelBufferSize = 1024
	return s
}

// recordOverhead is more than a record's key, headers and framing take.
const recordOverhead = 4096

func (c Config) seating() *sarama.Config {
	s := c.base()
	// Long enough to find a group's new coordinator with the seats kept, short
	// enough to let go of them before others get them.
	s.Metadata.Retry.Max = 12
	s.Consumer.Group.Session.Timeout = c.SessionTimeout
	s.Consumer.Group.Heartbeat.Interval = 400 * time.Millisecond
	s.Consumer.Group.Rebalance.Timeout = 20 * time.Second
	// Seats that stay keep their holder at work through a rebalance.
	s.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyCooperativeSticky()}
	s.Consumer.Group.Rebalance.Retry.Backoff = 250 * time.Millisecond
	s.Consumer.Offsets.AutoCommit.Enable = false
	s.Consumer.Offsets.Initial = sarama.OffsetOldest
	// The topic is empty, whatever offset stands beside a seat's metadata.
	s.Consumer.Group.ResetInvalidOffsets = true
	s.Consumer.Return.Errors = false
	// Heartbeats share a connection with idle waits, so those must be short.
	s.Consumer.MaxWaitTime = 250 * time.Millisecond
	return s
}

// wire dials, and remembers the last connection, so that a wait inside it can be
// cut short.
type wire struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// life ends the dialling; sarama's dialler takes no context.
	life context.Context
	mu   sync.Mutex
	conn net.Conn
}

func (c Config) wire(life context.Context) *wire {
	if c.Dial != nil {
		return &wire{dial: c.Dial, life: life}
	}
	return &wire{dial: new(net.Dialer).DialContext, life: life}
}

func (w *wire) Dial(network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(w.life, dialTimeout)
	defer cancel()
	conn, err := w.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life.Err() != nil {
		return nil, errors.Join(context.Cause(w.life), conn.Close())
	}
	w.conn = conn
	return conn, nil
}

// cut ends the connection; call it when life is over.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		_ = w.conn.Close()
	}
}
