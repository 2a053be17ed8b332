package speed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/redis/go-redis/v9"
)

// RecentPost is a post as moderators see it, an entry of a list of recent posts.
type RecentPost struct {
	ID         string          `json:"id"`
	Platform   string          `json:"platform"`
	Source     string          `json:"source,omitempty"`
	Show       string          `json:"show,omitempty"`
	Author     audience.Author `json:"author,omitzero"`
	Text       string          `json:"text"`
	CreatedAt  audience.Millis `json:"created_at,omitzero"`
	ReceivedAt audience.Millis `json:"received_at"`
	// Language is ISO 639-1, or "und".
	Language string `json:"language,omitempty"`
	// Sentiment is neg, neu, pos, or empty where there is no telling.
	Sentiment string       `json:"sentiment,omitempty"`
	Place     *RecentPlace `json:"place,omitempty"`
	Hashtags  []string     `json:"hashtags,omitempty"`
	Links     []string     `json:"links,omitempty"`
	Media     []string     `json:"media,omitempty"`
	ReplyTo   string       `json:"reply_to,omitempty"`
	RepostOf  string       `json:"repost_of,omitempty"`
	// Topics are all that the post belongs to.
	Topics []string     `json:"topics,omitempty"`
	Votes  []RecentVote `json:"votes,omitempty"`
	// Decision is what the show's rules said: approve, reject or nothing.
	Decision string `json:"decision,omitempty"`
	// Raw is the record as captured, a clamor.v1.Post. It is left out of what
	// would be too large for a list; so is a part of such a post's text.
	Raw []byte `json:"raw,omitempty"`
}

// Key is "platform:id", as commands to posts name it.
func (p *RecentPost) Key() string { return p.Platform + ":" + p.ID }

// RecentPlace is where a post is from, as far as is known.
type RecentPlace struct {
	Country string `json:"country"` // ISO 3166-1
	Admin1  string `json:"admin1,omitempty"`
	City    string `json:"city,omitempty"`
}

// RecentVote is the ballot that a post gave, all that its revocation needs.
type RecentVote struct {
	Poll   string   `json:"poll"`
	Round  uint32   `json:"round"`
	Voter  string   `json:"voter"`  // hexadecimal
	Ballot string   `json:"ballot"` // UUID
	Slots  []uint32 `json:"slots,omitempty"`
}

// Recent gives the newest posts of a topic in a partition, newest first, limit
// at most. ErrEmpty when Redis holds nothing of the partition, which is not the
// same as none.
func (s *Store) Recent(ctx context.Context, log string, partition int32, topic string, limit int) ([]RecentPost, error) {
	blobs, err := s.recent(ctx, s.keys(log, partition), topic, limit)
	if err != nil {
		return nil, fmt.Errorf("read recent posts of %s in %s/%d: %w", topic, log, partition, err)
	}
	posts := make([]RecentPost, len(blobs))
	for i, blob := range blobs {
		if err := json.Unmarshal([]byte(blob), &posts[len(blobs)-1-i]); err != nil {
			return nil, fmt.Errorf("read recent posts of %s in %s/%d: %w: %w", topic, log, partition, ErrDamaged, err)
		}
	}
	return posts, nil
}

func (s *Store) recent(ctx context.Context, k keys, topic string, limit int) ([]string, error) {
	if limit < 1 {
		return nil, nil
	}
	var known *redis.SliceCmd
	var list *redis.StringSliceCmd
	name := recentName(topic)
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		known = p.HMGet(ctx, k.rounds(), "inc", name)
		list = p.LRange(ctx, k.journal(name), int64(-limit), -1)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, damage(err)
	}
	switch {
	case known.Val()[0] == nil:
		return nil, ErrEmpty
	case known.Val()[1] == nil: // what an earlier life left behind
		return nil, nil
	}
	return list.Val(), nil
}

// Listed are the topics that have a list of recent posts in a partition.
func (s *Store) Listed(ctx context.Context, log string, partition int32) ([]string, error) {
	names, err := s.client.HKeys(ctx, s.keys(log, partition).rounds()).Result()
	if err != nil {
		return nil, fmt.Errorf("read lists of %s/%d: %w", log, partition, damage(err))
	}
	var topics []string
	for _, name := range names {
		if topic, ok := parseRecent(name); ok {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return topics, nil
}
