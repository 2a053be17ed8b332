// Package bluesky listens to Bluesky's posts through Jetstream, which serves the
// whole network's repository commits as JSON over a WebSocket.
//
// Settings, none of them secret:
//
//	url     text, optional: the subscribe address of a Jetstream server, ws or wss;
//	        otherwise one of Bluesky's own
//	filter  text, optional: "topics" keeps the posts that have the words that the
//	        source's topics need, "none" keeps all; otherwise "topics"
//
// Jetstream cannot filter by word, so all posts come and are filtered here; a
// source whose posts vote by words that no topic has needs "none". A place is the
// time_us of the newest event. Events are only roughly in its order, so a resume
// rewinds some seconds, as Jetstream's documentation advises.
//
// A post is taken back when it is deleted, and when its account is deactivated,
// suspended, taken down or deleted as far as recall remembers its posts; an
// account that comes back does not bring them back.
package bluesky

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/coder/websocket"
)

const (
	standard   = "wss://jetstream2.us-east.bsky.network/subscribe"
	rewind     = 5 * time.Second
	dialing    = 15 * time.Second
	maxMessage = 128 << 10
)

// Connector listens to one Jetstream server.
type Connector struct {
	env    connect.Env
	url    *url.URL
	filter bool
	// said are the posts of the last runs, by author.
	said recall.Memory
	// quiet is how long no event may come before the server is asked for a sign of
	// life, and how long it may take to give one.
	quiet time.Duration
}

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	c := &Connector{
		env: env, url: s.URL("url", standard, "ws", "wss"), filter: s.OneOf("filter", "topics", "none") == "topics", quiet: 20 * time.Second,
	}
	return c, s.Done()
}

// Recall keeps who said a post.
func (c *Connector) Recall(d connect.Delivered) { c.said.Note(d.Author, d.ID) }

// Run delivers posts from a place on.
func (c *Connector) Run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	conn, err := c.dial(ctx, from)
	if ctx.Err() != nil {
		if conn != nil {
			_ = conn.CloseNow()
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }() // whatever it says, we are done with it
	out.Streaming()
	l := listener{now: c.env.Now, newest: timeOf(from), said: &c.said}
	if c.filter {
		l.filter = newFilter(c.env)
	}
	s := stream.Stream{
		Next: func(ctx context.Context) ([]byte, error) { return next(ctx, conn) },
		Take: func(message []byte, b *connect.Batch) error { l.take(message, b); return nil },
		Place: func() connect.Place {
			if l.newest == 0 {
				return ""
			}
			return connect.Place(strconv.FormatInt(l.newest, 10))
		},
		Quiet: c.quiet,
		Ask: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, c.quiet)
			defer cancel()
			return conn.Ping(ctx)
		},
	}
	return s.Run(ctx, out)
}

// timeOf is the time_us that a place says; 0 is none.
func timeOf(p connect.Place) int64 {
	us, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || us < 0 {
		return 0
	}
	return us
}

func (c *Connector) dial(ctx context.Context, from connect.Place) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialing)
	defer cancel()
	u := *c.url
	q := u.Query()
	q.Set("wantedCollections", collection)
	q.Set("maxMessageSizeBytes", strconv.Itoa(maxMessage))
	if us := timeOf(from); us > 0 {
		q.Set("cursor", strconv.FormatInt(max(0, us-rewind.Microseconds()), 10))
	}
	u.RawQuery = q.Encode()
	conn, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPClient: c.env.HTTP}) //nolint:bodyclose // Dial closes it
	if err == nil {
		conn.SetReadLimit(-1) // next has its own, which does not end the stream
		return conn, nil
	}
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		if judged := answer.Judge(resp, c.env.Now()); judged != nil {
			return nil, judged
		}
	}
	return nil, fmt.Errorf("dial Jetstream: %w", err)
}

// next reads one message. One that is too large is given in part, to be counted;
// were the connection closed over it, it would come again after every rewind.
func next(ctx context.Context, conn *websocket.Conn) ([]byte, error) {
	_, r, err := conn.Reader(ctx)
	if err != nil {
		return nil, ending(err)
	}
	message, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err == nil && len(message) > maxMessage {
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		return nil, ending(err)
	}
	return message, nil
}

// ending reads the platform's reason for closing.
func ending(err error) error {
	if errors.Is(err, io.EOF) && websocket.CloseStatus(err) == -1 {
		return io.EOF
	}
	switch websocket.CloseStatus(err) {
	case websocket.StatusTryAgainLater, websocket.StatusPolicyViolation: // "consumer too slow"
		return &connect.Slow{Err: err}
	case websocket.StatusNormalClosure, websocket.StatusGoingAway:
		return io.EOF
	}
	return err
}
