package e2e

import (
	"bytes"
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

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Crowd is voters who never give up: each ballot is sent under one id until it
// is taken or refused for good.
type Crowd struct {
	client *Client
	polls  []string
	rng    *rand.Rand
	voters []string // tokens, or a gateway's references
	// cast sends ballots of one voter until they are taken.
	cast func(ctx context.Context, poll, voter string, ballots []cast) error
	// most is how many ballots a vote is, at most.
	most int

	mu    sync.Mutex
	acked map[string]map[string]int // poll → voter → ballots taken
	sent  map[uuid.UUID]bool        // taken or not
	taken map[uuid.UUID]bool
}

// cast is a ballot as its voter sends it.
type cast struct {
	id     uuid.UUID
	option string
}

// NewCrowd draws from its seed only. Its voters use their own door.
func NewCrowd(c *Client, seed uint64, polls []string) *Crowd {
	crowd := &Crowd{
		client: c, polls: polls, rng: rand.New(rand.NewPCG(seed, 1)), most: 1,
		acked: map[string]map[string]int{}, sent: map[uuid.UUID]bool{}, taken: map[uuid.UUID]bool{},
	}
	crowd.cast = crowd.castSingly
	return crowd
}

// Gateway makes the crowd n voters behind a gateway with that key, who send
// their ballots in batches.
func (c *Crowd) Gateway(key string, n int) {
	for i := range n {
		c.voters = append(c.voters, fmt.Sprintf("gateway-voter-%d", i))
	}
	c.most = 40
	c.cast = func(ctx context.Context, poll, voter string, ballots []cast) error {
		return c.castTogether(ctx, poll, key, voter, ballots)
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
			if waitErr := sleep.For(ctx, 20*time.Millisecond); waitErr != nil {
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
		if err := c.vote(ctx, poll, voter); err != nil {
			return err
		}
	}
}

func (c *Crowd) vote(ctx context.Context, poll, voter string) error {
	ballots := make([]cast, 1+c.rng.IntN(c.most))
	for i := range ballots {
		for k := range ballots[i].id {
			ballots[i].id[k] = byte(c.rng.UintN(256))
		}
		ballots[i].option = "abc"[c.rng.IntN(3):][:1]
	}
	c.mu.Lock()
	for _, b := range ballots {
		c.sent[b.id] = true
	}
	c.mu.Unlock()
	if err := c.cast(ctx, poll, voter, ballots); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.acked[poll] == nil {
		c.acked[poll] = map[string]int{}
	}
	for _, b := range ballots {
		c.taken[b.id] = true
		c.acked[poll][voter]++
	}
	return nil
}

func (c *Crowd) castSingly(ctx context.Context, poll, voter string, ballots []cast) error {
	for _, b := range ballots {
		body := map[string]any{"ballot_id": b.id.String(), "choices": []string{b.option}}
		if err := castUntilTaken(ctx, c.client, poll, voter, body); err != nil {
			return fmt.Errorf("cast %s in %s: %w", b.id, poll, err)
		}
		if c.rng.IntN(20) != 0 {
			continue
		}
		// An app that never saw the answer.
		err := c.client.Call(ctx, http.MethodPost, "/v1/polls/"+poll+"/ballots", voter, body, nil)
		if problem := (*ProblemError)(nil); errors.As(err, &problem) && problem.Status < 500 && problem.Status != http.StatusTooManyRequests {
			return fmt.Errorf("cast %s in %s again: %w", b.id, poll, err)
		}
	}
	return nil
}

// castTogether sends one batch, the same again until all of it is taken.
func (c *Crowd) castTogether(ctx context.Context, poll, key, voter string, ballots []cast) error {
	var lines bytes.Buffer
	for _, b := range ballots {
		fmt.Fprintf(&lines, `{"ballot_id":%q,"voter_ref":%q,"choices":[%q]}`+"\n", b.id, voter, b.option)
	}
	return untilTaken(ctx, "ballots for "+poll, len(ballots), func() (int, error) {
		return c.client.Batch(ctx, poll, key, lines.Bytes())
	})
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
