package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/sleep"
)

// Said is a post as its author knows it.
type Said struct {
	ID, Author string
	Text       string
	// About is the topic's word in it, Hashtag and Language what is certain of it.
	About, Hashtag, Language string
	// Option is what it votes for; "": nothing.
	Option string
	// Spam posts are held by the show's rule until a moderator approves them.
	Spam                 bool
	Reply, Repost, Media bool
}

// Posters are people who post, through a push source, and never give up: each
// post is sent under one id until it is taken.
type Posters struct {
	client      *Client
	source, key string
	rng         *rand.Rand
	number      int

	mu    sync.Mutex
	sent  map[uuid.UUID]bool // as ballots, taken or not
	taken []*Said
}

// The words by which a show's topics, polls and rules know the posts.
const (
	// GoalWord and RainWord are what posts may be about.
	GoalWord = "goal"
	RainWord = "rain"
	// SpamWord is what a show's rule is to reject.
	SpamWord = "spamword"
)

// VoteWord is the keyword of an option.
func VoteWord(option string) string { return "vote" + option }

// sentences say enough for their language to be certain.
var sentences = map[string]string{
	"en": "we have been waiting for this all night and they are playing so well together",
	"pt": "não acredito no que fizeram com a gente hoje à noite, muito obrigado mesmo",
	"es": "no puedo creer lo que hicieron con nosotros esta noche, muchísimas gracias",
}

const (
	postAuthors = 40
	mostPosts   = 12
)

// NewPosters draws from its seed only.
func NewPosters(c *Client, seed uint64, source, key string) *Posters {
	return &Posters{client: c, source: source, key: key, rng: rand.New(rand.NewPCG(seed, 2)), sent: map[uuid.UUID]bool{}}
}

// Post sends posts until stop is closed; the last ones are seen through.
func (p *Posters) Post(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := p.some(ctx); err != nil {
			return err
		}
		if err := sleep.For(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// some sends a few posts in one request, one of them perhaps twice, and perhaps
// all again later.
func (p *Posters) some(ctx context.Context) error {
	said := make([]*Said, 1+p.rng.IntN(mostPosts))
	for i := range said {
		said[i] = p.think()
	}
	p.mu.Lock()
	for _, s := range said {
		if s.Option != "" {
			p.sent[p.ballot(s)] = true
		}
	}
	p.mu.Unlock()
	lines := said
	if p.rng.IntN(3) == 0 {
		lines = append(slices.Clone(said), said[p.rng.IntN(len(said))])
	}
	if err := p.until(ctx, lines); err != nil {
		return err
	}
	p.mu.Lock()
	p.taken = append(p.taken, said...)
	p.mu.Unlock()
	if p.rng.IntN(4) > 0 {
		return nil
	}
	// A platform that never saw the answer, or has the post edited meanwhile.
	again := slices.Clone(said)
	for i := range again {
		edited := *again[i]
		edited.Text = "edited: " + edited.Text
		again[i] = &edited
	}
	return p.until(ctx, again)
}

// think makes up a post. An author always votes for the same option, so that the
// order of his posts does not matter.
func (p *Posters) think() *Said {
	author := p.rng.IntN(postAuthors)
	s := &Said{
		ID: fmt.Sprint(p.number), Author: fmt.Sprintf("author-%d", author), Language: []string{"en", "pt", "es"}[p.rng.IntN(3)],
		About: []string{GoalWord, GoalWord, RainWord, ""}[p.rng.IntN(4)], Hashtag: fmt.Sprintf("tag%d", p.rng.IntN(5)),
		Spam: p.rng.IntN(20) == 0, Reply: p.rng.IntN(5) == 0, Repost: p.rng.IntN(7) == 0, Media: p.rng.IntN(3) == 0,
	}
	p.number++
	if p.rng.IntN(3) == 0 {
		s.Option = "abc"[author%3:][:1]
	}
	s.Text = sentences[s.Language]
	if s.About != "" {
		s.Text += " " + s.About
	}
	if s.Option != "" {
		s.Text += " " + VoteWord(s.Option)
	}
	if s.Spam {
		s.Text += " " + SpamWord
	}
	s.Text += " #" + s.Hashtag
	return s
}

// until sends lines until all of them are taken.
func (p *Posters) until(ctx context.Context, said []*Said) error {
	var lines bytes.Buffer
	for _, s := range said {
		b, err := json.Marshal(s.wire())
		if err != nil {
			return fmt.Errorf("encode post %s: %w", s.ID, err)
		}
		lines.Write(append(b, '\n'))
	}
	return untilTaken(ctx, "posts", len(said), func() (int, error) {
		return p.client.PushPosts(ctx, p.source, p.key, lines.Bytes())
	})
}

// postedAt is when every post says that it was written; nothing counts by it.
const postedAt = audience.Millis(1_767_225_600_000)

func (s *Said) wire() *audience.Post {
	p := &audience.Post{ID: s.ID, Author: audience.Author{ID: s.Author}, Text: s.Text, CreatedAt: postedAt}
	if s.Reply {
		p.ReplyTo = "before"
	}
	if s.Repost {
		p.RepostOf = "original"
	}
	if s.Media {
		p.Media = []string{"https://media.test/picture.jpg"}
	}
	return p
}

// Key names a post to the API.
func (p *Posters) Key(s *Said) string { return p.source + ":" + s.ID }

// Taken are the posts that were acknowledged.
func (p *Posters) Taken() []*Said {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.taken)
}

// ballot is the id of the ballot that a post is: by its name alone.
func (p *Posters) ballot(s *Said) uuid.UUID {
	sum := sha256.Sum256([]byte("clamor/post/" + p.Key(s)))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Knows says whether a ballot's id is that of a post that was ever sent.
func (p *Posters) Knows(id uuid.UUID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[id]
}

// Acked are the ballots of posts that were acknowledged and not held.
func (p *Posters) Acked() (ids []uuid.UUID) {
	for _, s := range p.Taken() {
		if s.Option != "" && !s.Spam {
			ids = append(ids, p.ballot(s))
		}
	}
	return ids
}
