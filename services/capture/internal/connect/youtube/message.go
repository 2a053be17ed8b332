package youtube

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
)

const platform = "youtube"

// page is a liveChatMessageListResponse.
type page struct {
	NextPageToken         string            `json:"nextPageToken"`
	PollingIntervalMillis int64             `json:"pollingIntervalMillis"`
	OfflineAt             string            `json:"offlineAt"`
	Items                 []json.RawMessage `json:"items"`
}

// message is a liveChatMessage.
type message struct {
	ID      string `json:"id"`
	Snippet struct {
		Type           string `json:"type"`
		Author         string `json:"authorChannelId"`
		PublishedAt    string `json:"publishedAt"`
		DisplayMessage string `json:"displayMessage"`
		Text           struct {
			Text string `json:"messageText"`
		} `json:"textMessageDetails"`
		SuperChat comment `json:"superChatDetails"`
		Sticker   struct {
			Metadata struct {
				AltText string `json:"altText"`
			} `json:"superStickerMetadata"`
		} `json:"superStickerDetails"`
		Milestone comment `json:"memberMilestoneChatDetails"`
		Funding   comment `json:"fanFundingEventDetails"`
		Deleted   struct {
			ID string `json:"deletedMessageId"`
		} `json:"messageDeletedDetails"`
		Retracted struct {
			ID string `json:"retractedMessageId"`
		} `json:"messageRetractedDetails"`
		Banned struct {
			User struct {
				ID string `json:"channelId"`
			} `json:"bannedUserDetails"`
		} `json:"userBannedDetails"`
	} `json:"snippet"`
	Author struct {
		ID   string `json:"channelId"`
		Name string `json:"displayName"`
	} `json:"authorDetails"`
}

type comment struct {
	Text string `json:"userComment"`
}

// decode reads an answer.
func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read YouTube's answer: %w", err)
	}
	return nil
}

// batch is what a page says, and whether the chat ended with it.
func (c *Connector) batch(p *page) (b connect.Batch, ended bool) {
	for _, item := range p.Items {
		var m message
		err := json.Unmarshal(item, &m)
		if err == nil && (m.ID == "" || m.Snippet.Type == "") {
			err = errors.New("it has no id or type")
		}
		if err != nil {
			stream.Malformed(&b, fmt.Errorf("the item is no message: %w", err))
			continue
		}
		ended = ended || m.Snippet.Type == "chatEndedEvent"
		m.into(&b, &c.said, c.env.Now())
	}
	return b, ended
}

// into adds what was said to a batch, or what was taken back.
func (m *message) into(b *connect.Batch, memory *recall.Memory, now time.Time) {
	s := &m.Snippet
	said := ""
	switch s.Type {
	case "textMessageEvent":
		if said = s.Text.Text; said == "" {
			said = s.DisplayMessage
		}
	case "superChatEvent":
		said = s.SuperChat.Text
	case "superStickerEvent":
		said = s.Sticker.Metadata.AltText
	case "memberMilestoneChatEvent":
		said = s.Milestone.Text
	case "fanFundingEvent":
		said = s.Funding.Text
	case "messageDeletedEvent":
		takeBack(b, s.Type, s.Deleted.ID, s.Deleted.ID)
	case "messageRetractedEvent":
		takeBack(b, s.Type, s.Retracted.ID, s.Retracted.ID)
	case "tombstone": // the message itself, seen later
		stream.TakeBack(b, platform, m.ID)
	case "userBannedEvent":
		takeBack(b, s.Type, s.Banned.User.ID, memory.Of(s.Banned.User.ID)...)
	}
	if said == "" { // a new member, a gift, money without a word
		return
	}
	p := audience.Post{ID: m.ID, Platform: platform, Text: said, Author: audience.Author{ID: m.Author.ID, Name: m.Author.Name}}
	if p.Author.ID == "" {
		p.Author.ID = s.Author
	}
	if strings.HasPrefix(p.Author.Name, "@") { // most are handles by now
		p.Author.Handle = p.Author.Name[1:]
	}
	if at, err := time.Parse(time.RFC3339, s.PublishedAt); err == nil {
		p.CreatedAt = audience.MillisOf(at)
	}
	memory.Note(p.Author.ID, p.ID)
	stream.Add(b, &p, now)
}

// takeBack takes back the posts of an event that says whose, or which, they are.
func takeBack(b *connect.Batch, event, whose string, ids ...string) {
	if whose == "" {
		stream.Malformed(b, fault.New(fault.InvalidRequest, "a %s does not say of what", event))
		return
	}
	stream.TakeBack(b, platform, ids...)
}
