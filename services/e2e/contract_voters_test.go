package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// voters: tokens, the door for ballots and every code of its table.
func voters(t *testing.T, c *customer) {
	show := c.show(t, "voters")
	poll := c.opened(t, show, "voters-open", nil)
	many := c.opened(t, show, "voters-many", object{
		"options": []object{{"id": "a", "label": "A"}, {"id": "b", "label": "B"}, {"id": "c", "label": "C"}},
		"limits":  object{"max_choices": 2, "min_choices": 2},
	})
	score := c.opened(t, show, "voters-score", object{"kind": "score", "limits": object{"score_min": 1, "score_max": 10, "max_choices": 1}})
	t.Run("token", func(t *testing.T) { voterToken(t, c, poll) })
	t.Run("accepted", func(t *testing.T) { accepted(t, c, poll) })
	t.Run("body", func(t *testing.T) { ballotBodies(t, c, poll, many, score) })
	t.Run("phases", func(t *testing.T) { ballotPhases(t, c, show) })
	t.Run("rate", func(t *testing.T) { voterRate(t, c, poll) })
	t.Run("limits", func(t *testing.T) { repeats(t, c, show) })
	t.Run("definition", func(t *testing.T) { publicDefinition(t, c, show, score) })
}

func voterToken(t *testing.T, c *customer, poll string) {
	a := c.do(t, request{method: http.MethodPost, path: "/v1/voters"}).is(t, 201, "")
	token := c.secrets.keep(a.text(t, "voter_token"))
	expires, err := time.Parse(time.RFC3339, a.text(t, "expires_at"))
	if err != nil || !expires.After(time.Now()) {
		t.Errorf("expires_at %v %v", expires, err)
	}
	cookies := (&http.Response{Header: a.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "clamor_voter" || cookies[0].Value != token || !cookies[0].HttpOnly ||
		cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Secure {
		t.Errorf("cookies %+v", cookies)
	}
	path := "/v1/polls/" + poll + "/ballots"
	first := ballot("a")
	c.do(t, request{method: http.MethodPost, path: path, body: first, header: map[string]string{
		"Cookie": "x=y; clamor_voter=" + token, "X-Forwarded-For": strangersAddress, "X-Real-Ip": strangersAddress, "Forwarded": "for=" + strangersAddress,
	}}).is(t, 202, "")
	for name, tc := range map[string]struct {
		header map[string]string
		code   string
	}{
		"none":          {nil, "voter-required"},
		"empty cookie":  {map[string]string{"Cookie": "clamor_voter="}, "voter-required"},
		"noise":         {map[string]string{"Authorization": "Bearer nonsense"}, "voter-invalid"},
		"forged":        {map[string]string{"Authorization": "Bearer " + flipped(token)}, "voter-invalid"},
		"longer":        {map[string]string{"Authorization": "Bearer " + token + "A"}, "voter-invalid"},
		"shorter":       {map[string]string{"Authorization": "Bearer " + token[:len(token)-1]}, "voter-invalid"},
		"admin's":       {map[string]string{"Authorization": "Bearer " + c.token}, "voter-invalid"},
		"forged cookie": {map[string]string{"Cookie": "clamor_voter=" + flipped(token)}, "voter-invalid"},
		"unsigned jwt":  {map[string]string{"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."}, "voter-invalid"},
		"bad utf-8":     {map[string]string{"Authorization": "Bearer \xff\xfe"}, "voter-invalid"},
		"very long":     {map[string]string{"Authorization": "Bearer " + strings.Repeat("A", 8000)}, "voter-invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			c.do(t, request{method: http.MethodPost, path: path, body: ballot("a"), header: tc.header}).is(t, 401, tc.code)
		})
	}
}

// flipped changes one bit in the middle of a token.
func flipped(token string) string {
	b := []byte(token)
	b[len(b)/2] ^= 1
	return string(b)
}

func accepted(t *testing.T, c *customer, poll string) {
	voter, body := c.voter(t), ballot("b")
	before := time.Now().Add(-time.Second)
	a := c.cast(t, poll, voter, body).is(t, 202, "")
	got := a.object(t)
	if len(got) != 5 || got["ballot_id"] != body["ballot_id"] || got["poll"] != poll || got["round"] != 1.0 {
		t.Errorf("%v", got)
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z", a.text(t, "received_at"))
	if err != nil || at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("received_at %v %v", at, err)
	}
	again := c.cast(t, poll, voter, body).is(t, 202, "")
	if again.text(t, "receipt") != a.text(t, "receipt") {
		t.Error("the same ballot has two receipts")
	}
	upper := with(body, object{"ballot_id": strings.ToUpper(body["ballot_id"].(string))})
	c.cast(t, poll, voter, upper).is(t, 202, "")
	c.await(t, "the receipt", func() bool { return c.receipt(t, a.text(t, "receipt"))["state"] == "counted" })
	for _, bad := range []string{"x", flipped(a.text(t, "receipt")), "%00", "..%2f..", strings.Repeat("a", 3000)} {
		c.public(t, "/v1/receipts/"+bad).is(t, 404, "not-found")
	}
	// The same id of another voter is another ballot.
	c.cast(t, poll, c.voter(t), body).is(t, 202, "")
}

func (c *customer) receipt(t testing.TB, receipt string) object {
	t.Helper()
	a := c.public(t, "/v1/receipts/"+receipt).is(t, 200, "")
	for _, word := range []string{"choice", "option", "score", "voter"} {
		if strings.Contains(string(a.body), word) {
			t.Errorf("a receipt tells of the %s: %s", word, a.body)
		}
	}
	return a.object(t)
}

func ballotBodies(t *testing.T, c *customer, poll, many, score string) {
	id := uuid.NewString()
	whole := `{"ballot_id":"` + id + `","choices":["a"]}`
	for name, tc := range map[string]struct {
		poll, body string
		status     int
		code       string
		pointer    string
	}{
		"empty":              {poll, "", 400, "bad-json", ""},
		"spaces":             {poll, " \n ", 400, "bad-json", ""},
		"half":               {poll, whole[:20], 400, "bad-json", ""},
		"no json":            {poll, "ballot_id=1", 400, "bad-json", ""},
		"array":              {poll, "[" + whole + "]", 400, "bad-json", ""},
		"string":             {poll, `"a"`, 400, "bad-json", ""},
		"null":               {poll, "null", 400, "bad-json", ""},
		"behind it":          {poll, whole + "x", 400, "bad-json", ""},
		"two":                {poll, whole + whole, 400, "bad-json", ""},
		"duplicate key":      {poll, `{"ballot_id":"` + id + `","choices":["a"],"choices":["b"]}`, 400, "bad-json", ""},
		"nul byte":           {poll, "{\"ballot_id\":\"\x00\"}", 400, "bad-json", ""},
		"nul escape":         {poll, `{"ballot_id":"` + id + `","choices":["a\u0000"]}`, 400, "bad-json", ""},
		"bad utf-8":          {poll, "{\"ballot_id\":\"" + id + "\",\"choices\":[\"\xff\"]}", 400, "bad-json", ""},
		"lone surrogate":     {poll, `{"ballot_id":"` + id + `","choices":["\ud800"]}`, 400, "bad-json", ""},
		"bom":                {poll, "\ufeff" + whole, 400, "bad-json", ""},
		"deep":               {poll, strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), 413, "body-too-large", ""},
		"nested":             {poll, strings.Repeat(`[`, 30000), 400, "bad-json", ""},
		"large":              {poll, `{"ballot_id":"` + strings.Repeat("a", 65<<10) + `"}`, 413, "body-too-large", ""},
		"unknown field":      {poll, `{"ballot_id":"` + id + `","choices":["a"],"choice":"a"}`, 422, "invalid-request", "/choice"},
		"other case":         {poll, `{"Ballot_ID":"` + id + `","choices":["a"]}`, 422, "invalid-request", "/Ballot_ID"},
		"no ballot_id":       {poll, `{"choices":["a"]}`, 422, "invalid-request", "/ballot_id"},
		"null ballot_id":     {poll, `{"ballot_id":null,"choices":["a"]}`, 422, "invalid-request", "/ballot_id"},
		"number ballot_id":   {poll, `{"ballot_id":1,"choices":["a"]}`, 422, "invalid-request", "/ballot_id"},
		"text choices":       {poll, `{"ballot_id":"` + id + `","choices":"a"}`, 422, "invalid-request", "/choices"},
		"number choice":      {poll, `{"ballot_id":"` + id + `","choices":[1]}`, 422, "invalid-request", "/choices/0"},
		"text score":         {score, `{"ballot_id":"` + id + `","scores":{"a":"7"}}`, 422, "invalid-request", "/scores/a"},
		"half score":         {score, `{"ballot_id":"` + id + `","scores":{"a":7.5}}`, 422, "invalid-request", "/scores/a"},
		"huge score":         {score, `{"ballot_id":"` + id + `","scores":{"a":99999999999999999999}}`, 422, "invalid-request", "/scores/a"},
		"list of scores":     {score, `{"ballot_id":"` + id + `","scores":["a"]}`, 422, "invalid-request", "/scores"},
		"bad uuid":           {poll, `{"ballot_id":"7","choices":["a"]}`, 422, "invalid-ballot", ""},
		"empty uuid":         {poll, `{"ballot_id":"","choices":["a"]}`, 422, "invalid-ballot", ""},
		"nearly a uuid":      {poll, `{"ballot_id":"` + id[:35] + `g","choices":["a"]}`, 422, "invalid-ballot", ""},
		"no choices":         {poll, `{"ballot_id":"` + id + `"}`, 422, "invalid-ballot", ""},
		"empty choices":      {poll, `{"ballot_id":"` + id + `","choices":[]}`, 422, "invalid-ballot", ""},
		"unknown option":     {poll, `{"ballot_id":"` + id + `","choices":["z"]}`, 422, "invalid-ballot", ""},
		"empty option":       {poll, `{"ballot_id":"` + id + `","choices":[""]}`, 422, "invalid-ballot", ""},
		"option as path":     {poll, `{"ballot_id":"` + id + `","choices":["../a"]}`, 422, "invalid-ballot", ""},
		"too many":           {poll, `{"ballot_id":"` + id + `","choices":["a","b"]}`, 422, "invalid-ballot", ""},
		"twice the same":     {many, `{"ballot_id":"` + id + `","choices":["a","a"]}`, 422, "invalid-ballot", ""},
		"too few":            {many, `{"ballot_id":"` + id + `","choices":["a"]}`, 422, "invalid-ballot", ""},
		"three of two":       {many, `{"ballot_id":"` + id + `","choices":["a","b","c"]}`, 422, "invalid-ballot", ""},
		"scores for choices": {poll, `{"ballot_id":"` + id + `","scores":{"a":1}}`, 422, "invalid-ballot", ""},
		"both":               {poll, `{"ballot_id":"` + id + `","choices":["a"],"scores":{"a":1}}`, 422, "invalid-ballot", ""},
		"choices for scores": {score, `{"ballot_id":"` + id + `","choices":["a"]}`, 422, "invalid-ballot", ""},
		"no scores":          {score, `{"ballot_id":"` + id + `","scores":{}}`, 422, "invalid-ballot", ""},
		"score below":        {score, `{"ballot_id":"` + id + `","scores":{"a":0}}`, 422, "invalid-ballot", ""},
		"score above":        {score, `{"ballot_id":"` + id + `","scores":{"a":11}}`, 422, "invalid-ballot", ""},
		"unknown score":      {score, `{"ballot_id":"` + id + `","scores":{"z":5}}`, 422, "invalid-ballot", ""},
		"too many scores":    {score, `{"ballot_id":"` + id + `","scores":{"a":5,"b":5}}`, 422, "invalid-ballot", ""},
		"score twice":        {score, `{"ballot_id":"` + id + `","scores":{"a":5,"a":6}}`, 400, "bad-json", ""},
		"one of two scores":  {score, `{"ballot_id":"` + id + `","scores":{"a":5}}`, 202, "", ""},
		"two of three":       {many, `{"ballot_id":"` + id + `","choices":["c","a"]}`, 202, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := c.cast(t, tc.poll, c.voter(t), tc.body).is(t, tc.status, tc.code)
			if tc.pointer != "" {
				a.names(t, tc.pointer)
			}
			if tc.status >= 400 && a.object(t)["detail"] == nil {
				t.Errorf("%s: no detail", a)
			}
		})
	}
	// 64 kB is not too large; one byte more is.
	full := whole[:1] + strings.Repeat(" ", 64<<10-len(whole)) + whole[1:]
	c.cast(t, poll, c.voter(t), full).is(t, 202, "")
	c.cast(t, poll, c.voter(t), full+" ").is(t, 413, "body-too-large")
	for _, bad := range []string{"nope", "..%2f..%2fetc", "%2e%2e", "a%00b", "%ff%fe", "UPPER", "a%2Fballots", strings.Repeat("x", 2000), "%20", "a;b", "%c3%a9"} {
		t.Run("poll "+bad[:min(len(bad), 12)], func(t *testing.T) {
			c.cast(t, bad, c.voter(t), ballot("a")).is(t, 404, "poll-not-found")
			c.public(t, "/v1/polls/"+bad).is(t, 404, "poll-not-found")
			c.public(t, "/v1/polls/"+bad+"/events").is(t, 404, "poll-not-found")
			c.get(t, "/v1/polls/"+bad+"/state").is(t, 404, "poll-not-found")
			c.get(t, "/v1/polls/"+bad+"/results").is(t, 404, "poll-not-found")
			c.command(t, bad, "open", nil).is(t, 404, "poll-not-found")
		})
	}
	// A voter is asked for before anything is told of the poll.
	c.do(t, request{method: http.MethodPost, path: "/v1/polls/nope/ballots", body: "{"}).is(t, 401, "voter-required")
}

