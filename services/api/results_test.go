package api_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/speed"
)

var errDown = errors.New("redis is away")

func votes(n int64) func(answer) bool {
	return func(a answer) bool { return a.status == 200 && a.number("totals.votes") == n }
}

func TestResultsMergeBothViews(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.order("p7", "open")
	for v := range 10 {
		r.cast("p7", v, 1)
	}
	r.cast("p7", 3, 2) // again: beyond the limit
	a := r.until("/v1/polls/p7/results", func(a answer) bool { return a.number("totals.rejected.limit") == 1 })
	if a.number("totals.votes") != 10 || a.number("totals.votes_speed") != 10 || a.text("status") != "provisional" {
		t.Fatalf("%s", a.body)
	}
	r.run()
	a = r.until("/v1/polls/p7/results", func(a answer) bool { return a.number("generation") == 1 })
	if a.number("totals.votes_batch") != 10 || a.number("totals.votes_speed") != 0 || a.text("status") != "reconciled" {
		t.Fatalf("%s", a.body)
	}
	r.cast("p7", 20, 2)
	a = r.until("/v1/polls/p7/results", votes(11))
	if a.text("status") != "provisional" || a.number("options.1.votes_speed") != 1 || a.text("options.0.pct_text") != "91%" {
		t.Fatalf("%s", a.body)
	}
	r.order("p7", "close")
	r.run()
	a = r.until("/v1/polls/p7/results", func(a answer) bool { return a.text("status") == "verified" })
	if a.text("phase") != "verified" || a.number("totals.votes") != 11 || a.number("totals.votes_batch") != 11 {
		t.Fatalf("%s", a.body)
	}
	tag := a.header.Get("ETag")
	r.run() // a later generation leaves what is sealed alone
	r.get("/v1/polls/p7/results", header("If-None-Match", tag)).is(304, "")

	r.order("p7", "reset")
	a = r.get("/v1/polls/p7/results").is(200, "")
	if a.number("round") != 2 || a.number("totals.votes") != 0 {
		t.Fatalf("%s", a.body)
	}
	if a = r.get("/v1/polls/p7/results?round=1"); a.number("totals.votes") != 11 || a.text("status") != "verified" {
		t.Fatalf("%s", a.body)
	}
	r.get("/v1/polls/p7/results?round=3").is(404, "round-not-found")
	r.get("/v1/polls/p7/results?round=x").is(422, "invalid-request")
}

func TestAPollerNeverSeesATotalGoDown(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open", "limits": map[string]any{"ballots_per_voter": 0}})
	r.order("p7", "open")
	token := r.feed(nil)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		r.poll(t, token, stop)
	}()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		r.cast("p7", i, uint16(1+rng.IntN(3)))
		switch rng.IntN(40) {
		case 0:
			r.run()
		case 1: // redis goes back to an older state for a moment
			r.speed.each(func(p *fakePart) { p.pos.Next -= 3 })
			<-time.After(15 * time.Millisecond)
			r.speed.each(func(p *fakePart) { p.pos.Next += 3 })
		case 2:
			r.speed.fails(errDown)
			<-time.After(15 * time.Millisecond)
			r.speed.fails(nil)
		case 3:
			r.speed.each(func(p *fakePart) { p.pos.Ready, p.pos.Incarnation = false, p.pos.Incarnation+1 })
			<-time.After(15 * time.Millisecond)
			r.speed.each(func(p *fakePart) { p.pos.Ready = true })
		}
	}
	r.until("/v1/polls/p7/results", votes(400))
	close(stop)
	<-done
}

// poll is a graphics engine that holds what it is given to what it was given.
func (r *rig) poll(t *testing.T, token string, stop chan struct{}) {
	var seq, total int64
	tag, body := "", ""
	for {
		select {
		case <-stop:
			return
		default:
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.server.URL+"/feeds/"+token+"/polls/p7/poll.json", nil)
		res, err := r.server.Client().Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		var now struct {
			Seq, TotalVotes, VotesBatch, VotesSpeed int64
			Options                                 []struct {
				Votes      int64
				VotesBatch int64 `json:"votes_batch"`
				VotesSpeed int64 `json:"votes_speed"`
			}
			Total int64 `json:"total_votes"`
		}
		text := new(strings.Builder)
		err = json.NewDecoder(readAll(res, text)).Decode(&now)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%d %v", res.StatusCode, err)
			return
		}
		var sum int64
		for _, o := range now.Options {
			if o.VotesBatch+o.VotesSpeed != o.Votes {
				t.Errorf("batch and speed do not make votes: %s", text)
			}
			sum += o.Votes
		}
		switch got := res.Header.Get("ETag"); {
		case now.Total < total || now.Seq < seq || sum != now.Total:
			t.Errorf("after %d votes, seq %d: %s", total, seq, text)
		case got == tag && text.String() != body, got != tag && now.Seq == seq:
			t.Errorf("tag %s → %s, seq %d → %d", tag, got, seq, now.Seq)
		default:
			tag = got
		}
		total, seq, body = now.Total, now.Seq, text.String()
	}
}

