package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// tokens: roles by route, tokens of one show, and how they end.
func tokens(t *testing.T, c *customer) {
	show, other := c.show(t, "tokens"), c.show(t, "tokens-other")
	c.opened(t, show, "tokens-mine", nil)
	c.opened(t, other, "tokens-theirs", nil)
	t.Run("roles", func(t *testing.T) { roles(t, c) })
	t.Run("show", func(t *testing.T) { oneShow(t, c, show, other) })
	t.Run("forms", func(t *testing.T) {
		made := c.post(t, "/v1/tokens", object{"name": "x", "role": "observer", "expires_at": stamp(time.Now().Add(time.Hour))}).is(t, 201, "").object(t)
		c.secrets.keep(made["token"].(string))
		list := c.get(t, "/v1/tokens?limit=500").is(t, 200, "")
		if strings.Contains(string(list.body), made["token"].(string)) || strings.Contains(string(list.body), "hash") {
			t.Error("the list shows a token")
		}
		if !strings.Contains(string(list.body), made["id"].(string)) {
			t.Error("the list lacks the token")
		}
		for pointer, body := range map[string]object{
			"/name": {"role": "observer"}, "/role": {"name": "x"}, "/expires_at": {"name": "x", "role": "observer", "expires_at": "2001-01-01T00:00:00Z"},
			"/scope": {"name": "x", "role": "observer", "scope": "all"},
		} {
			c.post(t, "/v1/tokens", body).is(t, 422, "invalid-request").names(t, pointer)
		}
		c.post(t, "/v1/tokens", object{"name": "x", "role": "root"}).is(t, 422, "invalid-request").names(t, "/role")
		c.delete(t, "/v1/tokens/nope").is(t, 404, "not-found")
		pages(t, c, "/v1/tokens", "id", nil)
	})
	t.Run("expiry", func(t *testing.T) {
		at := time.Now().Add(3 * time.Second)
		token := c.secrets.keep(c.post(t, "/v1/tokens", object{"name": "short", "role": "observer", "expires_at": stamp(at)}).is(t, 201, "").text(t, "token"))
		read := request{method: http.MethodGet, path: "/v1/shows", as: token}
		c.do(t, read).is(t, 200, "")
		settle(t, time.Until(at)+20*time.Millisecond)
		c.do(t, read).is(t, 401, "token-invalid")
	})
	t.Run("revocation", func(t *testing.T) {
		made := c.post(t, "/v1/tokens", object{"name": "gone", "role": "admin"}).is(t, 201, "").object(t)
		read := request{method: http.MethodGet, path: "/v1/tokens", as: c.secrets.keep(made["token"].(string))}
		c.do(t, read).is(t, 200, "")
		c.delete(t, "/v1/tokens/"+made["id"].(string)).is(t, 204, "")
		settle(t, revocation)
		c.do(t, read).is(t, 401, "token-invalid")
		c.delete(t, "/v1/tokens/"+made["id"].(string)).is(t, 404, "not-found")
	})
}

// gates are the routes that need a role, with the least that passes.
var gates = [][3]string{
	{"GET", "/v1/shows", "observer"}, {"GET", "/v1/shows/nope", "observer"}, {"GET", "/v1/polls", "observer"}, {"GET", "/v1/polls/nope/state", "observer"},
	{"GET", "/v1/polls/nope/results", "observer"}, {"GET", "/v1/polls/nope/series", "observer"}, {"GET", "/v1/polls/nope/audit", "observer"},
	{"GET", "/v1/polls/nope/certificate", "observer"}, {"GET", "/v1/sources", "observer"}, {"GET", "/v1/sources/nope", "observer"},
	{"GET", "/v1/destinations", "observer"}, {"GET", "/v1/destinations/nope", "observer"}, {"GET", "/v1/topics", "observer"}, {"GET", "/v1/topics/nope", "observer"},
	{"GET", "/v1/batch/runs", "observer"}, {"GET", "/v1/batch/runs/nope", "observer"}, {"GET", "/v1/generations", "observer"}, {"GET", "/v1/system", "observer"},
	{"POST", "/v1/shows", "producer"}, {"PUT", "/v1/shows/nope", "producer"}, {"POST", "/v1/polls", "producer"}, {"PUT", "/v1/polls/nope", "producer"},
	{"POST", "/v1/polls/nope/commands", "producer"}, {"POST", "/v1/sources", "producer"}, {"PUT", "/v1/sources/nope", "producer"}, {"DELETE", "/v1/sources/nope", "producer"},
	{"POST", "/v1/destinations", "producer"}, {"PUT", "/v1/destinations/nope", "producer"}, {"DELETE", "/v1/destinations/nope", "producer"},
	{"POST", "/v1/topics", "producer"}, {"PUT", "/v1/topics/nope", "producer"}, {"DELETE", "/v1/topics/nope", "producer"},
	{"GET", "/v1/tokens", "admin"}, {"POST", "/v1/tokens", "admin"}, {"DELETE", "/v1/tokens/nope", "admin"},
}

