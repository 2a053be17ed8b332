package capture_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture"
)

// telegram defines a source that a Telegram bot calls, with its secret sealed as
// the API does it.
func (h *house) telegram(id string, enabled bool, budget *audience.Budget) {
	h.t.Helper()
	h.put(control.KindSourcePut, id, audience.Source{ID: id, Show: "show", Connector: "telegram", Enabled: enabled, Budget: budget,
		Settings: map[string]any{"secret_token": h.keys.Seal(id, "secret_token", "open-sesame")}})
}

func (h *house) call(id, token string, message int, text string) int {
	h.t.Helper()
	body := fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1777665600,"chat":{"id":-100,"type":"group"},"from":{"id":%d,"first_name":"Ana"},"text":%q}}`,
		message, message, message, text)
	return h.do("POST", "/v1/hooks/"+id, body, "X-Telegram-Bot-Api-Secret-Token", token).Code
}

func TestPlatformsCallTheHooksDoor(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.telegram("bot", true, nil)
	if code := h.call("bot", "open-sesame", 1, "anna"); code != http.StatusOK {
		t.Fatal(code)
	}
	if posts := h.log.posts(); len(posts) != 1 || posts[0].GetPlatform() != "telegram" || posts[0].GetSource() != "bot" || len(posts[0].GetVotes()) != 1 {
		t.Errorf("%v", posts)
	}
	expect(t, h.do("POST", "/v1/hooks/bot", `{"update_id":1}`, "X-Telegram-Bot-Api-Secret-Token", "wrong"), 401, "source-key-invalid")
	expect(t, h.do("POST", "/v1/hooks/bot", `{`, "X-Telegram-Bot-Api-Secret-Token", "open-sesame"), 400, "bad-json")
	expect(t, h.do("POST", "/v1/hooks/none", `{}`), 404, "not-found")
	expect(t, h.do("POST", "/v1/hooks/feed", `{}`), 404, "not-found") // a push source
	if strings.Contains(h.logged.String(), "sesame") {
		t.Error("the log tells the secret")
	}
	h.telegram("bot", false, nil)
	expect(t, h.do("POST", "/v1/hooks/bot", `{}`), 404, "not-found")
}

func TestACallIsAnsweredBehindTheLog(t *testing.T) {
	h := newHouse(t, nil)
	h.telegram("bot", true, nil)
	h.log.fail(errors.New("away"))
	w := h.do("POST", "/v1/hooks/bot", `{"update_id":1,"message":{"message_id":1,"date":1777665600,"chat":{"id":1,"type":"private"},"text":"t"}}`,
		"X-Telegram-Bot-Api-Secret-Token", "open-sesame")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	h.log.fail(nil)
	if code := h.call("bot", "open-sesame", 1, "t"); code != http.StatusOK || len(h.log.posts()) != 1 {
		t.Error(code)
	}
}

func TestASecretOfAnotherSourceDoesNotOpen(t *testing.T) {
	h := newHouse(t, nil)
	h.put(control.KindSourcePut, "bot", audience.Source{ID: "bot", Show: "show", Connector: "telegram", Enabled: true,
		Settings: map[string]any{"secret_token": h.keys.Seal("another", "secret_token", "open-sesame")}})
	expect(t, h.do("POST", "/v1/hooks/bot", `{}`, "X-Telegram-Bot-Api-Secret-Token", "open-sesame"), 503, "unavailable")
}

func TestTheHooksDoorIsBounded(t *testing.T) {
	h := newHouse(t, nil)
	h.telegram("bot", true, nil)
	expect(t, h.do("POST", "/v1/hooks/bot", strings.Repeat(" ", 5<<20), "X-Telegram-Bot-Api-Secret-Token", "open-sesame"), 413, "body-too-large")
	h.telegram("bot", true, &audience.Budget{Posts: 1, Per: "hour", Overflow: audience.OverflowStop})
	if code := h.call("bot", "open-sesame", 1, "t"); code != http.StatusOK {
		t.Error(code)
	}
	if code := h.call("bot", "open-sesame", 2, "t"); code != http.StatusTooManyRequests {
		t.Error(code)
	}
}

// TestWhatIsNotTakenIsNotPaidFor: a call that has no room in what is left, and one
// that the log does not take, come again and cost once.
func TestWhatIsNotTakenIsNotPaidFor(t *testing.T) {
	h := newHouse(t, nil)
	h.put(control.KindSourcePut, "app", audience.Source{ID: "app", Show: "show", Connector: "webhook", Enabled: true,
		Budget:   &audience.Budget{Posts: 2, Per: "hour", Overflow: audience.OverflowStop},
		Settings: map[string]any{"items": "", "fields": map[string]any{"id": "/n", "text": "/says"}, "key": h.keys.Seal("app", "key", "open-sesame")}})
	call := func(body string) int {
		return h.do("POST", "/v1/hooks/app", body, "Authorization", "Bearer open-sesame").Code
	}
	if code := call(`[{"n":1,"says":"a"},{"n":2,"says":"b"},{"n":3,"says":"c"}]`); code != http.StatusTooManyRequests {
		t.Error(code)
	}
	h.log.fail(errors.New("away"))
	if code := call(`[{"n":1,"says":"a"},{"n":2,"says":"b"}]`); code != http.StatusServiceUnavailable {
		t.Error(code)
	}
	h.log.fail(nil)
	if code := call(`[{"n":1,"says":"a"},{"n":2,"says":"b"}]`); code != http.StatusOK {
		t.Error(code)
	}
	if code := call(`[{"n":3,"says":"c"}]`); code != http.StatusTooManyRequests {
		t.Error(code)
	}
}

// TestABudgetThatIsSpentSamples: posts are sampled and stamped with their rate,
// and every ballot is kept.
func TestABudgetThatIsSpentSamples(t *testing.T) {
	h := newHouse(t, func(c *capture.Config, _ *capture.Deps) { c.Limits.Network = 0 })
	h.social("p", audience.CountPosts, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.telegram("bot", true, &audience.Budget{Posts: 200, Per: "show"})
	for n := range 2000 {
		text := "what a match"
		if n%50 == 0 {
			text = "anna"
		}
		if code := h.call("bot", "open-sesame", n+1, text); code != http.StatusOK {
			t.Fatal(code)
		}
	}
	votes, sampled, estimate := 0, 0, 0.0
	for _, p := range h.log.posts() {
		rate := p.GetSampleRate()
		switch {
		case len(p.GetVotes()) > 0:
			votes++
			if rate != 0 {
				t.Fatalf("a ballot is said to be one of a sample of %v", rate)
			}
		case rate > 0 && rate < 1:
			sampled++
			estimate += 1 / rate
		default:
			estimate++
		}
	}
	if votes != 40 || sampled == 0 || estimate < 500 || estimate > 5000 {
		t.Errorf("%d votes, %d sampled, an estimate of %.0f", votes, sampled, estimate)
	}
	if !strings.Contains(h.logged.String(), "four fifths of a source's budget are spent") {
		t.Error("nobody is warned")
	}
}
