package capture_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/google/go-cmp/cmp"
)

// social defines a poll that posts vote in.
func (h *house) social(id, count, match string) {
	h.t.Helper()
	h.putPoll(audience.Poll{
		ID: id, Social: &audience.Social{Count: count, Match: match},
		Options: []audience.Option{
			{ID: "a", Label: "Anna", Keywords: []string{"anna", "#teamanna"}},
			{ID: "b", Label: "Ben", Keywords: []string{"ben"}},
			{ID: "c", Label: "Cleo"},
		},
	})
}

func postLine(id, author, text string) string {
	return fmt.Sprintf(`{"id":%q,"platform":"x","author":{"id":%q,"name":"N"},"text":%q,"created_at":"2026-05-01T19:59:00Z"}`, id, author, text)
}

func (h *house) push(lines ...string) map[string]any {
	h.t.Helper()
	w := h.do("POST", "/v1/sources/feed/posts", strings.Join(lines, "\n"), "Authorization", "Bearer push-key")
	if w.Code != 200 {
		h.t.Fatal(w.Code, w.Body)
	}
	return decode(h.t, w)
}

func TestPostsVote(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	m := h.push(
		postLine("1", "u1", "go ÁNNA!"), postLine("2", "u2", "#ben"), postLine("3", "u3", "anna or ben?"),
		postLine("4", "u4", "@anna hi"), postLine("5", "u5", "cleo"), postLine("6", "u1", "#TeamAnna"), `{"id":"7"}`)
	if m["accepted"] != 6.0 || m["rejected"] != 1.0 || fmt.Sprint(m["errors"]) != "[map[code:invalid-request detail:/author: is missing line:7]]" {
		t.Error(m)
	}
	votes := map[string]string{}
	voters := map[audience.VoterID]int{}
	for _, b := range h.log.ballots(t) {
		votes[b.Post] += fmt.Sprint(b.Choices[0].Slot)
		voters[b.Voter]++
		if b.Poll != "p" || b.Source != "feed" || b.ID[6]>>4 != 8 {
			t.Errorf("%+v", b)
		}
	}
	if diff := cmp.Diff(map[string]string{"x:1": "1", "x:2": "2", "x:6": "1"}, votes); diff != "" {
		t.Error(diff)
	}
	if len(voters) != 2 {
		t.Errorf("%d voters, want 2 authors", len(voters))
	}
	posts := h.log.posts()
	if len(posts) != 6 {
		t.Fatalf("%d posts in the log", len(posts))
	}
	for _, p := range posts {
		if p.GetShow() != "show" || p.GetSource() != "feed" || p.GetPlatform() != "x" || p.GetReceivedAt() != h.clock.Now().UnixMilli() {
			t.Errorf("%v", p)
		}
		if p.GetId() == "1" {
			v := p.GetVotes()
			if len(v) != 1 || v[0].GetPoll() != "p" || v[0].GetRound() != 1 || len(v[0].GetVoter()) != 16 || v[0].GetSlots()[0] != 1 {
				t.Errorf("votes %v", v)
			}
		}
		if p.GetId() == "3" && len(p.GetVotes()) != 0 {
			t.Errorf("a post that names two options has votes %v", p.GetVotes())
		}
	}
}

