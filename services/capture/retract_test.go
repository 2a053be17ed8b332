package capture_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/tally"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

// captured is the post of that id in the log.
func (h *house) captured(id string) *clamorv1.Post {
	h.t.Helper()
	for _, p := range h.log.posts() {
		if p.GetId() == id {
			return p
		}
	}
	h.t.Fatalf("no post %s in the log", id)
	return nil
}

// say gives a moderator's word on a captured post.
func (h *house) say(command, id string) {
	h.t.Helper()
	post, err := proto.Marshal(h.captured(id))
	if err != nil {
		h.t.Fatal(err)
	}
	h.registry.apply(h.t, control.Event{Kind: control.KindPostCommand, Subject: "x:" + id, At: audience.MillisOf(h.clock.Now())},
		control.PostCommand{Command: command, Show: "show", Post: post})
}

// settled waits until every word so far was carried out.
func (h *house) settled() {
	h.t.Helper()
	want := fmt.Sprint(h.registry.State().Offset())
	deadline := time.After(10 * time.Second)
	for {
		h.log.mu.Lock()
		at := h.log.cursor
		h.log.mu.Unlock()
		if at == want {
			return
		}
		select {
		case <-deadline:
			h.t.Fatalf("moderation is at %q, the log at %s", at, want)
		default:
			runtime.Gosched()
		}
	}
}

// result folds the ballots' partitions, as both layers do.
func (h *house) result(poll string) *tally.Round {
	h.t.Helper()
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	out := tally.View{}
	for p := range 4 {
		partition := tally.NewPartition()
		for _, rec := range h.log.records[fmt.Sprintf("%s/%d", eventlog.Ballots, p)] {
			if r := rec.GetRevocation(); r != nil {
				v, err := eventlog.RevocationFrom(r)
				if err != nil {
					h.t.Fatal(err)
				}
				partition.Revoke(&v, out)
				continue
			}
			ballots, err := eventlog.BallotsFrom(rec.GetBallots(), nil)
			if err != nil {
				h.t.Fatal(err)
			}
			for i := range ballots {
				partition.Ballot(&ballots[i], out)
			}
		}
	}
	return out.Of(audience.RoundKey{Poll: poll, Round: 1})
}

func (h *house) votes(poll string, want ...int64) {
	h.t.Helper()
	r := h.result(poll)
	got := make([]int64, len(want))
	copy(got, r.Votes)
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("%s: %s", poll, diff)
	}
}

// moderations are the decisions in the posts' partitions.
func (h *house) moderations() (out []string) {
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	for p := range 4 {
		for _, rec := range h.log.records[fmt.Sprintf("%s/%d", eventlog.Posts, p)] {
			if m := rec.GetModeration(); m != nil {
				out = append(out, fmt.Sprintf("%s %t %s", m.GetPost().GetId(), m.GetReject(), m.GetActor()))
			}
		}
	}
	return out
}

func TestARejectedPostTakesItsBallotsBack(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.push(postLine("1", "u1", "anna"), postLine("2", "u2", "anna"), postLine("3", "u3", "ben"))
	h.votes("p", 2, 1)
	h.say(control.PostReject, "1")
	h.settled()
	h.votes("p", 1, 1)
	if r := h.result("p"); r.Revoked != 1 {
		t.Errorf("%d revoked", r.Revoked)
	}
	h.say(control.PostReject, "1") // again: nothing
	h.settled()
	h.votes("p", 1, 1)
	h.say(control.PostApprove, "1")
	h.say(control.PostFeature, "1")
	h.settled()
	h.votes("p", 2, 1)
	want := []string{"1 true test", "1 true test", "1 false test", "1 false test"}
	if diff := cmp.Diff(want, h.moderations()); diff != "" {
		t.Error(diff)
	}
}

