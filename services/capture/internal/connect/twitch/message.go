package twitch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/gempir/go-twitch-irc/v4"
)

const platform = "twitch"

var errReconnect = errors.New("the server asks to connect again")

// parse reads a message. go-twitch-irc panics on some that are not well-formed.
func parse(text []byte) (m twitch.Message, err error) {
	if len(text) > maxLine {
		return nil, fmt.Errorf("the message is larger than %d bytes", maxLine)
	}
	defer func() {
		if recover() != nil {
			err = errors.New("the message is no IRC")
		}
	}()
	m = twitch.ParseMessage(string(text))
	if raw, ok := m.(*twitch.RawMessage); ok && raw.RawType == "" {
		return nil, errors.New("the message has no command")
	}
	return m, nil
}

// joined says whether a message is that we are in a channel; its error is that
// we will not be in any.
func joined(text []byte, nick string, d *door) (bool, error) {
	m, err := parse(text)
	if err != nil {
		return false, nil //nolint:nilerr // the next one may be
	}
	switch m := m.(type) {
	case *twitch.UserJoinMessage:
		return m.User == nick, d.answered(m, nick)
	case *twitch.NoticeMessage:
		if m.Channel == "*" { // login authentication failed, improperly formatted auth
			return false, &connect.Refused{Err: fmt.Errorf("the server says %.100q", m.Message)}
		}
		return false, d.answered(m, nick)
	case *twitch.ReconnectMessage:
		return false, errReconnect
	}
	return false, nil
}

// answered notes what a channel says to our join.
func (d *door) answered(m twitch.Message, nick string) error {
	switch m := m.(type) {
	case *twitch.UserJoinMessage:
		if m.User == nick {
			d.opened(m.Channel)
		}
	case *twitch.NoticeMessage:
		switch m.MsgID {
		case "msg_banned", "msg_channel_suspended", "tos_ban":
			return d.closed(m.Channel)
		}
	}
	return nil
}

// listener understands messages, one after another.
type listener struct {
	now func() time.Time
	// said are the posts of the last runs, by channel and author, and by the ids of
	// messages that are not their own.
	said *recall.Memory
	nick string
	door *door
}

func (l *listener) take(text []byte, b *connect.Batch) error {
	m, err := parse(text)
	if err != nil {
		stream.Malformed(b, err)
		return nil
	}
	switch m := m.(type) {
	case *twitch.PrivateMessage:
		p := post(m.Tags, &m.User, m.Message)
		if m.Reply != nil {
			p.ReplyTo = m.Reply.ParentMsgID
		}
		l.add(b, &p, m.Channel, m.ID)
	case *twitch.UserNoticeMessage: // a subscription, an announcement; some say something
		if m.Message != "" {
			p := post(m.Tags, &m.User, m.Message)
			l.add(b, &p, m.Channel, m.ID)
		}
	case *twitch.ClearMessage:
		l.clear(b, m)
	case *twitch.ClearChatMessage:
		l.clearAuthor(b, m)
	case *twitch.UserJoinMessage, *twitch.NoticeMessage:
		return l.door.answered(m, l.nick)
	case *twitch.ReconnectMessage:
		return errReconnect
	}
	return nil
}

func (l *listener) add(b *connect.Batch, p *audience.Post, channel, id string) {
	l.said.Note(of(channel, p.Author.ID), p.ID)
	if id != p.ID {
		l.said.Note(id, p.ID)
	}
	stream.Add(b, p, l.now())
}

// of is the key of what somebody says in a channel: who is banned from one is not
// from others.
func of(channel, author string) string { return channel + "/" + author }

// clear takes back one message.
func (l *listener) clear(b *connect.Batch, m *twitch.ClearMessage) {
	if m.TargetMsgID == "" {
		stream.Malformed(b, fault.New(fault.InvalidRequest, "a CLEARMSG names no message"))
		return
	}
	stream.TakeBack(b, platform, m.TargetMsgID)
	stream.TakeBack(b, platform, l.said.Of(m.TargetMsgID)...)
}

// clearAuthor takes back what somebody said who is banned, for a while or for
// good. Without a name the moderators cleared their viewers' screens, which takes
// nothing back.
func (l *listener) clearAuthor(b *connect.Batch, m *twitch.ClearChatMessage) {
	switch {
	case m.TargetUserID != "":
		stream.TakeBack(b, platform, l.said.Of(of(m.Channel, m.TargetUserID))...)
	case m.TargetUsername != "":
		stream.Malformed(b, fault.New(fault.InvalidRequest, "a CLEARCHAT has a name and no user id"))
	}
}

// post is what somebody said. Emotes stand in it by their names.
func post(tags map[string]string, user *twitch.User, text string) audience.Post {
	p := audience.Post{
		ID: tags["id"], Platform: platform, Text: text,
		Author: audience.Author{ID: user.ID, Name: user.DisplayName, Handle: user.Name},
	}
	if said := tags["source-id"]; said != "" {
		p.ID = said
	}
	if ms, err := strconv.ParseInt(tags["tmi-sent-ts"], 10, 64); err == nil {
		p.CreatedAt = audience.Millis(ms)
	}
	if login := tags["login"]; login != "" { // notices come from the server itself
		p.Author.Handle = login
	}
	p.Author.Handle = strings.ToLower(p.Author.Handle)
	return p
}
