package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// polls: definitions, revisions and what needs a new round.
func polls(t *testing.T, c *customer) {
	show := c.show(t, "polls")
	t.Run("create", func(t *testing.T) { pollCreate(t, c, show) })
	t.Run("faults", func(t *testing.T) { pollFaults(t, c, show) })
	t.Run("change", func(t *testing.T) { pollChange(t, c, show) })
	t.Run("meaning", func(t *testing.T) { pollMeaning(t, c, show) })
	t.Run("list", func(t *testing.T) { pollList(t, c) })
}

func pollCreate(t *testing.T, c *customer, show string) {
	a := c.post(t, "/v1/polls", definition(show, "polls-one")).is(t, 201, "").has(t, "ETag", `"1"`)
	got := a.object(t)
	for name, want := range map[string]any{
		"revision": 1.0, "phase": "standby", "round": 1.0, "denominator": "votes", "counts_rejected_posts": false, "reveal": "open", "kind": "choice",
		"limits": map[string]any{"ballots_per_voter": 1.0, "on_repeat": "reject", "max_choices": 1.0, "min_choices": 1.0, "score_min": 0.0, "score_max": 0.0},
	} {
		if fmt.Sprint(got[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	for _, unset := range []string{"closes_at", "regions", "social"} {
		if _, ok := got[unset]; ok {
			t.Errorf("%s is not set and yet there", unset)
		}
	}
	c.post(t, "/v1/polls", definition(show, "polls-one")).is(t, 409, "already-exists")
	made := c.post(t, "/v1/polls", with(definition(show, ""), object{"id": nil})).is(t, 201, "")
	c.get(t, "/v1/polls/"+made.text(t, "id")+"/state").is(t, 200, "").has(t, "ETag", `"1"`)
	d := c.post(t, "/v1/polls", with(definition(show, "polls-manual"), object{"reveal": nil})).is(t, 201, "").object(t)
	if d["reveal"] != "manual" {
		t.Errorf("reveal by default is %v", d["reveal"])
	}
	r := c.post(t, "/v1/polls", with(definition(show, "polls-reaction"), object{"kind": "reaction"})).is(t, 201, "").object(t)
	if l := r["limits"].(object); l["ballots_per_voter"] != 0.0 || l["on_repeat"] != "add" {
		t.Errorf("a reaction poll's limits are %v", l)
	}
	s := c.post(t, "/v1/polls", with(definition(show, "polls-social"), object{"social": object{}})).is(t, 201, "").object(t)
	if fmt.Sprint(s["social"]) != "map[count:authors match:anywhere]" {
		t.Errorf("social by default is %v", s["social"])
	}
}

func pollFaults(t *testing.T, c *customer, show string) {
	d := definition(show, "polls-bad")
	options := func(more ...object) []object {
		return append([]object{{"id": "a", "label": "A"}, {"id": "b", "label": "B"}}, more...)
	}
	for pointer, body := range map[string]object{
		"/nonsense":                 {"nonsense": 1},
		"/id":                       {"id": "Not A Slug"},
		"/show":                     {"show": ""},
		"/kind":                     {"kind": "quiz"},
		"/question":                 {"question": " "},
		"/options":                  {"options": []object{{"id": "a", "label": "A"}}},
		"/options/0/label":          {"options": []object{{"id": "a", "label": ""}, {"id": "b", "label": "B"}}},
		"/options/2/id":             {"options": options(object{"id": "a", "label": "C"})},
		"/options/2/label_short":    {"options": options(object{"id": "c", "label": "C", "label_short": "thirteen char"})},
		"/options/2/color":          {"options": options(object{"id": "c", "label": "C", "color": "red"})},
		"/options/2/image":          {"options": options(object{"id": "c", "label": "C", "image": "javascript:alert(1)"})},
		"/options/2/colour":         {"options": options(object{"id": "c", "label": "C", "colour": "#fff"})},
		"/options/2/keywords":       {"options": options(object{"id": "c", "label": "C", "keywords": "c"})},
		"/limits/ballots_per_voter": {"limits": object{"ballots_per_voter": 1001}},
		"/limits/on_repeat":         {"limits": object{"on_repeat": "maybe"}},
		"/limits/max_choices":       {"limits": object{"max_choices": 3}},
		"/limits/min_choices":       {"limits": object{"min_choices": 0}},
		"/limits/score_max":         {"kind": "score", "limits": object{"score_min": 5, "score_max": 5}},
		"/reveal":                   {"reveal": "later"},
		"/denominator":              {"denominator": "people"},
		"/closes_at":                {"closes_at": "2001-01-01T00:00:00.000Z"},
		"/regions/0":                {"regions": []string{"Brazil"}},
		"/social/count":             {"social": object{"count": "likes"}},
		"/social/match":             {"social": object{"match": "fuzzy"}},
		"/counts_rejected_posts":    {"counts_rejected_posts": "no"},
	} {
		t.Run(strings.TrimPrefix(pointer, "/"), func(t *testing.T) {
			c.post(t, "/v1/polls", with(d, body)).is(t, 422, "invalid-request").names(t, pointer)
		})
	}
	for _, unlimited := range []string{"reject", "replace"} {
		c.post(t, "/v1/polls", with(d, object{"limits": object{"ballots_per_voter": 0, "on_repeat": unlimited}})).is(t, 422, "invalid-request").names(t, "/limits/on_repeat")
	}
	c.post(t, "/v1/polls", with(d, object{"closes_at": "tomorrow"})).is(t, 422, "invalid-request").names(t, "/closes_at")
	c.post(t, "/v1/polls", with(d, object{"closes_at": 7})).is(t, 422, "invalid-request").names(t, "/closes_at")
	if a := c.post(t, "/v1/polls", with(d, object{"show": "nowhere"})); a.status != 404 && a.status != 422 {
		t.Errorf("a poll of no show: %d %s", a.status, a.body)
	}
	two := c.post(t, "/v1/polls", with(d, object{"kind": "quiz", "question": ""})).is(t, 422, "invalid-request")
	two.names(t, "/kind").names(t, "/question")
	for name, body := range map[string]string{
		"empty": "", "half": "{", "array": "[]", "null": "null", "text": "x", "two": "{}{}", "twice": `{"id":"a","id":"a"}`, "nul": "{\"id\":\"\x00\"}", "utf-8": "{\"id\":\"\xff\"}",
	} {
		for _, path := range []string{"/v1/polls", "/v1/shows", "/v1/sources", "/v1/destinations", "/v1/tokens", "/v1/topics", "/v1/batch/runs", "/v1/polls/polls-one/commands"} {
			t.Run(name+path, func(t *testing.T) { c.post(t, path, body).is(t, 400, "bad-json") })
		}
	}
	large := `{"id":"` + strings.Repeat("a", 64<<10) + `"}`
	for _, path := range []string{"/v1/polls", "/v1/shows", "/v1/sources", "/v1/destinations", "/v1/tokens", "/v1/topics", "/v1/batch/runs", "/v1/polls/polls-one/commands"} {
		c.post(t, path, large).is(t, 413, "body-too-large")
		c.post(t, path, `{"no_such_field":1}`).is(t, 422, "invalid-request").names(t, "/no_such_field")
	}
}

func pollChange(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "polls-change", nil)
	path, d := "/v1/polls/"+poll, definition(show, poll)
	c.put(t, path, "", d).is(t, 428, "precondition-required")
	c.put(t, path, "", "{").is(t, 428, "precondition-required")
	c.put(t, path, `"7"`, d).is(t, 412, "precondition-failed")
	c.put(t, path, `W/"1"`, d).is(t, 412, "precondition-failed") // If-Match compares strongly
	c.put(t, "/v1/polls/nope", `"1"`, d).is(t, 404, "poll-not-found")
	c.put(t, path, `"1"`, "{").is(t, 400, "bad-json")
	c.put(t, path, `"1"`, with(d, object{"id": "another"})).is(t, 422, "invalid-request").names(t, "/id")
	a := c.put(t, path, `"1"`, with(d, object{"question": "E agora?"})).is(t, 200, "").has(t, "ETag", `"2"`)
	if a.number(t, "revision") != 2 || a.text(t, "question") != "E agora?" {
		t.Errorf("%s", a.body)
	}
	c.put(t, path, `"1"`, d).is(t, 412, "precondition-failed")
	c.put(t, path, `"2"`, with(d, object{"id": nil})).is(t, 200, "").has(t, "ETag", `"3"`)
	c.get(t, path+"/state").is(t, 200, "").has(t, "ETag", `"3"`)
	// Commands raise the revision.
	opened := c.command(t, poll, "open", nil).is(t, 200, "")
	if opened.number(t, "revision") != 4 {
		t.Errorf("open: %s", opened.body)
	}
	c.put(t, path, `"3"`, d).is(t, 412, "precondition-failed")
	if a := c.get(t, path+"/state").has(t, "ETag", `"4"`); a.number(t, "revision") != 4 {
		t.Errorf("%s", a.body)
	}
}

// pollMeaning: what may change while open, and what needs a reset.
func pollMeaning(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "polls-meaning", nil)
	d := definition(show, poll)
	change := func(more object) *answer {
		t.Helper()
		return c.put(t, "/v1/polls/"+poll, c.get(t, "/v1/polls/"+poll+"/state").header.Get("ETag"), with(d, more))
	}
	three := []object{{"id": "x", "label": "X"}, {"id": "y", "label": "Y"}, {"id": "z", "label": "Z"}}
	two := d["options"]
	change(object{"options": three, "limits": object{"max_choices": 2}, "reveal": "close"}).is(t, 200, "")
	change(object{"kind": "reaction"}).is(t, 422, "invalid-request").names(t, "/kind")
	change(object{"options": two, "reveal": "open"}).is(t, 200, "")
	c.obeyed(t, poll, "open", nil)
	change(object{"kind": "reaction"}).is(t, 422, "invalid-request").names(t, "/kind") // no reset would help
	for name, more := range map[string]object{
		"added":   {"options": []object{{"id": "a", "label": "A"}, {"id": "b", "label": "B"}, {"id": "z", "label": "Z"}}},
		"removed": {"options": []object{{"id": "a", "label": "A"}, {"id": "z", "label": "Z"}}},
		"order":   {"options": []object{{"id": "b", "label": "B"}, {"id": "a", "label": "A"}}},
		"limits":  {"limits": object{"ballots_per_voter": 2}},
		"repeat":  {"limits": object{"on_repeat": "replace"}},
		"choices": {"limits": object{"max_choices": 2}},
	} {
		t.Run(name, func(t *testing.T) { change(more).is(t, 409, "needs-reset") })
	}
	change(object{"options": []object{{"id": "a", "label": "ANA", "label_short": "A"}, {"id": "b", "label": "BRUNO"}}, "question": "Quem?"}).is(t, 200, "")
	c.await(t, "the new label", func() bool {
		return strings.Contains(string(c.public(t, "/v1/polls/"+poll).body), `"ANA"`)
	})
	change(object{"reveal": "never"}).is(t, 200, "")
	change(object{"closes_at": stamp(time.Now().Add(time.Hour))}).is(t, 200, "")
	c.await(t, "the closing time", func() bool { return c.public(t, "/v1/polls/"+poll).object(t)["closes_at"] != nil })
	c.obeyed(t, poll, "close", nil)
	change(object{"options": three}).is(t, 409, "needs-reset")
	c.obeyed(t, poll, "reset", nil)
	// In standby of any round the options and limits may change.
	change(object{"options": three, "limits": object{"max_choices": 3}}).is(t, 200, "")
	c.obeyed(t, poll, "open", nil)
	c.cast(t, poll, c.voter(t), ballot("x", "y", "z")).is(t, 202, "")
	first := c.get(t, "/v1/polls/"+poll+"/results?round=1").is(t, 200, "").object(t)
	if n := len(first["options"].([]any)); n != 2 {
		t.Errorf("round 1 has %d options now", n)
	}
}

func pollList(t *testing.T, c *customer) {
	show := c.show(t, "polls-list")
	var want []string
	for i := range 5 {
		want = append(want, c.poll(t, show, fmt.Sprintf("polls-list-%d", i), nil))
	}
	pages(t, c, "/v1/polls?show="+show, "id", want)
	if got := c.get(t, "/v1/polls?show=nowhere").is(t, 200, "").object(t)["items"].([]any); len(got) != 0 {
		t.Errorf("polls of no show: %v", got)
	}
	for _, bad := range []string{"0", "-1", "x", "501", "1.5"} {
		c.get(t, "/v1/polls?limit="+bad).is(t, 422, "invalid-request")
	}
}

// pages reads a list whole, and again in pages of two. Without a wish the list
// may change meanwhile, but nothing stands in it twice.
func pages(t *testing.T, c *customer, path, key string, want []string) {
	t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for _, limit := range []string{"", "limit=2"} {
		var got []string
		after := ""
		for range 200 {
			o := c.get(t, path+sep+limit+"&after="+after).is(t, 200, "").object(t)
			items, _ := o["items"].([]any)
			if limit != "" && len(items) > 2 {
				t.Errorf("%s: %d items where 2 were asked for", path, len(items))
			}
			for _, i := range items {
				id := fmt.Sprint(i.(object)[key])
				if slices.Contains(got, id) {
					t.Errorf("%s by %q: %s twice", path, limit, id)
				}
				got = append(got, id)
			}
			next, _ := o["next"].(string)
			if next == "" {
				break
			}
			after = next
		}
		if want != nil && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s by %q: %v, want %v", path, limit, got, want)
		}
	}
}
