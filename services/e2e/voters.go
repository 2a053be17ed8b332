package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Crowd is voters who never give up: each ballot is sent under one id until it
// is taken or refused for good.
type Crowd struct {
	client *Client
	polls  []string
	rng    *rand.Rand
	voters []string // tokens

	mu    sync.Mutex
	acked map[string]map[string]int // poll → voter → ballots taken
	sent  map[uuid.UUID]bool        // taken or not
	taken map[uuid.UUID]bool
}

// NewCrowd draws from its seed only.
func NewCrowd(c *Client, seed uint64, polls []string) *Crowd {
	return &Crowd{
		client: c, polls: polls, rng: rand.New(rand.NewPCG(seed, 1)),
		acked: map[string]map[string]int{}, sent: map[uuid.UUID]bool{}, taken: map[uuid.UUID]bool{},
	}
}

// Register gets tokens for n voters.
func (c *Crowd) Register(ctx context.Context, n int) error {
	for range n {
		for {
			token, err := c.client.Voter(ctx)
			if err == nil {
				c.voters = append(c.voters, token)
				break
			}
			if waitErr := pause(ctx, 20*time.Millisecond); waitErr != nil {
				return fmt.Errorf("register a voter: %w", err)
			}
		}
	}
	return nil
}

// Vote casts ballots until stop is closed; the last one is seen through.
func (c *Crowd) Vote(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		poll := c.polls[c.rng.IntN(len(c.polls))]
		voter := c.voters[c.rng.IntN(len(c.voters))]
		if err := c.vote(ctx, poll, voter, "abc"[c.rng.IntN(3):][:1]); err != nil {
			return err
		}
	}
}

func (c *Crowd) vote(ctx context.Context, poll, voter, option string) error {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(c.rng.UintN(256))
	}
	c.mu.Lock()
	c.sent[id] = true
	c.mu.Unlock()
	body := map[string]any{"ballot_id": id.String(), "choices": []string{option}}
	if err := castUntilTaken(ctx, c.client, poll, voter, body); err != nil {
		return fmt.Errorf("cast %s in %s: %w", id, poll, err)
	}
	if c.rng.IntN(20) == 0 { // an app that never saw the answer
		err := c.client.Call(ctx, http.MethodPost, "/v1/polls/"+poll+"/ballots", voter, body, nil)
		if problem := (*ProblemError)(nil); errors.As(err, &problem) && problem.Status < 500 && problem.Status != http.StatusTooManyRequests {
			return fmt.Errorf("cast %s in %s again: %w", id, poll, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[id] = true
	if c.acked[poll] == nil {
		c.acked[poll] = map[string]int{}
	}
	c.acked[poll][voter]++
	return nil
}

// Taken is how many ballots of a poll were acknowledged, and of how many voters.
func (c *Crowd) Taken(poll string) (ballots, voters int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.acked[poll] {
		ballots += int64(n)
		voters++
	}
	return ballots, voters
}

// Knows says whether an id was ever sent.
func (c *Crowd) Knows(id uuid.UUID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[id]
}

// Acked are the ballots that were acknowledged.
func (c *Crowd) Acked() []uuid.UUID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.taken))
}
