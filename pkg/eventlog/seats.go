package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Hold does the work of a seat until ctx ends.
type Hold = func(ctx context.Context, seat int32) error

const (
	// holdPause is how long a hold that failed rests before it is called again.
	holdPause = time.Second
	// MaxSeatMetadata is what brokers keep beside a seat by default, in bytes.
	MaxSeatMetadata = 4096
)

// seating is the memberships of this process, by group.
type seating struct {
	mu      sync.Mutex
	members map[string]*member
	running sync.WaitGroup
}

func (s *seating) add(group string, m *member) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.members[group]; ok {
		return fmt.Errorf("group %s: this process is a member already", group)
	}
	if s.members == nil {
		s.members = make(map[string]*member)
	}
	s.members[group] = m
	s.running.Add(1)
	return nil
}

func (s *seating) remove(group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.members, group)
	s.running.Done()
}

func (s *seating) of(group string) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.members[group]
}

func (s *seating) wait() { s.running.Wait() }

// Seats joins a group and calls hold, in its own goroutine, for each seat that
// this process has; a seat is held by one member of the group at a time, as long
// as its holder stops within the rebalance timeout (20 s) after its ctx ended.
// Seats that stay through a rebalance are not disturbed.
//
// A hold that returns an error is called again after a second; one that returns
// nil before its ctx ends has nothing more to do while it has the seat.
//
// Seats returns nil when ctx ends or the Log closes, having left the group, so
// that others take over at once. Lost brokers are waited for. A member that is
// killed loses its seats after Config.SessionTimeout. One that is cut off from the
// brokers may hold on a little longer than that, so what a hold writes must be
// fenced where it is written.
func (l *Log) Seats(ctx context.Context, group string, hold func(ctx context.Context, seat int32) error) error {
	m := &member{log: l, group: group, hold: hold}
	if err := l.seats.add(group, m); err != nil {
		return err
	}
	defer l.seats.remove(group)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.life, cancel)()
	var said time.Time
	for pause := minPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		start := time.Now()
		if err := m.belong(ctx); err != nil && ctx.Err() == nil && time.Since(said) > sayEvery {
			said = time.Now()
			l.log.Warn("a group was lost", "group", group, "error", err)
		}
		if time.Since(start) > 10*time.Second {
			pause = minPause
		}
		_ = sleep.For(ctx, pause)
	}
	return nil
}

// member is one membership of a group.
type member struct {
	log   *Log
	group string
	hold  Hold

	mu      sync.Mutex
	session sarama.ConsumerGroupSession
	held    map[int32]bool
}

// belong is one membership, from joining to leaving.
func (m *member) belong(ctx context.Context) (err error) {
	g, err := sarama.NewConsumerGroup(m.log.cfg.Brokers, m.log.topic(m.group), m.log.cfg.seating())
	if err != nil {
		return fmt.Errorf("join group %s: %w", m.group, err)
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	for ctx.Err() == nil {
		if err := g.Consume(ctx, []string{m.log.topic(Seats)}, m); err != nil {
			return fmt.Errorf("sit in group %s: %w", m.group, err)
		}
	}
	return nil
}

var _ sarama.ConsumerGroupHandler = (*member)(nil)

func (m *member) Setup(s sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session, m.held = s, make(map[int32]bool)
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session = nil
	return nil
}

// ConsumeClaim holds one seat. The closing of the claim's messages is the signal
// that the seat goes to another.
func (m *member) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	seat := claim.Partition()
	m.take(seat, true)
	defer m.take(seat, false)
	var holding sync.WaitGroup
	holding.Go(func() { m.keep(ctx, seat) })
	for range claim.Messages() {
	}
	cancel()
	holding.Wait()
	return nil
}

func (m *member) take(seat int32, have bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	step := -1.0
	if have {
		step = 1
		m.held[seat] = true
	} else {
		delete(m.held, seat)
	}
	m.log.metrics.seats.WithLabelValues(m.group).Add(step)
}

