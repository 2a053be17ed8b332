package capture_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/services/capture"
)

func TestMakesAVoter(t *testing.T) {
	h := newHouse(t, nil)
	w := h.do("POST", "/v1/voters", "")
	if w.Code != http.StatusCreated {
		t.Fatal(w.Code, w.Body)
	}
	m := decode(t, w)
	token, _ := m["voter_token"].(string)
	if _, err := h.keys.VerifyVoter(token, h.clock.Now()); err != nil {
		t.Error(err)
	}
	if at, _ := m["expires_at"].(string); at != "2026-07-30T20:00:02.000Z" {
		t.Errorf("expires at %s", at)
	}
	set := w.Header().Get("Set-Cookie")
	for _, part := range []string{"clamor_voter=" + token + ";", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(set, part) {
			t.Errorf("Set-Cookie %q has no %s", set, part)
		}
	}
	if strings.Contains(set, "Secure") {
		t.Error("the cookie of plain HTTP is Secure")
	}
	if w := h.do("POST", "https://clamor.test/v1/voters", ""); !strings.Contains(w.Header().Get("Set-Cookie"), "Secure") {
		t.Error("the cookie behind TLS is not Secure")
	}
	if w := h.do("POST", "/v1/polls/final/ballots", choose(1, "a"), "Cookie", "x=1; clamor_voter="+token); w.Code != http.StatusAccepted {
		t.Error(w.Code, w.Body)
	}
}

func TestABallotIsInTheLogBeforeItIsAcknowledged(t *testing.T) {
	h := newHouse(t, nil)
	token := h.voter()
	w := h.cast("final", token, choose(1, "b"))
	if w.Code != http.StatusAccepted {
		t.Fatal(w.Code, w.Body)
	}
	ballots := h.log.ballots(t)
	if len(ballots) != 1 {
		t.Fatalf("%d ballots in the log", len(ballots))
	}
	b := ballots[0]
	if b.Poll != "final" || b.Round != 1 || b.Choices[0].Slot != 2 || b.PerVoter != 1 || b.OnRepeat != audience.Reject ||
		b.ClosesAt != 0 || b.ReceivedAt != audience.MillisOf(h.clock.Now()) || b.Revision == 0 || b.Source != "" || b.ID.String() != ballotID(1) {
		t.Errorf("%+v", b)
	}
	m := decode(t, w)
	rc, err := h.keys.ParseReceipt(m["receipt"].(string))
	want := keys.Receipt{Poll: "final", Round: 1, Partition: audience.PartitionOf(b.Key(), b.Voter, 4), Mark: tally.Mark(b.Voter, b.ID)}
	if err != nil || rc != want {
		t.Errorf("receipt %+v %v, want %+v", rc, err, want)
	}
	if m["ballot_id"] != ballotID(1) || m["poll"] != "final" || m["round"] != 1.0 || m["received_at"] != "2026-05-01T20:00:02.000Z" {
		t.Errorf("%v", m)
	}
	again := decode(t, h.cast("final", token, choose(1, "b")))
	if again["receipt"] != m["receipt"] {
		t.Error("the same ballot has another receipt")
	}
	if strings.Contains(b.Voter.String(), token) {
		t.Error("the pseudonym tells the token")
	}
}

func TestScores(t *testing.T) {
	h := newHouse(t, nil)
	w := h.cast("jury", h.voter(), `{"ballot_id":"`+ballotID(1)+`","scores":{"c":10,"a":1}}`)
	if w.Code != http.StatusAccepted {
		t.Fatal(w.Code, w.Body)
	}
	b := h.log.ballots(t)[0]
	if len(b.Choices) != 2 || b.Choices[0] != (audience.Choice{Slot: 1, Score: 1}) || b.Choices[1] != (audience.Choice{Slot: 3, Score: 10}) {
		t.Errorf("%+v", b.Choices)
	}
}

