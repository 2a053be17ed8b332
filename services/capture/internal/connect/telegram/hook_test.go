package telegram

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)

func newHook(t testing.TB, settings map[string]any) connect.Hook {
	t.Helper()
	if settings["secret_token"] == nil {
		settings["secret_token"] = "Secret_1-2"
	}
	h, err := NewHook(settings, connect.Env{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func call(body string) *connect.Request {
	return &connect.Request{Method: http.MethodPost, Header: http.Header{tokenHeader: {"Secret_1-2"}}, Body: []byte(body)}
}

// TestUpdates reads the updates of testdata, which are in the form of Telegram's
// documentation: https://core.telegram.org/bots/api and /bots/webhooks.
func TestUpdates(t *testing.T) {
	for name, want := range map[string][]audience.Post{
		"text": {{
			ID: "1111111:1365", Platform: "telegram", Text: "/start", CreatedAt: 1441645532000,
			Author: audience.Author{ID: "1111111", Name: "Test Firstname Test Lastname", Handle: "Testusername"},
		}},
		"edited": {{
			ID: "1111111:1365", Platform: "telegram", Text: "Edited text", CreatedAt: 1441645532000,
			Author: audience.Author{ID: "1111111", Name: "Test Firstname Test Lastname", Handle: "Testusername"},
		}},
		"forward_old": {{
			ID: "1111111:1365", Platform: "telegram", Text: "/start", CreatedAt: 1441645532000, RepostOf: "222222@1441645550",
			Author: audience.Author{ID: "1111111", Name: "Test Firstname Test Lastname", Handle: "Testusername"},
		}},
		"forward_channel": {{
			ID: "-1001234567890:77", Platform: "telegram", Text: "Hoje tem final!", CreatedAt: 1777665600000, RepostOf: "-1009876543210:42",
			Author: audience.Author{ID: "-1009876543210", Name: "Canal do Programa", Handle: "canaldoprograma"},
		}},
		"edited_channel": {{ // Telegram sends what was written, with entities beside it
			ID: "-1009876543210:43", Platform: "telegram", Text: "Vote <b> &amp; ANNA 🇧🇷 aqui", CreatedAt: 1777665600000,
			Author: audience.Author{ID: "-1009876543210", Name: "Canal do Programa", Handle: "canaldoprograma"},
			Media:  []string{"telegram:photo/AgACLARGE"}, Links: []string{"https://example.org/vote"},
		}},
		"reply": {{
			ID: "1111111:1365", Platform: "telegram", Text: "/start", CreatedAt: 1441645532000, ReplyTo: "1111112:1334",
			Author: audience.Author{ID: "1111111", Name: "Test Firstname Test Lastname", Handle: "Testusername"},
		}},
		"entities": {{
			ID: "1111111:1365", Platform: "telegram", Text: "😀 see https://example.org/a?b=1 and this", CreatedAt: 1441645535000, Language: "pt-br",
			Author: audience.Author{ID: "1111111", Name: "Test Firstname", Handle: ""},
			Links:  []string{"https://example.org/a?b=1", "https://example.com/é"},
		}},
		"photo": {{
			ID: "-4242:8", Platform: "telegram", Text: "Olha isso example.org", CreatedAt: 1777665600000,
			Author: audience.Author{ID: "99", Name: "Ana"},
			Media:  []string{"telegram:photo/AgACAgLARGE"}, Links: []string{"example.org"},
		}},
		"animation": {{
			ID: "-4242:9", Platform: "telegram", CreatedAt: 1777665600000, Author: audience.Author{ID: "99", Name: "Ana"},
			Media: []string{"telegram:animation/CgACAgGIF"},
		}},
		"location": {{
			ID: "-4242:10", Platform: "telegram", CreatedAt: 1777665600000, Author: audience.Author{ID: "99", Name: "Ana"},
			Coordinates: &audience.Coordinates{Lat: -23.55, Lon: -46.63},
		}},
		"service":  nil,
		"callback": nil,
	} {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := newHook(t, map[string]any{}).Receive(call(string(body)))
			if err != nil || got.Malformed != 0 {
				t.Fatal(got.Malformed, got.First, err)
			}
			if diff := cmp.Diff(want, got.Posts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestToken(t *testing.T) {
	h := newHook(t, map[string]any{})
	for _, header := range []http.Header{{}, {tokenHeader: {""}}, {tokenHeader: {"secret_1-2"}}, {tokenHeader: {"Secret_1-2 "}}} {
		r := call("{") // not looked at: who calls comes first
		r.Header = header
		if _, err := h.Receive(r); !fault.Is(err, fault.SourceKeyInvalid) {
			t.Errorf("%v: %v", header, err)
		}
	}
}

func TestBadBodies(t *testing.T) {
	h := newHook(t, map[string]any{})
	for body, want := range map[string]fault.Code{
		"": fault.BadJSON, "{": fault.BadJSON, "{\"update_id\":1,\"message\":{\"text\":\"\xff\"}}": fault.BadJSON,
		"[]": fault.InvalidRequest, "{}": fault.InvalidRequest, `{"update_id":"1"}`: fault.InvalidRequest, `null`: fault.InvalidRequest,
	} {
		if _, err := h.Receive(call(body)); !fault.Is(err, want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	for _, body := range []string{
		`{"update_id":1,"message":{}}`, `{"update_id":1,"message":{"message_id":1,"text":"t"}}`, `{"update_id":1,"message":[]}`,
		`{"update_id":1,"message":{"message_id":1,"chat":{"id":2},"text":7}}`, `{"update_id":1,"message":{"message_id":1,"chat":{"id":2},"text":"a\u0000"}}`,
	} {
		got, err := h.Receive(call(body))
		if err != nil || got.Malformed != 1 || len(got.Posts) != 0 {
			t.Errorf("%s: %+v %v", body, got, err)
		}
		if _, ok := fault.As(got.First); !ok {
			t.Errorf("%s: %v", body, got.First)
		}
	}
}

func TestChunksBeyondTheText(t *testing.T) {
	many := strings.Repeat(`{"type":"text_link","url":"https://a.test/"},`, 10000)
	got, err := newHook(t, map[string]any{}).Receive(call(fmt.Sprintf(`{"update_id":1,"message":{"message_id":1,"chat":{"id":2},"text":"ab",
		"entities":[%s{"type":"url","offset":1,"length":9223372036854775807},{"type":"url","offset":-1,"length":1}]}}`, many)))
	if err != nil || len(got.Posts) != 1 || len(got.Posts[0].Links) != 100 {
		t.Error(got.Malformed, got.First, err)
	}
}

func TestChats(t *testing.T) {
	h := newHook(t, map[string]any{"chats": []any{"-4242", "@Canal"}})
	for chat, want := range map[string]int{`{"id":-4242}`: 1, `{"id":5}`: 0, `{"id":6,"username":"canal"}`: 1, `{"id":7,"username":""}`: 0} {
		got, err := h.Receive(call(`{"update_id":1,"channel_post":{"message_id":1,"text":"t","chat":` + chat + `}}`))
		if err != nil || len(got.Posts) != want {
			t.Errorf("%s: %+v %v", chat, got, err)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range []map[string]any{{}, {"secret_token": ""}, {"secret_token": "s", "chats": "c"}, {"secret_token": "s", "more": 1.0}} {
		if _, err := NewHook(bad, connect.Env{Now: time.Now}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func FuzzUpdate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	h := newHook(f, map[string]any{})
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := h.Receive(call(string(body)))
		if _, ok := fault.As(err); err != nil && !ok {
			t.Fatal(err)
		}
		for _, p := range got.Posts {
			if p.ID == "" || p.Author.ID == "" || p.Platform == "" || p.CreatedAt <= 0 || len(p.Links) > 100 {
				t.Fatalf("%+v", p)
			}
		}
	})
}
