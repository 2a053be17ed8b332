package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// ways leads a fresh poll to a phase.
var ways = map[string][]string{
	"standby": nil, "open": {"open"}, "paused": {"open", "pause"}, "frozen": {"open", "freeze"}, "closed": {"open", "close"},
}

// allowed is the contract's table: from phase by command to phase.
var allowed = map[string]map[string]string{
	"standby": {"open": "open"},
	"open":    {"pause": "paused", "freeze": "frozen", "close": "closed", "extend": "open"},
	"paused":  {"resume": "open", "freeze": "frozen", "close": "closed", "extend": "paused"},
	"frozen":  {"unfreeze": "open", "close": "closed", "extend": "frozen"},
	"closed":  {"reset": "standby"},
}

// commands: every command from every phase, revisions and times.
func commands(t *testing.T, c *customer) {
	show := c.show(t, "commands")
	t.Run("table", func(t *testing.T) {
		for phase, way := range ways {
			for _, verb := range []string{"open", "pause", "resume", "freeze", "unfreeze", "close", "extend", "reveal", "hide", "reset"} {
				t.Run(phase+"/"+verb, func(t *testing.T) {
					t.Parallel()
					oneCommand(t, c, show, phase, way, verb)
				})
			}
		}
	})
	t.Run("frozen while paused", func(t *testing.T) {
		poll := c.poll(t, show, "commands-thaw", nil)
		for _, verb := range []string{"open", "pause", "freeze"} {
			c.command(t, poll, verb, nil).is(t, 200, "")
		}
		if a := c.command(t, poll, "unfreeze", nil).is(t, 200, ""); a.text(t, "phase") != "paused" {
			t.Errorf("%s", a.body)
		}
	})
	t.Run("forms", func(t *testing.T) { commandForms(t, c, show) })
	t.Run("revisions", func(t *testing.T) { commandRevisions(t, c, show) })
	t.Run("times", func(t *testing.T) { commandTimes(t, c, show) })
	t.Run("extend", func(t *testing.T) { extend(t, c, show) })
	t.Run("close means close", func(t *testing.T) { closeMeansClose(t, c, show) })
	t.Run("reset", func(t *testing.T) { reset(t, c, show) })
	t.Run("audit", func(t *testing.T) { audit(t, c, show) })
}

// oneCommand: commands follow one another without a wait, so each is judged on
// the state that the one before leads to.
func oneCommand(t *testing.T, c *customer, show, phase string, way []string, verb string) {
	poll := c.poll(t, show, "commands-"+phase+"-"+verb, object{"closes_at": stamp(time.Now().Add(time.Hour))})
	for _, v := range way {
		c.command(t, poll, v, nil).is(t, 200, "")
	}
	more := object{}
	if verb == "extend" {
		more["seconds"] = 60
	}
	sent := time.Now()
	a := c.command(t, poll, verb, more)
	want, ok := allowed[phase][verb]
	if verb == "reveal" || verb == "hide" {
		want, ok = phase, true
	}
	if !ok {
		a.is(t, 409, "wrong-phase")
		return
	}
	a.is(t, 200, "")
	o := a.object(t)
	if len(o) != 4 || o["poll"] != poll || o["phase"] != want || o["revision"] != float64(len(way)+2) {
		t.Errorf("%s, want %s", a.body, want)
	}
	at, err := time.Parse(time.RFC3339, a.text(t, "effective_at"))
	if ahead := at.Sub(sent); err != nil || ahead < 240*time.Millisecond || ahead > 10*time.Second {
		t.Errorf("effective %v ahead, %v", ahead, err)
	}
	c.awaitPhase(t, poll, want)
}

