package capture_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture"
)

// source defines an enabled source of the show, its secrets sealed.
func (h *house) source(id, connector string, settings, secrets map[string]any) {
	h.t.Helper()
	for name, secret := range secrets {
		settings[name] = h.keys.Seal(id, name, secret.(string))
	}
	h.put(control.KindSourcePut, id, audience.Source{ID: id, Show: "show", Connector: connector, Enabled: true, Settings: settings})
}

// TestAVoteBySMS: one message, one ballot, one reply, and nobody's number in the
// log.
func TestAVoteBySMS(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	const address = "https://vote.example.org/v1/hooks/texts"
	h.source("texts", "sms", map[string]any{"url": address, "reply_counted": "Counted, thank you!", "reply_unknown": "Send ANNA"},
		map[string]any{"auth_token": "open-sesame", "author_key": "k"})
	text := func(sid, words string) string {
		form := url.Values{"MessageSid": {sid}, "From": {"+5511912345678"}, "To": {"+551130001000"}, "Body": {words}, "FromCountry": {"BR"}}
		m := hmac.New(sha1.New, []byte("open-sesame"))
		m.Write([]byte(address + "Body" + words + "From+5511912345678" + "FromCountryBR" + "MessageSid" + sid + "To+551130001000"))
		w := h.do("POST", "/v1/hooks/texts", form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
			"X-Twilio-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
		if w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		return w.Body.String()
	}
	const head = `<?xml version="1.0" encoding="UTF-8"?><Response>`
	for _, c := range [][3]string{
		{"SM1", "anna!", "<Message>Counted, thank you!</Message>"}, {"SM1", "anna!", "<Message>Counted, thank you!</Message>"},
		{"SM2", "who?", "<Message>Send ANNA</Message>"}, {"SM3", "STOP", ""},
	} {
		if got, want := text(c[0], c[1]), head+c[2]+"</Response>"; got != want {
			t.Errorf("%s: %s, want %s", c[1], got, want)
		}
	}
	votes := map[string]bool{}
	for _, p := range h.log.posts() {
		for _, v := range p.GetVotes() {
			votes[string(v.GetBallot())] = true
		}
		if strings.Contains(p.String(), "912345678") {
			t.Errorf("a number is in %v", p)
		}
	}
	if len(votes) != 1 {
		t.Errorf("%d ballots", len(votes))
	}
	if strings.Contains(h.logged.String(), "912345678") {
		t.Error("a number is in the log")
	}
	expect(t, h.do("POST", "/v1/hooks/texts", "Body=anna", "Content-Type", "application/x-www-form-urlencoded"), 401, "source-key-invalid")
}

// TestAnAddressIsSignedAsItIsCalled: Twilio signs the address that it knows, which
// is that of the outermost proxy; others may not tell us one.
func TestAnAddressIsSignedAsItIsCalled(t *testing.T) {
	const secret = "open-sesame"
	for name, c := range map[string]struct {
		trusted []string
		header  []string
		signed  string
		want    int
	}{
		"none between":    {nil, nil, "http://example.com/v1/hooks/texts?a=b%20c", 200},
		"one proxy":       {[]string{"192.0.2.1"}, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "vote.example.org"}, "https://vote.example.org/v1/hooks/texts?a=b%20c", 200},
		"with its port":   {[]string{"192.0.2.1"}, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "vote.example.org:8443"}, "https://vote.example.org:8443/v1/hooks/texts?a=b%20c", 200},
		"two proxies":     {[]string{"192.0.2.1"}, []string{"X-Forwarded-Proto", "https, http", "X-Forwarded-Host", "vote.example.org, inner.example.org"}, "https://vote.example.org/v1/hooks/texts?a=b%20c", 200},
		"host kept":       {[]string{"192.0.2.1"}, []string{"X-Forwarded-Proto", "HTTPS"}, "https://example.com/v1/hooks/texts?a=b%20c", 200},
		"not trusted":     {nil, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "vote.example.org"}, "https://vote.example.org/v1/hooks/texts?a=b%20c", 401},
		"another address": {nil, nil, "http://example.com/v1/hooks/texts?a=b", 401},
	} {
		h := newHouse(t, func(cfg *capture.Config, _ *capture.Deps) { cfg.TrustedProxies = c.trusted })
		h.source("texts", "sms", map[string]any{}, map[string]any{"auth_token": secret, "author_key": "k"})
		m := hmac.New(sha1.New, []byte(secret))
		m.Write([]byte(c.signed + "BodyannaFrom+5511912345678MessageSidSM1"))
		form := url.Values{"MessageSid": {"SM1"}, "From": {"+5511912345678"}, "Body": {"anna"}}
		w := h.do("POST", "/v1/hooks/texts?a=b%20c", form.Encode(), append(c.header, "Content-Type", "application/x-www-form-urlencoded",
			"X-Twilio-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))...)
		if w.Code != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestMetaCalls: the handshake, and a button that is a vote.
func TestMetaCalls(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.source("meta", "meta", map[string]any{}, map[string]any{"app_secret": "open-sesame", "verify_token": "token"})
	w := h.do("GET", "/v1/hooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=token", "")
	if w.Code != http.StatusOK || w.Body.String() != "1158201444" {
		t.Error(w.Code, w.Body)
	}
	if w := h.do("HEAD", "/v1/hooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=token", ""); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "10" {
		t.Error(w.Code, w.Header(), w.Body)
	}
	expect(t, h.do("GET", "/v1/hooks/meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token=other", ""), 401, "source-key-invalid")
	const body = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[
		{"from":"5511912345678","id":"wamid.1","timestamp":"1777665600","type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"a","title":"Anna"}}}]}}]}]}`
	m := hmac.New(sha256.New, []byte("open-sesame"))
	m.Write([]byte(body))
	if w := h.do("POST", "/v1/hooks/meta", body, "X-Hub-Signature-256", "sha256="+hex.EncodeToString(m.Sum(nil))); w.Code != http.StatusOK {
		t.Error(w.Code, w.Body)
	}
	posts := h.log.posts()
	if len(posts) != 1 || len(posts[0].GetVotes()) != 1 || posts[0].GetPlatform() != "whatsapp" || strings.Contains(posts[0].String(), "912345678") {
		t.Errorf("%v", posts)
	}
	expect(t, h.do("POST", "/v1/hooks/meta", body+" ", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(m.Sum(nil))), 401, "source-key-invalid")
}

// TestWhatAPageRemovesIsTakenBack by whichever instance is told, with its ballot.
func TestWhatAPageRemovesIsTakenBack(t *testing.T) {
	log := realLog(t)()
	h := buildHouse(t, func(_ *capture.Config, d *capture.Deps) {
		d.Log, d.Past, d.Now = log, capture.Kafka{Log: log}, time.Now
	})
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.source("meta", "meta", map[string]any{}, map[string]any{"app_secret": "open-sesame", "verify_token": "token"})
	h.run()
	defer h.stop()
	tell := func(verb, id string) {
		t.Helper()
		body := `{"object":"page","entry":[{"id":"1","changes":[{"field":"feed","value":{"item":"comment","verb":"` + verb + `","comment_id":"` + id + `","post_id":"1_1","from":{"id":"7","name":"Ana"},"message":"anna","created_time":1777665600}}]}]}`
		m := hmac.New(sha256.New, []byte("open-sesame"))
		m.Write([]byte(body))
		if w := h.do("POST", "/v1/hooks/meta", body, "X-Hub-Signature-256", "sha256="+hex.EncodeToString(m.Sum(nil))); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
	}
	tell("add", "1_2")
	tell("remove", "1_2")
	tell("remove", "1_3") // nobody delivered it
	d, ok := h.registry.State().Post("show", "facebook:1_2")
	if !ok || d.Deletion < 0 || d.Actor != "source:meta" {
		t.Fatalf("%+v", d)
	}
	var command control.PostCommand
	if err := h.registry.last().Get(&command); err != nil {
		t.Fatal(err)
	}
	if post, err := command.Captured(); err != nil || post.GetText() != "anna" || len(post.GetVotes()) != 1 {
		t.Error(post, err)
	}
	if n := h.counter("clamor_capture_posts_gone_total", "unknown"); n != 1 {
		t.Errorf("%v posts are not known", n)
	}
}

func TestAnybodysWebhook(t *testing.T) {
	h := newHouse(t, nil)
	h.source("app", "webhook", map[string]any{"items": "", "fields": map[string]any{"id": "/n", "text": "/says", "author_id": "/by"}}, map[string]any{"key": "open-sesame"})
	w := h.do("POST", "/v1/hooks/app", `[{"n":1,"says":"oi","by":"u"},{"n":2}]`, "Authorization", "Bearer open-sesame")
	if w.Code != http.StatusOK || w.Body.String() != `{"accepted":1,"rejected":1}`+"\n" {
		t.Error(w.Code, w.Body)
	}
	if posts := h.log.posts(); len(posts) != 1 || posts[0].GetPlatform() != "app" || posts[0].GetId() != "1" {
		t.Errorf("%v", posts)
	}
	expect(t, h.do("POST", "/v1/hooks/app", `[]`, "Authorization", "Bearer nonsense"), 401, "source-key-invalid")
}