func ballotPhases(t *testing.T, c *customer, show string) {
	poll := c.poll(t, show, "voters-phases", nil)
	voter := c.voter(t)
	refused := func(phase string) {
		t.Helper()
		a := c.cast(t, poll, voter, ballot("a")).is(t, 409, "poll-not-open")
		if a.object(t)["phase"] != phase {
			t.Errorf("phase %v, want %s", a.object(t)["phase"], phase)
		}
	}
	refused("standby")
	for _, step := range [][2]string{{"open", "open"}, {"pause", "paused"}, {"resume", "open"}, {"freeze", "frozen"}, {"unfreeze", "open"}, {"close", "closed"}} {
		c.obeyed(t, poll, step[0], nil)
		if step[1] == "open" {
			c.cast(t, poll, c.voter(t), ballot("a")).is(t, 202, "")
			continue
		}
		refused(step[1])
	}
	// What the poll does not allow is told even where it is not open, but not before.
	c.cast(t, poll, voter, "{").is(t, 400, "bad-json")
	c.cast(t, poll, voter, `{"ballot_id":"x"}`).is(t, 409, "poll-not-open")
}

func voterRate(t *testing.T, c *customer, poll string) {
	voter := c.voter(t)
	var codes []int
	for range 40 {
		a := c.cast(t, poll, voter, `{"ballot_id":"x","choices":["a"]}`)
		codes = append(codes, a.status)
		if a.status == http.StatusTooManyRequests {
			a.is(t, 429, "rate-limited")
			if after := a.header.Get("Retry-After"); after == "" || after == "0" {
				t.Errorf("Retry-After %q", after)
			}
		}
	}
	if slices.Index(codes, 429) < 20 {
		t.Errorf("a voter's 40 refused ballots at once: %v, want 429 only behind a burst of 20", codes)
	}
	// Loopback is exempt from the network's limit: 40 voters at once are not refused.
	for range 40 {
		c.cast(t, poll, c.voter(t), ballot("a")).is(t, 202, "")
	}
}

