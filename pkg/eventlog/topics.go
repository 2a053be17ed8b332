package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/IBM/sarama"
)

// ensureTopics creates the topics that are missing, waits until each partition
// has a leader, and returns the numbers of partitions by topic.
func (l *Log) ensureTopics(ctx context.Context) (map[string]int, error) {
	topics := []string{Control, Ballots, Posts, Seats, DeadLetter}
	counts := make(map[string]int, len(topics))
	for _, topic := range topics {
		err := l.retry(ctx, func() (err error) {
			counts[topic], err = l.ensure(topic)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", l.topic(topic), err)
		}
	}
	return counts, l.agree(counts)
}

// ensure creates a topic only if it is missing: those that an administrator made
// need no right to create. One just created may take a moment to appear.
func (l *Log) ensure(topic string) (int, error) {
	n, err := l.led(l.topic(topic))
	if !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
		return n, err
	}
	admin, err := sarama.NewClusterAdminFromClient(l.client)
	if err == nil {
		err = admin.CreateTopic(l.topic(topic), l.cfg.detail(topic), false)
	}
	if err != nil && !errors.Is(err, sarama.ErrTopicAlreadyExists) {
		return 0, fmt.Errorf("create: %w", err)
	}
	return l.led(l.topic(topic))
}

// led counts the partitions of a topic once all of them have leaders.
func (l *Log) led(name string) (int, error) {
	if err := l.client.RefreshMetadata(name); err != nil {
		return 0, err
	}
	all, err := l.client.Partitions(name)
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		if _, err := l.client.Leader(name, p); err != nil {
			return 0, err
		}
	}
	if len(all) == 0 {
		return 0, sarama.ErrUnknownTopicOrPartition
	}
	return len(all), nil
}

func (l *Log) agree(counts map[string]int) error {
	n := counts[Ballots]
	for _, topic := range []string{Posts, Seats} {
		if counts[topic] != n {
			return fmt.Errorf("topic %s has %d partitions and %s has %d; they must have as many: create %[1]s anew",
				l.topic(topic), counts[topic], l.topic(Ballots), n)
		}
	}
	for _, topic := range []string{Control, DeadLetter} {
		if counts[topic] != 1 {
			return fmt.Errorf("topic %s has %d partitions; it must have 1: create it anew", l.topic(topic), counts[topic])
		}
	}
	if n != l.cfg.Partitions {
		l.log.Info("the log keeps its own number of partitions", "configured", l.cfg.Partitions, "partitions", n)
	}
	return nil
}

// detail is how a missing topic is created. Retention is always stated, because
// the brokers' own default deletes after a week.
func (c Config) detail(topic string) *sarama.TopicDetail {
	partitions, retention := 1, "-1"
	switch topic {
	case Ballots, Posts:
		partitions = c.Partitions
		if c.Retention > 0 {
			retention = strconv.FormatInt(c.Retention.Milliseconds(), 10)
		}
	case Seats:
		partitions = c.Partitions
	}
	// One replica may be away without stopping the log.
	insync := strconv.Itoa(max(1, c.Replication-1))
	unlimited, policy := "-1", "delete"
	largest := strconv.Itoa(max(1<<20, c.MaxRecordBytes+recordOverhead))
	return &sarama.TopicDetail{
		NumPartitions:     int32(partitions),
		ReplicationFactor: int16(c.Replication),
		ConfigEntries: map[string]*string{
			"retention.ms":        &retention,
			"retention.bytes":     &unlimited,
			"cleanup.policy":      &policy,
			"min.insync.replicas": &insync,
			"max.message.bytes":   &largest,
		},
	}
}