func (m *member) keep(ctx context.Context, seat int32) {
	for ctx.Err() == nil {
		err := m.hold(ctx, seat)
		if err == nil {
			<-ctx.Done()
			return
		}
		if ctx.Err() != nil {
			return
		}
		m.log.log.Error("a seat's work failed", "group", m.group, "seat", seat, "error", err)
		_ = sleep.For(ctx, holdPause)
	}
}

// CommitSeat stores a string beside a seat that this process holds, for whoever
// holds it next. Brokers forget it a week after the group's last member left.
func (l *Log) CommitSeat(ctx context.Context, group string, seat int32, metadata string) error {
	if len(metadata) > MaxSeatMetadata {
		return fmt.Errorf("seat %d of %s: %d bytes of metadata, at most %d", seat, group, len(metadata), MaxSeatMetadata)
	}
	m := l.seats.of(group)
	if m == nil {
		return fmt.Errorf("seat %d of %s: %w", seat, group, ErrSeat)
	}
	err := l.retry(ctx, func() error { return m.commit(seat, metadata) })
	if err != nil {
		return fmt.Errorf("commit seat %d of %s: %w", seat, group, err)
	}
	return nil
}

func (m *member) commit(seat int32, metadata string) error {
	m.mu.Lock()
	session, held := m.session, m.held[seat]
	m.mu.Unlock()
	if session == nil || !held {
		return ErrSeat
	}
	name, topic := m.log.topic(m.group), m.log.topic(Seats)
	req := sarama.NewOffsetCommitRequest(m.log.cfg.base(), name)
	req.ConsumerID, req.ConsumerGroupGeneration = session.MemberID(), session.GenerationID()
	// The topic is empty: its only offset is 0.
	req.AddBlock(topic, seat, 0, sarama.ReceiveTime, metadata)
	return m.log.coordinated(name, func(b *sarama.Broker) (error, error) {
		resp, err := b.CommitOffset(req)
		if err != nil {
			return nil, err
		}
		if code := resp.Errors[topic][seat]; !errors.Is(code, sarama.ErrNoError) {
			return code, nil
		}
		return nil, nil
	})
}

// SeatMetadata is the string last stored beside a seat, empty for none.
func (l *Log) SeatMetadata(ctx context.Context, group string, seat int32) (string, error) {
	name, topic := l.topic(group), l.topic(Seats)
	var out string
	err := l.retry(ctx, func() error {
		return l.coordinated(name, func(b *sarama.Broker) (error, error) {
			resp, err := b.FetchOffset(sarama.NewOffsetFetchRequest(l.cfg.base().Version, name, map[string][]int32{topic: {seat}}))
			if err != nil {
				return nil, err
			}
			out, err = metadataIn(resp, topic, seat)
			return err, nil
		})
	})
	if err != nil {
		return "", fmt.Errorf("read seat %d of %s: %w", seat, group, err)
	}
	return out, nil
}

func metadataIn(resp *sarama.OffsetFetchResponse, topic string, seat int32) (string, error) {
	code, metadata := resp.Err, ""
	if block := resp.GetBlock(topic, seat); block != nil && errors.Is(code, sarama.ErrNoError) {
		code, metadata = block.Err, block.Metadata
	}
	// A group that nobody has joined yet has nothing to say.
	if errors.Is(code, sarama.ErrNoError) || errors.Is(code, sarama.ErrGroupIDNotFound) {
		return metadata, nil
	}
	return "", code
}

// coordinated asks the group's coordinator; refused is its answer, broken a lost
// connection. After either, the next call looks for the coordinator anew.
func (l *Log) coordinated(group string, ask func(*sarama.Broker) (refused, broken error)) error {
	b, err := l.client.Coordinator(group)
	if err != nil {
		return err
	}
	refused, broken := ask(b)
	if broken != nil {
		_ = b.Close()
	}
	if refused == nil && broken == nil {
		return nil
	}
	_ = l.client.RefreshCoordinator(group)
	return errors.Join(refused, broken)
}
