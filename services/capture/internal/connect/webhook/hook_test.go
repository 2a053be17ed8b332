package webhook

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)

func newHook(t testing.TB, settings map[string]any) connect.Hook {
	t.Helper()
	if settings["fields"] == nil {
		settings["fields"] = map[string]any{"id": "/id", "text": "/text"}
	}
	if settings["key"] == nil && settings["secret"] == nil {
		settings["key"] = "k"
	}
	h, err := NewHook(settings, connect.Env{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func call(body string) *connect.Request {
	return &connect.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Bearer k"}}, Body: []byte(body)}
}

func TestEveryField(t *testing.T) {
	h := newHook(t, map[string]any{
		"items": "/data/0/posts", "platform": "App",
		"fields": map[string]any{
			"id": "/id", "text": "/body/text", "author_id": "/user/0", "author_name": "/user/1", "author_handle": "/user/2", "author_location": "/user/3",
			"author_followers": "/user/4", "author_created_at": "/user/5", "created_at": "/at", "language": "/lang", "lat": "/geo/coordinates/1",
			"lon": "/geo/coordinates/0", "links": "/links", "media": "/media", "reply_to": "/in~1reply", "repost_of": "/of",
		},
	})
	got, err := h.Receive(call(`{"data":[{"posts":[
		{"id":17841405726653026123,"body":{"text":"oi"},"user":[7,"Ana","ana","Recife",12,"2020-01-01T00:00:00Z"],"at":1777665600500,"lang":"pt",
		 "geo":{"coordinates":["-34.9",-8.05]},"links":["https://a.test",{"x":1}],"media":"https://m.test","in/reply":5,"of":"3"},
		{"id":"2","body":{"text":""},"at":"2026-05-01T19:59:00Z","geo":null},
		{"id":"3","body":{"text":"t"},"at":1777665600,"geo":{"coordinates":[200,0]},"user":[null,null,null,null,-5]}
	]}]}`))
	if err != nil || got.Malformed != 0 {
		t.Fatal(got.First, err)
	}
	want := []audience.Post{{
		ID: "17841405726653026123", Platform: "app", Text: "oi", CreatedAt: 1777665600500, Language: "pt", ReplyTo: "5", RepostOf: "3",
		Author:      audience.Author{ID: "7", Name: "Ana", Handle: "ana", Location: "Recife", Followers: 12, CreatedAt: 1577836800000},
		Coordinates: &audience.Coordinates{Lat: -8.05, Lon: -34.9}, Links: []string{"https://a.test"}, Media: []string{"https://m.test"},
	}, {
		ID: "2", Platform: "app", Author: audience.Author{ID: "2"}, CreatedAt: 1777665540000,
	}, {
		ID: "3", Platform: "app", Text: "t", Author: audience.Author{ID: "3"}, CreatedAt: 1777665600000,
	}}
	if diff := cmp.Diff(want, got.Posts); diff != "" {
		t.Error(diff)
	}
	if string(got.Body) != `{"accepted":3,"rejected":0}`+"\n" {
		t.Errorf("%s", got.Body)
	}
}

func TestOneItem(t *testing.T) {
	got, err := newHook(t, map[string]any{}).Receive(call(`{"id":"1","text":"t"}`))
	want := []audience.Post{{ID: "1", Text: "t", Author: audience.Author{ID: "1"}, CreatedAt: audience.MillisOf(now)}}
	if diff := cmp.Diff(want, got.Posts); diff != "" || err != nil {
		t.Error(diff, err)
	}
	// The same post with another text is the same post: the platform's id stays.
	again, err := newHook(t, map[string]any{}).Receive(call(`{"id":"1","text":"another"}`))
	if err != nil || again.Posts[0].ID != "1" {
		t.Error(again, err)
	}
}

func TestBadBodies(t *testing.T) {
	list := newHook(t, map[string]any{"items": ""})
	for body, want := range map[string]fault.Code{
		"": fault.BadJSON, "[": fault.BadJSON, "[]]": fault.BadJSON, "[\"\xff\"]": fault.BadJSON, "{}": fault.InvalidRequest, "7": fault.InvalidRequest,
		"[" + strings.Repeat("0,", connect.MaxMessages) + "0]": fault.InvalidRequest,
	} {
		if _, err := list.Receive(call(body)); !fault.Is(err, want) {
			t.Errorf("%.30s: %v, want %s", body, err, want)
		}
	}
	got, err := list.Receive(call(`[7,null,{},{"id":"1"},{"text":"t"},{"id":"1","text":7},{"id":true,"text":"t"},{"id":"1","text":"\u0000"},
		{"id":"` + strings.Repeat("1", 257) + `","text":"t"},{"id":"1","text":"t"},{"id":"1","text":"t"}]`))
	if err != nil || got.Malformed != 9 || len(got.Posts) != 2 || string(got.Body) != `{"accepted":2,"rejected":9}`+"\n" {
		t.Errorf("%+v %v", got, err)
	}
	if _, ok := fault.As(got.First); !ok {
		t.Error(got.First)
	}
}

func TestKey(t *testing.T) {
	h := newHook(t, map[string]any{})
	for _, header := range []http.Header{{}, {"Authorization": {"Bearer K"}}, {"X-Signature-256": {"k"}}} {
		r := call("{")
		r.Header = header
		if _, err := h.Receive(r); !fault.Is(err, fault.SourceKeyInvalid) {
			t.Errorf("%v: %v", header, err)
		}
	}
}

func TestSignature(t *testing.T) {
	const body = `{"id":"1","text":"t"}`
	for _, c := range []struct {
		settings map[string]any
		encode   func([]byte) string
	}{
		{map[string]any{"secret": "s", "signature_prefix": "sha256="}, hex.EncodeToString},
		{map[string]any{"secret": "s", "signature_prefix": "sha256=", "signature_encoding": "base64"}, base64.StdEncoding.EncodeToString},
	} {
		h := newHook(t, c.settings)
		r := call(body)
		r.Header = http.Header{"X-Signature-256": {"sha256=" + c.encode(sign.SHA256("s", body))}}
		if got, err := h.Receive(r); err != nil || len(got.Posts) != 1 {
			t.Error(got, err)
		}
		r.Body = []byte(body + " ")
		if _, err := h.Receive(r); !fault.Is(err, fault.SourceKeyInvalid) {
			t.Error(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer s"}}
		if _, err := h.Receive(r); !fault.Is(err, fault.SourceKeyInvalid) {
			t.Error(err)
		}
	}
}

func TestReplayed(t *testing.T) {
	const body = `{"id":"1","text":"t"}`
	h := newHook(t, map[string]any{"secret": "s", "timestamp_header": "X-Time"})
	for age, ok := range map[time.Duration]bool{0: true, 299 * time.Second: true, 301 * time.Second: false} {
		at := strconv.FormatInt(now.Add(-age).Unix(), 10)
		r := call(body)
		r.Header = http.Header{"X-Time": {at}, "X-Signature-256": {hex.EncodeToString(sign.SHA256("s", at+"."+body))}}
		if _, err := h.Receive(r); ok && err != nil || !ok && !fault.Is(err, fault.SourceKeyInvalid) {
			t.Error(age, err)
		}
	}
}

func TestSettings(t *testing.T) {
	good := map[string]any{"id": "/id", "text": "/text"}
	for _, bad := range []map[string]any{
		{}, {"key": "k"}, {"fields": good}, {"key": "", "fields": good}, {"secret": "", "fields": good}, {"key": "k", "secret": "s", "fields": good},
		{"key": "k", "fields": map[string]any{"id": "/id"}}, {"key": "k", "fields": map[string]any{"id": "id", "text": "/t"}},
		{"key": "k", "fields": map[string]any{"id": "/id", "text": "/t", "likes": "/l"}}, {"key": "k", "fields": good, "items": "x"},
		{"secret": "s", "fields": good, "signature_encoding": "hexx"}, {"secret": "s", "fields": good, "tolerance_s": 0.0},
	} {
		if _, err := NewHook(bad, connect.Env{Now: time.Now}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(`[{"id":1,"text":"t","a":{"b":[1.5,"x"]}}]`))
	all := map[string]any{}
	for i, name := range parts() {
		all[name] = fmt.Sprintf("/a/%d", i)
	}
	all["id"], all["text"], all["lat"] = "/id", "/text", "/a/b/0"
	list, one := newHook(f, map[string]any{"items": "", "fields": all}), newHook(f, map[string]any{"fields": all})
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, h := range []connect.Hook{list, one} {
			got, err := h.Receive(call(string(body)))
			if _, ok := fault.As(err); err != nil && !ok {
				t.Fatal(err)
			}
			for _, p := range got.Posts {
				if p.ID == "" || p.Author.ID == "" || p.CreatedAt <= 0 {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}
