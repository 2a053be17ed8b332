package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// lines are the NDJSON of some objects; a string is a line as it is.
func lines(t testing.TB, all ...any) string {
	var b strings.Builder
	for _, v := range all {
		if text, ok := v.(string); ok {
			b.WriteString(text + "\n")
			continue
		}
		buf := new(strings.Builder)
		_, _ = fmt.Fprintf(buf, "%s", mustJSON(t, v))
		b.WriteString(buf.String() + "\n")
	}
	return b.String()
}

func line(ref string, choices ...string) object {
	return object{"ballot_id": uuid.NewString(), "voter_ref": ref, "choices": choices}
}

// report is what a door for lines answers.
func (a *answer) report(t testing.TB, accepted, rejected int, codes map[int]string) {
	t.Helper()
	a.is(t, 200, "")
	if a.number(t, "accepted") != int64(accepted) || a.number(t, "rejected") != int64(rejected) {
		t.Errorf("%s: %s, want %d and %d", a, a.body, accepted, rejected)
	}
	errors, _ := a.object(t)["errors"].([]any)
	got := map[int]string{}
	for _, e := range errors {
		e := e.(object)
		got[int(e["line"].(float64))], _ = e["code"].(string)
	}
	if fmt.Sprint(got) != fmt.Sprint(codes) {
		t.Errorf("%s: errors %v, want %v\n%s", a, got, codes, a.body)
	}
}

// gateways: the door for batches of ballots.
func gateways(t *testing.T, c *customer) {
	show := c.show(t, "gateways")
	other := c.show(t, "gateways-other")
	poll := c.opened(t, show, "gateways-open", nil)
	elsewhere := c.opened(t, other, "gateways-elsewhere", nil)
	key := c.source(t, show, "gateways-sms", "gateway", nil)
	second := c.source(t, show, "gateways-second", "gateway", object{"polls": []string{poll}})
	pushKey := c.source(t, show, "gateways-push", "push", nil)
	door := "/v1/polls/" + poll + "/ballots:batch"
	send := func(path, key string, body any) *answer {
		t.Helper()
		return c.do(t, request{method: http.MethodPost, path: path, as: key, body: body, header: map[string]string{"Content-Type": "application/x-ndjson"}})
	}
	t.Run("keys", func(t *testing.T) {
		send(door, "", lines(t, line("+55", "a"))).is(t, 401, "source-key-invalid")
		for _, wrong := range []string{"nonsense", pushKey, c.token, c.voter(t), flipped(key)} {
			send(door, wrong, lines(t, line("+55", "a"))).is(t, 401, "source-key-invalid")
		}
		send("/v1/polls/nope/ballots:batch", key, lines(t, line("+55", "a"))).is(t, 404, "poll-not-found")
		send("/v1/polls/..%2fx/ballots:batch", key, lines(t, line("+55", "a"))).is(t, 404, "poll-not-found")
	})
	t.Run("lines", func(t *testing.T) {
		same := line("+5511", "a")
		send(door, key, lines(t,
			same, "{", line("+5512", "z"), `{"ballot_id":"`+uuid.NewString()+`","choices":["a"]}`, same,
			with(line("+5513", "b"), object{"sent_at": "2026-01-01T00:00:00Z"}), with(line("+5514", "b"), object{"sent_at": "yesterday"}),
			with(line("+5515", "b"), object{"ballot_id": "7"}), with(line("+5516", "b"), object{"extra": 1}), "[]",
			"", with(line("", "a"), nil), "{\"ballot_id\":\"\xff\"}",
		)).report(t, 3, 9, map[int]string{
			2: "bad-json", 3: "invalid-ballot", 4: "invalid-request", 7: "invalid-request", 8: "invalid-ballot",
			9: "invalid-request", 10: "bad-json", 12: "invalid-request", 13: "bad-json",
		})
		// One voter_ref is one voter in the show, whichever gateway sends it.
		send(door, second, lines(t, line("+5511", "b"))).report(t, 1, 0, nil)
		c.awaitTotals(t, poll, object{"votes": 2, "voters": 2, "duplicates": 1, "rejected": object{"limit": 1.0, "revoked": 0.0}})
		// Without a line end behind the last, and with CRLF.
		send(door, key, strings.TrimRight(lines(t, line("+5520", "a")), "\n")).report(t, 1, 0, nil)
		send(door, key, strings.ReplaceAll(lines(t, line("+5521", "a"), line("+5522", "a")), "\n", "\r\n")).report(t, 2, 0, nil)
		c.awaitTotals(t, poll, object{"votes": 5, "voters": 5})
	})
	t.Run("bodies", func(t *testing.T) {
		for _, empty := range []string{"", "\n\n", "  "} {
			send(door, key, empty).is(t, 400, "bad-json")
		}
		send(door, key, strings.Repeat("x", 8<<20+1)).is(t, 413, "body-too-large")
		last := lines(t, line(strangersPhone, "a"))
		send(door, key, strings.Repeat("\n", 8<<20-len(last))+last).report(t, 1, 0, nil)
	})
	t.Run("other polls", func(t *testing.T) {
		send("/v1/polls/"+elsewhere+"/ballots:batch", key, lines(t, line("+1", "a"))).report(t, 0, 1, map[int]string{1: "poll-not-found"})
		third := c.opened(t, show, "gateways-third", nil)
		send("/v1/polls/"+third+"/ballots:batch", second, lines(t, line("+1", "a"))).report(t, 0, 1, map[int]string{1: "poll-not-found"})
		send("/v1/polls/"+third+"/ballots:batch", key, lines(t, line("+1", "a"))).report(t, 1, 0, nil)
	})
	t.Run("phases", func(t *testing.T) {
		p := c.poll(t, show, "gateways-phases", nil)
		path := "/v1/polls/" + p + "/ballots:batch"
		send(path, key, lines(t, line("+1", "a"))).report(t, 0, 1, map[int]string{1: "poll-not-open"})
		c.obeyed(t, p, "open", nil)
		c.obeyed(t, p, "close", nil)
		send(path, key, lines(t, line("+1", "a"), line("+2", "b"))).report(t, 2, 0, nil)
		c.awaitTotals(t, p, object{"votes": 0, "voters": 0, "late": 2})
		c.cast(t, p, c.voter(t), ballot("a")).is(t, 409, "poll-not-open")
		c.awaitTotals(t, p, object{"votes": 0, "voters": 0, "late": 2})
	})
	t.Run("disabled and deleted", func(t *testing.T) {
		tag := c.get(t, "/v1/sources/gateways-second").header.Get("ETag")
		c.put(t, "/v1/sources/gateways-second", tag, object{"show": show, "connector": "gateway", "enabled": false}).is(t, 200, "")
		c.await(t, "the refusal of a disabled source", func() bool { return send(door, second, lines(t, line("+9", "a"))).status == 401 })
		tag = c.get(t, "/v1/sources/gateways-second").header.Get("ETag")
		c.put(t, "/v1/sources/gateways-second", tag, object{"show": show, "connector": "gateway", "enabled": true}).is(t, 200, "")
		c.await(t, "the source's return", func() bool { return send(door, second, lines(t, line("+10", "a"))).status == 200 })
		c.delete(t, "/v1/sources/gateways-second").is(t, 204, "")
		settle(t, revocation)
		send(door, second, lines(t, line("+11", "a"))).is(t, 401, "source-key-invalid")
	})
}

