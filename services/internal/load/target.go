package load

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/internal/client"
)

// Target is a poll that is open, with everything that voting in it takes.
type Target struct {
	API     *client.Client
	URL     *url.URL
	Poll    string
	Options []string
	Voters  []string // voters' tokens
	Gateway string   // the gateway source's key
	Push    Push
	Feed    string // path of the poll's feed

	salt uint64 // makes this run's ballot ids differ from any other's
}

// Push is a source of posts.
type Push struct{ Source, Key string }

// keyword is the hashtag that votes for an option.
func keyword(option string) string { return "vote" + option }

// Prepare makes what the run needs.
func Prepare(ctx context.Context, c Config) (*Target, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails
	t := &Target{API: client.New(c.URL, c.Token), URL: u, Poll: c.Poll, salt: binary.BigEndian.Uint64(salt[:])}
	if err := t.prepare(ctx, c); err != nil {
		t.API.Close()
		return nil, err
	}
	return t, nil
}

func (t *Target) prepare(ctx context.Context, c Config) error {
	steps := []func(context.Context, Config) error{t.poll, t.feed}
	if c.Door == DoorGateway {
		steps = append(steps, t.gateway)
	} else {
		steps = append(steps, t.voters)
	}
	if c.PostRate > 0 {
		steps = append(steps, t.push)
	}
	for _, step := range steps {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// poll learns the options of the poll named, or opens one of its own.
func (t *Target) poll(ctx context.Context, c Config) error {
	if t.Poll == "" {
		if err := t.makePoll(ctx, c); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeoutCause(ctx, 10*time.Second, errors.New("the poll is not open"))
	defer cancel()
	var state struct {
		Phase   string `json:"phase"`
		Show    string `json:"show"`
		Options []struct {
			ID string `json:"id"`
		} `json:"options"`
	}
	var asked error
	err := client.WaitFor(wait, 50*time.Millisecond, func() bool {
		asked = t.API.Get(wait, "/v1/polls/"+t.Poll+"/state", &state)
		return asked != nil || state.Phase == "open"
	})
	if err := errors.Join(asked, err); err != nil {
		return err
	}
	for _, o := range state.Options {
		t.Options = append(t.Options, o.ID)
	}
	return nil
}

func (t *Target) makePoll(ctx context.Context, c Config) error {
	if _, err := t.API.Create(ctx, "/v1/shows", client.Object{"id": c.Show, "title": "Load", "timezone": "UTC", "locale": "en"}, nil); err != nil {
		return err
	}
	t.Poll = "load-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	var options []client.Object
	for _, id := range []string{"a", "b", "c", "d"} {
		options = append(options, client.Object{"id": id, "label": "Option " + id, "keywords": []string{"#" + keyword(id)}})
	}
	err := t.API.Post(ctx, "/v1/polls", client.Object{
		"id": t.Poll, "show": c.Show, "kind": "choice", "question": "How much can it take?", "options": options,
		"limits": client.Object{"ballots_per_voter": 0, "on_repeat": "add"}, "reveal": "open",
		"social": client.Object{"count": "posts", "match": "anywhere"},
	}, nil)
	if err != nil {
		return err
	}
	return t.API.Command(ctx, t.Poll, "open")
}

func (t *Target) feed(ctx context.Context, _ Config) error {
	var d client.Destination
	show, err := t.show(ctx)
	if err != nil {
		return err
	}
	id := "load-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	if err := t.API.Post(ctx, "/v1/destinations", client.Object{"id": id, "show": show, "audience": "producer"}, &d); err != nil {
		return err
	}
	t.Feed = "/feeds/" + d.Token + "/polls/" + t.Poll + "/feed.json"
	return nil
}

func (t *Target) show(ctx context.Context) (string, error) {
	var state struct {
		Show string `json:"show"`
	}
	err := t.API.Get(ctx, "/v1/polls/"+t.Poll+"/state", &state)
	return state.Show, err
}

func (t *Target) source(ctx context.Context, connector string) (id, key string, err error) {
	show, err := t.show(ctx)
	if err != nil {
		return "", "", err
	}
	var s struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	id = "load-" + connector + "-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	err = t.API.Post(ctx, "/v1/sources", client.Object{
		"id": id, "show": show, "connector": connector, "polls": []string{t.Poll}, "enabled": true,
	}, &s)
	return s.ID, s.Key, err
}

func (t *Target) gateway(ctx context.Context, _ Config) (err error) {
	_, t.Gateway, err = t.source(ctx, audience.ConnectorGateway)
	return err
}

func (t *Target) push(ctx context.Context, _ Config) (err error) {
	t.Push.Source, t.Push.Key, err = t.source(ctx, audience.ConnectorPush)
	return err
}

// voters makes the voters' tokens, a few at a time.
func (t *Target) voters(ctx context.Context, c Config) error {
	t.Voters = make([]string, c.voters())
	var next atomic.Int64
	var first atomic.Pointer[error]
	var wg sync.WaitGroup
	for range min(16, len(t.Voters)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(t.Voters)) && first.Load() == nil; i = next.Add(1) - 1 {
				token, err := t.API.As("").VoterToken(ctx)
				if err != nil {
					err = fmt.Errorf("make voters: %w", err)
					first.CompareAndSwap(nil, &err)
				}
				t.Voters[i] = token
			}
		})
	}
	wg.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// BallotID is the id of the run's i-th ballot.
func (t *Target) BallotID(i int64) string {
	var id audience.BallotID
	binary.BigEndian.PutUint64(id[:8], t.salt)
	binary.BigEndian.PutUint64(id[8:], uint64(i))
	id[6] = id[6]&0x0f | 0x80 // version 8: made by its own rule
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// Option is the place of the option that the i-th ballot or post chooses: uneven
// shares, so that a mix-up of options shows.
func (t *Target) Option(i int64) int {
	n := int64(len(t.Options))
	h := uint64(i) * 0x9e3779b97f4a7c15 >> 33
	return int(min(h%uint64(n), (h>>8)%uint64(n)))
}
