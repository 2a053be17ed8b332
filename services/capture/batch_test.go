package capture_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
)

func line(n int, ref, option string) string {
	return fmt.Sprintf(`{"ballot_id":%q,"voter_ref":%q,"choices":[%q]}`, ballotID(n), ref, option)
}

func (h *house) batch(poll, key string, lines ...string) (status int, m map[string]any) {
	h.t.Helper()
	w := h.do("POST", "/v1/polls/"+poll+"/ballots:batch", strings.Join(lines, "\n"), "Authorization", "Bearer "+key)
	return w.Code, decode(h.t, w)
}

func TestBadLinesDoNotHinderGoodOnes(t *testing.T) {
	h := newHouse(t, nil)
	status, m := h.batch("final", "sms-key",
		line(1, "+491", "a"), `{"broken"`, "", line(2, "+492", "z"), line(3, "+493", "b")+"\r",
		`{"ballot_id":"`+ballotID(4)+`","choices":["a"]}`, `{"ballot_id":"`+ballotID(5)+`","voter_ref":"x","choices":["a"],"who":1}`)
	if status != 200 || m["accepted"] != 2.0 || m["rejected"] != 4.0 {
		t.Errorf("%d %v", status, m)
	}
	var got []string
	for _, e := range m["errors"].([]any) {
		e := e.(map[string]any)
		got = append(got, fmt.Sprintf("%v %v", e["line"], e["code"]))
	}
	if want := "[2 bad-json 4 invalid-ballot 6 invalid-request 7 invalid-request]"; fmt.Sprint(got) != want {
		t.Errorf("errors %v, want %s", got, want)
	}
	ballots := h.log.ballots(t)
	if len(ballots) != 2 || ballots[0].Source != "sms" {
		t.Errorf("%+v", ballots)
	}
}

func TestAVoterRefIsOneVoterOfTheShow(t *testing.T) {
	h := newHouse(t, nil)
	h.putSource(audience.Source{ID: "sms3", Connector: audience.ConnectorGateway}, "sms3-key")
	h.batch("final", "sms-key", line(1, "+491", "a"))
	h.batch("final", "sms3-key", line(2, "+491", "a"))
	h.batch("final", "sms3-key", line(3, "+492", "a"))
	voters := map[audience.VoterID]int{}
	for _, b := range h.log.ballots(t) {
		voters[b.Voter]++
	}
	if len(voters) != 2 {
		t.Errorf("voters %v", voters)
	}
}

func TestABatchKeepsAVotersOrder(t *testing.T) {
	h := newHouse(t, nil)
	var lines []string
	for n := range 5000 {
		lines = append(lines, line(n+1, fmt.Sprintf("+%d", n%7), "a"))
	}
	if _, m := h.batch("final", "sms-key", lines...); m["accepted"] != 5000.0 {
		t.Fatal(m)
	}
	last := map[audience.VoterID]string{}
	for _, b := range h.log.ballots(t) {
		if id := b.ID.String(); id <= last[b.Voter] {
			t.Fatalf("ballot %s comes behind %s", id, last[b.Voter])
		} else {
			last[b.Voter] = id
		}
	}
}

func TestABatchBehindTheCloseIsLate(t *testing.T) {
	h := newHouse(t, nil)
	h.command("final", audience.VerbClose)
	closed := h.clock.Now().Add(-time.Second)
	if _, m := h.batch("final", "sms-key", line(1, "+491", "a")); m["accepted"] != 1.0 {
		t.Error(m)
	}
	if b := h.log.ballots(t)[0]; !b.Late() || b.ClosesAt > audience.MillisOf(closed.Add(time.Second)) {
		t.Errorf("%+v", b)
	}
	h.command("final", audience.VerbReset)
	if _, m := h.batch("final", "sms-key", line(2, "+491", "a")); m["rejected"] != 1.0 || fmt.Sprint(m["errors"]) != "[map[code:poll-not-open detail:the poll is standby line:1]]" {
		t.Error(m)
	}
	h.command("final", audience.VerbOpen)
	h.command("final", audience.VerbPause)
	if _, m := h.batch("final", "sms-key", line(3, "+491", "a")); m["rejected"] != 1.0 {
		t.Error(m)
	}
}

func TestWhoseKeyOpensTheBatchDoor(t *testing.T) {
	h := newHouse(t, nil)
	path := "/v1/polls/final/ballots:batch"
	expect(t, h.do("POST", path, line(1, "x", "a")), 401, "source-key-invalid")
	for _, key := range []string{"wrong", "push-key", h.voter()} {
		expect(t, h.do("POST", path, line(1, "x", "a"), "Authorization", "Bearer "+key), 401, "source-key-invalid")
	}
	expect(t, h.do("POST", "/v1/polls/nothing/ballots:batch", line(1, "x", "a"), "Authorization", "Bearer sms-key"), 404, "poll-not-found")
	if w := h.do("POST", "/v1/polls/final/ballots%3Abatch", line(1, "x", "a"), "Authorization", "Bearer sms-key"); w.Code != 200 {
		t.Errorf("with an escaped colon: %d %s", w.Code, w.Body)
	}
	expect(t, h.do("POST", path, "\n \n", "Authorization", "Bearer sms-key"), 400, "bad-json")
	if _, m := h.batch("final", "sms2-key", line(1, "x", "a")); m["rejected"] != 1.0 {
		t.Errorf("a poll that is not the source's: %v", m)
	}
	if _, m := h.batch("elsewhere", "sms-key", line(1, "x", "a")); m["rejected"] != 1.0 {
		t.Errorf("a poll of another show: %v", m)
	}
	large := strings.Repeat(line(1, "x", "a")+"\n", 9<<20/80)
	expect(t, h.do("POST", path, large, "Authorization", "Bearer sms-key"), 413, "body-too-large")
	h.log.fail(eventlog.ErrUnavailable)
	expect(t, h.do("POST", path, line(1, "x", "a"), "Authorization", "Bearer sms-key"), 503, "log-unavailable")
}
