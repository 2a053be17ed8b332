// Package demo is a show that runs by itself: a poll that is open, viewers who
// vote, posts that come in and a topic that listens to them, all through the same
// doors as real ones. Its traffic is made up and modest; it stops when the process does, and goes on
// where it was on the next start.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/internal/client"
)

// Ids of what the demo makes.
const (
	Show   = "demo"
	Poll   = "demo-final"
	Topic  = "demo-talk"
	Source = "demo-posts"
)

// Config says where the system is and how busy the demo shall be.
type Config struct {
	URL   string
	Token string
	// TokenFile is where a person finds that token.
	TokenFile string
	// Ballots and Posts are rates a second; 0 means the default.
	Ballots, Posts float64
	// Out is told what to open.
	Out io.Writer
}

const (
	defaultBallots = 20
	defaultPosts   = 5
)

// Run makes the show and plays it until ctx ends. The demo is never a reason for
// the process to stop: what fails is said and tried again.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	if cfg.Ballots == 0 {
		cfg.Ballots = defaultBallots
	}
	if cfg.Posts == 0 {
		cfg.Posts = defaultPosts
	}
	d := &demo{cfg: cfg, api: client.New(cfg.URL, cfg.Token), log: log}
	defer d.api.Close()
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		err := d.prepare(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		log.Warn("demo cannot start yet", "error", err)
		if sleep.For(ctx, pause) != nil {
			return nil
		}
	}
	d.greet()
	d.play(ctx)
	return nil
}

type demo struct {
	cfg  Config
	api  *client.Client
	log  *slog.Logger
	push *client.Client
}

// greet tells how to get at a feed rather than a feed's address: that holds a
// credential, which is never written to a terminal.
func (d *demo) greet() {
	if d.cfg.Out == nil {
		return
	}
	fmt.Fprintf(d.cfg.Out, `
The demo show is on: %[1]g ballots and %[2]g posts a second.

  watch and vote        %[3]s/p/%[4]s
  polls and topics      %[3]s/ (sign in with the admin token)

What people talk about, and how they feel about it:

  curl -H "Authorization: Bearer $(cat %[5]s)" '%[3]s/v1/topics/%[6]s/trends'
  curl -H "Authorization: Bearer $(cat %[5]s)" '%[3]s/v1/topics/%[6]s/stats?by=sentiment'

A graphics engine needs a destination, which has overlays and feeds of the poll
and of the topic; the answer lists their addresses:

  curl -H "Authorization: Bearer $(cat %[5]s)" -d '{"show":"%[7]s"}' %[3]s/v1/destinations
`, d.cfg.Ballots, d.cfg.Posts, d.cfg.URL, Poll, d.cfg.TokenFile, Topic, Show)
}

// play sends ballots and posts, each at its own pace.
func (d *demo) play(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { every(ctx, d.cfg.Ballots, func(i int64) { d.say(ctx, "ballot", d.vote(ctx, i)) }) })
	wg.Go(func() { every(ctx, d.cfg.Posts, func(i int64) { d.say(ctx, "post", d.post(ctx, i)) }) })
	wg.Wait()
}

// say logs what is not the producer's doing: a poll that is closed is.
func (d *demo) say(ctx context.Context, what string, err error) {
	var p *client.Problem
	if err == nil || ctx.Err() != nil || errors.As(err, &p) && p.Status < http.StatusInternalServerError {
		return
	}
	d.log.Debug("demo was not heard", "what", what, "error", err)
}

// every calls f rate times a second, one call at a time, until ctx ends.
func every(ctx context.Context, rate float64, f func(i int64)) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for i := int64(0); ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f(i)
		}
	}
}

// vote is one viewer who gets a token and votes once.
func (d *demo) vote(ctx context.Context, i int64) error {
	voter, err := d.api.As("").VoterToken(ctx)
	if err != nil {
		return err
	}
	ballot := client.Object{"ballot_id": uuid.NewString(), "choices": []string{options[preference(i, time.Now())].id}}
	return d.api.As(voter).Post(ctx, "/v1/polls/"+Poll+"/ballots", ballot, nil)
}

func (d *demo) post(ctx context.Context, i int64) error {
	return d.push.Call(ctx, http.MethodPost, "/v1/sources/"+Source+"/posts", write(i, time.Now()), nil)
}
