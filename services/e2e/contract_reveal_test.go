package e2e_test

import (
	"strings"
	"testing"
)

// formats are the feeds of a poll.
var formats = []string{"feed.json", "feed.xml", "feed.csv", "feed.tsv", "feed.txt", "feed.atom", "feed.rss", "poll.json"}

// forms are those that a query asks for.
var forms = []string{"", "?shape=wide", "?sort=rank", "?sort=votes&dir=asc", "?top=1", "?preset=vertigo", "?preset=viz-social", "?preset=caspar", "?preset=spx"}

// reveal: modes and audiences, and that nothing hidden shows anywhere.
func reveal(t *testing.T, c *customer) {
	show := c.show(t, "reveal")
	at := map[string]string{}
	for _, who := range []string{"onair", "public", "producer"} {
		at[who] = c.destination(t, show, "reveal-"+who, who, nil)
	}
	type eyes struct{ onair, public, receipt bool }
	for mode, want := range map[string]map[string]eyes{
		"manual": {"standby": {}, "open": {}, "closed": {}},
		"open":   {"standby": {}, "open": {true, true, true}, "closed": {true, true, true}},
		"vote":   {"standby": {}, "open": {true, false, true}, "closed": {true, false, true}},
		"close":  {"standby": {}, "open": {}, "closed": {true, true, true}},
		"never":  {"standby": {}, "open": {}, "closed": {}},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			poll := c.poll(t, show, "reveal-"+mode, object{"reveal": mode})
			look := &looker{c: c, poll: poll, at: at}
			look.sees(t, want["standby"].onair, want["standby"].public, want["standby"].receipt, 0)
			c.obeyed(t, poll, "open", nil)
			look.hidden(t, mode)
			look.receipt = c.crowd(t, poll, 3-look.cast, "b")[0]
			c.awaitTotals(t, poll, object{"votes": 3})
			look.sees(t, want["open"].onair, want["open"].public, want["open"].receipt, 3)
			if mode == "never" {
				for _, who := range []string{"", "onair", "public", "all"} {
					c.command(t, poll, "reveal", audienceOf(who)).is(t, 409, "reveal-never")
					c.command(t, poll, "hide", audienceOf(who)).is(t, 409, "reveal-never")
				}
			}
			if mode == "manual" {
				look.commanded(t)
			}
			c.obeyed(t, poll, "close", nil)
			look.sees(t, want["closed"].onair, want["closed"].public, want["closed"].receipt, 3)
		})
	}
}

func audienceOf(who string) object {
	if who == "" {
		return nil
	}
	return object{"audience": who}
}

// looker looks at a poll with everybody's eyes.
type looker struct {
	c       *customer
	poll    string
	at      map[string]string
	receipt string
	cast    int
}

// commanded: reveal and hide override the mode for one audience or both.
func (l *looker) commanded(t *testing.T) {
	for _, step := range []struct {
		verb, who     string
		onair, public bool
	}{
		{"reveal", "onair", true, false}, {"reveal", "public", true, true}, {"hide", "onair", false, true}, {"hide", "all", false, false},
		{"reveal", "", true, true}, {"hide", "public", true, false}, {"hide", "", false, false},
	} {
		l.c.command(t, l.poll, step.verb, audienceOf(step.who)).is(t, 200, "")
		l.c.await(t, step.verb+" "+step.who, func() bool { return l.shown(t, "onair") == step.onair && l.shown(t, "public") == step.public })
		l.sees(t, step.onair, step.public, step.public, 3)
	}
}

func (l *looker) shown(t *testing.T, who string) bool {
	return l.c.public(t, l.at[who]+"/polls/"+l.poll+"/poll.json").object(t)["reveal"] == "shown"
}

// sees holds every way to look at the poll to what its audience may see.
func (l *looker) sees(t *testing.T, onair, public, receipt bool, votes float64) {
	t.Helper()
	for who, may := range map[string]bool{"onair": onair, "public": public, "producer": true} {
		want := 0.0
		if may {
			want = votes
		}
		l.c.await(t, who+"'s feed", func() bool {
			return l.c.public(t, l.at[who]+"/polls/"+l.poll+"/poll.json").object(t)["total_votes"] == want
		})
		r := l.c.get(t, "/v1/polls/"+l.poll+"/results?audience="+who).is(t, 200, "").object(t)
		totals := r["totals"].(object)
		if totals["votes"] != want || totals["voters"] != want || r["revealed"] != may {
			t.Errorf("%s's result: %v", who, r)
		}
	}
	l.definition(t, "", public, votes)
	if l.receipt != "" {
		l.definition(t, "?receipt="+l.receipt, receipt || public, votes)
		l.definition(t, "?receipt="+flipped(l.receipt), public, votes)
	}
	if s := l.c.get(t, "/v1/polls/"+l.poll+"/state").object(t); s["results"].(object)["totals"].(object)["votes"] != votes {
		t.Errorf("the producer does not see everything: %v", s["results"])
	}
}

func (l *looker) definition(t *testing.T, query string, may bool, votes float64) {
	t.Helper()
	a := l.c.public(t, "/v1/polls/"+l.poll+query).is(t, 200, "")
	result, shown := a.object(t)["results"].(object)
	if shown != may || shown && result["totals"].(object)["votes"] != votes {
		t.Errorf("%s: results shown %v, want %v: %s", a, shown, may, a.body)
	}
}

// hidden: while ballots come, no byte and no header of a hidden feed moves.
func (l *looker) hidden(t *testing.T, mode string) {
	if mode == "open" {
		return
	}
	c := l.c
	audiences := []string{"public"}
	if mode != "vote" {
		audiences = append(audiences, "onair")
	}
	type seen struct{ body, tag, modified string }
	look := func() map[string]seen {
		all := map[string]seen{}
		for _, who := range audiences {
			for _, format := range formats {
				for _, form := range forms {
					a := c.public(t, l.at[who]+"/polls/"+l.poll+"/"+format+form).is(t, 200, "")
					all[who+format+form] = seen{string(a.body), a.header.Get("ETag"), a.header.Get("Last-Modified")}
				}
			}
		}
		return all
	}
	settle(t, revocation) // Last-Modified comes to rest
	before := look()
	l.cast = len(c.crowd(t, l.poll, 2, "b"))
	c.awaitTotals(t, l.poll, object{"votes": 2})
	for _, who := range audiences {
		for _, row := range c.rows(t, l.at[who]+"/polls/"+l.poll+"/feed.json?sort=votes") {
			if row["rank"] != 1.0 || row["tie_count"] != 2.0 || row["leader"] != false || row["bar"] != 0.0 || row["reveal"] != "hidden" || row["generation"] != 0.0 {
				t.Errorf("a hidden row: %v", row)
			}
		}
	}
	after := look()
	for name, was := range before {
		if after[name] != was {
			t.Errorf("%s moved while hidden:\n%s\n%s", name, was, after[name])
		}
		anna, bruno := strings.Index(was.body, "ANNA"), strings.Index(was.body, "BRUNO")
		if bruno >= 0 && anna > bruno {
			t.Errorf("%s is not in the order of slots: %s", name, was.body)
		}
	}
}
