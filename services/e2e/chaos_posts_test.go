package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/e2e"
)

// talkPoll is voted in by posts.
const talkPoll = "talk"

// talk is what people post during a chaos run, who moderates it, and what was
// served of it.
type talk struct {
	arena
	posters   *e2e.Posters
	moderator *e2e.Moderator
	history   *e2e.TopicHistory
	topics    []topic.Definition
}

// matchPosts come from a file, which every kill interrupts.
const matchPosts = 300

// startTalk makes a push source, a replayed file, topics and a poll for posts. The
// chaos show's rule holds some of them. feeds is the path of a destination.
func startTalk(ctx context.Context, t *testing.T, p arena, feeds string) *talk {
	c := p.Client()
	key, err := c.Source(ctx, map[string]any{"id": "social", "show": "chaos", "connector": "push"})
	must(t, err, "push source")
	options := []map[string]any{}
	for _, id := range []string{"a", "b", "c"} {
		options = append(options, map[string]any{"id": id, "label": id, "keywords": []string{e2e.VoteWord(id)}})
	}
	must(t, c.Admin(ctx, http.MethodPost, "/v1/polls", map[string]any{
		"id": talkPoll, "show": "chaos", "kind": "choice", "reveal": "open", "question": "Who?", "options": options,
		"social": map[string]any{"count": "authors"},
	}, nil), "social poll")
	must(t, c.Command(ctx, talkPoll, "open", nil), "open")
	posters := e2e.NewPosters(c, p.seed, "social", key)
	talk := &talk{arena: p, posters: posters, moderator: e2e.NewModerator(c, p.seed, posters, e2e.GoalWord, feeds), history: e2e.NewTopicHistory()}
	talk.listen(ctx, t, e2e.GoalWord)
	talk.listen(ctx, t, "match")
	writeReplay(t, filepath.Join(p.replay, "match.ndjson"), "match", matchPosts)
	_, err = c.Source(ctx, map[string]any{"id": "match", "show": "chaos", "connector": "replay", "settings": map[string]any{"file": "match.ndjson"}})
	must(t, err, "replay source")
	return talk
}

// listen makes a topic of a word.
func (k *talk) listen(ctx context.Context, t *testing.T, word string) {
	d := audience.Topic{ID: word, Show: "chaos", Title: word, Rule: word}
	var made struct {
		Revision uint64 `json:"revision"`
	}
	must(t, k.Client().Admin(ctx, http.MethodPost, "/v1/topics", d, &made), "topic "+word)
	k.topics = append(k.topics, topic.Definition{Topic: d, Revision: made.Revision})
}

// watch reads topics as a producer's console does.
func (k *talk) watch(ctx context.Context, stop <-chan struct{}) error {
	return every(ctx, stop, func(i int) {
		// The last topic is not there yet at first.
		about, by := []string{e2e.GoalWord, "match", e2e.RainWord}[i%3], []string{"hashtag", "language"}[i/3%2]
		if s, err := k.Client().Topic(ctx, about, by); err == nil {
			k.history.Saw(s)
		}
	})
}

// verify waits until topics and the poll show what was acknowledged and is not
// rejected; the poll then has every revocation.
func (k *talk) verify(ctx context.Context, t *testing.T) {
	var group errgroup.Group
	for _, d := range k.topics {
		group.Go(func() error {
			return until(ctx, func() error { return k.counts(ctx, d.ID) })
		})
	}
	group.Go(func() error { return until(ctx, func() error { return k.votes(ctx, false) }) })
	must(t, group.Wait(), "posts")
}

// verifySealed closes the poll and holds its sealed result against the posts.
func (k *talk) verifySealed(ctx context.Context, t *testing.T) {
	must(t, k.Client().Command(ctx, talkPoll, "close", nil), "close "+talkPoll)
	must(t, until(ctx, func() error { return k.votes(ctx, true) }), "votes by posts")
	out, err := exec.CommandContext(ctx, k.binary, "recount", "--archive", k.archive, "--poll", talkPoll).CombinedOutput()
	if err != nil {
		t.Errorf("recount %s: %v\n%s", talkPoll, err, out)
	}
}

