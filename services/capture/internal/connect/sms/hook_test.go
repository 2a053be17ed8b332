package sms

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
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

const (
	authorKey = "author key"
	address   = "https://vote.example.org/v1/hooks/sms"
)

func newHook(t testing.TB, settings map[string]any) connect.Hook {
	t.Helper()
	for name, v := range map[string]any{"author_key": authorKey, "reply_counted": "Obrigado & até já!", "reply_unknown": "Envie ANNA ou BETO"} {
		if _, ok := settings[name]; !ok {
			settings[name] = v
		}
	}
	h, err := NewHook(settings, connect.Env{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func newTwilioHook(t testing.TB) connect.Hook {
	t.Helper()
	return newHook(t, map[string]any{"auth_token": "12345"})
}

// form is a call of Twilio's with this content.
func twilioCall(content url.Values) *connect.Request {
	signature := base64.StdEncoding.EncodeToString(sign.SHA1("12345", address, sorted(content)))
	return &connect.Request{Method: http.MethodPost, URL: address, Header: http.Header{twilioHeader: {signature}}, Body: []byte(content.Encode())}
}

func inbound(body string) url.Values {
	// As in Twilio's documentation of incoming messages.
	return url.Values{
		"ToCountry": {"NL"}, "SmsMessageSid": {"SMb711289e438f577f230f5837e9c74a08"}, "NumMedia": {"0"}, "FromState": {""},
		"SmsSid": {"SMb711289e438f577f230f5837e9c74a08"}, "SmsStatus": {"received"}, "Body": {body}, "FromCountry": {"NL"}, "To": {"+3197014204768"},
		"MessagingServiceSid": {"MG790b6bd09f119b54ffb7f03b8841b1c9"}, "NumSegments": {"1"}, "MessageSid": {"SMb711289e438f577f230f5837e9c74a08"},
		"AccountSid": {"ACf54dd7a47a8011d65b54d472a7190549"}, "From": {"+31612345678"}, "ApiVersion": {"2010-04-01"},
	}
}

// TestTwilioSignature has the vectors of Twilio's documentation (usage/security)
// and of its libraries' tests.
func TestTwilioSignature(t *testing.T) {
	call := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	twice := url.Values{"Sid": {"CA123"}, "SidAccount": {"AC123"}, "Digits": {"5678", "1234", "1234"}}
	const there = "https://mycompany.com/myapp.php?foo=1&bar=2"
	h := &twilio{token: "12345"}
	for _, c := range []struct {
		address   string
		call      url.Values
		signature string
		want      bool
	}{
		{there, call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{strings.Replace(there, ".com/", ".com:443/", 1), call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{there, twice, "IK+Dwps556ElfBT0I3Rgjkr1wJU=", true},
		{there, twice, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{there + "&more=1", call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{there, call, "", false},
		{there, call, "RSOYDt4T1cUTdK1PDd93/VVr8B8", false},
		{"http://" + there[len("https://"):], call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
	} {
		if got := h.signed(c.address, c.call, c.signature); got != c.want {
			t.Errorf("%s %v: %v", c.address, c.call, got)
		}
	}
	behind := &twilio{token: "12345", address: there}
	if !behind.signed("http://10.0.0.7/v1/hooks/x", call, "RSOYDt4T1cUTdK1PDd93/VVr8B8=") {
		t.Error("the address of the settings is not used")
	}
}

// TestTwilioInJSON has the vector of Twilio's libraries' tests, and a message.
func TestTwilioInJSON(t *testing.T) {
	const there, body = "https://mycompany.com/myapp.php?foo=1&bar=2", `{"property": "value", "boolean": true}`
	const hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
	call := func(address, body, hash, signature string) *connect.Request {
		u, err := url.Parse(address + "&bodySHA256=" + hash)
		if err != nil {
			t.Fatal(err)
		}
		return &connect.Request{Method: http.MethodPost, URL: u.String(), Query: u.Query(), Header: http.Header{twilioHeader: {signature}}, Body: []byte(body)}
	}
	for name, c := range map[string]struct {
		settings, address, body, hash string
		ok                            bool
	}{
		"as called":        {"", there, body, hash, true},
		"behind a proxy":   {there, "http://10.0.0.7/v1/hooks/x?foo=1&bar=2", body, hash, true},
		"upper case":       {"", there, body, strings.ToUpper(hash), false}, // another address than was signed
		"another body":     {"", there, body + " ", hash, false},
		"another body and": {"", there, "{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", false},
		"another address":  {"", there + "&x=1", body, hash, false},
	} {
		h := &twilio{token: "12345", address: c.settings}
		_, err := h.read(call(c.address, c.body, c.hash, "a9nBmqA0ju/hNViExpshrM61xv4="), now)
		if c.ok && err != nil || !c.ok && !fault.Is(err, fault.SourceKeyInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	signed := func(body string) *connect.Request {
		sum := sha256.Sum256([]byte(body))
		r := call(address+"?a=b", body, hex.EncodeToString(sum[:]), "")
		r.Header.Set(twilioHeader, base64.StdEncoding.EncodeToString(sign.SHA1("12345", r.URL)))
		return r
	}
	got, err := newTwilioHook(t).Receive(signed(`{"MessageSid":"SM1","From":"+31612345678","Body":"Anna","NumMedia":0}`))
	if err != nil || len(got.Posts) != 1 || got.Posts[0].Text != "Anna" || got.Posts[0].Author.ID != sign.Pseudonym(authorKey, "31612345678") {
		t.Error(got, err)
	}
	for bad, code := range map[string]fault.Code{"": fault.BadJSON, "[]": fault.InvalidRequest, "null": fault.InvalidRequest} {
		if _, err := newTwilioHook(t).Receive(signed(bad)); !fault.Is(err, code) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTwilio(t *testing.T) {
	content := inbound("Anna")
	content.Set("FromState", "Utrecht")
	content.Set("MediaUrl0", "https://api.twilio.com/m/0")
	got, err := newTwilioHook(t).Receive(twilioCall(content))
	if err != nil || got.Malformed != 0 {
		t.Fatal(got.First, err)
	}
	want := []audience.Post{{
		ID: "SMb711289e438f577f230f5837e9c74a08", Platform: "sms", Text: "Anna", CreatedAt: audience.MillisOf(now),
		Author: audience.Author{ID: sign.Pseudonym(authorKey, "31612345678"), Location: "Utrecht, NL"}, Media: []string{"https://api.twilio.com/m/0"},
	}}
	if diff := cmp.Diff(want, got.Posts); diff != "" {
		t.Error(diff)
	}
	for voted, reply := range map[bool]string{
		true:  `<?xml version="1.0" encoding="UTF-8"?><Response><Message>Obrigado &amp; até já!</Message></Response>`,
		false: `<?xml version="1.0" encoding="UTF-8"?><Response><Message>Envie ANNA ou BETO</Message></Response>`,
	} {
		if kind, body := got.Reply(voted); string(body) != reply || !strings.HasPrefix(kind, "text/xml") {
			t.Errorf("%s %s", kind, body)
		}
	}
	// What is sent again is the same post of the same author.
	again, err := newTwilioHook(t).Receive(twilioCall(inbound("Beto")))
	if err != nil || again.Posts[0].ID != want[0].ID || again.Posts[0].Author.ID != want[0].Author.ID {
		t.Error(again, err)
	}
}

func TestNoNumberInAPost(t *testing.T) {
	got, err := newTwilioHook(t).Receive(twilioCall(inbound("Anna")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got.Posts)
	if err != nil || strings.Contains(string(text), "612345678") {
		t.Errorf("%s %v", text, err)
	}
	for _, from := range []string{"+31612345678", "0031 6 1234 5678", "31-612345678", "whatsapp:+31612345678"} {
		content := inbound("Anna")
		content.Set("From", from)
		same, err := newTwilioHook(t).Receive(twilioCall(content))
		if err != nil || same.Posts[0].Author.ID != got.Posts[0].Author.ID {
			t.Errorf("%s is another author", from)
		}
	}
	other, err := newHook(t, map[string]any{"auth_token": "12345", "author_key": "other"}).Receive(twilioCall(inbound("Anna")))
	if err != nil || other.Posts[0].Author.ID == got.Posts[0].Author.ID {
		t.Error("the key makes no difference")
	}
}

func TestNoReply(t *testing.T) {
	const nothing = `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`
	optOut, status, none := inbound("pare"), inbound(""), inbound("Anna")
	optOut.Set("OptOutType", "STOP")
	status.Del("Body")
	status.Set("MessageStatus", "delivered")
	none.Del("From")
	for name, content := range map[string]url.Values{
		"stop": inbound("STOP"), "spaced": inbound(" stop\n"), "start": inbound("Start"), "help": inbound("HELP"), "twilio's": optOut, "status": status, "no sender": none,
	} {
		got, err := newTwilioHook(t).Receive(twilioCall(content))
		if err != nil || len(got.Posts) != 0 || got.Reply != nil || string(got.Body) != nothing {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if (got.Malformed > 0) != (name == "no sender") {
			t.Errorf("%s: %v", name, got.First)
		}
	}
	for _, words := range []string{"stop it", "YES", ""} {
		if got, err := newTwilioHook(t).Receive(twilioCall(inbound(words))); err != nil || len(got.Posts) != 1 || got.Reply == nil {
			t.Errorf("%q: %+v %v", words, got, err)
		}
	}
	quiet := newHook(t, map[string]any{"auth_token": "12345", "reply_counted": "", "reply_unknown": "", "service_words": []any{"PARE"}})
	got, err := quiet.Receive(twilioCall(inbound("STOP")))
	if err != nil || len(got.Posts) != 1 {
		t.Fatal(got, err)
	}
	if _, body := got.Reply(true); string(body) != nothing {
		t.Errorf("%s", body)
	}
	if got, err := quiet.Receive(twilioCall(inbound("pare"))); err != nil || len(got.Posts) != 0 {
		t.Error(got, err)
	}
}

func TestTwilioRefusals(t *testing.T) {
	h := newTwilioHook(t)
	missing, wrong, other, garbled := twilioCall(inbound("Anna")), twilioCall(inbound("Anna")), twilioCall(inbound("Anna")), twilioCall(inbound("Anna"))
	missing.Header = http.Header{}
	wrong.Header = http.Header{twilioHeader: {"RSOYDt4T1cUTdK1PDd93/VVr8B8="}}
	other.Body = []byte(inbound("Beto").Encode())
	garbled.Body = []byte("Body=%zz")
	for name, r := range map[string]*connect.Request{"missing": missing, "wrong": wrong, "another text": other, "garbled": garbled} {
		if _, err := h.Receive(r); !fault.Is(err, fault.SourceKeyInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	get := twilioCall(inbound("Anna"))
	get.Method = http.MethodGet
	if _, err := h.Receive(get); !fault.Is(err, fault.MethodNotAllowed) {
		t.Error(err)
	}
	for _, words := range []string{"\xff", "a\x00b"} {
		got, err := h.Receive(twilioCall(inbound(words)))
		if err != nil || got.Malformed != 1 || len(got.Posts) != 0 || got.Reply != nil {
			t.Errorf("%q: %+v %v", words, got, err)
		}
	}
}

func genericCall(at time.Time, body string) *connect.Request {
	made := strconv.FormatInt(at.Unix(), 10)
	return &connect.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{
		"X-Timestamp": {made}, "X-Signature-256": {hex.EncodeToString(sign.SHA256("s", made+"."+body))},
	}}
}

func TestGeneric(t *testing.T) {
	h := newHook(t, map[string]any{"form": "json", "secret": "s", "fields": map[string]any{"from": "/sms/msisdn", "text": "/sms/content", "id": "/sms/id"}})
	const body = `{"sms":{"id":99887766554433221100,"msisdn":5511912345678,"content":"BETO"},"created_at":1777665599,"location":"BR"}`
	got, err := h.Receive(genericCall(now, body))
	if err != nil {
		t.Fatal(err)
	}
	want := []audience.Post{{
		ID: "99887766554433221100", Platform: "sms", Text: "BETO", CreatedAt: 1777665599000,
		Author: audience.Author{ID: sign.Pseudonym(authorKey, "5511912345678"), Location: "BR"},
	}}
	if diff := cmp.Diff(want, got.Posts); diff != "" {
		t.Error(diff)
	}
	if kind, answer := got.Reply(false); kind != "application/json" || string(answer) != `{"reply":"Envie ANNA ou BETO"}` {
		t.Errorf("%s %s", kind, answer)
	}
	for _, at := range []time.Time{now.Add(-301 * time.Second), now.Add(301 * time.Second)} {
		if _, err := h.Receive(genericCall(at, body)); !fault.Is(err, fault.SourceKeyInvalid) {
			t.Error(err)
		}
	}
	for _, name := range []string{"X-Timestamp", "X-Signature-256"} {
		for _, value := range []string{"", "1777665600", "00"} {
			r := genericCall(now, body+" ")
			r.Body = []byte(body)
			r.Header.Set(name, value)
			if _, err := h.Receive(r); !fault.Is(err, fault.SourceKeyInvalid) {
				t.Errorf("%s %q: %v", name, value, err)
			}
		}
	}
	for bad, code := range map[string]fault.Code{"": fault.BadJSON, "{": fault.BadJSON, "\"\xff\"": fault.BadJSON, "{}": fault.InvalidRequest, "[]": fault.InvalidRequest, `{"sms":{"content":7}}`: fault.InvalidRequest} {
		if _, err := h.Receive(genericCall(now, bad)); !fault.Is(err, code) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, bad := range []string{`{"sms":{"id":"1","content":"t"}}`, `{"sms":{"msisdn":"55","content":"t"}}`, `{"sms":{"id":"1","msisdn":"55","content":"\u0000"}}`} {
		if got, err := h.Receive(genericCall(now, bad)); err != nil || got.Malformed != 1 || string(got.Body) != "{}" {
			t.Errorf("%s: %+v %v", bad, got, err)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range []map[string]any{
		{}, {"auth_token": "t"}, {"author_key": "k"}, {"author_key": "k", "auth_token": "t", "form": "xml"}, {"author_key": "k", "form": "json"},
		{"author_key": "k", "auth_token": "t", "secret": "s"}, {"author_key": "k", "auth_token": "t", "url": "x"},
		{"author_key": "k", "auth_token": "t", "reply_counted": strings.Repeat("é", 1601)},
		{"author_key": "k", "form": "json", "secret": "s", "fields": map[string]any{"text": "t"}},
		{"author_key": "k", "form": "json", "secret": "s", "fields": map[string]any{"likes": "/t"}},
	} {
		if _, err := NewHook(bad, connect.Env{Now: time.Now}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func FuzzTwilio(f *testing.F) {
	f.Add(inbound("Anna").Encode())
	h := newTwilioHook(f)
	f.Fuzz(func(t *testing.T, body string) {
		content, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		r := twilioCall(content)
		r.Body = []byte(body)
		check(t, h, r)
	})
}

func FuzzGeneric(f *testing.F) {
	f.Add(`{"id":"1","from":"+55 11","text":"t","media":["m"]}`)
	h := newHook(f, map[string]any{"form": "json", "secret": "s"})
	f.Fuzz(func(t *testing.T, body string) { check(t, h, genericCall(now, body)) })
}

func check(t *testing.T, h connect.Hook, r *connect.Request) {
	got, err := h.Receive(r)
	if _, ok := fault.As(err); err != nil && !ok {
		t.Fatal(err)
	}
	if err == nil && got.Reply == nil && len(got.Body) == 0 {
		t.Fatal("there is no answer")
	}
	for _, p := range got.Posts {
		if p.ID == "" || len(p.Author.ID) != 32 || p.CreatedAt <= 0 {
			t.Fatalf("%+v", p)
		}
	}
}
