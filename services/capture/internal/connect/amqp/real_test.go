package amqp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	broker "github.com/rabbitmq/amqp091-go"
)

// rabbit is a queue of a RabbitMQ that scripts/servers/up started.
type rabbit struct {
	t           *testing.T
	url         string
	queue, dead string

	channel *broker.Channel
	said    int
	last    broker.Publishing
}

func newRabbit(t *testing.T) *rabbit {
	t.Helper()
	url := os.Getenv("CLAMOR_TEST_RABBITMQ")
	if url == "" {
		t.Skip("CLAMOR_TEST_RABBITMQ names no broker")
	}
	name := fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()), time.Now().UnixNano())
	r := &rabbit{t: t, url: url, queue: name, dead: name + "-dead"}
	r.dial()
	for queue, arguments := range map[string]broker.Table{
		r.dead: nil, r.queue: {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": r.dead},
	} {
		if _, err := r.channel.QueueDeclare(queue, true, false, false, false, arguments); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			r.dial() // the broker may have been killed since
			_, _ = r.channel.QueueDelete(queue, false, false, false)
		})
	}
	return r
}

// dial connects the test itself, again if need be.
func (r *rabbit) dial() {
	r.t.Helper()
	if r.channel != nil && !r.channel.IsClosed() {
		return
	}
	connection, err := broker.Dial(r.url)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = connection.Close() })
	if r.channel, err = connection.Channel(); err == nil {
		err = r.channel.Confirm(false)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rabbit) Connector(env connect.Env) (connect.Connector, error) {
	return New(map[string]any{"url": r.url, "queue": r.queue, "prefetch": 10.0, "heartbeat": 1.0}, env)
}

func (r *rabbit) Resends() {}

// put publishes a message and waits until the broker has it on its disk.
func (r *rabbit) put(m broker.Publishing) {
	m.DeliveryMode, r.last = broker.Persistent, m
	confirm, err := r.channel.PublishWithDeferredConfirm("", r.queue, true, false, m)
	if err != nil || !confirm.Wait() {
		r.t.Error("the broker does not take a message", err)
	}
}

func (r *rabbit) say(text string, at time.Time) {
	r.said++
	r.put(broker.Publishing{Body: fmt.Appendf(nil, `{"id":"%d","platform":"wire","text":%q,"created_at":%q}`, r.said, text, at.Format(time.RFC3339))})
}

func (r *rabbit) Say(texts ...string) {
	for _, text := range texts {
		r.say(text, time.Now())
	}
}

func (r *rabbit) Late(text string) { r.say(text, time.Now().Add(-time.Hour)) }
func (r *rabbit) Malformed()       { r.put(broker.Publishing{Body: []byte(`{"id":`)}) }
func (r *rabbit) Duplicate()       { r.put(r.last) }

func TestReal(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newRabbit(t) })
}

// until runs a connector until it has delivered these texts, in any order.
func (r *rabbit) until(want ...string) {
	r.t.Helper()
	c, err := r.Connector(connecttest.Env(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	missing := slices.Clone(want)
	err = c.Run(ctx, "", connecttest.Into(func(b connect.Batch) error {
		for _, p := range b.Posts {
			missing = slices.DeleteFunc(missing, func(s string) bool { return s == p.Text })
		}
		if len(missing) == 0 {
			cancel()
		}
		return nil
	}))
	if err != nil || len(missing) > 0 {
		r.t.Fatalf("%q did not come: %v", missing, err)
	}
}

func TestRealDeadLetters(t *testing.T) {
	r := newRabbit(t)
	r.Malformed()
	r.put(broker.Publishing{MessageId: "beside", Timestamp: time.Unix(1777665600, 0), Body: []byte(`{"text":"good"}`)})
	r.Malformed()
	c, err := r.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dead, err := r.channel.Consume(r.dead, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		done <- c.Run(ctx, "", connecttest.Into(func(b connect.Batch) error {
			for _, p := range b.Posts {
				ids <- fmt.Sprint(p.ID, " ", p.CreatedAt)
			}
			return nil
		}))
	}()
	for range 2 {
		if m := <-dead; string(m.Body) != `{"id":` {
			t.Errorf("%q is a dead letter", m.Body)
		}
	}
	if id := <-ids; !strings.HasPrefix(id, "beside 2026-05-01T20:00:00") {
		t.Error(id)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRealRefusals(t *testing.T) {
	r := newRabbit(t)
	for name, settings := range map[string]map[string]any{
		"password": {"url": strings.Replace(r.url, "clamor:clamor", "clamor:wrong-word", 1), "queue": r.queue},
		"vhost":    {"url": r.url + "none", "queue": r.queue},
		"queue":    {"url": r.url, "queue": r.queue + "-none"},
	} {
		c, err := New(settings, connecttest.Env(t))
		if err != nil {
			t.Fatal(err)
		}
		var no *connect.Refused
		if err := c.Run(t.Context(), "", connecttest.Into(nil)); !errors.As(err, &no) || strings.Contains(err.Error(), "wrong-word") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRealKilled: what a broker had on its disk comes after it was killed, what
// was acknowledged does not, and the connector says that the connection broke.
func TestRealKilled(t *testing.T) {
	servers := os.Getenv("CLAMOR_TEST_SERVERS")
	if servers == "" {
		t.Skip("CLAMOR_TEST_SERVERS names no scripts")
	}
	r := newRabbit(t)
	script := func(name string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), filepath.Join(servers, name), "rabbitmq").CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
	r.Say("before")
	c, err := r.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	delivered, away := make(chan struct{}), errors.New("the log is away")
	done := make(chan error, 1)
	go func() {
		n := 0
		done <- c.Run(t.Context(), "", connecttest.Into(func(b connect.Batch) error {
			if n++; n == 1 {
				close(delivered)
			}
			if b.Posts[0].Text != "before" {
				return away
			}
			return nil
		}))
	}()
	<-delivered
	script("kill")
	var no *connect.Refused
	if err := <-done; err == nil || errors.As(err, &no) || errors.Is(err, away) {
		t.Errorf("the broker is gone: %v", err)
	}
	script("start")
	r.again()
	r.Say("after")
	r.until("after")
	left, err := r.channel.QueueInspect(r.queue) //nolint:staticcheck // its successor needs the queue's arguments
	if err != nil || left.Messages != 0 {
		t.Error(left, err)
	}
}

// again waits for the broker that starts.
func (r *rabbit) again() {
	r.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		connection, err := broker.Dial(r.url)
		if err == nil {
			_ = connection.Close()
			break
		}
		if time.Now().After(deadline) {
			r.t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.dial()
}
