package meta

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
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

const secret, authorKey = "app secret", "author key"

func newHook(t testing.TB, more map[string]any) connect.Hook {
	t.Helper()
	settings := map[string]any{"app_secret": secret, "verify_token": "meatyhamhock", "author_key": authorKey}
	for k, v := range more {
		settings[k] = v
	}
	h, err := NewHook(settings, connect.Env{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func signed(body string) *connect.Request {
	signature := "sha256=" + hex.EncodeToString(sign.SHA256(secret, body))
	return &connect.Request{Method: http.MethodPost, Header: http.Header{signatureHeader: {signature}}, Body: []byte(body)}
}

func read(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func hidden(text string) string { return sign.Pseudonym(authorKey, text) }

// TestNotices reads the notices of testdata, which are in the form of Meta's
// documentation: developers.facebook.com/docs/whatsapp/cloud-api/webhooks,
// /docs/graph-api/webhooks/reference/page, /docs/messenger-platform and
// /docs/instagram-platform/webhooks/examples.
func TestNotices(t *testing.T) {
	pablo := audience.Author{ID: hidden("16505551234"), Name: "Pablo Morales"}
	question := hidden("wamid.HBgLMTQxMjU1NTA4MjkVAgASGBQzQUNCNjk5RDUwNUZGMUZEM0VBRAA=")
	ana := audience.Author{ID: hidden("BR.13491208655302741918"), Name: "Ana"}
	page := audience.Author{ID: "500158316696377", Name: "Privatesandbox"}
	hoover := audience.Author{ID: "802465011", Name: "Cinderella Hoover"}
	for name, want := range map[string][]audience.Post{
		"whatsapp_text": {{
			ID: hidden("wamid.ABGGFlCGg0cvAgo-sJQh43L5Pe4W"), Platform: "whatsapp", Text: "Hello this is an answer", CreatedAt: 1603059201000,
			Author: audience.Author{ID: hidden("16315551234"), Name: "Kerry Fisher"},
		}},
		"whatsapp_choices": {
			{ID: hidden("wamid.HBgLMTY0NjcwNDM1OTUVAgASGBQzQThBREYwNzc2RDc2QjA1QTIA"), Platform: "whatsapp", Text: "Cancel", CreatedAt: 1714510003000, Author: pablo, ReplyTo: question},
			{ID: hidden("wamid.2"), Platform: "whatsapp", Text: "Priority Mail Express", CreatedAt: 1714510004000, Author: pablo, ReplyTo: question},
			{ID: hidden("wamid.4"), Platform: "whatsapp", Text: "Unsubscribe", CreatedAt: 1714510005000, Author: pablo, ReplyTo: hidden("wamid.3")},
		},
		"whatsapp_media": {
			{ID: hidden("wamid.5"), Platform: "whatsapp", Text: "This is a caption", CreatedAt: 1714510005000, Author: ana, Media: []string{"whatsapp:image/2754859441498128"}},
			{ID: hidden("wamid.6"), Platform: "whatsapp", CreatedAt: 1714510006000, Author: ana, Coordinates: &audience.Coordinates{Lat: -23.55, Lon: -46.63}},
			{ID: hidden("wamid.7"), Platform: "whatsapp", Text: "Vote na Anna", CreatedAt: 1714510007000, Author: ana, RepostOf: "forwarded"},
		},
		"whatsapp_status": nil,
		"facebook_feed": {
			{ID: "500219983356877_5405676", Platform: "facebook", Text: "ANNA!", CreatedAt: 1520544814000, Author: hoover, ReplyTo: "500158316696377_500219983356877"},
			{ID: "500219983356877_5405676", Platform: "facebook", Text: "BETO!", CreatedAt: 1520544814000, Author: hoover, ReplyTo: "500158316696377_500219983356877"},
			{ID: "502116146500594", Platform: "facebook", Text: "to the page", CreatedAt: 1520544815000, Author: audience.Author{ID: "802465011"}},
			{ID: "500158316696377_9", Platform: "facebook", Text: "look", CreatedAt: 1520544816000, Author: page, Media: []string{"https://scontent.xx.fbcdn.net/v/9.jpg"}},
			{ID: "500158316696377_10", Platform: "facebook", Text: "read", CreatedAt: 1520544817000, Author: page, Links: []string{"https://example.org/final"}},
			{ID: "77_1", Platform: "facebook", Text: "@Privatesandbox hi", CreatedAt: 1700000000000, Author: audience.Author{ID: "77", Name: "Jane"}},
		},
		"messenger": {
			{ID: "mid.1457764197618:41d102a3e1ae206a38", Platform: "messenger", Text: "hello, world!", CreatedAt: 1457764197627, Author: audience.Author{ID: "USER_ID"}},
			{ID: "mid.2", Platform: "messenger", Text: "Red", CreatedAt: 1457764197628, Author: audience.Author{ID: "USER_ID"}, ReplyTo: "mid.1"},
			{ID: "mid.1458696618141:b4ef9d19ec21086067", Platform: "messenger", CreatedAt: 1458692752478, Author: audience.Author{ID: "USER_ID"}, Media: []string{"https://example.org/i.png"}, Links: []string{"https://example.org/t"}},
			{ID: "mid.pb", Platform: "messenger", Text: "ANNA", CreatedAt: 1458692752478, Author: audience.Author{ID: "USER_ID"}},
			{ID: "mid.standby", Platform: "messenger", Text: "BETO", CreatedAt: 1570053170673, Author: audience.Author{ID: "OTHER"}},
		},
		"instagram": {
			{ID: "17865799348089039", Platform: "instagram", Text: "This is an example.", CreatedAt: 1520622968000, Author: audience.Author{ID: "232323232", Handle: "test"}, ReplyTo: "1231231234"},
			{ID: "17865799348089040", Platform: "instagram", Text: "ANNA", CreatedAt: 1520622969000, Author: audience.Author{ID: "232323233", Handle: "test2"}, ReplyTo: "123123124"},
			{ID: "mention:17918195224117851", Platform: "instagram", CreatedAt: 1520622968000, Author: audience.Author{ID: "mention:17918195224117851"}},
			{ID: "mention:17894227972186120", Platform: "instagram", CreatedAt: 1520622968000, Author: audience.Author{ID: "mention:17894227972186120"}, ReplyTo: "17918195224117851"},
			{ID: "ig.1", Platform: "instagram", Text: "oi", CreatedAt: 1569262485349, Author: audience.Author{ID: "IGSID"}, ReplyTo: "STORY"},
			{ID: "ig.2", Platform: "instagram", CreatedAt: 1569262485350, Author: audience.Author{ID: "IGSID"}, Media: []string{"https://cdn/story"}},
			{ID: "ig.1", Platform: "instagram", Text: "oi!", CreatedAt: 1569262485351, Author: audience.Author{ID: "IGSID"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newHook(t, nil).Receive(signed(read(t, name)))
			if err != nil || got.Malformed != 0 {
				t.Fatal(got.Malformed, got.First, err)
			}
			if diff := cmp.Diff(want, got.Posts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatIsTakenBack: what its author or the page removed or hid, before it was
// delivered and after.
func TestWhatIsTakenBack(t *testing.T) {
	comment := func(verb, id string) string {
		return `{"field":"feed","value":{"item":"comment","verb":"` + verb + `","comment_id":"` + id + `","from":{"id":"7"},"message":"oi","created_time":1520544814}}`
	}
	for name, c := range map[string]struct {
		body      string
		posts     int
		gone      []string
		malformed int
	}{
		"removed":        {`{"object":"page","entry":[{"changes":[` + comment("remove", "1_2") + `]}]}`, 0, []string{"facebook:1_2"}, 0},
		"hidden":         {`{"object":"page","entry":[{"changes":[` + comment("hide", "1_2") + `]}]}`, 0, []string{"facebook:1_2"}, 0},
		"shown again":    {`{"object":"page","entry":[{"changes":[` + comment("unhide", "1_2") + `]}]}`, 0, nil, 0},
		"at once":        {`{"object":"page","entry":[{"changes":[` + comment("add", "1_2") + "," + comment("add", "1_3") + "," + comment("remove", "1_2") + `]}]}`, 1, []string{"facebook:1_2"}, 0},
		"a post":         {`{"object":"page","entry":[{"changes":[{"field":"feed","value":{"item":"post","verb":"remove","post_id":"1_9"}}]}]}`, 0, []string{"facebook:1_9"}, 0},
		"a like":         {`{"object":"page","entry":[{"changes":[{"field":"feed","value":{"item":"like","verb":"remove","post_id":"1_9"}}]}]}`, 0, nil, 0},
		"nothing":        {`{"object":"page","entry":[{"changes":[{"field":"feed","value":{"item":"comment","verb":"remove"}}]}]}`, 0, nil, 1},
		"a message":      {`{"object":"instagram","entry":[{"messaging":[{"sender":{"id":"u"},"message":{"mid":"m","is_deleted":true}}]}]}`, 0, []string{"instagram:m"}, 0},
		"one's own echo": {`{"object":"page","entry":[{"messaging":[{"sender":{"id":"u"},"message":{"mid":"m","is_echo":true,"text":"t"}}]}]}`, 0, nil, 0},
	} {
		got, err := newHook(t, nil).Receive(signed(c.body))
		if diff := cmp.Diff(c.gone, got.Gone); err != nil || diff != "" || len(got.Posts) != c.posts || got.Malformed != c.malformed {
			t.Errorf("%s: %d posts, %d malformed, %v %s", name, len(got.Posts), got.Malformed, err, diff)
		}
	}
}

// TestNoNumberLeaves: neither a number nor a message id, which has it in base64.
func TestNoNumberLeaves(t *testing.T) {
	inside, err := base64.StdEncoding.DecodeString("HBgLMTQxMjU1NTA4MjkVAgASGBQzQUNCNjk5RDUwNUZGMUZEM0VBRAA=")
	if err != nil || !strings.Contains(string(inside), "14125550829") {
		t.Fatalf("%q %v", inside, err)
	}
	for _, name := range []string{"whatsapp_text", "whatsapp_choices", "whatsapp_status"} {
		got, err := newHook(t, nil).Receive(signed(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(got.Posts)
		if err != nil {
			t.Fatal(err)
		}
		for _, number := range []string{"16315551234", "16505551234", "5516992318222", "HBgL"} {
			if strings.Contains(string(text), number) {
				t.Errorf("%s is in %s", number, text)
			}
		}
	}
}

func TestHandshake(t *testing.T) {
	h := newHook(t, nil)
	// The example of the documentation.
	ok := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {"meatyhamhock"}}
	got, err := h.Receive(&connect.Request{Method: http.MethodGet, Query: ok})
	if err != nil || string(got.Body) != "1158201444" || !strings.HasPrefix(got.ContentType, "text/plain") || got.Status != 0 {
		t.Errorf("%+v %v", got, err)
	}
	for name, code := range map[string]fault.Code{"hub.verify_token": fault.SourceKeyInvalid, "hub.mode": fault.InvalidRequest, "hub.challenge": fault.InvalidRequest} {
		for _, value := range []string{"", strings.Repeat("x", 300)} {
			bad := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1"}, "hub.verify_token": {"meatyhamhock"}, name: {value}}
			if _, err := h.Receive(&connect.Request{Method: http.MethodGet, Query: bad}); !fault.Is(err, code) {
				t.Errorf("%v: %v", bad, err)
			}
		}
	}
}

func TestSignature(t *testing.T) {
	// GitHub signs in the same way; its documentation has a vector:
	// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
	const vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	h := newHook(t, map[string]any{"app_secret": "It's a Secret to Everybody"})
	r := &connect.Request{Method: http.MethodPost, Header: http.Header{signatureHeader: {vector}}, Body: []byte("Hello, World!")}
	if _, err := h.Receive(r); !fault.Is(err, fault.BadJSON) { // past the signature
		t.Error(err)
	}
	for _, header := range []http.Header{
		{}, {signatureHeader: {vector[:len(vector)-1] + "8"}}, {signatureHeader: {vector[len("sha256="):]}}, {signatureHeader: {"sha256="}},
		{"X-Hub-Signature": {vector}},
	} {
		r.Header = header
		if _, err := h.Receive(r); !fault.Is(err, fault.SourceKeyInvalid) {
			t.Errorf("%v: %v", header, err)
		}
	}
}

func TestBadBodies(t *testing.T) {
	h := newHook(t, nil)
	for body, want := range map[string]fault.Code{
		"": fault.BadJSON, "{": fault.BadJSON, "{\"object\":\"\xff\"}": fault.BadJSON, "[]": fault.InvalidRequest, "{}": fault.InvalidRequest,
		`{"object":"page","entry":7}`: fault.InvalidRequest,
	} {
		if _, err := h.Receive(signed(body)); !fault.Is(err, want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	// What cannot be read does not hinder the rest.
	got, err := h.Receive(signed(`{"object":"page","entry":[{"messaging":[7,
		{"sender":{"id":"u"},"message":{"mid":"1","text":"a\u0000"}},{"sender":{"id":"u"},"message":{"text":"no id"}},
		{"sender":{},"message":{"mid":"2","text":"nobody"}},{"sender":{"id":"u"},"message":{"mid":"3","text":"t"}}],
		"changes":[{"field":"feed","value":[]},{"field":"feed","value":{"item":"comment","verb":"add"}}]}]}`))
	if err != nil || got.Malformed != 6 || len(got.Posts) != 1 || got.Posts[0].ID != "3" || got.Posts[0].CreatedAt != audience.MillisOf(now) {
		t.Errorf("%+v %v", got, err)
	}
	if _, ok := fault.As(got.First); !ok {
		t.Error(got.First)
	}
	for _, object := range []string{"user", "permissions", "threads"} {
		got, err := h.Receive(signed(`{"object":"` + object + `","entry":[{"messaging":[7],"changes":[{"field":"feed","value":7}]}]}`))
		if err != nil || got.Malformed != 0 || got.Posts != nil {
			t.Errorf("%+v %v", got, err)
		}
	}
}

func TestGiantArrays(t *testing.T) {
	body := `{"object":"instagram","entry":[{"messaging":[` +
		strings.Repeat(`{"sender":{"id":"u"},"message":{"mid":"m","text":"t"}},`, 20000) + `{}]}]}`
	got, err := newHook(t, nil).Receive(signed(body))
	if err != nil || len(got.Posts) != connect.MaxMessages || got.Malformed != 20000-connect.MaxMessages {
		t.Error(len(got.Posts), got.Malformed, err)
	}
}

func TestAccounts(t *testing.T) {
	for id, want := range map[string]int{"17841405726653026": 7, "1": 0} {
		got, err := newHook(t, map[string]any{"accounts": []any{id}}).Receive(signed(read(t, "instagram")))
		if err != nil || len(got.Posts) != want {
			t.Errorf("%s: %d %v", id, len(got.Posts), err)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range []map[string]any{{}, {"app_secret": "s"}, {"verify_token": "v"}, {"app_secret": "s", "verify_token": "v", "more": true}} {
		if _, err := NewHook(bad, connect.Env{Now: time.Now}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func FuzzNotice(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		f.Add([]byte(read(f, strings.TrimSuffix(filepath.Base(name), ".json"))))
	}
	h := newHook(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := h.Receive(signed(string(body)))
		if _, ok := fault.As(err); err != nil && !ok {
			t.Fatal(err)
		}
		for _, p := range got.Posts {
			if p.ID == "" || p.Author.ID == "" || p.Platform == "" || p.CreatedAt <= 0 {
				t.Fatalf("%+v", p)
			}
		}
	})
}
