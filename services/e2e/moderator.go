package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Moderator rejects and approves posts of a topic while everything goes on.
type Moderator struct {
	client  *Client
	posters *Posters
	about   string // the topic's id, and the word that it listens to
	feeds   string // path of a destination
	rng     *rand.Rand

	mu sync.Mutex
	// said are his last words on posts: reject or approve.
	said map[string]string
}

// NewModerator looks at the posters' posts about one thing, and at what a
// destination shows of them.
func NewModerator(c *Client, seed uint64, p *Posters, about, feeds string) *Moderator {
	return &Moderator{client: c, posters: p, about: about, feeds: feeds, rng: rand.New(rand.NewPCG(seed, 3)), said: map[string]string{}}
}

// newest is how many of the last posts he looks at: older ones may have left the
// list of recent posts.
const newest = 60

// Moderate decides until stop is closed.
func (m *Moderator) Moderate(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(m.rng.IntN(60)) * time.Millisecond):
		}
		taken := m.posters.Taken()
		if len(taken) == 0 {
			continue
		}
		post := taken[len(taken)-1-m.rng.IntN(min(newest, len(taken)))]
		if post.About != m.about {
			continue
		}
		if err := m.decide(ctx, m.posters.Key(post)); err != nil {
			return err
		}
	}
}

// decide says one word, again until it is heard. A post that nobody lists stays
// as it is.
func (m *Moderator) decide(ctx context.Context, post string) error {
	word := []string{"reject", "reject", "approve"}[m.rng.IntN(3)]
	for missing := 0; ; {
		state, err := m.client.CommandPost(ctx, post, word)
		problem := (*ProblemError)(nil)
		switch {
		case err == nil && state != word+"ed" && state != word+"d":
			return fmt.Errorf("post %s was told %s and is %s", post, word, state)
		case err == nil:
			m.mu.Lock()
			m.said[post] = word
			m.mu.Unlock()
			return m.look(ctx, post, word)
		case !errors.As(err, &problem):
		case problem.Status == http.StatusNotFound:
			if missing++; missing == 20 {
				return nil
			}
		case problem.Status < 500 && problem.Status != http.StatusTooManyRequests:
			return fmt.Errorf("%s post %s: %w", word, post, err)
		}
		if waitErr := sleep.For(ctx, 50*time.Millisecond); waitErr != nil {
			return fmt.Errorf("%w (last: %w)", waitErr, err)
		}
	}
}

// look makes sure that a rejected post is in no list and on no screen from then
// on. Who is dead at the moment shows nothing.
func (m *Moderator) look(ctx context.Context, post, word string) error {
	if word != "reject" {
		return nil
	}
	if listed, err := m.client.Listed(ctx, m.about); err == nil && listed[post] {
		return fmt.Errorf("post %s is rejected and listed", post)
	}
	if shown, err := m.client.Shown(ctx, m.feeds, m.about); err == nil && shown[post] {
		return fmt.Errorf("post %s is rejected and shown", post)
	}
	return nil
}

// Words are his last ones, by post.
func (m *Moderator) Words() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.said)
}

// Count is what a topic and a social poll come to, by those who posted and by
// the moderator, whatever the system says.
type Count struct {
	Posts, Rejected         int64
	Reposts, Replies, Media int64
	Hashtags, Languages     map[string]int64
	// Voters are the authors that vote for an option in a post that stands.
	Voters map[string]map[string]bool
}

// CountOf counts the posts about one thing; votes are of all posts.
func CountOf(p *Posters, m *Moderator, about string) *Count {
	c := &Count{Hashtags: map[string]int64{}, Languages: map[string]int64{}, Voters: map[string]map[string]bool{}}
	words := m.Words()
	for _, s := range p.Taken() {
		word, spoken := words[p.Key(s)]
		out := word == "reject" || !spoken && s.Spam
		if s.Option != "" && !out {
			if c.Voters[s.Option] == nil {
				c.Voters[s.Option] = map[string]bool{}
			}
			c.Voters[s.Option][s.Author] = true
		}
		if s.About == about {
			c.add(s, out)
		}
	}
	return c
}

func (c *Count) add(s *Said, out bool) {
	if out {
		c.Rejected++
		return
	}
	c.Posts++
	c.Reposts += one(s.Repost)
	c.Replies += one(s.Reply)
	c.Media += one(s.Media)
	c.Hashtags[s.Hashtag]++
	c.Languages[s.Language]++
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