func TestRefusals(t *testing.T) {
	h := newHouse(t, nil)
	scores := func(s string) string { return `{"ballot_id":"` + ballotID(1) + `","scores":` + s + `}` }
	for name, tc := range map[string]struct {
		poll, body string
		status     int
		code       string
		pointer    string
	}{
		"no poll":        {"nothing", choose(1, "a"), 404, "poll-not-found", ""},
		"a path":         {"..%2Ffinal", choose(1, "a"), 404, "poll-not-found", ""},
		"malformed":      {"final", `{"ballot_id"`, 400, "bad-json", ""},
		"empty":          {"final", ``, 400, "bad-json", ""},
		"text behind":    {"final", choose(1, "a") + "x", 400, "bad-json", ""},
		"twice":          {"final", `{"ballot_id":"x","ballot_id":"y"}`, 400, "bad-json", ""},
		"no object":      {"final", `["a"]`, 400, "bad-json", ""},
		"bad UTF-8":      {"final", "{\"ballot_id\":\"\xff\"}", 400, "bad-json", ""},
		"NUL":            {"final", "{\"ballot_id\":\"\x00\"}", 400, "bad-json", ""},
		"unknown field":  {"final", `{"ballot_id":"x","choice":"a"}`, 422, "invalid-request", "/choice"},
		"wrong type":     {"final", `{"ballot_id":"x","choices":"a"}`, 422, "invalid-request", "/choices"},
		"no ballot id":   {"final", `{"choices":["a"]}`, 422, "invalid-request", "/ballot_id"},
		"bad uuid":       {"final", `{"ballot_id":"x","choices":["a"]}`, 422, "invalid-ballot", "/ballot_id"},
		"nil uuid":       {"final", `{"ballot_id":"00000000-0000-0000-0000-000000000000","choices":["a"]}`, 422, "invalid-ballot", "/ballot_id"},
		"unknown option": {"final", choose(1, "z"), 422, "invalid-ballot", "/choices/0"},
		"no choices":     {"final", `{"ballot_id":"` + ballotID(1) + `"}`, 422, "invalid-ballot", "/choices"},
		"too many":       {"final", choose(1, "a", "b"), 422, "invalid-ballot", "/choices"},
		"scores here":    {"final", scores(`{"a":1}`), 422, "invalid-ballot", "/scores"},
		"choices there":  {"jury", choose(1, "a"), 422, "invalid-ballot", "/choices"},
		"score high":     {"jury", scores(`{"a":11}`), 422, "invalid-ballot", "/scores/a"},
		"score low":      {"jury", scores(`{"a":0}`), 422, "invalid-ballot", "/scores/a"},
		"score half":     {"jury", scores(`{"a":1.5}`), 422, "invalid-request", "/scores/a"},
		"score nobody":   {"jury", scores(`{"z":1}`), 422, "invalid-ballot", "/scores"},
		"scores many":    {"jury", scores(`{"a":1,"b":1,"c":1}`), 422, "invalid-ballot", "/scores"},
		"too large":      {"final", choose(1, strings.Repeat("a", 65<<10)), 413, "body-too-large", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := expect(t, h.cast(tc.poll, h.voter(), tc.body), tc.status, tc.code)
			if tc.pointer != "" {
				errs, _ := m["errors"].([]any)
				if len(errs) != 1 || errs[0].(map[string]any)["pointer"] != tc.pointer {
					t.Errorf("errors %v, want one at %s", errs, tc.pointer)
				}
			}
		})
	}
	if n := len(h.log.ballots(t)); n != 0 {
		t.Errorf("%d refused ballots are in the log", n)
	}
}

func TestTheSameOptionTwice(t *testing.T) {
	h := newHouse(t, nil)
	h.putPoll(audience.Poll{ID: "two", Limits: audience.Limits{BallotsPerVoter: 1, OnRepeat: audience.Reject, MinChoices: 2, MaxChoices: 2}})
	h.command("two", audience.VerbOpen)
	expect(t, h.cast("two", h.voter(), choose(1, "a", "a")), 422, "invalid-ballot")
	expect(t, h.cast("two", h.voter(), choose(1, "a")), 422, "invalid-ballot")
	if w := h.cast("two", h.voter(), choose(1, "c", "a")); w.Code != 202 {
		t.Error(w.Code, w.Body)
	}
}

func TestVoterTokens(t *testing.T) {
	h := newHouse(t, nil)
	path := "/v1/polls/final/ballots"
	expect(t, h.do("POST", path, choose(1, "a")), 401, "voter-required")
	expect(t, h.do("POST", path, choose(1, "a"), "Authorization", "Bearer "), 401, "voter-required")
	expect(t, h.do("POST", path, choose(1, "a"), "Authorization", "Bearer forged"), 401, "voter-invalid")
	token := h.voter()
	forged := []byte(token)
	forged[20] ^= 1 // another letter, digit or sign of base64, or none of them
	expect(t, h.cast("final", string(forged), choose(1, "a")), 401, "voter-invalid")
	h.clock.advance(time.Hour)
	expect(t, h.cast("final", token, choose(1, "a")), 401, "voter-invalid")
}

func TestPhasesAtTheDoor(t *testing.T) {
	h := newHouse(t, nil)
	try := func(want string) {
		t.Helper()
		w := h.cast("p", h.voter(), choose(1, "a"))
		if want == "open" {
			if w.Code != 202 {
				t.Errorf("open: %d %s", w.Code, w.Body)
			}
			return
		}
		if m := expect(t, w, 409, "poll-not-open"); m["phase"] != want {
			t.Errorf("phase %v, want %s", m["phase"], want)
		}
	}
	h.putPoll(audience.Poll{ID: "p"})
	try("standby")
	for _, step := range []struct {
		verb audience.Verb
		want string
	}{
		{audience.VerbOpen, "open"}, {audience.VerbPause, "paused"}, {audience.VerbResume, "open"},
		{audience.VerbFreeze, "frozen"}, {audience.VerbUnfreeze, "open"}, {audience.VerbClose, "closed"},
		{audience.VerbReset, "standby"}, {audience.VerbOpen, "open"},
	} {
		h.command("p", step.verb)
		try(step.want)
	}
	last := h.log.ballots(t)
	round := uint32(0)
	for _, b := range last {
		round = max(round, b.Round)
	}
	if round != 2 {
		t.Errorf("the round is %d", round)
	}
}