func TestStoresAwayMeanStaleNotZero(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	r.cast("p7", 1, 1)
	r.until("/v1/polls/p7/results", votes(1))
	r.speed.fails(errDown)
	a := r.until("/v1/polls/p7/results", func(a answer) bool { return a.at("stale") == true })
	if a.number("totals.votes") != 1 {
		t.Fatalf("%s", a.body)
	}
	if sys := r.get("/v1/system").is(200, ""); sys.at("stores.speed.ok") != false || sys.at("stale") != true || strings.Contains(string(sys.body), errDown.Error()) {
		t.Fatalf("%s", sys.body)
	}
	// A hidden poll is hidden in time even so.
	r.order("p7", "hide")
	r.until("/v1/polls/p7/results?audience=onair", func(a answer) bool { return a.number("totals.votes") == 0 && a.at("revealed") == false })
	r.speed.fails(nil)
	a = r.until("/v1/polls/p7/results", func(a answer) bool { return a.at("stale") == false })

	// An emptied Redis that is refilled: the last figures until it is ready.
	seq := a.number("seq")
	r.speed.fails(speed.ErrEmpty)
	r.until("/v1/polls/p7/results", func(a answer) bool { return a.at("stale") == true && a.number("totals.votes") == 1 })
	r.speed.fails(nil)
	a = r.until("/v1/polls/p7/results", func(a answer) bool { return a.at("stale") == false })
	if a.number("totals.votes") != 1 || a.number("seq") <= seq {
		t.Fatalf("%s", a.body)
	}
}

func TestAGenerationThatCannotBeReadYet(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.order("p7", "open")
	r.cast("p7", 1, 1)
	r.until("/v1/polls/p7/results", votes(1))
	r.views.away.Store(true)
	r.run()
	r.cast("p7", 2, 1)
	a := r.until("/v1/polls/p7/results", votes(2)) // the generation before still gives exact results
	if a.number("generation") != 0 || a.at("stale") != false {
		t.Fatalf("%s", a.body)
	}
	r.views.away.Store(false)
	a = r.until("/v1/polls/p7/results", func(a answer) bool { return a.number("generation") == 1 })
	if a.number("totals.votes") != 2 || a.number("totals.votes_batch") != 1 {
		t.Fatalf("%s", a.body)
	}
}

func TestARestartGoesOnWithTheLastFigures(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	token := r.feed(nil)
	for v := range 5 {
		r.cast("p7", v, 1)
	}
	r.run()
	r.cast("p7", 9, 2)
	a := r.until("/feeds/"+token+"/polls/p7/poll.json", func(a answer) bool { return a.number("total_votes") == 6 && a.number("generation") == 1 })
	r.stop()
	r.start()
	b := r.get("/feeds/"+token+"/polls/p7/poll.json").is(200, "")
	if b.number("total_votes") != 6 || b.number("seq") < a.number("seq") {
		t.Fatalf("before %s\nafter %s", a.body, b.body)
	}
}

func TestSeriesAndCertificate(t *testing.T) {
	r := newRig(t)
	r.stage("p7", nil)
	r.order("p7", "open")
	if a := r.get("/v1/polls/p7/series").is(200, ""); len(a.at("points").([]any)) != 0 {
		t.Fatalf("%s", a.body)
	}
	r.cast("p7", 1, 1)
	r.cast("p7", 2, 3)
	r.run()
	r.cast("p7", 3, 3)
	a := r.until("/v1/polls/p7/series?step=10s", func(a answer) bool {
		total := 0.0
		for _, p := range a.at("points").([]any) {
			total += p.(map[string]any)["total"].(float64)
		}
		return total == 3
	})
	if len(a.at("options").([]any)) != 3 {
		t.Fatalf("%s", a.body)
	}
	r.get("/v1/polls/p7/series?step=5s").is(422, "invalid-request")
	r.get("/v1/polls/p7/series?from=yesterday").is(422, "invalid-request")
	r.get("/v1/polls/p7/series?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z").is(422, "invalid-request")
	r.get("/v1/polls/p7/certificate").is(409, "not-sealed")
	r.order("p7", "close")
	r.run()
	a = r.until("/v1/polls/p7/certificate", func(a answer) bool { return a.status == 200 })
	if a.text("poll") != "p7" {
		t.Fatalf("%s", a.body)
	}
	r.until("/v1/polls/p7/series", func(a answer) bool { return len(a.at("points").([]any)) > 0 })
}

func TestCorrectionsAreFlagged(t *testing.T) {
	r := newRig(t)
	r.stage("p7", map[string]any{"limits": map[string]any{"on_repeat": "replace", "max_choices": 3}})
	r.order("p7", "open")
	r.cast("p7", 1, 1, 2, 3)
	a := r.until("/v1/polls/p7/results", votes(3))
	if a.at("correction") != nil {
		t.Fatalf("%s", a.body)
	}
	r.cast("p7", 1, 2)
	if a = r.until("/v1/polls/p7/results", votes(1)); a.at("correction") != true {
		t.Fatalf("a total went down without a word: %s", a.body)
	}
}
