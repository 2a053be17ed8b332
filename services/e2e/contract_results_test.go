package e2e_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// results: the merged result, its figures and the curve.
func results(t *testing.T, c *customer) {
	show := c.show(t, "results")
	t.Run("figures", func(t *testing.T) { figures(t, c, show) })
	t.Run("score", func(t *testing.T) { scoreFigures(t, c, show) })
	t.Run("denominator", func(t *testing.T) { ofVoters(t, c, show) })
	t.Run("audience", func(t *testing.T) {
		c.get(t, "/v1/polls/results-figures/results?audience=everyone").is(t, 422, "invalid-request")
		c.get(t, "/v1/polls/nope/results").is(t, 404, "poll-not-found")
	})
}

// bulk casts ballots through a gateway: so many for each option.
func (c *customer) bulk(t testing.TB, poll, key string, votes map[string]int) {
	t.Helper()
	var all []any
	for option, n := range votes {
		for i := range n {
			all = append(all, line(fmt.Sprintf("%s-%s-%d", poll, option, i), option))
		}
	}
	c.do(t, request{method: http.MethodPost, path: "/v1/polls/" + poll + "/ballots:batch", as: key, body: lines(t, all...)}).report(t, len(all), 0, map[int]string{})
}

func figures(t *testing.T, c *customer, show string) {
	poll := c.opened(t, show, "results-figures", object{"options": []object{
		{"id": "a", "label": "A"}, {"id": "b", "label": "B"}, {"id": "c", "label": "C"}, {"id": "d", "label": "D"}, {"id": "e", "label": "E"},
	}})
	key := c.source(t, show, "results-gateway", "gateway", nil)
	c.bulk(t, poll, key, map[string]int{"a": 4, "b": 300, "c": 4, "d": 1})
	r := c.awaitTotals(t, poll, object{"votes": 309, "voters": 309})
	for _, k := range []string{"poll", "round", "phase", "status", "seq", "as_of", "stale", "generation", "as_of_offsets", "totals", "options"} {
		if _, ok := r[k]; !ok {
			t.Errorf("no %s in the result", k)
		}
	}
	want := map[string][]any{ // votes, pct, pct_int, pct_text, rank, unique_rank, tie_count, slot
		"a": {4, 1.294, 1, "1%", 2, 2, 2, 1}, "b": {300, 97.087, 97, "97%", 1, 1, 1, 2}, "c": {4, 1.294, 1, "1%", 2, 3, 2, 3},
		"d": {1, 0.324, 1, "1%", 4, 4, 1, 4}, "e": {0, 0, 0, "0%", 5, 5, 1, 5},
	}
	// 97.087 1.294 0.324: the one unit left goes to the largest remainder, d's.
	for i, raw := range r["options"].([]any) {
		o := raw.(object)
		got := []any{o["votes"], o["pct"], o["pct_int"], o["pct_text"], o["rank"], o["unique_rank"], o["tie_count"], o["slot"]}
		if fmt.Sprint(got) != fmt.Sprint(want[o["id"].(string)]) || o["slot"] != float64(i+1) {
			t.Errorf("%v: %v, want %v", o["id"], got, want[o["id"].(string)])
		}
		if o["votes"] != o["votes_batch"].(float64)+o["votes_speed"].(float64) {
			t.Errorf("%v", o)
		}
		if _, ok := o["mean"]; ok {
			t.Errorf("a choice poll has a mean: %v", o)
		}
	}
	c.run(t)
	c.await(t, "reconciled", func() bool {
		r := c.get(t, "/v1/polls/"+poll+"/results").object(t)
		return r["status"] == "reconciled" && r["totals"].(object)["votes_batch"] == 309.0 && r["totals"].(object)["votes_speed"] == 0.0 && r["generation"].(float64) > 0
	})
	c.crowd(t, poll, 1, "e")
	r = c.awaitTotals(t, poll, object{"votes": 310})
	if r["status"] != "provisional" {
		t.Errorf("%v with a ballot since", r["status"])
	}
	curve(t, c, poll)
	// 304 to who has it.
	a := c.get(t, "/v1/polls/"+poll+"/results").is(t, 200, "")
	b := c.do(t, request{method: http.MethodGet, path: "/v1/polls/" + poll + "/results", as: c.token, header: map[string]string{"If-None-Match": a.header.Get("ETag")}})
	if b.status != 304 && string(c.get(t, "/v1/polls/"+poll+"/results").body) == string(a.body) {
		t.Errorf("%d for an unchanged result", b.status)
	}
}

