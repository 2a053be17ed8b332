package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Log is one connection to the log. It is safe for concurrent use.
type Log struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics

	// client asks and sits; the producer has connections of its own, so that
	// neither waits for the other.
	client     sarama.Client
	sender     sarama.Client
	producer   sarama.AsyncProducer
	flight     flight
	partitions map[string]int

	// life ends with Close; sending is held by appends that may still hand a
	// record to the producer.
	life    context.Context
	end     context.CancelFunc
	sending sync.RWMutex
	closed  bool
	answers sync.WaitGroup

	seats    seating
	rejected rejected
}

// Open connects, creates the topics that are missing and learns the number of
// partitions. It goes on trying until ctx ends, so that a log that starts at the
// same time as its users is waited for.
func Open(ctx context.Context, cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Log, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("log configuration: %w", err)
	}
	life, end := context.WithCancel(context.Background())
	l := &Log{
		cfg: cfg, log: log, metrics: newMetrics(reg), life: life, end: end,
		flight: flight{maxBytes: cfg.MaxInFlightBytes, maxRecords: cfg.MaxInFlightRecords},
	}
	if err := l.connect(ctx); err != nil {
		end()
		return nil, fmt.Errorf("open the log at %v: %w", cfg.Brokers, err)
	}
	l.answers.Go(l.takeAcks)
	l.answers.Go(l.takeErrors)
	return l, nil
}

func (l *Log) connect(ctx context.Context) error {
	var err error
	if l.client, err = l.dial(ctx, l.cfg.asking()); err != nil {
		return err
	}
	if l.partitions, err = l.ensureTopics(ctx); err != nil {
		return errors.Join(err, l.client.Close())
	}
	if l.sender, err = l.dial(ctx, l.cfg.producing()); err != nil {
		return errors.Join(err, l.client.Close())
	}
	err = l.retry(ctx, func() (err error) {
		l.producer, err = sarama.NewAsyncProducerFromClient(l.sender)
		return err
	})
	if err != nil {
		return errors.Join(err, l.sender.Close(), l.client.Close())
	}
	return nil
}

func (l *Log) dial(ctx context.Context, s *sarama.Config) (client sarama.Client, err error) {
	err = l.retry(ctx, func() error {
		client, err = sarama.NewClient(l.cfg.Brokers, s)
		return err
	})
	return client, err
}

// retry calls try until it succeeds, fails for good or ctx ends, and then
// reports its last error. It says so when that takes long.
func (l *Log) retry(ctx context.Context, try func() error) error {
	pause, said := 50*time.Millisecond, time.Now()
	for {
		err := try()
		if err == nil || permanent(err) {
			return err
		}
		if time.Since(said) > sayEvery {
			l.log.Warn("still waiting for the log", "brokers", l.cfg.Brokers, "error", err)
			said = time.Now()
		}
		if sleep.For(ctx, pause) != nil {
			return err
		}
		pause = min(2*pause, time.Second)
	}
}

// sayEvery is how often a wait is mentioned.
const sayEvery = 5 * time.Second

// permanent says whether trying again is of no use. Everything that a cluster
// says while it starts or heals is worth another try.
func permanent(err error) bool {
	for _, final := range []error{
		sarama.ErrTopicAuthorizationFailed, sarama.ErrClusterAuthorizationFailed, sarama.ErrGroupAuthorizationFailed,
		sarama.ErrSASLAuthenticationFailed, sarama.ErrInvalidTopic, sarama.ErrInvalidConfig,
		sarama.ErrOffsetMetadataTooLarge, sarama.ErrClosedClient, ErrSeat,
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// Partitions is the number of partitions of a topic, 0 for an unknown one.
func (l *Log) Partitions(topic string) int { return l.partitions[topic] }

// known says whether there is such a partition.
func (l *Log) known(topic string, partition int32) error {
	if n := l.partitions[topic]; partition < 0 || int(partition) >= n {
		return fmt.Errorf("there is no %s/%d: the topic has %d partitions", topic, partition, n)
	}
	return nil
}

func (l *Log) topic(name string) string { return l.cfg.Prefix + name }

// Close waits for what is in flight, at most AckDeadline, and ends the
// connections; seats are left first, and readers end.
func (l *Log) Close() error {
	l.sending.Lock()
	if l.closed {
		l.sending.Unlock()
		return nil
	}
	l.closed = true
	l.sending.Unlock()
	l.end()
	l.seats.wait()
	l.producer.AsyncClose()
	err := errors.Join(l.drain(), l.client.Close())
	if err != nil {
		return fmt.Errorf("close the log: %w", err)
	}
	return nil
}

// drain waits for the producer to end. Without connections it ends soon: what is
// still in flight then fails.
func (l *Log) drain() error {
	ended := make(chan struct{})
	go func() {
		l.answers.Wait()
		close(ended)
	}()
	patience := time.NewTimer(l.cfg.AckDeadline)
	defer patience.Stop()
	select {
	case <-ended:
		return l.sender.Close()
	case <-patience.C:
		err := l.sender.Close()
		<-ended
		return err
	}
}

// Bounds are the oldest offset that is kept and the one that comes next. It
// waits for a leader until ctx ends.
func (l *Log) Bounds(ctx context.Context, topic string, partition int32) (oldest, next int64, err error) {
	if err := l.known(topic, partition); err != nil {
		return 0, 0, fmt.Errorf("ask for the bounds: %w", err)
	}
	err = l.retry(ctx, func() error {
		if oldest, err = l.client.GetOffset(l.topic(topic), partition, sarama.OffsetOldest); err == nil {
			next, err = l.client.GetOffset(l.topic(topic), partition, sarama.OffsetNewest)
		}
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the bounds of %s/%d: %w", topic, partition, err)
	}
	return oldest, next, nil
}
