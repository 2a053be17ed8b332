package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// event is one server-sent event.
type event struct {
	id, name, data string
}

type eventStream struct {
	events chan event
	header http.Header
}

// stream opens one; it ends with the test.
func (c *customer) stream(t *testing.T, path, last string) *eventStream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := (&http.Client{Transport: c.http.Transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	c.answers.Add(1)
	c.checker.Check(t, req, res.StatusCode, res.Header, nil)
	s := &eventStream{events: make(chan event, 1000), header: res.Header}
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		_ = res.Body.Close()
		<-done
	})
	go func() {
		defer close(done)
		defer close(s.events)
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		e := event{}
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimPrefix(value, " ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data += value
			case "":
				if e.name != "" && len(s.events) < cap(s.events) {
					s.events <- e
				}
				e = event{}
			}
		}
	}()
	return s
}

// next is the next event but pings, which must have that name.
func (s *eventStream) next(t *testing.T, name string) event {
	t.Helper()
	return s.take(t, name, name, func(e event) bool { return e.name != "ping" || name == "ping" })
}

// until reads on to an event whose data says so.
func (s *eventStream) until(t *testing.T, name, says string) event {
	t.Helper()
	return s.take(t, name, says, func(e event) bool { return strings.Contains(e.data, says) })
}

// take reads on to the first event that is wanted, which must have that name.
func (s *eventStream) take(t *testing.T, name, what string, wanted func(event) bool) event {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				t.Fatalf("the stream ended before %s", what)
			}
			if !wanted(e) {
				continue
			}
			if e.name != name {
				t.Errorf("event %s, want %s: %.300s", e.name, name, e.data)
			}
			return e
		case <-late.C:
			t.Fatalf("%s never came", what)
		}
	}
}

// ends wants the stream to end.
func (s *eventStream) ends(t *testing.T, within time.Duration) {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		select {
		case _, ok := <-s.events:
			if !ok {
				return
			}
		case <-late.C:
			t.Errorf("the stream did not end within %v", within)
			return
		}
	}
}

// streams: server-sent events of feeds and for voters.
func streams(t *testing.T, c *customer) {
	show := c.show(t, "streams")
	poll := c.opened(t, show, "streams-poll", nil)
	base := c.destination(t, show, "streams-onair", "onair", nil) + "/polls/" + poll + "/"
	heartbeat := c.stream(t, base+"events", "")
	began := time.Now()
	t.Run("feed", func(t *testing.T) {
		s := c.stream(t, base+"events", "")
		if got := s.header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") || s.header.Get("Access-Control-Allow-Origin") != "*" || s.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%v", s.header)
		}
		first := s.next(t, "snapshot")
		if a := c.public(t, base+"poll.json"); strings.TrimSpace(string(a.body)) != first.data {
			t.Errorf("the snapshot is %s\nand poll.json %s", first.data, a.body)
		}
		c.crowd(t, poll, 1, "a")
		e := s.until(t, "results", `"total_votes":1,`)
		var o object
		if err := json.Unmarshal([]byte(e.data), &o); err != nil || o["poll_id"] != poll || len(o["options"].([]any)) != 2 || e.id != fmt.Sprintf("%.0f", o["seq"]) {
			t.Errorf("%v: id %s, %s", err, e.id, e.data)
		}
		c.command(t, poll, "pause", nil).is(t, 200, "")
		e = s.until(t, "phase", `"phase":"paused"`)
		// Who comes back with the last id is not told it again.
		again := c.stream(t, base+"events", e.id)
		c.command(t, poll, "resume", nil).is(t, 200, "")
		for {
			e, ok := <-again.events
			if !ok || e.name == "snapshot" {
				t.Fatalf("%v: a snapshot for who has it: %s", ok, e.data)
			}
			if e.name == "phase" {
				break
			}
		}
		c.stream(t, base+"events", "7").next(t, "snapshot")
		c.stream(t, base+"events", "nonsense").next(t, "snapshot")
	})
	t.Run("voters", func(t *testing.T) {
		s := c.stream(t, "/v1/polls/"+poll+"/events", "")
		first := s.next(t, "snapshot")
		var o object
		if err := json.Unmarshal([]byte(first.data), &o); err != nil || o["id"] != poll || o["server_time"] == nil || o["phase"] != "open" {
			t.Errorf("%v %s", err, first.data)
		}
		c.crowd(t, poll, 1, "b")
		s.until(t, "results", `"votes":2,`)
		c.command(t, poll, "close", nil).is(t, 200, "")
		s.until(t, "phase", `"phase":"closed"`)
		c.do(t, request{method: http.MethodPost, path: "/v1/polls/" + poll + "/events"}).is(t, 405, "method-not-allowed")
	})
	t.Run("hidden", func(t *testing.T) {
		secret := c.opened(t, show, "streams-secret", object{"reveal": "close"})
		seen := []*eventStream{c.stream(t, strings.Replace(base, poll, secret, 1)+"events", ""), c.stream(t, "/v1/polls/"+secret+"/events", "")}
		receipts := c.crowd(t, secret, 5, "b")
		c.awaitTotals(t, secret, object{"votes": 5})
		seen = append(seen, c.stream(t, "/v1/polls/"+secret+"/events?receipt="+receipts[0], ""))
		settle(t, 500*time.Millisecond)
		for i, s := range seen {
			if e := s.next(t, "snapshot"); strings.Contains(e.data, `"votes":5`) || strings.Contains(e.data, `"total_votes":5`) || strings.Contains(e.data, `"results"`) {
				t.Errorf("stream %d shows %s", i, e.data)
			}
			if n := len(s.events); n > 0 {
				t.Errorf("stream %d moves with hidden ballots: %d events", i, n)
			}
		}
	})
	t.Run("receipt", func(t *testing.T) {
		rounds := c.opened(t, show, "streams-receipt", object{"reveal": "vote"})
		shown := func(n int, option string) *eventStream {
			query := "?receipt=" + c.crowd(t, rounds, n, option)[0]
			c.await(t, "what the receipt shows", func() bool {
				return strings.Contains(string(c.public(t, "/v1/polls/"+rounds+query).body), fmt.Sprintf(`"totals":{"votes":%d,`, n))
			})
			s := c.stream(t, "/v1/polls/"+rounds+"/events"+query, "")
			if first := s.next(t, "snapshot"); !strings.Contains(first.data, `"results"`) {
				t.Errorf("a receipt shows nothing: %s", first.data)
			}
			return s
		}
		first := shown(1, "b")
		for _, verb := range []string{"close", "reset", "open"} {
			c.obeyed(t, rounds, verb, nil)
		}
		shown(2, "a")
		first.until(t, "phase", `"round":2,`)
		settle(t, 500*time.Millisecond)
		for len(first.events) > 0 {
			if e := <-first.events; strings.Contains(e.data, `"results"`) {
				t.Errorf("a receipt of round 1 shows round 2: %s", e.data)
			}
		}
	})
	t.Run("heartbeat", func(t *testing.T) {
		heartbeat.next(t, "snapshot")
		late := time.NewTimer(time.Until(began.Add(20 * time.Second)))
		defer late.Stop()
		for {
			select {
			case e, ok := <-heartbeat.events:
				if !ok {
					t.Fatal("it ended")
				}
				if e.name == "ping" {
					return
				}
			case <-late.C:
				t.Fatal("no ping in 20 s")
			}
		}
	})
}
