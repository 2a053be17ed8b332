package meta

import "github.com/clamor-live/clamor/pkg/audience"

// talk is an event of a conversation, in Messenger or Instagram: a message, an
// edit of one, or a button that somebody tapped. Others (read, delivered, a
// reaction) have none of these.
type talk struct {
	Sender struct {
		ID text `json:"id"`
	} `json:"sender"`
	Time     moment   `json:"timestamp"`
	Message  *message `json:"message"`
	Postback *struct {
		ID    string `json:"mid"`
		Title string `json:"title"`
	} `json:"postback"`
	Edit *struct {
		ID   string `json:"mid"`
		Text string `json:"text"`
	} `json:"message_edit"`
}

type message struct {
	ID          string       `json:"mid"`
	Text        string       `json:"text"`
	Echo        bool         `json:"is_echo"` // what the page itself said
	Deleted     bool         `json:"is_deleted"`
	Attachments []attachment `json:"attachments"`
	ReplyTo     struct {
		ID    string `json:"mid"`
		Story struct {
			ID text `json:"id"`
		} `json:"story"`
	} `json:"reply_to"`
}

type attachment struct {
	Type    string `json:"type"`
	URL     string `json:"url"`
	Payload struct {
		URL string `json:"url"`
	} `json:"payload"`
}

func (r *reading) talk(platform string, v *talk) error {
	p := audience.Post{Platform: platform, CreatedAt: audience.Millis(v.Time), Author: audience.Author{ID: string(v.Sender.ID)}}
	switch m := v.Message; {
	case m != nil && m.Echo:
		return nil
	case m != nil && m.Deleted:
		r.receipt.TakeBack(platform, m.ID)
		return nil
	case m != nil:
		p.ID, p.Text, p.ReplyTo = m.ID, m.Text, first(m.ReplyTo.ID, string(m.ReplyTo.Story.ID))
		p.Media, p.Links = attached(m.Attachments)
		if p.Text == "" && len(p.Media)+len(p.Links) == 0 {
			return nil // what Meta does not pass on
		}
	case v.Edit != nil:
		p.ID, p.Text = v.Edit.ID, v.Edit.Text
	case v.Postback != nil:
		p.ID, p.Text = v.Postback.ID, v.Postback.Title
	default:
		return nil
	}
	if p.ID == "" || p.Author.ID == "" {
		return errNoID
	}
	r.receipt.Add(p, r.now)
	return nil
}

func attached(list []attachment) (media, links []string) {
	for _, a := range list {
		switch address := first(a.Payload.URL, a.URL); {
		case address == "":
		case a.Type == "fallback" || a.Type == "share" || a.Type == "template":
			links = append(links, address)
		default:
			media = append(media, address)
		}
	}
	return media, links
}
