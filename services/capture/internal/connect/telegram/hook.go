// Package telegram reads the webhook of a Telegram bot: what is said in the
// groups, channels and chats that the bot is in.
//
// Settings:
//
//	name          type             needed  secret
//	secret_token  text             yes     yes     what setWebhook was given as secret_token
//	chats         list of texts    no      no      ids or @names of the chats that count; all, if none is named
//
// A bot can be added to any group by anybody: name the chats. Telegram sends the
// bot every message of a group only if its privacy mode is off.
//
// A post's id is "chat:message", so an edited message is the same post with
// another text. Media are "telegram:<kind>/<file id>", for Telegram has no public
// addresses of files. A forwarded message is a repost; where Telegram does not
// tell the original, it is named "author@second".
//
// https://core.telegram.org/bots/api#update
package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
)

// Platform is that of all posts from here.
const Platform = "telegram"

const tokenHeader = "X-Telegram-Bot-Api-Secret-Token" //nolint:gosec // the name of a header

type hook struct {
	token string
	chats map[string]bool // by id and by name in lower case; nil: all
	now   func() time.Time
}

// NewHook reads a source's settings.
func NewHook(settings map[string]any, env connect.Env) (connect.Hook, error) {
	s := connect.Read(settings)
	h := &hook{token: s.Need("secret_token"), now: env.Now}
	for _, chat := range s.Strings("chats") {
		if h.chats == nil {
			h.chats = map[string]bool{}
		}
		h.chats[strings.ToLower(strings.TrimPrefix(chat, "@"))] = true
	}
	if err := s.Done(); err != nil {
		return nil, err
	}
	return h, nil
}

// update is one event; of its two dozen kinds these have a message.
type update struct {
	ID *int64 `json:"update_id"`

	Message           json.RawMessage `json:"message"`
	EditedMessage     json.RawMessage `json:"edited_message"`
	ChannelPost       json.RawMessage `json:"channel_post"`
	EditedChannelPost json.RawMessage `json:"edited_channel_post"`
}

// Receive reads an update.
func (h *hook) Receive(r *connect.Request) (connect.Receipt, error) {
	var receipt connect.Receipt
	token, err := sign.Header(r.Header, tokenHeader, "")
	if err != nil {
		return receipt, err
	}
	if !sign.Same(token, h.token) {
		return receipt, sign.Wrong(tokenHeader)
	}
	var u update
	if err := connect.Decode(r.Body, &u); err != nil {
		return receipt, err
	}
	if u.ID == nil {
		return receipt, fault.Invalid(fault.Field{Pointer: "/update_id", Detail: "is missing: the body is no update of Telegram's"})
	}
	for _, raw := range []json.RawMessage{u.Message, u.EditedMessage, u.ChannelPost, u.EditedChannelPost} {
		if raw != nil {
			h.take(&receipt, raw)
		}
	}
	return receipt, nil
}

func (h *hook) take(receipt *connect.Receipt, raw json.RawMessage) {
	var m message
	err := json.Unmarshal(raw, &m)
	if err == nil && (m.ID == 0 || m.Chat.ID == 0) {
		err = errors.New("it has no id or no chat")
	}
	switch {
	case err != nil:
		receipt.Reject(fault.New(fault.InvalidRequest, "read a message of Telegram's: %w", err))
	case !h.counts(&m.Chat) || !m.says():
	default:
		receipt.Add(m.post(), audience.MillisOf(h.now()))
	}
}

// counts says whether a chat is one that is listened to.
func (h *hook) counts(c *chat) bool {
	return h.chats == nil || h.chats[strconv.FormatInt(c.ID, 10)] || c.Username != "" && h.chats[strings.ToLower(c.Username)]
}

// nameOf is a post's id, or of what it answers.
func nameOf(chat, message int64) string { return fmt.Sprintf("%d:%d", chat, message) }
