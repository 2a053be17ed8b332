package eventlog

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/IBM/sarama"
)

// Headers of a dead letter; its value is the rejected value as it stood (cut to
// Config.MaxRecordBytes), its key "topic/partition/offset", so that copies by several readers are recognised.
const (
	HeaderReason    = "reason"
	HeaderTopic     = "topic"
	HeaderPartition = "partition"
	HeaderOffset    = "offset"
)

// rejected remembers the last places that this process wrote to the dead
// letters, so that two readers of a partition write one.
type rejected struct {
	mu   sync.Mutex
	seen map[string]struct{}
}

const maxRejected = 10_000

func (r *rejected) fresh(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[key]; ok {
		return false
	}
	if r.seen == nil || len(r.seen) >= maxRejected {
		r.seen = make(map[string]struct{})
	}
	r.seen[key] = struct{}{}
	return true
}

func (r *rejected) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, key)
}

// Reject writes an entry's value to the dead letters with the reason. The entry
// also stays where it is; the caller moves on.
func (l *Log) Reject(ctx context.Context, e Entry, reason string) error {
	key := fmt.Sprintf("%s/%d/%d", e.Topic, e.Partition, e.Offset)
	if !l.rejected.fresh(key) {
		return nil
	}
	header := func(name, value string) sarama.RecordHeader {
		return sarama.RecordHeader{Key: []byte(name), Value: []byte(value)}
	}
	const maxReason = 500
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	value := e.Raw[:min(len(e.Raw), l.cfg.MaxRecordBytes)]
	_, err := l.send(ctx, DeadLetter, &sarama.ProducerMessage{
		Topic: l.topic(DeadLetter), Key: sarama.StringEncoder(key), Value: sarama.ByteEncoder(value),
		Headers: []sarama.RecordHeader{
			header(HeaderReason, reason), header(HeaderTopic, e.Topic),
			header(HeaderPartition, strconv.Itoa(int(e.Partition))),
			header(HeaderOffset, strconv.FormatInt(e.Offset, 10)),
		},
	}, len(value))
	if err != nil {
		l.rejected.forget(key)
		return fmt.Errorf("reject %s: %w", key, err)
	}
	l.metrics.poison.WithLabelValues(e.Topic).Inc()
	l.log.Warn("a record was rejected", "place", key, "reason", reason)
	return nil
}
