package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// things: shows, sources, destinations, topics and the system.
func things(t *testing.T, c *customer) {
	t.Run("shows", func(t *testing.T) { shows(t, c) })
	show := c.show(t, "things")
	t.Run("sources", func(t *testing.T) { sources(t, c, show) })
	t.Run("replay", func(t *testing.T) { replay(t, c, show) })
	t.Run("destinations", func(t *testing.T) { destinations(t, c, show) })
	t.Run("topics", func(t *testing.T) {
		body := object{"id": "things-topic", "show": show, "title": "Copa", "rule": "copa AND brasil", "filters": object{
			"languages": []string{"pt"}, "countries": []string{"BR"}, "min_followers": 10, "reposts": true, "replies": false,
		}}
		c.post(t, "/v1/topics", body).is(t, 201, "").has(t, "ETag", `"1"`)
		c.post(t, "/v1/topics", body).is(t, 409, "already-exists")
		changes(t, c, "/v1/topics/things-topic", body, object{"title": "Copa 2"})
		c.post(t, "/v1/topics", with(body, object{"rule": "", "id": "x"})).is(t, 422, "invalid-request").names(t, "/rule")
		c.delete(t, "/v1/topics/things-topic").is(t, 204, "")
		c.get(t, "/v1/topics/things-topic").is(t, 404, "not-found")
	})
	t.Run("ids", func(t *testing.T) {
		show := c.show(t, "things-ids")
		for path, body := range map[string]object{
			"/v1/sources": {"show": show, "connector": "gateway"}, "/v1/destinations": {"show": show}, "/v1/topics": {"show": show, "title": "T", "rule": "x"},
			"/v1/shows": {"title": "T"}, "/v1/polls": with(definition(show, ""), object{"id": nil}), "/v1/tokens": {"name": "x", "role": "observer"},
		} {
			ids := map[string]bool{}
			for range 3 {
				a := c.post(t, path, body).is(t, 201, "").has(t, "ETag", `"1"`)
				ids[a.text(t, "id")] = true
				for _, secret := range []string{"key", "token"} {
					if s, ok := a.object(t)[secret].(string); ok {
						c.secrets.keep(s)
					}
				}
			}
			if len(ids) != 3 {
				t.Errorf("%s: %v", path, ids)
			}
			want := slices.Sorted(maps.Keys(ids))
			if body["show"] == nil {
				want = nil
			}
			pages(t, c, path+"?show=things-ids", "id", want)
		}
	})
	t.Run("system", func(t *testing.T) {
		s := c.get(t, "/v1/system").is(t, 200, "").object(t)
		parts := s["partitions"].([]any)
		if s["version"] == "" || len(parts) == 0 || len(s["stores"].(object)) == 0 {
			t.Errorf("%v", s)
		}
		for _, p := range parts {
			if _, ok := p.(object)["lag"].(float64); !ok {
				t.Errorf("no lag: %v", p)
			}
		}
	})
}

// changes holds a thing's PUT to the rules of revisions.
func changes(t *testing.T, c *customer, path string, body, more object) {
	t.Helper()
	c.put(t, path, "", body).is(t, 428, "precondition-required")
	c.put(t, path, `"99"`, body).is(t, 412, "precondition-failed")
	c.put(t, path, `"1"`, with(body, object{"id": "another"})).is(t, 422, "invalid-request").names(t, "/id")
	c.put(t, path, `"1"`, with(body, object{"surprise": 1})).is(t, 422, "invalid-request").names(t, "/surprise")
	c.put(t, path, `"1"`, "{").is(t, 400, "bad-json")
	c.put(t, path, `"1"`, with(body, more)).is(t, 200, "").has(t, "ETag", `"2"`)
	c.put(t, path, `"1"`, body).is(t, 412, "precondition-failed")
	a := c.get(t, path).is(t, 200, "").has(t, "ETag", `"2"`)
	for k, v := range more {
		if fmt.Sprint(a.object(t)[k]) != fmt.Sprint(v) {
			t.Errorf("%s: %v, want %v", k, a.object(t)[k], v)
		}
	}
	c.put(t, path+"-nope", `"1"`, body).is(t, 404, "not-found")
}