func commandForms(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "commands-forms", nil)
	for name, tc := range map[string]struct {
		body    object
		pointer string
	}{
		"none":           {object{}, "/command"},
		"unknown":        {object{"command": "explode"}, "/command"},
		"number":         {object{"command": 7}, "/command"},
		"case":           {object{"command": "OPEN"}, "/command"},
		"extra":          {object{"command": "open", "force": true}, "/force"},
		"bad time":       {object{"command": "open", "at": "soon"}, "/at"},
		"past":           {object{"command": "open", "at": "2001-01-01T00:00:00Z"}, "/at"},
		"just past":      {object{"command": "open", "at": stamp(time.Now().Add(-time.Second))}, "/at"},
		"revision text":  {object{"command": "open", "revision": "1"}, "/revision"},
		"revision minus": {object{"command": "open", "revision": -1}, "/revision"},
		"audience":       {object{"command": "reveal", "audience": "everyone"}, "/audience"},
		"seconds":        {object{"command": "extend", "seconds": 0}, "/seconds"},
		"seconds minus":  {object{"command": "extend", "seconds": -5}, "/seconds"},
		"seconds text":   {object{"command": "extend", "seconds": "60"}, "/seconds"},
		"neither":        {object{"command": "extend"}, "/seconds"},
		"long reason":    {object{"command": "open", "reason": strings.Repeat("x", 5000)}, "/reason"},
	} {
		t.Run(name, func(t *testing.T) {
			c.post(t, "/v1/polls/"+poll+"/commands", tc.body).is(t, 422, "invalid-request").names(t, tc.pointer)
		})
	}
	if d := c.public(t, "/v1/polls/"+poll).object(t); d["phase"] != "standby" {
		t.Errorf("it is %v behind refused commands", d["phase"])
	}
}

func commandRevisions(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "commands-revisions", nil)
	a := c.command(t, poll, "open", object{"revision": 9}).is(t, 409, "revision-conflict")
	if a.number(t, "revision") != 1 {
		t.Errorf("%s", a.body)
	}
	c.command(t, poll, "open", object{"revision": 1, "reason": "on air"}).is(t, 200, "").has(t, "ETag", `"2"`)
	if a := c.command(t, poll, "close", object{"revision": 1}).is(t, 409, "revision-conflict"); a.number(t, "revision") != 2 {
		t.Errorf("%s", a.body)
	}
	c.command(t, poll, "close", object{"revision": 2}).is(t, 200, "")
	// Of many at once with the same revision one wins.
	race := c.poll(t, show, "commands-race", nil)
	answers := make(chan *answer, 8)
	for range cap(answers) {
		go func() { answers <- c.command(t, race, "open", object{"revision": 1}) }()
	}
	won := 0
	for range cap(answers) {
		if a := <-answers; a.status == 200 {
			won++
		} else {
			a.is(t, 409, "revision-conflict")
		}
	}
	if won != 1 {
		t.Errorf("%d of %d won", won, cap(answers))
	}
}

