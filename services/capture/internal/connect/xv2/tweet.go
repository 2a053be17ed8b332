package xv2

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
)

// message is a line of the stream.
type message struct {
	Data     json.RawMessage `json:"data"`
	Includes includes        `json:"includes"`
	Errors   []problem       `json:"errors"`
	Matching []filter        `json:"matching_rules"`
	// A connection that is refused late says so without a list.
	problem
}

// results are a page of a search.
type results struct {
	Data     []json.RawMessage `json:"data"`
	Includes includes          `json:"includes"`
	Meta     struct {
		Next   string `json:"next_token"`
		Oldest string `json:"oldest_id"`
	} `json:"meta"`
}

// includes are what posts refer to.
type includes struct {
	Users  []user  `json:"users"`
	Media  []media `json:"media"`
	Places []place `json:"places"`
	Tweets []tweet `json:"tweets"`
}

type tweet struct {
	ID         string          `json:"id"`
	Text       string          `json:"text"`
	Author     string          `json:"author_id"`
	CreatedAt  audience.Millis `json:"created_at"`
	Lang       string          `json:"lang"`
	Referenced []struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"referenced_tweets"`
	Geo struct {
		PlaceID     string `json:"place_id"`
		Coordinates *struct {
			Type        string    `json:"type"`
			Coordinates []float64 `json:"coordinates"`
		} `json:"coordinates"`
	} `json:"geo"`
	Attachments struct {
		Media []string `json:"media_keys"`
	} `json:"attachments"`
	Entities entities `json:"entities"`
	// Note is all that was said where that is more than 280 characters: then Text
	// and Entities are its beginning.
	Note *struct {
		Text     string   `json:"text"`
		Entities entities `json:"entities"`
	} `json:"note_tweet"`
	Sensitive bool `json:"possibly_sensitive"`
}

type entities struct {
	URLs []struct {
		Expanded string `json:"expanded_url"`
		Unwound  string `json:"unwound_url"`
		Media    string `json:"media_key"`
	} `json:"urls"`
}

type user struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Username  string          `json:"username"`
	Location  string          `json:"location"`
	CreatedAt audience.Millis `json:"created_at"`
	Metrics   struct {
		Followers int64 `json:"followers_count"`
	} `json:"public_metrics"`
}

type media struct {
	Key     string `json:"media_key"`
	URL     string `json:"url"`
	Preview string `json:"preview_image_url"`
}

type place struct {
	ID  string `json:"id"`
	Geo struct {
		BBox []float64 `json:"bbox"` // west, south, east, north
	} `json:"geo"`
}

var errNoPost = errors.New("a message has no id or no author")

// take understands a line of the stream.
func (r *run) take(line []byte, b *connect.Batch) error {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		stream.Malformed(b, fmt.Errorf("read a message: %w", err))
		return nil
	}
	if m.Data != nil {
		if r.ours(&m) {
			r.add(m.Data, &m.Includes, b)
		}
		return nil
	}
	if m.problem.Title != "" {
		m.Errors = append(m.Errors, m.problem)
	}
	for _, p := range m.Errors {
		if err := p.ends(); err != nil {
			return err
		}
	}
	stream.Malformed(b, errNoPost)
	return nil
}

// ours says whether a post matched a rule of ours, or one that stands for it, as
// far as is known.
func (r *run) ours(m *message) bool {
	if r.ids == nil || len(m.Matching) == 0 {
		return true
	}
	for _, rule := range m.Matching {
		if r.ids[rule.ID] || strings.HasPrefix(rule.Tag, r.tag("")) {
			return true
		}
	}
	return false
}

// ends is why the platform ends the stream; nil if it does not.
// https://docs.x.com/x-api/fundamentals/handling-disconnections
func (p problem) ends() error {
	err := fmt.Errorf("the platform ends the stream: %.100s: %.200s", p.Title, p.Detail)
	switch kind := p.Type[strings.LastIndexByte(p.Type, '/')+1:]; {
	case kind == "usage-capped" || p.Title == "UsageCapExceeded":
		return &connect.Slow{Err: err}
	case kind == "client-forbidden" || kind == "not-authorized-for-resource":
		return &connect.Refused{Err: err}
	case kind == "operational-disconnect" || kind == "streaming-connection" || p.Title == "operational-disconnect" || p.ConnectionIssue != "":
		return err
	}
	return nil
}

// add puts a post into a batch.
func (r *run) add(data json.RawMessage, in *includes, b *connect.Batch) {
	var t tweet
	if err := json.Unmarshal(data, &t); err != nil {
		stream.Malformed(b, fmt.Errorf("read a post: %w", err))
		return
	}
	if t.ID == "" || t.Author == "" {
		stream.Malformed(b, errNoPost)
		return
	}
	p := t.post(in)
	r.gap.Saw(x.ID(connect.Place(t.ID)))
	stream.Add(b, &p, r.env.Now())
}

// post reads a post with what it refers to. A repost's text is cut off by the
// platform, so the original's is taken.
func (t *tweet) post(in *includes) audience.Post {
	p := audience.Post{ID: t.ID, Platform: x.Platform, CreatedAt: t.CreatedAt, Author: in.author(t.Author), Coordinates: in.where(t)}
	if t.Lang != "und" && t.Lang != "zxx" && !(len(t.Lang) == 3 && t.Lang[0] == 'q') { // not known, no language, and what is no text
		p.Language = t.Lang
	}
	body := t
	for _, ref := range t.Referenced {
		switch ref.Type {
		case "replied_to":
			p.ReplyTo = ref.ID
		case "retweeted":
			p.RepostOf = ref.ID
			for i := range in.Tweets {
				if o := &in.Tweets[i]; o.ID == ref.ID && o.Text != "" {
					body = o
				}
			}
		}
	}
	said, links := body.said()
	p.Text, p.Sensitive = x.Text(said), t.Sensitive || body.Sensitive
	for _, key := range body.Attachments.Media {
		for _, m := range in.Media {
			if m.Key == key {
				p.Media = append(p.Media, first(m.URL, m.Preview))
			}
		}
	}
	for _, u := range links.URLs {
		if u.Media == "" { // links to its own pictures are none
			p.Links = append(p.Links, first(u.Unwound, u.Expanded))
		}
	}
	return p
}

// said is all that was said, and what stands in it.
func (t *tweet) said() (string, *entities) {
	if t.Note != nil && t.Note.Text != "" {
		return t.Note.Text, &t.Note.Entities
	}
	return t.Text, &t.Entities
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (in *includes) author(id string) audience.Author {
	for _, u := range in.Users {
		if u.ID == id {
			return audience.Author{
				ID: id, Name: x.Text(u.Name), Handle: u.Username, Location: x.Text(u.Location),
				Followers: uint64(max(0, u.Metrics.Followers)), CreatedAt: u.CreatedAt,
			}
		}
	}
	return audience.Author{ID: id}
}

// where is the post's own point, or the middle of the place it names, unless that
// is as large as a country.
func (in *includes) where(t *tweet) *audience.Coordinates {
	if c := t.Geo.Coordinates; c != nil && c.Type == "Point" && len(c.Coordinates) == 2 {
		return &audience.Coordinates{Lat: c.Coordinates[1], Lon: c.Coordinates[0]}
	}
	for _, p := range in.Places {
		if box := p.Geo.BBox; p.ID == t.Geo.PlaceID && len(box) == 4 {
			return x.Middle(box[0], box[1], box[2], box[3])
		}
	}
	return nil
}
