// Package twitch listens to Twitch chat over IRC.
//
// Settings:
//
//	channels  list of texts, required: up to 20 channels, what an account may join
//	          at a time
//	nick      text, optional: the account that listens; without it nobody does,
//	          which Twitch allows
//	token     text, secret, required with nick: its OAuth token with chat:read
//	url       text, optional: an IRC server, ircs or irc; otherwise Twitch's
//
// IRC cannot resume: what is said between two connections is lost, and nothing
// tells how much it was. So there is no place. A message of a shared chat has the
// id that it has in the channel where it was said.
//
// A message is taken back when moderators delete it, and when they ban its author
// from the channel, as far as recall remembers the author's messages there. A
// chat cleared as a whole takes nothing back, and what moderators do between two
// connections is not told.
//
// Twitch leaves joins unanswered that are more than 20 in 10 seconds, which those
// of two connections soon are: they are sent again until they are answered.
//
// go-twitch-irc reads the messages. The connection is kept here: the library's
// client connects again by itself, panics on messages that are not well-formed,
// and waits for ever when it is stopped under load.
package twitch

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
)

const (
	standard    = "ircs://irc.chat.twitch.tv:6697"
	maxChannels = 20
	joining     = 30 * time.Second // from dialing to the first channel
	joinAgain   = 11 * time.Second // longer than Twitch counts joins for
	anonymous   = "justinfan73512" // any justinfan and a number
)

// name is what accounts and channels are called.
var name = regexp.MustCompile(`^[a-z0-9_]{1,25}$`)

// Connector listens to some channels.
type Connector struct {
	env      connect.Env
	url      *url.URL
	nick     string
	token    string
	channels []string
	// said are the posts of the last runs.
	said recall.Memory
	// quiet is how long nothing may come before the server is asked for a sign of
	// life, and patience how long it may take to give one.
	quiet, patience time.Duration
	again           time.Duration
}

var _ connect.Connector = (*Connector)(nil)

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	c := &Connector{
		env: env, url: s.URL("url", standard, "ircs", "irc"), nick: strings.ToLower(s.String("nick", "")), token: s.String("token", ""),
		quiet: time.Minute, patience: 10 * time.Second, again: joinAgain,
	}
	for _, channel := range s.Strings("channels") {
		c.channels = append(c.channels, strings.ToLower(strings.TrimPrefix(channel, "#")))
	}
	switch {
	case len(c.channels) == 0:
		s.Fail("channels", "is missing")
	case len(c.channels) > maxChannels:
		s.Fail("channels", "has more than %d channels", maxChannels)
	}
	for _, channel := range c.channels {
		if !name.MatchString(channel) {
			s.Fail("channels", "has a name that no channel has")
			break
		}
	}
	switch {
	case c.nick != "" && !name.MatchString(c.nick):
		s.Fail("nick", "is no account's name")
	case (c.nick == "") != (c.token == ""):
		s.Fail("token", "and nick need each other")
	case strings.ContainsAny(c.token, " \r\n\x00"):
		s.Fail("token", "is no token")
	}
	return c, s.Done()
}

// Recall keeps who said a message where that can only be one channel: of several,
// nobody knows which it was.
func (c *Connector) Recall(d connect.Delivered) {
	if len(c.channels) == 1 {
		c.said.Note(of(c.channels[0], d.Author), d.ID)
	}
}

// Run delivers what is said from now on.
func (c *Connector) Run(ctx context.Context, _ connect.Place, out connect.Outlet) error {
	err := c.run(ctx, out)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as it was asked to
	}
	return err
}

func (c *Connector) run(ctx context.Context, out connect.Outlet) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		return fmt.Errorf("dial Twitch: %w", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	irc, d := newLine(conn), newDoor(c.channels)
	if err := c.join(irc, d); err != nil {
		return err
	}
	out.Streaming()
	var knocking sync.WaitGroup
	knocking.Go(func() { d.knock(ctx, irc, c.again, c.env.Logger) })
	defer knocking.Wait()
	defer cancel()
	l := listener{now: c.env.Now, said: &c.said, nick: c.name(), door: d}
	s := stream.Stream{
		Next:  func(context.Context) ([]byte, error) { return irc.next() },
		Close: func() { _ = conn.Close() },
		Take:  l.take,
		Place: func() connect.Place { return "" },
		Quiet: c.quiet,
		Ask:   func(ctx context.Context) error { return irc.ping(ctx, c.patience) },
	}
	return s.Run(ctx, out)
}

func (c *Connector) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, joining)
	defer cancel()
	if c.url.Scheme == "irc" {
		return new(net.Dialer).DialContext(ctx, "tcp", withPort(c.url, "6667"))
	}
	d := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.url.Hostname()}}
	return d.DialContext(ctx, "tcp", withPort(c.url, "6697"))
}

func withPort(u *url.URL, port string) string {
	if p := u.Port(); p != "" {
		port = p
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// name is what we are called there.
func (c *Connector) name() string {
	if c.nick == "" {
		return anonymous
	}
	return c.nick
}

// join logs in and waits until the first channel is joined.
func (c *Connector) join(irc *line, d *door) error {
	token := strings.TrimPrefix(c.token, "oauth:")
	if c.nick == "" {
		token = "anonymous"
	}
	begin := "CAP REQ :twitch.tv/tags twitch.tv/commands\r\nPASS oauth:" + token + "\r\nNICK " + c.name() + "\r\n" + d.asks()
	if err := irc.conn.SetReadDeadline(time.Now().Add(joining)); err != nil {
		return fmt.Errorf("log in to Twitch: %w", err)
	}
	if err := irc.write(begin); err != nil {
		return fmt.Errorf("log in to Twitch: %w", err)
	}
	for {
		text, err := irc.next()
		if err == nil && len(text) > 0 {
			var done bool
			if done, err = joined(text, c.name(), d); done {
				return irc.conn.SetReadDeadline(time.Time{})
			}
		}
		if err != nil {
			return fmt.Errorf("log in to Twitch: %w", err)
		}
	}
}
