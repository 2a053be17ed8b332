package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/sleep"
)

// topic makes one and waits until it is listened to everywhere.
func (p *Player) topic(ctx context.Context, s Step) error {
	body := audience.Topic{ID: s.Args[0], Show: p.show, Title: s.Args[0], Rule: strings.Join(s.Args[1:], " ")}
	if err := p.sys.Client().Admin(ctx, http.MethodPost, "/v1/topics", body, nil); err != nil {
		return err
	}
	return sleep.For(ctx, propagation)
}

// source is the id of the push source that posts come by.
func (p *Player) source() string { return p.show + "-posts" }

// post sends a post again until it is taken or refused for good.
func (p *Player) post(ctx context.Context, s Step) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	line, err := json.Marshal(audience.Post{
		ID: s.Args[0], Author: audience.Author{ID: s.Args[1]}, Text: strings.Join(s.Args[2:], " "), CreatedAt: postedAt,
	})
	if err != nil {
		return err
	}
	for {
		accepted, err := p.sys.Client().PushPosts(ctx, p.source(), p.key, append(line, '\n'))
		problem := (*ProblemError)(nil)
		switch {
		case err == nil && accepted == 1:
			return nil
		case err == nil:
			return errors.New("the line is refused")
		case errors.As(err, &problem) && problem.Status != http.StatusServiceUnavailable && problem.Status != http.StatusTooManyRequests:
			return err
		}
		if waitErr := sleep.For(ctx, 50*time.Millisecond); waitErr != nil {
			return fmt.Errorf("%w (last: %w)", waitErr, err)
		}
	}
}

// open makes the push source before the first post.
func (p *Player) open(ctx context.Context) (err error) {
	if p.key != "" {
		return nil
	}
	p.key, err = p.sys.Client().Source(ctx, map[string]any{"id": p.source(), "show": p.show, "connector": "push"})
	if err != nil {
		return fmt.Errorf("make the push source: %w", err)
	}
	return sleep.For(ctx, propagation)
}

// moderate says a word on a post as soon as it is listed.
func (p *Player) moderate(ctx context.Context, s Step) error {
	return settle(ctx, func(ctx context.Context) error {
		_, err := p.sys.Client().CommandPost(ctx, p.source()+":"+s.Args[0], s.Word)
		return err
	})
}

func (p *Player) expectTopic(ctx context.Context, s Step) error {
	return settle(ctx, func(ctx context.Context) error {
		got := map[string]string{}
		for _, by := range dimensionsOf(s.Set) {
			stats, err := p.sys.Client().Topic(ctx, s.arg(1), by)
			if err != nil {
				return err
			}
			stats.say(by, s.Set, got)
		}
		return match(got, s.Set)
	})
}

// dimensionsOf are what the names of figures ask for: hashtag.final is of the
// hashtags. The totals come with any.
func dimensionsOf(want map[string]string) []string {
	all := []string{"platform"}
	for name := range want {
		if by, _, ok := strings.Cut(name, "."); ok {
			all = append(all, by)
		}
	}
	return all
}

// say puts the figures under the names that a scenario has for them.
func (t *TopicStats) say(by string, want, got map[string]string) {
	for name, v := range map[string]any{
		"posts": t.Totals.Posts, "rejected": t.Totals.Rejected, "reposts": t.Totals.Reposts, "replies": t.Totals.Replies,
		"media": t.Totals.Media, "complete": t.Complete, "stale": t.Stale,
	} {
		got[name] = fmt.Sprint(v)
	}
	for name := range want {
		if of, key, ok := strings.Cut(name, "."); ok && of == by {
			got[name] = fmt.Sprint(t.By(key))
		}
	}
}