func commandTimes(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "commands-times", nil)
	at := time.Now().Add(2 * time.Second).Truncate(time.Millisecond)
	a := c.command(t, poll, "open", object{"at": stamp(at)}).is(t, 200, "")
	if a.text(t, "effective_at") != stamp(at) || a.text(t, "phase") != "open" {
		t.Errorf("%s, want it at %s", a.body, stamp(at))
	}
	if d := c.public(t, "/v1/polls/"+poll).object(t); d["phase"] != "standby" {
		t.Errorf("%v before its time", d["phase"])
	}
	// Judged on the state in force at its time: open by then.
	closing := at.Add(1500 * time.Millisecond)
	c.command(t, poll, "close", object{"at": stamp(closing)}).is(t, 200, "")
	c.command(t, poll, "close", nil).is(t, 409, "wrong-phase") // not open yet
	paused := c.command(t, poll, "pause", object{"at": stamp(closing.Add(time.Second))})
	paused.is(t, 409, "wrong-phase") // closed by then
	c.command(t, poll, "pause", object{"at": stamp(at.Add(800 * time.Millisecond))}).is(t, 200, "")
	c.awaitPhase(t, poll, "open")
	if early := time.Until(at); early > 0 {
		t.Errorf("open %v early", early)
	}
	c.awaitPhase(t, poll, "paused")
	c.awaitPhase(t, poll, "closed")
	if early := time.Until(closing); early > 0 {
		t.Errorf("closed %v early", early)
	}
	// Nearer than the margin becomes the margin.
	near := c.poll(t, show, "commands-near", nil)
	sent := time.Now()
	a = c.command(t, near, "open", object{"at": stamp(sent.Add(60 * time.Millisecond))})
	if a.status == 422 {
		return // the machine was too slow: its time has passed
	}
	effective, _ := time.Parse(time.RFC3339, a.is(t, 200, "").text(t, "effective_at"))
	if effective.Before(sent.Add(249 * time.Millisecond)) {
		t.Errorf("effective %v after it was sent", effective.Sub(sent))
	}
	// One that no longer fits when its time comes is skipped, and the audit says so.
	c.obeyed(t, near, "pause", object{"at": stamp(time.Now().Add(time.Second))})
	c.command(t, near, "resume", object{"at": stamp(time.Now().Add(2 * time.Second))}).is(t, 200, "")
	c.command(t, near, "close", nil).is(t, 200, "")
	c.await(t, "the skipped command in the audit", func() bool {
		return strings.Contains(string(c.get(t, "/v1/polls/"+near+"/audit").body), "skipped")
	})
	c.awaitPhase(t, near, "closed")
}

func extend(t *testing.T, c *customer, show string) {
	open := c.opened(t, show, "commands-endless", nil)
	c.command(t, open, "extend", object{"seconds": 10}).is(t, 422, "no-closing-time")
	at := time.Now().Add(time.Hour).Truncate(time.Second)
	poll := c.opened(t, show, "commands-extend", object{"closes_at": stamp(at)})
	c.command(t, poll, "extend", object{"seconds": 90}).is(t, 200, "")
	c.await(t, "the later close", func() bool {
		return c.public(t, "/v1/polls/"+poll).object(t)["closes_at"] == stamp(at.Add(90*time.Second))
	})
	to := time.Now().Add(2 * time.Second).Truncate(time.Millisecond)
	c.command(t, poll, "extend", object{"at": stamp(to)}).is(t, 200, "")
	c.await(t, "the sooner close", func() bool { return c.public(t, "/v1/polls/"+poll).object(t)["closes_at"] == stamp(to) })
	c.awaitPhase(t, poll, "closed") // by itself
	if early := time.Until(to); early > 0 {
		t.Errorf("closed %v early", early)
	}
	if trail := c.get(t, "/v1/polls/"+poll+"/audit").is(t, 200, ""); !strings.Contains(string(trail.body), `"actor":"clock","kind":"poll.closed"`) {
		t.Errorf("the audit does not say that it closed by itself: %s", trail.body)
	}
	c.command(t, poll, "extend", object{"seconds": 10}).is(t, 409, "wrong-phase")
	c.command(t, poll, "reset", nil).is(t, 200, "")
	c.awaitPhase(t, poll, "standby")
	if d := c.public(t, "/v1/polls/"+poll).object(t); d["closes_at"] != nil {
		t.Errorf("reset kept the past closing time %v", d["closes_at"])
	}
	c.command(t, poll, "extend", object{"seconds": 10}).is(t, 409, "wrong-phase")
}

// closeMeansClose compares received_at with the close's effective_at.
func closeMeansClose(t *testing.T, c *customer, show string) {
	poll := c.opened(t, show, "commands-close", nil)
	var voters []string
	for range 40 {
		voters = append(voters, c.voter(t))
	}
	effective := c.command(t, poll, "close", nil).is(t, 200, "").text(t, "effective_at")
	counted := 0
	for _, v := range voters {
		a := c.cast(t, poll, v, ballot("a"))
		if a.status != 202 {
			a.is(t, 409, "poll-not-open")
			if now := stamp(time.Now()); now < effective {
				t.Errorf("refused at %s, before %s", now, effective)
			}
			settle(t, 5*time.Millisecond)
			continue
		}
		counted++
		if at := a.text(t, "received_at"); at >= effective {
			t.Errorf("taken at %s, closed at %s", at, effective)
		}
		settle(t, 10*time.Millisecond)
	}
	c.awaitTotals(t, poll, object{"votes": counted, "late": 0})
}