// roles: the role is looked at before the body and before whether the thing
// exists.
func roles(t *testing.T, c *customer) {
	order := []string{"observer", "moderator", "producer", "admin"}
	by := map[string]string{}
	for _, role := range order {
		by[role] = c.apiToken(t, role, "")
	}
	for _, gate := range gates {
		method, path, least := gate[0], gate[1], gate[2]
		t.Run(method+path, func(t *testing.T) {
			r := request{method: method, path: path}
			if method != http.MethodGet && method != http.MethodDelete {
				r.body = "{"
			}
			c.do(t, r).is(t, 401, "token-required")
			for _, wrong := range []string{"nonsense", flipped(c.token), c.voter(t)} {
				r.as = wrong
				c.do(t, r).is(t, 401, "token-invalid")
			}
			basic := r
			basic.as, basic.header = "", map[string]string{"Authorization": "Basic dXNlcjpwYXNz"}
			c.do(t, basic).is(t, 401, "token-invalid")
			passes := false
			for _, role := range order {
				passes = passes || role == least
				r.as = by[role]
				a := c.do(t, r)
				if !passes {
					a.is(t, 403, "forbidden")
				} else if a.status == 401 || a.status == 403 {
					t.Errorf("%s as %s: %d %s", a, role, a.status, a.body)
				}
			}
		})
	}
	producer := by["producer"]
	c.do(t, request{method: "POST", path: "/v1/shows", as: producer, body: object{"id": "tokens-by-producer", "title": "x"}}).is(t, 201, "")
	c.do(t, request{method: "POST", path: "/v1/batch/runs", as: by["moderator"], body: object{}}).is(t, 403, "forbidden")
}

// oneShow: a token of one show does not see that others exist.
func oneShow(t *testing.T, c *customer, show, other string) {
	mine := map[string]string{}
	for _, role := range []string{"observer", "producer", "admin"} {
		mine[role] = c.apiToken(t, role, show)
	}
	c.source(t, other, "tokens-source", "gateway", nil)
	c.destination(t, other, "tokens-destination", "onair", nil)
	c.post(t, "/v1/topics", object{"id": "tokens-topic", "show": other, "title": "T", "rule": "ana"}).is(t, 201, "")
	call := func(method, path string, body any) *answer {
		t.Helper()
		r := request{method: method, path: path, as: mine["producer"], body: body, header: map[string]string{"If-Match": `"1"`}}
		return c.do(t, r)
	}
	for _, path := range []string{
		"/v1/shows/" + other, "/v1/polls/tokens-theirs/state", "/v1/polls/tokens-theirs/results", "/v1/polls/tokens-theirs/series", "/v1/polls/tokens-theirs/audit",
		"/v1/polls/tokens-theirs/certificate", "/v1/sources/tokens-source", "/v1/destinations/tokens-destination", "/v1/topics/tokens-topic",
	} {
		if a := call("GET", path, nil); a.status != 404 {
			t.Errorf("%s: %d", a, a.status)
		}
	}
	for path, body := range map[string]object{
		"/v1/shows/" + other: {"title": "Stolen"}, "/v1/polls/tokens-theirs": definition(other, "tokens-theirs"),
		"/v1/sources/tokens-source":           {"show": other, "connector": "gateway"},
		"/v1/destinations/tokens-destination": {"show": other}, "/v1/topics/tokens-topic": {"show": other, "title": "T", "rule": "x"},
	} {
		if a := call("PUT", path, body); a.status != 404 {
			t.Errorf("%s: %d %s", a, a.status, a.body)
		}
	}
	for path, body := range map[string]object{
		"/v1/polls/tokens-theirs/commands": {"command": "close"}, "/v1/polls": definition(other, "tokens-new"), "/v1/sources": {"show": other, "connector": "gateway"},
		"/v1/destinations": {"show": other}, "/v1/topics": {"show": other, "title": "T", "rule": "x"},
	} {
		if a := call("POST", path, body); a.status != 404 {
			t.Errorf("%s: %d %s", a, a.status, a.body)
		}
	}
	for _, path := range []string{"/v1/sources/tokens-source", "/v1/destinations/tokens-destination", "/v1/topics/tokens-topic"} {
		if a := call("DELETE", path, nil); a.status != 404 {
			t.Errorf("%s: %d", a, a.status)
		}
	}
	// Into another show nothing can be moved either.
	if a := call("PUT", "/v1/polls/tokens-mine", definition(other, "tokens-mine")); a.status != 404 && a.status != 412 {
		t.Errorf("%s: %d", a, a.status)
	}
	for _, path := range []string{"/v1/shows", "/v1/polls", "/v1/sources", "/v1/destinations", "/v1/topics", "/v1/polls?show=" + other} {
		a := call("GET", path+"", nil).is(t, 200, "")
		if strings.Contains(string(a.body), other) {
			t.Errorf("%s tells of another show: %s", path, a.body)
		}
	}
	if a := call("POST", "/v1/shows", object{"id": "tokens-third", "title": "x"}); a.status != 403 && a.status != 404 {
		t.Errorf("%s: %d", a, a.status)
	}
	if a := call("GET", "/v1/generations", nil).is(t, 200, ""); strings.Contains(string(a.body), `"poll"`) {
		t.Errorf("generations tell of another show's polls: %s", a.body)
	}
	call("GET", "/v1/shows/"+show, nil).is(t, 200, "")
	call("GET", "/v1/polls/tokens-mine/results", nil).is(t, 200, "")
	call("POST", "/v1/polls/tokens-mine/commands", object{"command": "pause"}).is(t, 200, "")
	// An admin of one show makes no wider tokens than its own.
	for _, body := range []object{{"name": "x", "role": "admin", "show": other}, {"name": "x", "role": "admin"}} {
		a := c.do(t, request{method: "POST", path: "/v1/tokens", as: mine["admin"], body: body})
		if a.status == 201 && a.object(t)["show"] != show {
			t.Errorf("%s: %s", a, a.body)
		}
	}
	var theirs string
	for _, raw := range c.get(t, "/v1/tokens?limit=500").object(t)["items"].([]any) {
		if o := raw.(object); o["show"] == nil {
			theirs = fmt.Sprint(o["id"])
		}
	}
	c.do(t, request{method: "DELETE", path: "/v1/tokens/" + theirs, as: mine["admin"]}).is(t, 404, "not-found")
}
