// Package youtube listens to the live chat of a YouTube broadcast through the
// YouTube Live Streaming API, version 3.
//
// Settings:
//
//	key             text, secret: an API key of Google Cloud, or
//	token           text, secret: an OAuth access token; one of the two is required
//	video           text: the id of the broadcast's video, or
//	live_chat       text: the id of its chat; one of the two is required
//	units_per_call  number, optional: what a look at the chat costs of the project's
//	                daily quota; otherwise 5
//	interval        number, optional: seconds between two looks at least; YouTube
//	                names more when it wants more; otherwise 1
//	url             text, optional: the API, https or http; otherwise Google's
//
// Every call is taken from the source's budget of units first. A place is the
// token of the page to come; without one, or with one that YouTube forgot, it
// gives the history that it has. When the chat has ended, so has the source.
//
// A message is taken back when it is deleted or retracted, and when its author is
// banned, for a while or for good, as far as recall remembers the author's
// messages.
package youtube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
)

const (
	standard   = "https://www.googleapis.com/youtube/v3"
	maxAnswer  = 8 << 20
	longest    = time.Minute // between two looks, whatever YouTube names
	videoUnits = 1           // what videos.list costs
)

// Connector listens to one chat.
type Connector struct {
	env        connect.Env
	url        *url.URL
	key, token string
	video      string
	chat       string
	units      int64
	interval   time.Duration
	// said are the messages of the last runs, by author.
	said recall.Memory
	// patience is how long a call may take.
	patience time.Duration
}

var _ connect.Connector = (*Connector)(nil)

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	c := &Connector{
		env: env, url: s.URL("url", standard, "https", "http"), key: s.String("key", ""), token: s.String("token", ""),
		video: s.String("video", ""), chat: s.String("live_chat", ""), units: int64(s.Int("units_per_call", 5, 0, 10_000)),
		interval: time.Duration(s.Float("interval", 1, 0.2, 3600) * float64(time.Second)), patience: 30 * time.Second,
	}
	if (c.key == "") == (c.token == "") {
		s.Fail("key", "or token is needed, one of the two")
	}
	if (c.video == "") == (c.chat == "") {
		s.Fail("video", "or live_chat is needed, one of the two")
	}
	return c, s.Done()
}

// Recall keeps who said a message.
func (c *Connector) Recall(d connect.Delivered) { c.said.Note(d.Author, d.ID) }

// Run delivers messages from a place on, until the chat has ended.
func (c *Connector) Run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	err := c.run(ctx, string(from), out)
	if ctx.Err() != nil || errors.Is(err, errEnded) {
		return nil //nolint:nilerr // stopped, as it was asked to, or there is no more to come
	}
	return err
}

func (c *Connector) run(ctx context.Context, token string, out connect.Outlet) error {
	chat, err := c.find(ctx, out)
	if err != nil {
		return fmt.Errorf("find the chat of the video: %w", err)
	}
	for begun := false; ; begun = true {
		p, err := c.page(ctx, chat, token, out)
		if err != nil {
			return fmt.Errorf("look at the chat: %w", err)
		}
		if !begun {
			out.Streaming()
		}
		b, ended := c.batch(p)
		if p.NextPageToken != "" {
			token = p.NextPageToken
		}
		if len(token) <= connect.MaxPlace {
			b.Behind = connect.Place(token)
		}
		if err := out.Deliver(ctx, b); err != nil {
			return err
		}
		if ended || p.OfflineAt != "" && len(p.Items) == 0 {
			return errEnded
		}
		named := time.Duration(p.PollingIntervalMillis) * time.Millisecond
		if err := sleep.For(ctx, max(c.interval, min(named, longest))); err != nil {
			return err
		}
	}
}

// find is the chat of the video, if the source does not name one.
func (c *Connector) find(ctx context.Context, out connect.Outlet) (string, error) {
	if c.chat != "" {
		return c.chat, nil
	}
	if err := out.Spend(ctx, videoUnits); err != nil {
		return "", err
	}
	var videos struct {
		Items []struct {
			Details struct {
				Chat      string `json:"activeLiveChatId"`
				ActualEnd string `json:"actualEndTime"`
			} `json:"liveStreamingDetails"`
		} `json:"items"`
	}
	if err := c.get(ctx, "videos", url.Values{"part": {"liveStreamingDetails"}, "id": {c.video}}, &videos); err != nil {
		return "", err
	}
	switch {
	case len(videos.Items) == 0:
		return "", &connect.Refused{Err: errors.New("there is no such video")}
	case videos.Items[0].Details.Chat != "":
		return videos.Items[0].Details.Chat, nil
	case videos.Items[0].Details.ActualEnd != "":
		return "", errEnded
	}
	return "", &connect.Slow{Err: errors.New("the video has no live chat yet")}
}

// page is the next page of a chat. A token that YouTube does not know any more is
// as good as none.
func (c *Connector) page(ctx context.Context, chat, token string, out connect.Outlet) (*page, error) {
	for {
		if err := out.Spend(ctx, c.units); err != nil {
			return nil, err
		}
		q := url.Values{"part": {"snippet,authorDetails"}, "liveChatId": {chat}, "maxResults": {"2000"}}
		if token != "" {
			q.Set("pageToken", token)
		}
		var p page
		err := c.get(ctx, "liveChat/messages", q, &p)
		if token == "" || !errors.Is(err, errToken) {
			return &p, err
		}
		token = ""
	}
}

// get calls the API. The key travels in a header, for addresses stand in errors.
func (c *Connector) get(ctx context.Context, method string, q url.Values, into any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.patience, connect.ErrStalled)
	defer cancel()
	u := c.url.JoinPath(method)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("call YouTube: %w", err)
	}
	if c.key != "" {
		req.Header.Set("X-Goog-Api-Key", c.key)
	} else {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.env.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("call YouTube: %w", answer.Failure(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := answer.Body(resp, maxAnswer)
	if err != nil {
		return fmt.Errorf("call YouTube: %w", answer.Failure(ctx, err))
	}
	if resp.StatusCode != http.StatusOK {
		return c.judge(resp, body)
	}
	return decode(body, into)
}
