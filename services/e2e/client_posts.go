package e2e

import (
	"context"
	"net/http"
	"net/url"
)

// PushPosts sends lines of posts with a push source's key, and tells how many
// were taken.
func (c *Client) PushPosts(ctx context.Context, source, key string, lines []byte) (accepted int, err error) {
	return c.sendLines(ctx, "/v1/sources/"+source+"/posts", key, lines)
}

// Source makes one, and gives its key if it has one.
func (c *Client) Source(ctx context.Context, body map[string]any) (key string, err error) {
	var made struct {
		Key string `json:"key"`
	}
	err = c.Admin(ctx, http.MethodPost, "/v1/sources", body, &made)
	return made.Key, err
}

// CommandPost says a moderator's word on a post, and tells the post's state then.
func (c *Client) CommandPost(ctx context.Context, post, word string) (state string, err error) {
	var said struct {
		State string `json:"state"`
	}
	err = c.Admin(ctx, http.MethodPost, "/v1/posts/"+url.PathEscape(post)+"/commands", map[string]any{"command": word, "reason": "as a test"}, &said)
	return said.State, err
}

// TopicStats is what is said of a topic, as far as it is checked.
type TopicStats struct {
	Topic      string           `json:"topic"`
	Revision   uint64           `json:"revision"`
	Seq        int64            `json:"seq"`
	Stale      bool             `json:"stale"`
	Complete   bool             `json:"complete"`
	Generation uint64           `json:"generation"`
	Offsets    map[string]int64 `json:"as_of_offsets"`
	Totals     struct {
		Posts    int64 `json:"posts"`
		Reposts  int64 `json:"reposts"`
		Replies  int64 `json:"replies"`
		Media    int64 `json:"media"`
		Rejected int64 `json:"rejected"`
	} `json:"totals"`
	Parts []struct {
		Key string `json:"key"`
		N   int64  `json:"n"`
	} `json:"parts"`
}

// topicWindow is longer than any test, and no longer than what is held.
const topicWindow = "12h"

// Topic reads a topic's figures, shared out by hashtag or language.
func (c *Client) Topic(ctx context.Context, topic, by string) (*TopicStats, error) {
	s := &TopicStats{}
	return s, c.Admin(ctx, http.MethodGet, "/v1/topics/"+topic+"/stats?window="+topicWindow+"&by="+by, nil, s)
}

// By gives a part's count; 0 when it is not there.
func (s *TopicStats) By(key string) int64 {
	for _, p := range s.Parts {
		if p.Key == key {
			return p.N
		}
	}
	return 0
}

// Generation is a published batch view.
type Generation struct {
	Number uint64 `json:"generation"`
	Agreed string `json:"agreed"`
}

// Generations reads those that are kept, the newest first.
func (c *Client) Generations(ctx context.Context) ([]Generation, error) {
	var page struct {
		Items []Generation `json:"items"`
	}
	return page.Items, c.Admin(ctx, http.MethodGet, "/v1/generations", nil, &page)
}

// Listed are the posts that a topic's list shows moderators, by key: the newest.
func (c *Client) Listed(ctx context.Context, topic string) (map[string]bool, error) {
	var page struct {
		Items []struct {
			Post string `json:"post"`
		} `json:"items"`
	}
	err := c.Admin(ctx, http.MethodGet, "/v1/topics/"+topic+"/posts", nil, &page)
	keys := map[string]bool{}
	for _, item := range page.Items {
		keys[item.Post] = true
	}
	return keys, err
}

// Shown are the posts of a topic that a destination shows, by key. feeds is its
// path.
func (c *Client) Shown(ctx context.Context, feeds, topic string) (map[string]bool, error) {
	var rows []struct {
		Post string `json:"post_id"`
	}
	err := c.Call(ctx, http.MethodGet, feeds+"/topics/"+topic+"/posts.json", "", nil, &rows)
	keys := map[string]bool{}
	for _, row := range rows {
		keys[row.Post] = true
	}
	return keys, err
}
