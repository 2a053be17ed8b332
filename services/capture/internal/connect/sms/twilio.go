package sms

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/pointer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
)

const (
	twilioHeader = "X-Twilio-Signature"
	bodyHash     = "bodySHA256"
	maxMedia     = 10 // files that a message can have
)

// twilio speaks as https://www.twilio.com/docs/messaging/guides/webhook-request
// and https://www.twilio.com/docs/usage/security have it.
type twilio struct {
	token   string
	address string // empty: as the door says
}

func newTwilio(s *connect.Settings) *twilio {
	t := &twilio{token: s.Need("auth_token")}
	if u := s.URL("url", "", "https", "http"); u != nil {
		t.address = u.String()
	}
	return t
}

func (t *twilio) read(r *connect.Request, _ time.Time) (text, error) {
	signature, err := sign.Header(r.Header, twilioHeader, "")
	if err != nil {
		return text{}, err
	}
	// What is signed is the form's content, so it is read before the signature.
	call, err := t.content(r, signature)
	if err != nil {
		return text{}, err
	}
	status := call.Get("MessageStatus") // how a message of ours fares
	m := text{
		id: call.Get("MessageSid"), from: call.Get("From"), words: call.Get("Body"),
		none:    !call.Has("Body") || status != "" && status != "received",
		service: call.Get("OptOutType") != "",
	}
	if m.id == "" {
		m.id = call.Get("SmsSid")
	}
	// WhatsApp and others come with a word before the number.
	if _, number, ok := strings.Cut(m.from, ":"); ok {
		m.from = number
	}
	m.location = strings.Join(slices.DeleteFunc([]string{call.Get("FromState"), call.Get("FromCountry")}, func(s string) bool { return s == "" }), ", ")
	for i := range maxMedia {
		if address := call.Get("MediaUrl" + strconv.Itoa(i)); address != "" {
			m.media = append(m.media, address)
		}
	}
	return m, nil
}

// content is what a call says: a form, or the same in JSON, of which a hash stands
// in the address.
func (t *twilio) content(r *connect.Request, signature string) (url.Values, error) {
	wrong := sign.Wrong(twilioHeader)
	hash := r.Query.Get(bodyHash)
	if hash == "" {
		call, err := url.ParseQuery(string(r.Body))
		if err != nil || !t.signed(r.URL, call, signature) {
			return nil, wrong
		}
		return call, nil
	}
	sum := sha256.Sum256(r.Body)
	if !sign.Same(strings.ToLower(hash), hex.EncodeToString(sum[:])) || !t.signed(r.URL, nil, signature) {
		return nil, wrong
	}
	body, err := pointer.Read(r.Body)
	if err != nil {
		return nil, err
	}
	said, ok := body.(map[string]any)
	if !ok {
		return nil, fault.New(fault.InvalidRequest, "the body is no object")
	}
	call := url.Values{}
	for name, v := range said {
		call.Set(name, pointer.Text(v))
	}
	return call, nil
}

// as is the address that Twilio called, by the settings: it adds the hash of a
// JSON body to it.
func (t *twilio) as(called string) string {
	if t.address == "" {
		return called
	}
	u, err := url.Parse(called)
	if err != nil || !u.Query().Has(bodyHash) || strings.Contains(t.address, bodyHash+"=") {
		return t.address
	}
	mark := "?"
	if strings.Contains(t.address, mark) {
		mark = "&"
	}
	return t.address + mark + bodyHash + "=" + u.Query().Get(bodyHash)
}

// signed says whether the signature is that of the address and the form. Twilio
// leaves out a port in some places where others have it.
func (t *twilio) signed(address string, call url.Values, signature string) bool {
	address = t.as(address)
	content := sorted(call)
	for _, a := range []string{address, withPort(address), withoutPort(address)} {
		if sign.Base64.Is(signature, sign.SHA1(t.token, a, content)) {
			return true
		}
	}
	return false
}

// sorted are all names with their values, in order; what is there twice counts
// once.
func sorted(call url.Values) string {
	var b strings.Builder
	names := make([]string, 0, len(call))
	for name := range call {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(call[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			b.WriteString(name)
			b.WriteString(v)
		}
	}
	return b.String()
}

func withPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Port() != "" {
		return address
	}
	switch u.Scheme {
	case "https":
		u.Host += ":443"
	case "http":
		u.Host += ":80"
	}
	return u.String()
}

func withoutPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Port() == "" {
		return address
	}
	u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	return u.String()
}

func (t *twilio) answer(words string) (string, []byte) {
	const contentType = "text/xml; charset=utf-8"
	b := bytes.NewBufferString(`<?xml version="1.0" encoding="UTF-8"?><Response>`)
	if words != "" {
		b.WriteString("<Message>")
		_ = xml.EscapeText(b, []byte(words)) // a buffer takes all
		b.WriteString("</Message>")
	}
	b.WriteString("</Response>")
	return contentType, b.Bytes()
}
