package youtube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
)

// api is a fake of YouTube's API with one broadcast.
type api struct {
	faketest.Asked
	http     *httptest.Server
	patience time.Duration

	mu      sync.Mutex
	details string // of the video
	items   []any
	reason  string // what the next look at the chat is refused with
	status  int
	forgets bool // all page tokens
	offline bool
	long    bool // page tokens
	calls   []string
	number  int
}

func newAPI(t *testing.T) *api {
	a := &api{patience: 300 * time.Millisecond, details: `{"activeLiveChatId":"chat"}`}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /youtube/v3/videos", a.videos)
	mux.HandleFunc("GET /youtube/v3/liveChat/messages", a.messages)
	a.http = httptest.NewServer(mux)
	t.Cleanup(a.http.Close)
	return a
}

func (*api) Resends() {}

func (a *api) Connector(env connect.Env) (connect.Connector, error) {
	return a.of(env, map[string]any{"key": "secret", "video": "v1"})
}

func (a *api) of(env connect.Env, settings map[string]any) (*Connector, error) {
	settings["url"] = a.http.URL + "/youtube/v3"
	c, err := open(settings, env)
	c.interval, c.patience = 5*time.Millisecond, a.patience
	return c, err
}

// item is a liveChatMessage of a type, whose details are under a name.
func item(id, kind, name string, details any) map[string]any {
	return map[string]any{
		"kind": "youtube#liveChatMessage", "etag": "e", "id": id,
		"snippet": map[string]any{
			"type": kind, "liveChatId": "chat", "authorChannelId": "UC1", "publishedAt": "2026-05-01T20:00:00.123456+00:00",
			"hasDisplayContent": true, "displayMessage": "shown", name: details,
		},
		"authorDetails": map[string]any{"channelId": "UC1", "channelUrl": "http://www.youtube.com/channel/UC1", "displayName": "@ana",
			"profileImageUrl": "https://yt.test/1.jpg", "isVerified": false, "isChatOwner": false, "isChatSponsor": false, "isChatModerator": false},
	}
}

func (a *api) add(items ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.items = append(a.items, items...)
}

func (a *api) Say(texts ...string) {
	for _, text := range texts {
		a.mu.Lock()
		a.number++
		id := fmt.Sprintf("LCC.%04d", a.number)
		a.mu.Unlock()
		a.add(item(id, "textMessageEvent", "textMessageDetails", map[string]any{"messageText": text}))
	}
}

func (a *api) Duplicate() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.items = append(a.items, a.items[len(a.items)-1])
}

func (a *api) Delete(text string) {
	a.mu.Lock()
	id := ""
	for _, i := range a.items {
		snippet := i.(map[string]any)["snippet"].(map[string]any)
		if said, ok := snippet["textMessageDetails"].(map[string]any); ok && said["messageText"] == text {
			id = i.(map[string]any)["id"].(string)
		}
	}
	a.mu.Unlock()
	a.add(item(id+".gone", "messageDeletedEvent", "messageDeletedDetails", map[string]any{"deletedMessageId": id}))
}

func (a *api) DeleteNothing() {
	a.add(item("n1", "messageDeletedEvent", "messageDeletedDetails", map[string]any{}), item("n2", "userBannedEvent", "userBannedDetails", map[string]any{"banType": "permanent"}))
}

func (a *api) Late(text string) {
	m := item("LCC.late", "textMessageEvent", "textMessageDetails", map[string]any{"messageText": text})
	m["snippet"].(map[string]any)["publishedAt"] = "2026-05-01T19:00:00Z"
	a.add(m)
}

func (a *api) Malformed() { a.add(map[string]any{"id": 7}, map[string]any{"id": "x"}, "text") }

func fail(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":"The request was refused.","errors":[{"message":"m","domain":"youtube.liveChat","reason":%q}]}}`, status, reason)
}

func (a *api) refuse(w http.ResponseWriter, r *http.Request) bool {
	a.mu.Lock()
	a.calls = append(a.calls, r.URL.RequestURI())
	reason, status := a.reason, a.status
	if strings.HasSuffix(r.URL.Path, "messages") {
		a.reason = ""
	} else {
		reason = ""
	}
	a.mu.Unlock()
	switch {
	case reason != "":
		fail(w, status, reason)
		return true
	case r.Header.Get("X-Goog-Api-Key") != "secret" && r.Header.Get("Authorization") != "Bearer secret":
		fail(w, http.StatusUnauthorized, "authError")
		return true
	}
	answer := func(status int, reason string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { fail(w, status, reason) }
	}
	return a.Refuses(w, r, faketest.Words{
		Limited: func(w http.ResponseWriter, until time.Time) {
			w.Header().Set("Retry-After", strconv.Itoa(int(time.Until(until)/time.Second)))
			fail(w, http.StatusTooManyRequests, "rateLimitExceeded")
		},
		Slow: answer(http.StatusForbidden, "rateLimitExceeded"), Failed: answer(http.StatusServiceUnavailable, "backendError"),
		Barred: answer(http.StatusUnauthorized, "authError"), Half: `{"items":[{"kind":"youtube#live`,
	})
}

func (a *api) videos(w http.ResponseWriter, r *http.Request) {
	if a.refuse(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.details == "" {
		_, _ = fmt.Fprint(w, `{"kind":"youtube#videoListResponse","items":[]}`)
		return
	}
	_, _ = fmt.Fprintf(w, `{"kind":"youtube#videoListResponse","items":[{"kind":"youtube#video","id":"v1","liveStreamingDetails":%s}]}`, a.details)
}

// messages gives what follows a page token, which is a number behind a letter.
func (a *api) messages(w http.ResponseWriter, r *http.Request) {
	if a.refuse(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	from := 0
	if token := r.URL.Query().Get("pageToken"); token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "T"))
		if err != nil || n > len(a.items) || a.forgets {
			a.forgets = false
			fail(w, http.StatusBadRequest, "pageTokenInvalid")
			return
		}
		from = n
	}
	next := fmt.Sprint("T", len(a.items))
	if a.long {
		next = "T" + strings.Repeat("0", connect.MaxPlace) + next[1:]
	}
	answer := map[string]any{"kind": "youtube#liveChatMessageListResponse", "etag": "e", "nextPageToken": next,
		"pollingIntervalMillis": 1, "pageInfo": map[string]any{"totalResults": len(a.items) - from, "resultsPerPage": 2000}, "items": a.items[from:]}
	if a.offline {
		answer["offlineAt"] = "2026-05-01T21:00:00Z"
	}
	_ = json.NewEncoder(w).Encode(answer)
}
