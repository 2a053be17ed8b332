package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/pkg/views"
)

// System is what a scenario is played against.
type System interface {
	// Client speaks to it; the same before and after a kill.
	Client() *Client
	// Kill ends a service (all of them: "") by kill -9, starts it again and waits
	// until it is ready.
	Kill(ctx context.Context, service string) error
	// EmptyRedis drops every key.
	EmptyRedis(ctx context.Context) error
}

// Player plays scenarios.
type Player struct {
	sys    System
	show   string
	voters map[string]string
	key    string // of the push source that posts come by; "": none yet
}

// NewPlayer makes a show of its own.
func NewPlayer(ctx context.Context, sys System, show string) (*Player, error) {
	body := map[string]any{"id": show, "title": "Show " + show, "timezone": "America/Sao_Paulo", "locale": "pt-BR",
		"languages": []string{"en", "pt"}, "moderation": map[string]any{"reject": SpamWord}}
	if err := sys.Client().Admin(ctx, http.MethodPost, "/v1/shows", body, nil); err != nil {
		return nil, fmt.Errorf("make show %s: %w", show, err)
	}
	return &Player{sys: sys, show: show, voters: map[string]string{}}, nil
}

// Play runs the steps; the first that fails ends it.
func (p *Player) Play(ctx context.Context, steps []Step) error {
	for _, s := range steps {
		if err := p.step(ctx, s); err != nil {
			return fmt.Errorf("line %d, %s %s: %w", s.Line, s.Word, strings.Join(s.Args, " "), err)
		}
	}
	return nil
}

func (p *Player) step(ctx context.Context, s Step) error {
	switch s.Word {
	case "poll":
		return p.poll(ctx, s)
	case "ballot":
		return p.ballot(ctx, s)
	case "refuse":
		return p.refuse(ctx, s)
	case "expect":
		if s.Args[0] == "topic" {
			return p.expectTopic(ctx, s)
		}
		return p.expect(ctx, s)
	case "topic":
		return p.topic(ctx, s)
	case "post":
		return p.post(ctx, s)
	case "reject", "approve", "feature":
		return p.moderate(ctx, s)
	case "batch":
		return p.batch(ctx)
	case "kill":
		return p.sys.Kill(ctx, s.arg(0))
	case "empty":
		return p.sys.EmptyRedis(ctx)
	}
	return p.command(ctx, s)
}

// comparisons are how many runs a batch step takes at most.
const comparisons = 3

// batch recomputes until both layers could be compared: what was killed just now
// may come back later than a run waits for it.
func (p *Player) batch(ctx context.Context) error {
	c := p.sys.Client()
	for range comparisons {
		if err := c.RunBatch(ctx); err != nil {
			return err
		}
		generations, err := c.Generations(ctx)
		if err != nil || len(generations) == 0 || generations[0].Agreed != views.AgreedUnknown {
			return err
		}
	}
	return nil
}

// propagation is how long a change takes to be known at every door, and to be in
// force.
const propagation = 300 * time.Millisecond

// command waits out its margin, so that the next step finds it in force.
func (p *Player) command(ctx context.Context, s Step) error {
	more := map[string]any{}
	if seconds, err := s.number("seconds", 0); err != nil {
		return err
	} else if seconds > 0 {
		more["seconds"] = seconds
	}
	if err := p.sys.Client().Command(ctx, s.Args[0], s.Word, more); err != nil {
		return err
	}
	return sleep.For(ctx, propagation)
}

