package meta

import (
	"encoding/json"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
)

// waValue is what happened on one number. It also has statuses of messages that
// were sent, which are no posts.
type waValue struct {
	Contacts []waContact       `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
}

type waContact struct {
	Number  text `json:"wa_id"`
	User    text `json:"user_id"`
	Profile struct {
		Name string `json:"name"`
	} `json:"profile"`
}

// waMessage is a message of a person; the type names the member it is in.
type waMessage struct {
	ID   string `json:"id"`
	From text   `json:"from"`         // a phone number
	User text   `json:"from_user_id"` // of those who hide it
	Time moment `json:"timestamp"`
	Text struct {
		Body string `json:"body"`
	} `json:"text"`
	Button struct {
		Text string `json:"text"`
	} `json:"button"`
	Interactive struct {
		Button waChoice `json:"button_reply"`
		List   waChoice `json:"list_reply"`
	} `json:"interactive"`
	Image    *waMedia `json:"image"`
	Video    *waMedia `json:"video"`
	Audio    *waMedia `json:"audio"`
	Document *waMedia `json:"document"`
	Sticker  *waMedia `json:"sticker"`
	Location *struct {
		Lat float64 `json:"latitude"`
		Lon float64 `json:"longitude"`
	} `json:"location"`
	Context struct {
		ID        string `json:"id"`
		Forwarded bool   `json:"forwarded"`
		Often     bool   `json:"frequently_forwarded"`
	} `json:"context"`
}

// waChoice is a button or a row of a list that somebody tapped.
type waChoice struct {
	Title string `json:"title"`
}

type waMedia struct {
	ID      string `json:"id"`
	Caption string `json:"caption"`
}

func (r *reading) whatsApp(v *waValue) error {
	for _, raw := range v.Messages {
		each(r, raw, func(m *waMessage) error { return r.waMessage(v.Contacts, m) })
	}
	return nil
}

func (r *reading) waMessage(contacts []waContact, m *waMessage) error {
	if m.ID == "" || m.From == "" && m.User == "" {
		return errNoID
	}
	p := audience.Post{
		ID: sign.Pseudonym(r.authorKey, m.ID), Platform: WhatsApp, CreatedAt: audience.Millis(m.Time),
		Author: audience.Author{ID: sign.Pseudonym(r.authorKey, string(first(m.User, m.From))), Name: nameOf(contacts, m)},
		Text:   first(m.Text.Body, m.Button.Text, m.Interactive.Button.Title, m.Interactive.List.Title),
	}
	for _, f := range []struct {
		kind  string
		media *waMedia
	}{{"image", m.Image}, {"video", m.Video}, {"audio", m.Audio}, {"document", m.Document}, {"sticker", m.Sticker}} {
		if f.media != nil && f.media.ID != "" {
			p.Media = append(p.Media, WhatsApp+":"+f.kind+"/"+f.media.ID)
			p.Text = first(p.Text, f.media.Caption)
		}
	}
	if m.Location != nil {
		p.Coordinates = &audience.Coordinates{Lat: m.Location.Lat, Lon: m.Location.Lon}
	}
	if p.Text == "" && p.Media == nil && p.Coordinates == nil {
		return nil // a reaction, a contact, an order, or what Meta does not pass on
	}
	if m.Context.ID != "" {
		p.ReplyTo = sign.Pseudonym(r.authorKey, m.Context.ID)
	}
	if m.Context.Forwarded || m.Context.Often {
		p.RepostOf = "forwarded" // nobody is told from where
	}
	r.receipt.Add(p, r.now)
	return nil
}

func nameOf(contacts []waContact, m *waMessage) string {
	for _, c := range contacts {
		if m.From != "" && c.Number == m.From || m.User != "" && c.User == m.User {
			return c.Profile.Name
		}
	}
	return ""
}