// repeats: what becomes of a voter's further ballots, and of their receipts.
func repeats(t *testing.T, c *customer, show string) {
	for name, tc := range map[string]struct {
		limits object
		cast   string // options, one ballot each; the first is sent twice
		votes  object
		totals object
		states string // of receipts
	}{
		"reject 1":  {object{"ballots_per_voter": 1, "on_repeat": "reject"}, "ab", object{"a": 1, "b": 0}, object{"votes": 1, "voters": 1, "duplicates": 1}, "counted limit"},
		"replace 1": {object{"ballots_per_voter": 1, "on_repeat": "replace"}, "ab", object{"a": 0, "b": 1}, object{"votes": 1, "voters": 1, "duplicates": 1}, "superseded counted"},
		"reject 2":  {object{"ballots_per_voter": 2, "on_repeat": "reject"}, "aba", object{"a": 1, "b": 1}, object{"votes": 2, "voters": 1, "duplicates": 1}, "counted counted limit"},
		"replace 2": {object{"ballots_per_voter": 2, "on_repeat": "replace"}, "aab", object{"a": 1, "b": 1}, object{"votes": 2, "voters": 1, "duplicates": 1}, "superseded counted counted"},
		"add 2":     {object{"ballots_per_voter": 2, "on_repeat": "add"}, "aab", object{"a": 2, "b": 0}, object{"votes": 2, "voters": 1, "duplicates": 1}, "counted counted limit"},
		"no limit":  {object{"ballots_per_voter": 0}, "aab", object{"a": 2, "b": 1}, object{"votes": 3, "voters": 1, "duplicates": 1}, "counted counted counted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			poll := c.opened(t, show, "voters-"+strings.ReplaceAll(name, " ", "-"), object{"limits": tc.limits})
			voter := c.voter(t)
			var receipts []string
			for i, option := range strings.Split(tc.cast, "") {
				body := ballot(option)
				receipts = append(receipts, c.cast(t, poll, voter, body).is(t, 202, "").text(t, "receipt"))
				if i == 0 {
					c.cast(t, poll, voter, body).is(t, 202, "")
				}
			}
			limited := int64(strings.Count(tc.states, "limit"))
			c.awaitTotals(t, poll, with(tc.totals, object{"rejected": object{"limit": float64(limited), "revoked": 0.0}}))
			c.await(t, fmt.Sprint(tc.votes), func() bool { return fmt.Sprint(c.votes(t, poll)) == fmt.Sprint(tc.votes) })
			for i, state := range strings.Fields(tc.states) {
				got := c.receipt(t, receipts[i])
				if state == "limit" && (got["state"] != "rejected" || got["reason"] != "limit") || state != "limit" && got["state"] != state {
					t.Errorf("receipt %d: %v, want %s", i, got, state)
				}
			}
		})
	}
}