func post(id, author, text string) object {
	return object{"id": id, "platform": "mastodon", "author": object{"id": author}, "text": text, "created_at": "2026-01-01T00:00:00.000Z"}
}

// posts: the push door and voting by keyword.
func posts(t *testing.T, c *customer) {
	show := c.show(t, "posts")
	social := func(id, count, match string, more object) string {
		return c.opened(t, show, id, with(object{
			"social": object{"count": count, "match": match},
			"options": []object{
				{"id": "a", "label": "Ana", "keywords": []string{"ana", "#TeamAna"}}, {"id": "b", "label": "João", "keywords": []string{"joão", "time joão"}},
				{"id": "c", "label": "Nobody"},
			},
		}, more))
	}
	authors := social("posts-authors", "authors", "anywhere", nil)
	each := social("posts-each", "posts", "anywhere", nil)
	exact := social("posts-exact", "authors", "exact", nil)
	deaf := c.opened(t, show, "posts-deaf", object{"options": []object{{"id": "a", "label": "Ana", "keywords": []string{"ana"}}, {"id": "b", "label": "B"}}})
	key := c.source(t, show, "posts-push", "push", object{"polls": []string{authors, each, exact, deaf}})
	send := func(id, key string, body any) *answer {
		t.Helper()
		return c.do(t, request{method: http.MethodPost, path: "/v1/sources/" + id + "/posts", as: key, body: body})
	}
	t.Run("door", func(t *testing.T) {
		good := post("d1", "x1", "nothing to see")
		send("posts-push", "", lines(t, good)).is(t, 401, "source-key-invalid")
		send("posts-push", flipped(key), lines(t, good)).is(t, 401, "source-key-invalid")
		send("posts-push", c.token, lines(t, good)).is(t, 401, "source-key-invalid")
		send("nope", key, lines(t, good)).is(t, 401, "source-key-invalid")
		send("posts-push", key, "").is(t, 400, "bad-json")
		send("posts-push", key, strings.Repeat("x", 8<<20+1)).is(t, 413, "body-too-large")
		send("posts-push", key, lines(t,
			good, "{", with(good, object{"id": nil}), with(good, object{"author": nil}), with(good, object{"text": nil}),
			with(good, object{"created_at": nil}), with(good, object{"created_at": "soon"}), with(good, object{"likes": 3}),
			with(good, object{"coordinates": object{"lat": 91, "lon": 0}}), with(good, object{"text": 7}), "null",
			with(good, object{
				"id": "d2", "author": object{"id": "x", "name": "X", "handle": "@x", "location": "Rio", "followers": 7, "created_at": "2020-01-01T00:00:00Z"},
				"language": "pt", "coordinates": object{"lat": -22.9, "lon": -43.2}, "reply_to": "1", "repost_of": "2",
				"media": []string{"https://example.com/1.jpg"}, "links": []string{"https://example.com"},
			}),
		)).report(t, 2, 10, map[int]string{
			2: "bad-json", 3: "invalid-request", 4: "invalid-request", 5: "invalid-request", 6: "invalid-request", 7: "invalid-request",
			8: "invalid-request", 9: "invalid-request", 10: "invalid-request", 11: "bad-json",
		})
	})
	t.Run("keywords", func(t *testing.T) {
		send("posts-push", key, lines(t,
			post("k1", "u1", "Vou de ANA hoje!"),  // a
			post("k2", "u2", "#ána"),              // a: without case or accents, # or not
			post("k3", "u3", "teamana"),           // a: #TeamAna is the same word
			post("k4", "u4", "banana"),            // not a whole word
			post("k5", "u5", "@ana é linda"),      // a handle is not the word
			post("k6", "u6", "ana ou joao?"),      // names two
			post("k7", "u7", "Time  Joao, claro"), // b, once though two keywords name it
			post("k8", "u8", "Nobody"),            // no keywords, so named by no post
			post("k9", "u1", "ana de novo"),       // the same author again
			post("k10", "u9", "João"), "",         // b, alone
			post("k1", "u1", "Vou de ANA hoje!"),                         // delivered again
			with(post("k1", "u1", "ana"), object{"platform": "bluesky"}), // another platform's author
			post("k11", "u11", "ANA!"),                                   // a, alone but for the mark
		)).report(t, 13, 0, nil)
		wantVotes(t, c, authors, object{"a": 5, "b": 2, "c": 0}, object{"votes": 7, "voters": 7, "duplicates": 1, "rejected": object{"limit": 1.0, "revoked": 0.0}})
		wantVotes(t, c, each, object{"a": 6, "b": 2, "c": 0}, object{"votes": 8, "duplicates": 1, "rejected": object{"limit": 0.0, "revoked": 0.0}})
		wantVotes(t, c, exact, object{"a": 4, "b": 1, "c": 0}, object{"votes": 5})
		wantVotes(t, c, deaf, object{"a": 0, "b": 0}, object{"votes": 0})
	})
	t.Run("phases", func(t *testing.T) {
		restricted := c.source(t, show, "posts-phases", "push", object{"polls": []string{"posts-late"}})
		late := c.poll(t, show, "posts-late", object{
			"social":  object{},
			"options": []object{{"id": "a", "label": "A", "keywords": []string{"azul"}}, {"id": "b", "label": "B", "keywords": []string{"branco"}}},
		})
		say := func(id, author, text string) {
			t.Helper()
			send("posts-phases", restricted, lines(t, post(id, author, text))).report(t, 1, 0, nil)
		}
		say("p1", "v1", "azul") // standby: nothing
		c.obeyed(t, late, "open", nil)
		say("p2", "v2", "azul")
		c.obeyed(t, late, "pause", nil)
		say("p3", "v3", "azul")
		c.obeyed(t, late, "freeze", nil)
		say("p4", "v4", "azul")
		c.obeyed(t, late, "close", nil)
		say("p5", "v5", "branco")
		say("p6", "v6", "vermelho")
		c.awaitTotals(t, late, object{"votes": 1, "voters": 1, "late": 1, "duplicates": 0})
		send("posts-phases", restricted, lines(t, post("p7", "v7", "ana"))).report(t, 1, 0, nil) // restricted to its polls
		c.awaitTotals(t, authors, object{"votes": 7})
		disabled := c.get(t, "/v1/sources/posts-phases")
		c.put(t, "/v1/sources/posts-phases", disabled.header.Get("ETag"), object{"show": show, "connector": "push", "enabled": false}).is(t, 200, "")
		settle(t, revocation)
		send("posts-phases", restricted, lines(t, post("p8", "v8", "azul"))).is(t, 401, "source-key-invalid")
	})
}

func wantVotes(t *testing.T, c *customer, poll string, votes, totals object) {
	t.Helper()
	c.awaitTotals(t, poll, totals)
	c.await(t, poll+" "+fmt.Sprint(votes), func() bool { return fmt.Sprint(c.votes(t, poll)) == fmt.Sprint(votes) })
}