func TestAPollThatCountsRejectedPosts(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	poll, _ := h.registry.State().Poll("p")
	d := poll.Definition
	d.CountsRejectedPosts = true
	h.put(control.KindPollPut, "p", d)
	h.command("p", audience.VerbOpen)
	h.put(control.KindShowPut, "show", audience.Show{ID: "show", Title: "Show", Timezone: "UTC", Locale: "en", Moderation: &audience.Moderation{Reject: "spam"}})
	h.push(postLine("1", "u1", "anna"), postLine("2", "u2", "anna spam"))
	h.say(control.PostReject, "1")
	h.settled()
	h.votes("p", 2)
	if n := len(h.moderations()); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

// TestModerationIsCarriedOutOnceAndAgain: whatever failed half-way and whatever
// is read again from an older place, the result is that of the last word.
func TestModerationIsCarriedOutOnceAndAgain(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.push(postLine("1", "u1", "anna"), postLine("2", "u2", "ben"))
	h.settledBeforeWords()
	h.log.fail(errors.New("away"))
	h.say(control.PostReject, "1")
	h.say(control.PostReject, "2")
	h.say(control.PostApprove, "2")
	h.log.fail(nil)
	h.settled()
	h.votes("p", 0, 1)
	h.carryOutAgain()
	h.votes("p", 0, 1)
}

// carryOutAgain lets the next holder of the seat carry all of it out again.
func (h *house) carryOutAgain() {
	h.t.Helper()
	h.stop()
	h.log.mu.Lock()
	h.log.cursor = ""
	h.log.mu.Unlock()
	h.run()
	h.settled()
}

// settledBeforeWords lets the holder take its seat.
func (h *house) settledBeforeWords() {
	h.t.Helper()
	h.push(postLine("0", "u0", "nothing"))
	h.say(control.PostApprove, "0")
	h.settled()
}

func TestRulesDecideFirst(t *testing.T) {
	h := newHouse(t, nil)
	h.put(control.KindShowPut, "show", audience.Show{
		ID: "show", Title: "Show", Timezone: "UTC", Locale: "en", Languages: []string{"en"},
		Moderation: &audience.Moderation{Reject: "spam OR from:troll", Approve: "#official"},
	})
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.push(postLine("1", "u1", "anna"), postLine("2", "u2", "anna SPAM"), postLine("3", "u3", "ben #official"), postLine("4", "u4", "spam #official ben"))
	decisions := map[string]string{}
	for _, p := range h.log.posts() {
		decisions[p.GetId()] = p.GetDecision()
	}
	if diff := cmp.Diff(map[string]string{"1": "", "2": "reject", "3": "approve", "4": "reject"}, decisions); diff != "" {
		t.Error(diff)
	}
	h.votes("p", 1, 1)

	h.say(control.PostReject, "2") // what a rule held back has no ballot to take back
	h.settled()
	h.votes("p", 1, 1)
	h.say(control.PostApprove, "2")
	h.settled()
	h.votes("p", 2, 1)
	h.say(control.PostReject, "2")
	h.settled()
	h.votes("p", 1, 1)
	h.say(control.PostFeature, "2")
	h.settled()
	h.votes("p", 2, 1)
	if r := h.result("p"); r.Duplicates != 0 || r.Voters != 3 {
		t.Errorf("%+v", r)
	}
}

func TestAPostApprovedBehindTheClose(t *testing.T) {
	h := newHouse(t, nil)
	h.put(control.KindShowPut, "show", audience.Show{ID: "show", Title: "Show", Timezone: "UTC", Locale: "en", Moderation: &audience.Moderation{Reject: "spam"}})
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.push(postLine("1", "u1", "anna spam"))
	h.command("p", audience.VerbClose)
	h.push(postLine("2", "u2", "anna spam"))
	h.say(control.PostApprove, "1")
	h.say(control.PostApprove, "2")
	h.settled()
	h.votes("p", 1)
	if r := h.result("p"); r.Late != 1 {
		t.Errorf("%d late: what came behind the close is late whoever approves it", r.Late)
	}
}