// verifyAgreed waits for a generation that both layers vouch for: with nobody
// killed any more, there is one.
func (k *talk) verifyAgreed(ctx context.Context, t *testing.T) {
	var passed uint64
	must(t, until(ctx, func() error {
		generations, err := k.Client().Generations(ctx)
		if err != nil {
			return err
		}
		if passed == 0 {
			passed = newestOf(generations).Number
		}
		if g := newestOf(generations); g.Number == passed || g.Agreed != "yes" {
			return fmt.Errorf("generation %d: agreed %q", g.Number, g.Agreed)
		}
		return nil
	}), "a generation that is agreed upon")
}

func newestOf(generations []e2e.Generation) e2e.Generation {
	return slices.MaxFunc(append(generations, e2e.Generation{}), func(a, b e2e.Generation) int { return cmp.Compare(a.Number, b.Number) })
}

// until tries again until it holds, for a minute.
func until(ctx context.Context, holds func() error) error {
	deadline := time.Now().Add(time.Minute)
	for {
		err := holds()
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		_ = sleep.For(ctx, 100*time.Millisecond)
	}
}

// counts compares a topic with those who posted.
func (k *talk) counts(ctx context.Context, about string) error {
	want := e2e.CountOf(k.posters, k.moderator, about)
	if about == "match" {
		want.Posts = matchPosts
	}
	for by, parts := range map[string]map[string]int64{"hashtag": want.Hashtags, "language": want.Languages} {
		s, err := k.Client().Topic(ctx, about, by)
		if err != nil {
			return fmt.Errorf("topic %s: %w", about, err)
		}
		if s.Stale || !s.Complete {
			return fmt.Errorf("topic %s: stale %v, complete %v", about, s.Stale, s.Complete)
		}
		got := map[string][2]int64{
			"posts": {s.Totals.Posts, want.Posts}, "rejected": {s.Totals.Rejected, want.Rejected}, "reposts": {s.Totals.Reposts, want.Reposts},
			"replies": {s.Totals.Replies, want.Replies}, "media": {s.Totals.Media, want.Media},
		}
		for key, n := range parts {
			got[by+" "+key] = [2]int64{s.By(key), n}
		}
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if n := got[name]; n[0] != n[1] {
				return fmt.Errorf("topic %s: %s %d, posted and not rejected were %d", about, name, n[0], n[1])
			}
		}
	}
	return nil
}

// votes compares the social poll with those who posted.
func (k *talk) votes(ctx context.Context, sealed bool) error {
	want := e2e.CountOf(k.posters, k.moderator, "").Voters
	r, err := k.Client().Results(ctx, talkPoll)
	if err != nil {
		return fmt.Errorf("%s: %w", talkPoll, err)
	}
	if r.Stale || sealed && r.Status != "verified" {
		return fmt.Errorf("%s is %s, stale %v", talkPoll, r.Status, r.Stale)
	}
	for _, o := range r.Options {
		if n := int64(len(want[o.ID])); o.Votes != n {
			return fmt.Errorf("%s: %d votes for %s, authors with a post that stands are %d", talkPoll, o.Votes, o.ID, n)
		}
	}
	return nil
}

// judge holds what was served against the log.
func (k *talk) judge(ctx context.Context, t *testing.T, log *eventlog.Log) {
	faults, served := k.history.Faults()
	for _, err := range faults {
		t.Error("topic", err)
	}
	judged, err := k.history.Judge(ctx, log, k.topics)
	must(t, err, "topics against the log")
	if judged == 0 {
		t.Errorf("none of %d answers about topics was complete", served)
	}
	t.Logf("%d posts acknowledged, %d moderated, %d of %d answers about topics complete and equal to the log",
		len(k.posters.Taken()), len(k.moderator.Words()), judged, served)
}