func reset(t *testing.T, c *customer, show string) {
	poll := c.opened(t, show, "commands-reset", object{"reveal": "open"})
	c.crowd(t, poll, 1, "a")
	voter, body := c.voter(t), ballot("b")
	c.cast(t, poll, voter, body).is(t, 202, "")
	c.awaitTotals(t, poll, object{"votes": 2})
	c.obeyed(t, poll, "close", nil)
	c.command(t, poll, "hide", nil).is(t, 200, "")
	a := c.command(t, poll, "reset", nil).is(t, 200, "")
	if a.text(t, "phase") != "standby" {
		t.Errorf("%s", a.body)
	}
	c.awaitPhase(t, poll, "standby")
	d := c.public(t, "/v1/polls/"+poll).object(t)
	if d["round"] != 2.0 {
		t.Errorf("round %v", d["round"])
	}
	c.obeyed(t, poll, "open", nil)
	c.await(t, "the mode's return in the new round", func() bool { return c.public(t, "/v1/polls/"+poll).object(t)["results"] != nil })
	c.cast(t, poll, voter, body).is(t, 202, "") // the same id in another round is another ballot
	r := c.awaitTotals(t, poll, object{"votes": 1, "voters": 1, "duplicates": 0})
	if r["round"] != 2.0 {
		t.Errorf("%v", r)
	}
	first := c.get(t, "/v1/polls/"+poll+"/results?round=1").is(t, 200, "").object(t)
	if totals := first["totals"].(object); totals["votes"] != 2.0 || first["round"] != 1.0 {
		t.Errorf("round 1 is %v", first)
	}
	for _, round := range []string{"3", "0", "99999"} {
		c.get(t, "/v1/polls/"+poll+"/results?round="+round).is(t, 404, "round-not-found")
		c.get(t, "/v1/polls/"+poll+"/series?round="+round).is(t, 404, "round-not-found")
		c.get(t, "/v1/polls/"+poll+"/certificate?round="+round).is(t, 404, "round-not-found")
	}
	for _, round := range []string{"x", "1.5", "-1"} {
		c.get(t, "/v1/polls/"+poll+"/results?round="+round).is(t, 422, "invalid-request")
	}
}

func audit(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "commands-audit", nil)
	d := definition(show, poll)
	c.put(t, "/v1/polls/"+poll, `"1"`, with(d, object{"question": "Nova?"})).is(t, 200, "")
	c.command(t, poll, "open", object{"reason": "the floor manager said so"}).is(t, 200, "")
	c.command(t, poll, "pause", nil).is(t, 200, "")
	c.command(t, poll, "open", nil).is(t, 409, "wrong-phase")
	items := c.get(t, "/v1/polls/"+poll+"/audit").is(t, 200, "").object(t)["items"].([]any)
	if len(items) != 4 {
		t.Fatalf("%d entries: %v", len(items), items)
	}
	last := 0.0
	for i, raw := range items {
		e := raw.(object)
		offset, _ := e["offset"].(float64)
		if e["actor"] == "" || e["at"] == nil || offset <= last || e["after"] == nil || i > 0 && e["before"] == nil {
			t.Errorf("entry %d: %v", i, e)
		}
		last = offset
	}
	text := fmt.Sprint(items)
	for _, want := range []string{"the floor manager said so", "Quem ganha?", "Nova?", "poll.put", "poll.command"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the audit", want)
		}
	}
	pages(t, c, "/v1/polls/"+poll+"/audit", "offset", nil)
}
