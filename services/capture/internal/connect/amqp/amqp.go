// Package amqp fetches posts from a queue of RabbitMQ, or of another broker that
// speaks AMQP 0-9-1.
//
// Settings:
//
//	name       type     needed  secret
//	url        address  yes     yes     amqp:// or amqps://user:password@host:port/vhost
//	queue      text     yes     no      it must be there; nothing is declared
//	prefetch   number   no      no      messages on their way at a time, 200 if missing; they are in memory
//	heartbeat  number   no      no      seconds, 10 if missing
//
// A message's body is a post in JSON, or several as NDJSON, read leniently: text
// is needed; an id that is missing is the message-id, or else a hash of the body,
// a time that is missing the message's timestamp, or now. A post without platform
// belongs to the source's own.
//
// A message is acknowledged when its posts are durable, so what was under way when
// a connection broke comes again, with the same ids. A message without any post in
// it is counted and rejected, not to come again; whether it goes to a dead-letter
// exchange is the queue's affair. The queue is the place: there is no other.
package amqp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	broker "github.com/rabbitmq/amqp091-go"
)

// kept is the place behind all posts: the queue knows it.
const kept connect.Place = "queue"

type connector struct {
	url       string
	queue     string
	prefetch  int
	heartbeat time.Duration
	now       func() time.Time
}

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	s := connect.Read(settings)
	c := &connector{
		url: s.Need("url"), queue: s.Need("queue"), prefetch: s.Int("prefetch", 200, 1, 5000),
		heartbeat: time.Duration(s.Int("heartbeat", 10, 1, 300)) * time.Second, now: env.Now,
	}
	if u := s.URL("url", "", "amqp", "amqps"); u != nil {
		// A query could switch off heartbeats and name files of this machine.
		if _, err := broker.ParseURI(c.url); err != nil || u.RawQuery != "" || u.Fragment != "" {
			s.Fail("url", "is not of the form amqp://user:password@host:port/vhost")
		}
	}
	if err := s.Done(); err != nil {
		return nil, err
	}
	return c, nil
}

// Run delivers what the queue has. The queue keeps the place itself.
func (c *connector) Run(ctx context.Context, _ connect.Place, out connect.Outlet) error {
	err := c.consume(ctx, out)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as it was asked to
	}
	return err
}

func (c *connector) config(dial *dialing) broker.Config {
	properties := broker.NewConnectionProperties()
	properties.SetClientConnectionName("clamor")
	return broker.Config{
		Heartbeat: c.heartbeat, Properties: properties, Dial: dial.dial,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// meaning is what a failure means to whoever runs the connector.
func meaning(err error) error {
	var e *broker.Error
	if errors.As(err, &e) {
		switch e.Code {
		case broker.AccessRefused, broker.NotAllowed, broker.NotFound: // the password, the vhost, the queue
			return &connect.Refused{Err: err}
		}
	}
	return err
}

var errCanceled = errors.New("the broker ended the subscription: the queue is gone or moves")

func (c *connector) consume(ctx context.Context, out connect.Outlet) error {
	dial := &dialing{ctx: ctx}
	defer dial.stop()
	connection, err := broker.DialConfig(c.url, c.config(dial))
	if err != nil {
		dial.close()
		return dial.why(meaning(fmt.Errorf("connect to the broker: %w", err)))
	}
	defer func() { _ = connection.CloseDeadline(time.Now().Add(closeWait)) }()
	channel, err := connection.Channel()
	if err != nil {
		return dial.why(fmt.Errorf("open a channel: %w", err))
	}
	closed, canceled := channel.NotifyClose(make(chan *broker.Error, 1)), channel.NotifyCancel(make(chan string, 1))
	if err := channel.Qos(c.prefetch, 0, false); err != nil {
		return dial.why(fmt.Errorf("ask for at most %d messages: %w", c.prefetch, err))
	}
	messages, err := channel.Consume(c.queue, "", false, false, false, false, nil)
	if err != nil {
		return dial.why(meaning(fmt.Errorf("subscribe to queue %q: %w", c.queue, err)))
	}
	out.Streaming()
	h := haul{now: c.now, out: out, most: c.prefetch}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-canceled:
			return errCanceled
		case m, ok := <-messages:
			if !ok {
				return dial.why(ending(closed))
			}
			if err := h.take(ctx, m, messages); err != nil {
				return dial.why(err)
			}
		}
	}
}

// ending is why the channel closed.
func ending(closed <-chan *broker.Error) error {
	if e := <-closed; e != nil { // closed at last, in any case
		return meaning(fmt.Errorf("consume: %w", e))
	}
	return errors.New("the connection ended")
}