// votes are those of each option.
func (c *customer) votes(t testing.TB, poll string) object {
	t.Helper()
	votes := object{}
	for _, o := range c.get(t, "/v1/polls/"+poll+"/results").is(t, 200, "").object(t)["options"].([]any) {
		votes[o.(object)["id"].(string)] = o.(object)["votes"]
	}
	return votes
}

func publicDefinition(t *testing.T, c *customer, show, score string) {
	poll := c.opened(t, show, "voters-def", object{
		"reveal": "manual", "closes_at": stamp(time.Now().Add(time.Hour)),
		"options": []object{
			{"id": "a", "label": "ANNA", "label_short": "AN", "image": "https://example.com/a.png", "color": "#ff0000", "keywords": []string{"ana"}},
			{"label": "BRUNO"},
		},
	})
	d := c.public(t, "/v1/polls/"+poll).is(t, 200, "").object(t)
	for _, k := range []string{"id", "show", "kind", "question", "options", "phase", "round", "opens_at", "closes_at", "server_time", "max_choices"} {
		if d[k] == nil {
			t.Errorf("no %s in %v", k, d)
		}
	}
	for _, k := range []string{"results", "revision", "limits", "reveal", "social"} {
		if _, ok := d[k]; ok {
			t.Errorf("the public is told of %s", k)
		}
	}
	first, _ := d["options"].([]any)[0].(object)
	if fmt.Sprint(first) != fmt.Sprint(object{"id": "a", "label": "ANNA", "label_short": "AN", "image": "https://example.com/a.png", "color": "#ff0000"}) {
		t.Errorf("%v", first)
	}
	if d := c.public(t, "/v1/polls/"+score).object(t); d["score_min"] != 1.0 || d["score_max"] != 10.0 {
		t.Errorf("a score poll without its range: %v", d)
	}
	c.do(t, request{method: http.MethodHead, path: "/v1/polls/" + poll}).is(t, 200, "")
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
