package telegram

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/clamor-live/clamor/pkg/audience"
)

// message is the part of Telegram's Message that a post has.
type message struct {
	ID         int64   `json:"message_id"`
	From       *user   `json:"from"`
	SenderChat *chat   `json:"sender_chat"` // who speaks, if it is a channel or an anonymous administrator
	Chat       chat    `json:"chat"`
	Date       int64   `json:"date"` // Unix seconds
	Text       string  `json:"text"`
	Caption    string  `json:"caption"`
	Entities   []chunk `json:"entities"`
	InCaption  []chunk `json:"caption_entities"`

	ReplyTo       *message `json:"reply_to_message"`
	ReplyToOther  *reply   `json:"external_reply"`
	ForwardOrigin *origin  `json:"forward_origin"`
	// Telegram before the end of 2023, and programs that speak like it.
	ForwardDate   int64 `json:"forward_date"`
	ForwardFrom   *user `json:"forward_from"`
	ForwardChat   *chat `json:"forward_from_chat"`
	ForwardNumber int64 `json:"forward_from_message_id"`

	Photo     []file    `json:"photo"`
	Video     *file     `json:"video"`
	Animation *file     `json:"animation"`
	Audio     *file     `json:"audio"`
	Voice     *file     `json:"voice"`
	VideoNote *file     `json:"video_note"`
	Document  *file     `json:"document"`
	Sticker   *file     `json:"sticker"`
	Location  *location `json:"location"`
}

type user struct {
	ID        int64  `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	Language  string `json:"language_code"` // of the person's app
}

type chat struct {
	ID        int64  `json:"id"`
	Title     string `json:"title"`
	Username  string `json:"username"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

// chunk is a part of a text that means something; offsets are in UTF-16 units.
type chunk struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url"`
}

type file struct {
	ID string `json:"file_id"`
}

type location struct {
	Lat float64 `json:"latitude"`
	Lon float64 `json:"longitude"`
}

// reply is an answer to a message of another chat.
type reply struct {
	Chat   *chat `json:"chat"`
	Number int64 `json:"message_id"`
}

// origin is where a forwarded message came from.
type origin struct {
	Date   int64 `json:"date"`
	User   *user `json:"sender_user"`
	Sender *chat `json:"sender_chat"` // a group
	Chat   *chat `json:"chat"`        // a channel
	Number int64 `json:"message_id"`  // in that channel
}

// says tells a message of people from one of the service's: somebody joined, a
// title changed.
func (m *message) says() bool {
	return m.Text != "" || m.Caption != "" || m.Location != nil || len(m.media()) > 0
}

func (m *message) post() audience.Post {
	p := audience.Post{
		ID: nameOf(m.Chat.ID, m.ID), Platform: Platform, Author: m.author(), Text: m.Text, CreatedAt: audience.Millis(m.Date) * 1000,
		ReplyTo: m.answers(), RepostOf: m.forwards(), Media: m.media(),
	}
	if m.Text == "" {
		p.Text = m.Caption
	}
	p.Links = links(links(nil, m.Text, m.Entities), m.Caption, m.InCaption)
	if m.From != nil && m.SenderChat == nil {
		p.Language = m.From.Language
	}
	if m.Location != nil {
		p.Coordinates = &audience.Coordinates{Lat: m.Location.Lat, Lon: m.Location.Lon}
	}
	return p
}

// author is who speaks. Where a chat does, From is somebody made up.
func (m *message) author() audience.Author {
	who := &m.Chat
	switch {
	case m.SenderChat != nil:
		who = m.SenderChat
	case m.From != nil:
		who = &chat{ID: m.From.ID, Username: m.From.Username, FirstName: m.From.FirstName, LastName: m.From.LastName}
	}
	name := who.Title
	if name == "" {
		name = strings.TrimSpace(who.FirstName + " " + who.LastName)
	}
	return audience.Author{ID: strconv.FormatInt(who.ID, 10), Name: name, Handle: who.Username}
}

func (m *message) answers() string {
	switch r := m.ReplyToOther; {
	case m.ReplyTo != nil && m.ReplyTo.Chat.ID != 0:
		return nameOf(m.ReplyTo.Chat.ID, m.ReplyTo.ID)
	case m.ReplyTo != nil:
		return nameOf(m.Chat.ID, m.ReplyTo.ID)
	case r != nil && r.Chat != nil && r.Number != 0:
		return nameOf(r.Chat.ID, r.Number)
	}
	return ""
}

func (m *message) forwards() string {
	o := m.ForwardOrigin
	if o == nil && m.ForwardDate != 0 {
		o = &origin{Date: m.ForwardDate, User: m.ForwardFrom, Chat: m.ForwardChat, Number: m.ForwardNumber}
	}
	switch {
	case o == nil:
		return ""
	case o.Chat != nil && o.Number != 0:
		return nameOf(o.Chat.ID, o.Number)
	case o.Chat != nil:
		return fmt.Sprintf("%d@%d", o.Chat.ID, o.Date)
	case o.Sender != nil:
		return fmt.Sprintf("%d@%d", o.Sender.ID, o.Date)
	case o.User != nil:
		return fmt.Sprintf("%d@%d", o.User.ID, o.Date)
	}
	return fmt.Sprintf("hidden@%d", o.Date)
}

func (m *message) media() (out []string) {
	add := func(kind string, f *file) {
		if f != nil && f.ID != "" {
			out = append(out, Platform+":"+kind+"/"+f.ID)
		}
	}
	if n := len(m.Photo); n > 0 {
		add("photo", &m.Photo[n-1]) // the same photo in several sizes, the largest last
	}
	add("video", m.Video)
	add("animation", m.Animation)
	add("audio", m.Audio)
	add("voice", m.Voice)
	add("video_note", m.VideoNote)
	add("sticker", m.Sticker)
	if m.Animation == nil { // Telegram says an animation twice
		add("document", m.Document)
	}
	return out
}

// links appends the addresses in a text, or behind its words.
func links(to []string, text string, chunks []chunk) []string {
	var units []uint16
	for _, c := range chunks {
		switch c.Type {
		case "text_link":
			to = append(to, c.URL)
		case "url":
			if units == nil {
				units = utf16.Encode([]rune(text))
			}
			if c.Offset >= 0 && c.Length > 0 && c.Offset <= len(units) && c.Length <= len(units)-c.Offset {
				to = append(to, string(utf16.Decode(units[c.Offset:c.Offset+c.Length])))
			}
		}
	}
	return to
}
