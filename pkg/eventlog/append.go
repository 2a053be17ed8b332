package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"google.golang.org/protobuf/proto"

	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// pending is an append that waits for its answer.
type pending struct {
	bytes  int
	answer chan answer
}

type answer struct {
	offset int64
	err    error
}

// Append encodes a record and appends it; see AppendRaw.
func (l *Log) Append(ctx context.Context, topic string, partition int32, rec *clamorv1.Record) (offset int64, err error) {
	value, err := proto.Marshal(rec)
	if err != nil {
		return 0, fmt.Errorf("encode a record for %s: %w", topic, err)
	}
	return l.AppendRaw(ctx, topic, partition, value)
}

// AppendRaw appends an encoded record and returns its offset once it is durable.
//
// It fails at once with ErrOverloaded when too much is in flight, and with
// ErrUnavailable when no answer came within AckDeadline. In that case the record
// may still be written later: value belongs to the log from then on and must not
// be changed.
func (l *Log) AppendRaw(ctx context.Context, topic string, partition int32, value []byte) (offset int64, err error) {
	if err := l.known(topic, partition); err != nil {
		return 0, fmt.Errorf("append: %w", err)
	}
	return l.send(ctx, topic, &sarama.ProducerMessage{
		Topic: l.topic(topic), Partition: partition, Value: sarama.ByteEncoder(value),
	}, len(value))
}

func (l *Log) send(ctx context.Context, topic string, msg *sarama.ProducerMessage, size int) (int64, error) {
	partition := msg.Partition // the message is the producer's from here on
	offset, err := l.deliver(ctx, topic, msg, size)
	if err != nil {
		l.metrics.failed.WithLabelValues(topic, reason(err)).Inc()
		return 0, fmt.Errorf("append to %s/%d: %w", topic, partition, err)
	}
	return offset, nil
}

func (l *Log) deliver(ctx context.Context, topic string, msg *sarama.ProducerMessage, size int) (int64, error) {
	if size > l.cfg.MaxRecordBytes {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, l.cfg.MaxRecordBytes)
	}
	if !l.flight.take(size) {
		return 0, ErrOverloaded
	}
	l.inFlight()
	start := time.Now()
	deadline := time.NewTimer(l.cfg.AckDeadline)
	defer deadline.Stop()
	p := &pending{bytes: size, answer: make(chan answer, 1)}
	msg.Metadata = p
	if err := l.hand(ctx, msg, deadline.C); err != nil {
		l.flight.give(size)
		return 0, err
	}
	select {
	case a := <-p.answer:
		l.metrics.acked(topic, time.Since(start))
		return a.offset, a.err
	case <-deadline.C:
		return 0, ErrUnavailable
	case <-ctx.Done():
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// hand gives the message to the producer, whose queue stands still while it
// looks for a leader.
func (l *Log) hand(ctx context.Context, msg *sarama.ProducerMessage, deadline <-chan time.Time) error {
	l.sending.RLock()
	defer l.sending.RUnlock()
	if l.closed {
		return ErrClosed
	}
	select {
	case l.producer.Input() <- msg:
		return nil
	case <-deadline:
		return fmt.Errorf("%w: nothing was sent", ErrUnavailable)
	case <-ctx.Done():
		return fmt.Errorf("%w: nothing was sent: %w", ErrUnavailable, context.Cause(ctx))
	}
}

func (l *Log) takeAcks() {
	for msg := range l.producer.Successes() {
		l.settle(msg, answer{offset: msg.Offset})
	}
}

func (l *Log) takeErrors() {
	for failed := range l.producer.Errors() {
		err := fmt.Errorf("%w: %w", ErrUnavailable, failed.Err)
		if refusal(failed.Err) {
			err = fmt.Errorf("%w: %w", ErrUnavailable, ErrRefused)
		}
		l.settle(failed.Msg, answer{err: err})
	}
}

func (l *Log) settle(msg *sarama.ProducerMessage, a answer) {
	p, ok := msg.Metadata.(*pending)
	if !ok {
		return
	}
	l.flight.give(p.bytes)
	l.inFlight()
	p.answer <- a
}

func (l *Log) inFlight() {
	l.metrics.records.Set(float64(l.flight.records.Load()))
	l.metrics.bytes.Set(float64(l.flight.bytes.Load()))
}

// reason is the label of a failed append.
func reason(err error) string {
	for _, known := range []struct {
		err  error
		name string
	}{
		{ErrOverloaded, "overloaded"}, {ErrRefused, "refused"}, {ErrTooLarge, "too-large"},
		{ErrClosed, "closed"}, {context.Canceled, "cancelled"}, {ErrUnavailable, "unavailable"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return "other"
}