func curve(t *testing.T, c *customer, poll string) {
	var s object
	for _, step := range []string{"", "?step=1m", "?step=10s"} {
		c.await(t, "the curve", func() bool {
			s = c.get(t, "/v1/polls/"+poll+"/series"+step).is(t, 200, "").object(t)
			sum := 0.0
			for _, p := range s["points"].([]any) {
				sum += p.(object)["total"].(float64)
			}
			return sum == 310
		})
		seconds := 60
		if step == "?step=10s" {
			seconds = 10
		}
		for _, p := range s["points"].([]any) {
			at, err := time.Parse(time.RFC3339, p.(object)["at"].(string))
			if err != nil || at.Unix()%int64(seconds) != 0 || len(p.(object)["votes"].([]any)) != 5 {
				t.Errorf("point %v", p)
			}
		}
	}
	if fmt.Sprint(s["options"]) != "[a b c d e]" {
		t.Errorf("options %v", s["options"])
	}
	from, to := stamp(time.Now().Add(time.Hour)), stamp(time.Now().Add(2*time.Hour))
	for _, p := range c.get(t, "/v1/polls/"+poll+"/series?from="+from+"&to="+to).is(t, 200, "").object(t)["points"].([]any) {
		if p.(object)["total"] != 0.0 {
			t.Errorf("votes in the future: %v", p)
		}
	}
	for _, bad := range []string{"step=5s", "from=yesterday", "to=1", "step=10s&from=2001-01-01T00:00:00Z&to=2026-01-01T00:00:00Z"} {
		c.get(t, "/v1/polls/"+poll+"/series?"+bad).is(t, 422, "invalid-request")
	}
}

func scoreFigures(t *testing.T, c *customer, show string) {
	poll := c.opened(t, show, "results-score", object{
		"kind": "score", "limits": object{"score_min": 1, "score_max": 10, "max_choices": 2},
		"options": []object{{"id": "a", "label": "A"}, {"id": "b", "label": "B"}, {"id": "c", "label": "C"}},
	})
	for _, scores := range []object{{"a": 10, "b": 1}, {"a": 7}, {"b": 10}, {"a": 8, "b": 9}} {
		c.cast(t, poll, c.voter(t), object{"ballot_id": newID(), "scores": scores}).is(t, 202, "")
	}
	r := c.awaitTotals(t, poll, object{"votes": 6, "voters": 4})
	want := map[string][]float64{ // votes, sum, mean, pct, pct_int, rank
		"a": {3, 25, 25.0 / 3, 100 * (25.0/3 - 1) / 9, 81, 1}, "b": {3, 20, 20.0 / 3, 100 * (20.0/3 - 1) / 9, 63, 2}, "c": {0, 0, 0, 0, 0, 3},
	}
	for _, raw := range r["options"].([]any) {
		o := raw.(object)
		for i, k := range []string{"votes", "sum", "mean", "pct", "pct_int", "rank"} {
			if got, _ := o[k].(float64); math.Abs(got-want[o["id"].(string)][i]) > 0.001 {
				t.Errorf("%v of %v is %v, want %v", k, o["id"], o[k], want[o["id"].(string)][i])
			}
		}
	}
}

func newID() string { return ballot()["ballot_id"].(string) }

func ofVoters(t *testing.T, c *customer, show string) {
	poll := c.opened(t, show, "results-voters", object{"denominator": "voters", "limits": object{"max_choices": 2}})
	c.cast(t, poll, c.voter(t), ballot("a", "b")).is(t, 202, "")
	c.cast(t, poll, c.voter(t), ballot("a")).is(t, 202, "")
	c.cast(t, poll, c.voter(t), ballot("a")).is(t, 202, "")
	r := c.awaitTotals(t, poll, object{"votes": 4, "voters": 3})
	text := ""
	for _, raw := range r["options"].([]any) {
		o := raw.(object)
		text += fmt.Sprint(o["id"], o["pct"], o["pct_int"], " ")
	}
	if text != "a 100 100 b 33.333 33 " && strings.ReplaceAll(text, " ", "") != "a100100b33.33333" {
		t.Errorf("%q", text)
	}
}