func (p *Player) poll(ctx context.Context, s Step) error {
	options := make([]map[string]any, 0, len(s.Args))
	for _, id := range s.Args[1:] {
		options = append(options, map[string]any{"id": id, "label": strings.ToUpper(id), "keywords": []string{id}})
	}
	per, err := s.number("per", 1)
	if err != nil {
		return err
	}
	most, err := s.number("max", 1)
	if err != nil {
		return err
	}
	limits := map[string]any{"ballots_per_voter": per, "max_choices": most, "on_repeat": or(s.Set["repeat"], "reject")}
	if s.Set["kind"] == "score" {
		limits["score_min"], limits["score_max"] = 0, 10
	}
	body := map[string]any{
		"id": s.Args[0], "show": p.show, "kind": or(s.Set["kind"], "choice"), "question": "Who?",
		"options": options, "limits": limits,
	}
	if count := s.Set["social"]; count != "" {
		body["social"] = map[string]any{"count": count}
	}
	if err := p.sys.Client().Admin(ctx, http.MethodPost, "/v1/polls", body, nil); err != nil {
		return err
	}
	return sleep.For(ctx, propagation)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// cast sends a ballot again under the same id until it is taken or refused for
// good: what a viewer's app does.
func (p *Player) cast(ctx context.Context, s Step) error {
	voter := s.Args[1]
	if p.voters[voter] == "" {
		token, err := p.sys.Client().Voter(ctx)
		if err != nil {
			return fmt.Errorf("ask for a voter's token: %w", err)
		}
		p.voters[voter] = token
	}
	body := map[string]any{"ballot_id": ballotID(s).String()}
	if strings.Contains(s.Args[2], ":") {
		body["scores"] = scores(s.Args[2])
	} else {
		body["choices"] = strings.Split(s.Args[2], ",")
	}
	return castUntilTaken(ctx, p.sys.Client(), s.Args[0], p.voters[voter], body)
}

// castUntilTaken retries what was not answered or not recorded.
func castUntilTaken(ctx context.Context, c *Client, poll, token string, body any) error {
	for {
		err := c.Call(ctx, http.MethodPost, "/v1/polls/"+poll+"/ballots", token, body, nil)
		problem := (*ProblemError)(nil)
		if err == nil || errors.As(err, &problem) && problem.Status != http.StatusServiceUnavailable &&
			problem.Status != http.StatusTooManyRequests {
			return err
		}
		if waitErr := sleep.For(ctx, 50*time.Millisecond); waitErr != nil {
			return fmt.Errorf("%w (last: %w)", waitErr, err)
		}
	}
}

// ballotID is the same for the same line.
func ballotID(s Step) uuid.UUID {
	sum := sha256.Sum256([]byte(strings.Join(s.Args, " ") + s.Set["id"]))
	return uuid.NewHash(sha256.New(), uuid.NameSpaceOID, sum[:], 8)
}

func scores(arg string) map[string]int {
	m := map[string]int{}
	for _, pair := range strings.Split(arg, ",") {
		name, n, _ := strings.Cut(pair, ":")
		m[name], _ = strconv.Atoi(n)
	}
	return m
}

func (p *Player) ballot(ctx context.Context, s Step) error { return p.cast(ctx, s) }

func (p *Player) refuse(ctx context.Context, s Step) error {
	err := p.cast(ctx, s)
	var problem *ProblemError
	if errors.As(err, &problem) && problem.Code == s.Args[3] {
		return nil
	}
	return fmt.Errorf("got %w, want %s", orTaken(err), s.Args[3])
}

var errTaken = errors.New("taken")

func orTaken(err error) error {
	if err == nil {
		return errTaken
	}
	return err
}

// settleTime is how long a figure may take to come true; on a loaded machine a
// start takes most of it.
const settleTime = 20 * time.Second

func (p *Player) expect(ctx context.Context, s Step) error {
	return settle(ctx, func(ctx context.Context) error {
		r, err := p.sys.Client().Results(ctx, s.Args[0])
		if err != nil {
			return err
		}
		return r.matches(s.Set)
	})
}

// settle tries again until it holds; if it never does, the last fault says why.
func settle(ctx context.Context, holds func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	var last error
	for {
		err := holds(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if sleep.For(ctx, 50*time.Millisecond) != nil {
			return last
		}
	}
}

// matches compares the named figures; all options not named are ignored.
func (r *Result) matches(want map[string]string) error {
	got := map[string]string{
		"late": fmt.Sprint(r.Totals.Late), "duplicates": fmt.Sprint(r.Totals.Duplicates),
		"limit": fmt.Sprint(r.Totals.Rejected.Limit), "revoked": fmt.Sprint(r.Totals.Rejected.Revoked),
		"voters": fmt.Sprint(r.Totals.Voters), "votes": fmt.Sprint(r.Totals.Votes),
		"status": r.Status, "phase": r.Phase, "round": fmt.Sprint(r.Round),
	}
	for _, o := range r.Options {
		got[o.ID] = fmt.Sprint(o.Votes)
		got[o.ID+".sum"] = fmt.Sprint(o.Sum)
	}
	return match(got, want)
}

func match(got, want map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			return fmt.Errorf("%s is %s, want %s", name, got[name], want[name])
		}
	}
	return nil
}