func TestCloseMeansClose(t *testing.T) {
	h := newHouse(t, nil)
	closes := audience.MillisOf(h.clock.Now().Add(10 * time.Second))
	h.putPoll(audience.Poll{ID: "p", ClosesAt: closes})
	h.command("p", audience.VerbOpen)
	h.clock.advance(closes.Time().Sub(h.clock.Now()) - time.Millisecond)
	if w := h.cast("p", h.voter(), choose(1, "a")); w.Code != 202 {
		t.Errorf("a millisecond before the close: %d %s", w.Code, w.Body)
	}
	if b := h.log.ballots(t)[0]; b.ClosesAt != closes || b.Late() {
		t.Errorf("%+v", b)
	}
	h.clock.advance(time.Millisecond)
	expect(t, h.cast("p", h.voter(), choose(2, "a")), 409, "poll-not-open")
}

func TestRateLimits(t *testing.T) {
	h := newHouse(t, func(c *capture.Config, _ *capture.Deps) {
		c.Limits.NetworkBurst = 30
		c.TrustedProxies = []string{"192.0.2.1"}
		c.Limits.Exempt = []string{"198.51.100.0/24"}
	})
	token := h.voter()
	from := func(addr, token string) (int, http.Header) {
		w := h.do("POST", "/v1/polls/final/ballots", "nonsense", "Authorization", "Bearer "+token, "X-Forwarded-For", addr)
		return w.Code, w.Header()
	}
	for i := range 20 {
		if code, _ := from("203.0.113.1", token); code != 400 {
			t.Fatalf("refused ballot %d: %d", i, code)
		}
	}
	code, header := from("203.0.113.1", token)
	if code != 429 || header.Get("Retry-After") != "1" {
		t.Errorf("ballot 21 of a voter: %d, Retry-After %q", code, header.Get("Retry-After"))
	}
	for range 9 {
		from("203.0.113.1", h.voter())
	}
	if code, _ := from("203.0.113.1", h.voter()); code != 429 {
		t.Errorf("request 31 of a network: %d", code)
	}
	if code, _ := from("203.0.113.2", h.voter()); code != 400 {
		t.Errorf("another network: %d", code)
	}
	for range 100 {
		if code, _ := from("127.0.0.1", h.voter()); code != 400 {
			t.Fatalf("loopback: %d", code)
		}
		if code, _ := from("198.51.100.7", h.voter()); code != 400 {
			t.Fatalf("an exempt network: %d", code)
		}
	}
	h.clock.advance(time.Second)
	if code, _ := from("203.0.113.1", token); code != 400 {
		t.Errorf("after a second: %d", code)
	}
}

func TestTheLogAway(t *testing.T) {
	h := newHouse(t, nil)
	h.log.fail(eventlog.ErrUnavailable)
	w := h.cast("final", h.voter(), choose(1, "a"))
	expect(t, w, 503, "log-unavailable")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	h.log.fail(eventlog.ErrOverloaded)
	w = h.cast("final", h.voter(), choose(1, "a"))
	expect(t, w, 503, "overloaded")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	h.log.fail(errors.New("strange"))
	expect(t, h.cast("final", h.voter(), choose(1, "a")), 503, "log-unavailable")
	h.log.fail(nil)
	h.stop()
	expect(t, h.cast("final", h.voter(), choose(1, "a")), 503, "log-unavailable")
}

func TestWrongMethodsAndPaths(t *testing.T) {
	h := newHouse(t, nil)
	w := h.do("DELETE", "/v1/voters", "")
	expect(t, w, 405, "method-not-allowed")
	if w.Header().Get("Allow") != "POST" {
		t.Errorf("Allow %q", w.Header().Get("Allow"))
	}
	expect(t, h.do("GET", "/v1/polls/final/ballots:batch", ""), 405, "method-not-allowed")
	expect(t, h.do("GET", "/v1/nothing", ""), 404, "not-found")
	expect(t, h.do("POST", "/v1/polls/final/ballots:other", ""), 404, "not-found")
	expect(t, h.do("POST", "/v1/hooks/feed", "{}"), 404, "not-found")
}

func TestNoSecretsInLogs(t *testing.T) {
	h := newHouse(t, nil)
	token := h.voter()
	h.cast("final", token, choose(1, "a"))
	h.cast("final", token+"x", choose(1, "a"))
	h.do("POST", "/v1/polls/final/ballots:batch", "{}", "Authorization", "Bearer sms-key")
	h.stop()
	for _, secret := range []string{token, "sms-key", "192.0.2.1"} {
		if strings.Contains(h.logged.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestADestroyedShowTakesNoBallots(t *testing.T) {
	h := newHouse(t, nil)
	if err := h.keys.Destroy(t.Context(), "show"); err != nil {
		t.Fatal(err)
	}
	expect(t, h.cast("final", h.voter(), choose(1, "a")), 409, "poll-not-open")
}