func shows(t *testing.T, c *customer) {
	body := object{"id": "things-show", "title": "Grande Final", "timezone": "America/Sao_Paulo", "locale": "pt-BR", "markets": []string{"BR"}, "languages": []string{"pt"}}
	a := c.post(t, "/v1/shows", body).is(t, 201, "").has(t, "ETag", `"1"`)
	for k, v := range body {
		if fmt.Sprint(a.object(t)[k]) != fmt.Sprint(v) {
			t.Errorf("%s is %v", k, a.object(t)[k])
		}
	}
	c.post(t, "/v1/shows", body).is(t, 409, "already-exists")
	c.post(t, "/v1/shows", with(body, object{"id": nil})).is(t, 201, "").text(t, "id")
	changes(t, c, "/v1/shows/things-show", body, object{"title": "Final"})
	for pointer, more := range map[string]object{
		"/id": {"id": "-x"}, "/title": {"title": ""}, "/timezone": {"timezone": "Mars/Olympus"}, "/locale": {"locale": "!!"}, "/markets/0": {"markets": []string{"Brazil"}},
		"/languages/0": {"languages": []string{"?"}}, "/titel": {"titel": "x"},
	} {
		c.post(t, "/v1/shows", with(with(body, object{"id": "things-bad"}), more)).is(t, 422, "invalid-request").names(t, pointer)
	}
	for _, id := range []string{strings.Repeat("a", 64), "A", "a_b", "../x", "a/b", "é", " a", "a b"} {
		c.post(t, "/v1/shows", with(body, object{"id": id})).is(t, 422, "invalid-request").names(t, "/id")
	}
	c.post(t, "/v1/shows", with(body, object{"id": strings.Repeat("a", 63)})).is(t, 201, "")
	for _, bad := range []string{"nope", "..%2f..", "%00", "%ff", "A"} {
		c.get(t, "/v1/shows/"+bad).is(t, 404, "not-found")
	}
	pages(t, c, "/v1/shows", "id", nil)
}