// TestAnAuthorsHabitHelpsWithTheNextPost: the language of what came before is a
// hint where the source gives none, and only there.
func TestAnAuthorsHabitHelpsWithTheNextPost(t *testing.T) {
	h := newHouse(t, nil)
	const lively = "não acredito que ele perdeu esse pênalti, que jogo horrível"
	declared := strings.Replace(postLine("5", "ana", "goal"), `"text"`, `"language":"en","text"`, 1)
	h.push(postLine("1", "ana", lively))
	h.push(postLine("2", "ana", lively), postLine("3", "ana", "que gol"))
	h.push(postLine("4", "ana", "gol"), declared, postLine("6", "bia", "gol"))
	got := map[string]string{}
	for _, p := range h.log.posts() {
		got[p.GetId()] = p.GetLanguage()
	}
	want := map[string]string{"1": "", "2": "", "3": "", "4": "pt", "5": "en", "6": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSamePostIsOneBallot(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountPosts, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	for range 2 {
		h.push(postLine("1", "u1", "anna"), postLine("2", "u1", "anna"))
		h.clock.advance(time.Second)
	}
	type key struct {
		audience.BallotID
		audience.VoterID
	}
	distinct := map[key]int{}
	for _, b := range h.log.ballots(t) {
		distinct[key{b.ID, b.Voter}]++
	}
	if len(distinct) != 2 {
		t.Errorf("%d ballots, want one a post", len(distinct))
	}
}

func TestExactMatch(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchExact)
	h.command("p", audience.VerbOpen)
	h.push(postLine("1", "u1", "Anna!"), postLine("2", "u2", "go anna"), postLine("3", "u3", "#ben"))
	if n := len(h.log.ballots(t)); n != 2 {
		t.Errorf("%d ballots, want 2", n)
	}
}

func TestPostsAndPhases(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	n := 0
	push := func(want int, late bool) {
		t.Helper()
		n++
		before := len(h.log.ballots(t))
		h.push(postLine(fmt.Sprint(n), fmt.Sprint("u", n), "anna"))
		ballots := h.log.ballots(t)
		if len(ballots)-before != want {
			t.Fatalf("%d ballots more, want %d", len(ballots)-before, want)
		}
		name := fmt.Sprint("x:", n)
		for _, b := range ballots {
			if b.Post == name && b.Late() != late {
				t.Errorf("late is %v", b.Late())
			}
		}
	}
	push(0, false) // standby
	h.command("p", audience.VerbOpen)
	push(1, false)
	h.command("p", audience.VerbPause)
	push(0, false)
	h.command("p", audience.VerbResume)
	h.command("p", audience.VerbFreeze)
	push(0, false)
	h.command("p", audience.VerbClose)
	push(1, true)
	h.command("p", audience.VerbReset)
	push(0, false)
	if posts := len(h.log.posts()); posts != 6 {
		t.Errorf("%d posts in the log, want all 6", posts)
	}
}

func TestWherePostsMayVote(t *testing.T) {
	h := newHouse(t, nil)
	for _, id := range []string{"p", "q"} {
		h.social(id, audience.CountAuthors, audience.MatchAnywhere)
		h.command(id, audience.VerbOpen)
	}
	h.putPoll(audience.Poll{ID: "r", Show: "other", Social: &audience.Social{Count: "authors", Match: "anywhere"},
		Options: []audience.Option{{ID: "a", Keywords: []string{"anna"}}, {ID: "b"}}})
	h.command("r", audience.VerbOpen)
	h.push(postLine("1", "u1", "anna"))
	h.putSource(audience.Source{ID: "feed", Connector: audience.ConnectorPush, Polls: []string{"q"}}, "push-key")
	h.push(postLine("2", "u2", "anna"))
	got := map[string]int{}
	for _, b := range h.log.ballots(t) {
		got[b.Poll]++
	}
	if diff := cmp.Diff(map[string]int{"p": 1, "q": 2}, got); diff != "" {
		t.Error(diff)
	}
}

func TestKeywordsMayChangeWhileOpen(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.push(postLine("1", "u1", "annie"))
	h.putPoll(audience.Poll{ID: "p", Social: &audience.Social{Count: audience.CountAuthors, Match: audience.MatchAnywhere},
		Options: []audience.Option{{ID: "a", Label: "Anna", Keywords: []string{"annie"}}, {ID: "b", Label: "Ben"}, {ID: "c", Label: "Cleo"}}})
	h.push(postLine("2", "u2", "annie"))
	if ballots := h.log.ballots(t); len(ballots) != 1 || ballots[0].Post != "x:2" {
		t.Errorf("%+v", ballots)
	}
}

func TestABudgetBoundsAPushSource(t *testing.T) {
	h := newHouse(t, nil)
	h.putSource(audience.Source{ID: "feed", Connector: audience.ConnectorPush, Budget: &audience.Budget{Posts: 2, Per: "hour"}}, "push-key")
	m := h.push(postLine("1", "u", "t"), postLine("2", "u", "t"), postLine("3", "u", "t"))
	if n := h.counter("clamor_capture_posts_unsampled_total", "push"); n != 1 {
		t.Errorf("%v posts that there was no room for", n)
	}
	if m["accepted"] != 2.0 || fmt.Sprint(m["errors"]) != "[map[code:rate-limited detail:the source's budget of 2 posts per hour is spent line:3]]" {
		t.Error(m)
	}
	h.clock.advance(time.Hour)
	if m := h.push(postLine("3", "u", "t")); m["accepted"] != 1.0 {
		t.Error(m)
	}
}

func TestWhoseKeyOpensThePostsDoor(t *testing.T) {
	h := newHouse(t, nil)
	h.putSource(audience.Source{ID: "feed2", Connector: audience.ConnectorPush}, "push2-key")
	for _, key := range []string{"", "wrong", "sms-key", "push2-key"} {
		expect(t, h.do("POST", "/v1/sources/feed/posts", postLine("1", "u", "t"), "Authorization", "Bearer "+key), 401, "source-key-invalid")
	}
	h.put(control.KindSourcePut, "feed", audience.Source{ID: "feed", Show: "show", Connector: audience.ConnectorPush, Enabled: false})
	expect(t, h.do("POST", "/v1/sources/feed/posts", postLine("1", "u", "t"), "Authorization", "Bearer push-key"), 401, "source-key-invalid")
	expect(t, h.do("POST", "/v1/sources/feed2/posts", "", "Authorization", "Bearer push2-key"), 400, "bad-json")
}