// verified: from the close to the certificate.
func verified(t *testing.T, c *customer) {
	show := c.show(t, "verified")
	poll := c.opened(t, show, "verified", nil)
	receipts := c.crowd(t, poll, 3, "a")
	voter := c.voter(t)
	receipts = append(receipts, c.cast(t, poll, voter, ballot("b")).is(t, 202, "").text(t, "receipt"), c.cast(t, poll, voter, ballot("b")).is(t, 202, "").text(t, "receipt"))
	c.awaitTotals(t, poll, object{"votes": 4, "voters": 4})
	c.get(t, "/v1/polls/"+poll+"/certificate").is(t, 409, "not-sealed")
	c.obeyed(t, poll, "close", nil)
	c.command(t, poll, "reset", object{"at": stamp(time.Now().Add(time.Hour))}).is(t, 200, "")
	run := c.run(t) // one run after the close makes it verified
	c.awaitPhase(t, poll, "verified")
	for _, k := range []string{"run", "state", "steps", "generation"} {
		if run[k] == nil {
			t.Errorf("no %s in the run: %v", k, run)
		}
	}
	r := c.awaitTotals(t, poll, object{"votes": 4, "voters": 4, "votes_batch": 4, "votes_speed": 0})
	if r["status"] != "verified" || r["phase"] != "verified" {
		t.Errorf("%v", r)
	}
	certificate := c.get(t, "/v1/polls/"+poll+"/certificate").is(t, 200, "")
	c.get(t, "/v1/polls/"+poll+"/certificate?round=1").is(t, 200, "")
	for _, want := range []string{poll, "signature"} {
		if !strings.Contains(string(certificate.body), want) {
			t.Errorf("no %s in the certificate: %s", want, certificate.body)
		}
	}
	for i, want := range []string{"counted", "counted", "counted", "counted", "rejected"} {
		if got := c.receipt(t, receipts[i]); got["state"] != want || got["generation"] == nil {
			t.Errorf("receipt %d: %v, want %s with a generation", i, got, want)
		}
	}
	for _, verb := range []string{"open", "pause", "resume", "freeze", "unfreeze", "close"} {
		c.command(t, poll, verb, nil).is(t, 409, "wrong-phase")
	}
	c.command(t, poll, "extend", object{"seconds": 5}).is(t, 409, "wrong-phase")
	c.cast(t, poll, c.voter(t), ballot("a")).is(t, 409, "poll-not-open")
	// What a gateway brings behind the seal is late and changes nothing else.
	c.bulk(t, poll, c.source(t, show, "verified-gateway", "gateway", nil), map[string]int{"b": 2})
	r = c.awaitTotals(t, poll, object{"votes": 4, "voters": 4, "late": 2, "votes_batch": 4, "votes_speed": 0})
	if r["status"] != "verified" {
		t.Errorf("%v behind the seal", r["status"])
	}
	c.command(t, poll, "hide", nil).is(t, 200, "")
	c.obeyed(t, poll, "reset", nil)
	c.get(t, "/v1/polls/"+poll+"/certificate").is(t, 409, "not-sealed")
	c.get(t, "/v1/polls/"+poll+"/certificate?round=1").is(t, 200, "")
	batchRuns(t, c)
}

// batchRuns: one at a time, at most one waiting.
func batchRuns(t *testing.T, c *customer) {
	ids := map[string]bool{}
	for range 6 {
		ids[c.post(t, "/v1/batch/runs", object{}).is(t, 202, "").text(t, "run")] = true
	}
	if len(ids) > 3 {
		t.Errorf("6 calls made %d runs, where one runs and one waits", len(ids))
	}
	for id := range ids {
		c.await(t, "run "+id, func() bool { return c.get(t, "/v1/batch/runs/"+id).is(t, 200, "").object(t)["state"] == "done" })
	}
	for _, bad := range []string{"nope", "..%2f", "%00"} {
		c.get(t, "/v1/batch/runs/"+bad).is(t, 404, "not-found")
	}
	running := 0
	for _, raw := range c.get(t, "/v1/batch/runs").is(t, 200, "").object(t)["items"].([]any) {
		if raw.(object)["state"] == "running" {
			running++
		}
	}
	if running > 1 {
		t.Errorf("%d runs at once", running)
	}
	pages(t, c, "/v1/generations", "generation", nil)
	c.get(t, "/v1/generations").is(t, 200, "")
}