func sources(t *testing.T, c *customer, show string) {
	body := object{"id": "things-source", "show": show, "connector": "gateway", "settings": object{"note": "x"}, "polls": []string{"some-poll"}, "budget": object{"posts": 5, "per": "hour"}}
	a := c.post(t, "/v1/sources", body).is(t, 201, "").has(t, "ETag", `"1"`)
	key := c.secrets.keep(a.text(t, "key"))
	if a.object(t)["enabled"] != true {
		t.Errorf("%s", a.body)
	}
	c.post(t, "/v1/sources", body).is(t, 409, "already-exists")
	changes(t, c, "/v1/sources/things-source", body, object{"enabled": false})
	for _, path := range []string{"/v1/sources/things-source", "/v1/sources"} {
		if got := string(c.get(t, path).is(t, 200, "").body); strings.Contains(got, key) || strings.Contains(got, "hash") {
			t.Errorf("%s shows the key", path)
		}
	}
	for pointer, more := range map[string]object{
		"/connector": {"connector": "telepathy"}, "/budget/per": {"budget": object{"posts": 1, "per": "second"}}, "/budget/posts": {"budget": object{"posts": 0, "per": "hour"}},
		"/polls/0": {"polls": []string{"Not A Slug"}}, "/settings": {"settings": "x"}, "/enabled": {"enabled": "yes"}, "/secret": {"secret": 1},
	} {
		c.post(t, "/v1/sources", with(with(body, object{"id": "things-bad"}), more)).is(t, 422, "invalid-request").names(t, pointer)
	}
	c.delete(t, "/v1/sources/things-source").is(t, 204, "")
	c.get(t, "/v1/sources/things-source").is(t, 404, "not-found")
	c.delete(t, "/v1/sources/things-source").is(t, 404, "not-found")
	if got := c.get(t, "/v1/sources?show="+show).object(t)["items"].([]any); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// replay: files of the data folder's replay/ only.
func replay(t *testing.T, c *customer, show string) {
	body := object{"id": "things-replay", "show": show, "connector": "replay"}
	for _, file := range []string{"", "../admin.token", "/etc/passwd", "a/../../x", "..", "a\\b", "./x", "x\x00"} {
		a := c.post(t, "/v1/sources", with(body, object{"settings": object{"file": file}}))
		if strings.Contains(file, "\x00") {
			a.is(t, 400, "bad-json")
			continue
		}
		a.is(t, 422, "invalid-request").names(t, "/settings/file")
	}
	for pointer, settings := range map[string]object{
		"/settings/speed": {"file": "a", "speed": -1}, "/settings/loop": {"file": "a", "loop": "yes"}, "/settings/path": {"file": "a", "path": "b"},
	} {
		c.post(t, "/v1/sources", with(body, object{"settings": settings})).is(t, 422, "invalid-request").names(t, pointer)
	}
	poll := c.opened(t, show, "things-replayed", object{"social": object{}, "options": []object{
		{"id": "a", "label": "A", "keywords": []string{"azul"}}, {"id": "b", "label": "B", "keywords": []string{"branco"}},
	}})
	var text strings.Builder
	for i := range 30 {
		text.WriteString(string(mustJSON(t, post(fmt.Sprint(i), fmt.Sprint("author", i%20), []string{"vai azul!", "vai branco!", "nada"}[i%3]))) + "\n")
	}
	if err := os.WriteFile(filepath.Join(c.process.Data, "replay", "posts.ndjson"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	made := c.post(t, "/v1/sources", with(body, object{"settings": object{"file": "posts.ndjson", "speed": 1000}})).is(t, 201, "")
	if _, ok := made.object(t)["key"]; ok {
		t.Error("a replay has a key")
	}
	want := map[string]map[string]bool{"azul": {}, "branco": {}}
	voted := map[int]string{}
	for i := range 30 {
		word := []string{"azul", "branco", ""}[i%3]
		if word != "" && voted[i%20] == "" {
			voted[i%20], want[word][fmt.Sprint(i%20)] = word, true
		}
	}
	wantVotes(t, c, poll, object{"a": len(want["azul"]), "b": len(want["branco"])}, object{"votes": len(voted), "voters": len(voted)})
}

func destinations(t *testing.T, c *customer, show string) {
	poll := c.opened(t, show, "things-poll", nil)
	body := object{"id": "things-destination", "show": show, "name": "vMix 1", "slots": 4, "locale": "de", "aliases": object{"label": "Name"}, "editorial": object{poll: []string{"b", "a"}}}
	a := c.post(t, "/v1/destinations", body).is(t, 201, "").has(t, "ETag", `"1"`)
	made := a.object(t)
	token := c.secrets.keep(a.text(t, "token"))
	if made["audience"] != "onair" || len(token) < 40 {
		t.Errorf("audience %v, a token of %d", made["audience"], len(token))
	}
	urls := fmt.Sprint(made["urls"])
	for _, format := range append([]string{"events", "overlay"}, formats...) {
		if !strings.Contains(urls, "/feeds/"+token+"/polls/"+poll+"/"+format) {
			t.Errorf("no URL of %s in %s", format, urls)
		}
	}
	c.post(t, "/v1/destinations", body).is(t, 409, "already-exists")
	feed := "/feeds/" + token + "/polls/" + poll + "/feed.json"
	c.public(t, feed).is(t, 200, "")
	changes(t, c, "/v1/destinations/things-destination", body, object{"name": "vMix 2"})
	c.public(t, feed).is(t, 200, "") // its token stays
	for _, path := range []string{"/v1/destinations/things-destination", "/v1/destinations"} {
		if got := string(c.get(t, path).is(t, 200, "").body); strings.Contains(got, token) || strings.Contains(got, "hash") {
			t.Errorf("%s shows the token", path)
		}
	}
	for pointer, more := range map[string]object{
		"/allow/0": {"allow": []string{"everywhere"}}, "/audience": {"audience": "everyone"}, "/slots": {"slots": -1}, "/locale": {"locale": "!!"}, "/aliases/label": {"aliases": object{"label": "a b"}},
		"/editorial/Not A Poll": {"editorial": object{"Not A Poll": []string{"a"}}}, "/password": {"password": "x"},
	} {
		c.post(t, "/v1/destinations", with(with(body, object{"id": "things-bad"}), more)).is(t, 422, "invalid-request").names(t, pointer)
	}
	allowList(t, c, show, poll)
	stream := c.stream(t, "/feeds/"+token+"/polls/"+poll+"/events", "")
	stream.next(t, "snapshot")
	c.delete(t, "/v1/destinations/things-destination").is(t, 204, "")
	stream.ends(t, revocation)
	gone := c.public(t, feed).is(t, 404, "not-found")
	wrong := c.public(t, "/feeds/nonsense/polls/"+poll+"/feed.json").is(t, 404, "not-found")
	if string(gone.body) != string(wrong.body) {
		t.Errorf("a revoked token is told from a wrong one: %s, %s", gone.body, wrong.body)
	}
	c.do(t, request{method: http.MethodGet, path: "/feeds/-/polls/" + poll + "/feed.json", as: token}).is(t, 404, "not-found")
}

// allowList: a destination's feeds may be bound to addresses.
func allowList(t *testing.T, c *customer, show, poll string) {
	for id, tc := range map[string]struct {
		allow []string
		want  int
	}{
		"things-here": {[]string{"10.0.0.0/8", "127.0.0.0/8"}, 200}, "things-exact": {[]string{"127.0.0.1"}, 200}, "things-mapped": {[]string{"::ffff:127.0.0.1"}, 200},
		"things-there": {[]string{"10.0.0.0/8", "2001:db8::/32"}, 404},
	} {
		at := c.destination(t, show, id, "onair", object{"allow": tc.allow})
		for _, path := range []string{at, at + "/polls/" + poll + "/feed.json", at + "/polls/" + poll + "/overlay"} {
			if a := c.do(t, request{method: http.MethodGet, path: path, header: map[string]string{"X-Forwarded-For": "10.0.0.1"}}); a.status != tc.want {
				t.Errorf("%s of %v: %d, want %d", path, tc.allow, a.status, tc.want)
			}
		}
	}
}
