package twitch

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
)

// server is a fake of Twitch's IRC server.
type server struct {
	faketest.Air
	faketest.Failure
	faketest.Credentials
	listener net.Listener
	quiet    time.Duration
	running  sync.WaitGroup
	pongs    chan string

	mu     sync.Mutex
	barred map[string]bool
	deaf   map[string]int // how many joins a channel leaves unanswered
	heard  []string       // from clients
	// answered is called behind the answer to a join, if there is one.
	answered func(channel string)
	number   int
}

func newServer(t *testing.T) *server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{listener: l, quiet: 300 * time.Millisecond, pongs: make(chan string, 8)}
	ctx, cancel := context.WithCancel(context.Background())
	s.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() { s.serve(ctx, conn) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		s.running.Wait()
	})
	return s
}

func (s *server) Connector(env connect.Env) (connect.Connector, error) {
	return s.of(env, map[string]any{"channels": []any{"#Clamor"}, "nick": "Ear", "token": "oauth:secret"})
}

func (s *server) of(env connect.Env, settings map[string]any) (*Connector, error) {
	settings["url"] = "irc://" + s.listener.Addr().String()
	c, err := open(settings, env)
	c.quiet, c.patience, c.again = s.quiet, s.quiet, 5*time.Millisecond
	return c, err
}

// said is a message in Twitch's format; its id is its number.
func (s *server) said(text, tags string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	return fmt.Sprintf("@badge-info=;badges=moderator/1;color=#0D4200;display-name=Ana;emotes=25:0-4,12-16/1902:6-10;first-msg=0;flags=;"+
		"id=b34ccfc7-4977-403a-8a94-%012d;mod=1;room-id=1337;subscriber=0;%stmi-sent-ts=%d;turbo=1;user-id=4242;user-type=mod "+
		":ana!ana@ana.tmi.twitch.tv PRIVMSG #clamor :%s", s.number, tags, 1507246572675+int64(s.number), text)
}

func (s *server) Say(texts ...string) {
	for _, text := range texts {
		s.Publish(s.said(text, ""))
	}
}

func (s *server) Duplicate() {
	all := s.Messages()
	s.Publish(all[len(all)-1])
}

func (s *server) Delete(text string) {
	for _, m := range s.Messages() {
		if _, id, ok := strings.Cut(m, ";id="); ok && strings.HasSuffix(m, text) {
			id, _, _ = strings.Cut(id, ";")
			s.Publish("@login=ana;room-id=;target-msg-id=" + id + ";tmi-sent-ts=1642720582342 :tmi.twitch.tv CLEARMSG #clamor :" + text)
		}
	}
}

func (s *server) DeleteNothing() {
	s.Publish("@login=ana;room-id=;tmi-sent-ts=1642720582342 :tmi.twitch.tv CLEARMSG #clamor :x", "@room-id=1337 :tmi.twitch.tv CLEARCHAT #clamor :ana")
}

func (s *server) Late(text string) {
	s.Publish(strings.Replace(s.said(text, ""), "tmi-sent-ts=1507", "tmi-sent-ts=1506", 1))
}

func (s *server) Malformed() {
	s.Publish("@badges=x;id=1;user-id=1 :ana!ana@ana.tmi.twitch.tv PRIVMSG #clamor :badges without a version", "@only=tags", "PRIVMSG")
}

func (s *server) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if s.Failing() {
		return
	}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	var on *faketest.Connection
	nick := ""
	in := bufio.NewScanner(conn)
	var writing sync.WaitGroup
	defer writing.Wait()
	defer leave()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	for in.Scan() {
		s.mu.Lock()
		s.heard = append(s.heard, in.Text())
		s.mu.Unlock()
		command, rest, _ := strings.Cut(in.Text(), " ")
		switch command {
		case "CAP":
			say(":tmi.twitch.tv CAP * ACK %s", strings.TrimPrefix(rest, "REQ "))
		case "NICK":
			nick = rest
			if s.Expired() {
				say(":tmi.twitch.tv NOTICE * :Login authentication failed")
				return
			}
			say(":tmi.twitch.tv 001 %s :Welcome, GLHF!\r\n:tmi.twitch.tv 376 %s :>", nick, nick)
		case "JOIN":
			for channel := range strings.SplitSeq(rest, ",") {
				if s.barred[channel] {
					say("@msg-id=msg_banned :tmi.twitch.tv NOTICE %s :You are permanently banned from talking in %s.", channel, channel)
					continue
				}
				s.mu.Lock()
				deaf := s.deaf[channel] > 0
				if deaf {
					s.deaf[channel]--
				}
				s.mu.Unlock()
				if deaf {
					continue
				}
				say(":%s!%s@%s.tmi.twitch.tv JOIN %s", nick, nick, nick, channel)
				if s.answered != nil {
					s.answered(channel)
				}
				if on == nil {
					on = s.Connect(-1)
					writing.Go(func() { talk(ctx, conn, on) })
				}
			}
		case "PONG":
			select {
			case s.pongs <- rest:
			default:
			}
		case "PING":
			if on == nil || !on.Silent() {
				say(":tmi.twitch.tv PONG tmi.twitch.tv %s", rest)
			}
		}
	}
}

func talk(ctx context.Context, conn net.Conn, on *faketest.Connection) {
	for {
		message, ok, broken := on.Next(ctx)
		switch {
		case broken:
			_, _ = fmt.Fprint(conn, "@badge-info=;display-name=An")
			_ = conn.Close()
			return
		case !ok:
			return
		}
		if _, err := fmt.Fprintf(conn, "%s\r\n", message); err != nil {
			return
		}
	}
}

func (s *server) has(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.heard {
		if h == line {
			return true
		}
	}
	return false
}
