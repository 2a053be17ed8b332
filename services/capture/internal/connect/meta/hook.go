// Package meta reads the webhooks of Meta's platforms, a file each: WhatsApp
// (Cloud API), Facebook pages and their messages, Instagram. One address takes
// all of them; what an app is subscribed to, it gets.
//
// Settings:
//
//	name          type           needed  secret
//	app_secret    text           yes     yes     the app's secret, which signs every call
//	verify_token  text           yes     yes     what the subscription was given as verify token
//	author_key    text           no      yes     makes pseudonyms of WhatsApp's numbers; app_secret, if missing
//	accounts      list of texts  no      no      ids of the pages and accounts that count; all, if none is named
//
// Nobody's phone number leaves this package: WhatsApp's authors and message ids,
// which have the number in them, become keyed hashes. Another key makes everybody
// a new author.
//
// A post of Facebook is taken back when its author removes it, or the page hides
// it; a message, when its sender does. WhatsApp tells of no deletions.
//
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started
package meta

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
)

// The platforms of the posts from here.
const (
	WhatsApp  = "whatsapp"
	Facebook  = "facebook"
	Messenger = "messenger"
	Instagram = "instagram"
)

const (
	signatureHeader = "X-Hub-Signature-256"
	// maxChallenge is far above the challenges that Meta sends: they are numbers.
	maxChallenge = 256
)

type hook struct {
	secret, verify, authorKey string
	accounts                  map[string]bool // nil: all
	now                       func() time.Time
}

// NewHook reads a source's settings.
func NewHook(settings map[string]any, env connect.Env) (connect.Hook, error) {
	s := connect.Read(settings)
	h := &hook{secret: s.Need("app_secret"), verify: s.Need("verify_token"), now: env.Now}
	h.authorKey = s.String("author_key", h.secret)
	for _, id := range s.Strings("accounts") {
		if h.accounts == nil {
			h.accounts = map[string]bool{}
		}
		h.accounts[id] = true
	}
	if err := s.Done(); err != nil {
		return nil, err
	}
	return h, nil
}

// notice is the envelope of everything.
type notice struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

// entry is what happened to one page or account.
type entry struct {
	ID      text              `json:"id"`
	Time    moment            `json:"time"` // when it was sent
	Changes []change          `json:"changes"`
	Talk    []json.RawMessage `json:"messaging"`
	Standby []json.RawMessage `json:"standby"` // the same, while another app answers
	change                    // Instagram's other form of one change
}

type change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// Receive reads a notice, or answers the question whether we are who is meant.
func (h *hook) Receive(r *connect.Request) (connect.Receipt, error) {
	if r.Method == http.MethodGet {
		return h.shakeHands(r)
	}
	var receipt connect.Receipt
	signature, err := sign.Header(r.Header, signatureHeader, "sha256=")
	if err != nil {
		return receipt, err
	}
	if !sign.Hex.Is(signature, sign.SHA256(h.secret, string(r.Body))) {
		return receipt, sign.Wrong(signatureHeader)
	}
	var n notice
	if err := connect.Decode(r.Body, &n); err != nil {
		return receipt, err
	}
	if n.Object == "" {
		return receipt, fault.Invalid(fault.Field{Pointer: "/object", Detail: "is missing: the body is no notice of Meta's"})
	}
	read := &reading{hook: h, now: audience.MillisOf(h.now()), receipt: &receipt}
	for i := range n.Entry {
		read.entry(n.Object, &n.Entry[i])
	}
	return receipt, nil
}

// shakeHands answers Meta's question at the beginning of a subscription.
func (h *hook) shakeHands(r *connect.Request) (connect.Receipt, error) {
	challenge := r.Query.Get("hub.challenge")
	switch {
	case !sign.Same(r.Query.Get("hub.verify_token"), h.verify):
		return connect.Receipt{}, fault.New(fault.SourceKeyInvalid, "hub.verify_token is not this source's verify_token")
	case r.Query.Get("hub.mode") != "subscribe" || challenge == "" || len(challenge) > maxChallenge:
		return connect.Receipt{}, fault.New(fault.InvalidRequest, "hub.mode or hub.challenge is not as Meta sends them")
	}
	return connect.Receipt{ContentType: "text/plain; charset=utf-8", Body: []byte(challenge)}, nil
}

// reading reads one notice.
type reading struct {
	*hook
	now     audience.Millis
	receipt *connect.Receipt
}

func (r *reading) entry(object string, e *entry) {
	if r.accounts != nil && !r.accounts[string(e.ID)] {
		return
	}
	changes := e.Changes
	if e.Field != "" {
		changes = append(changes, e.change)
	}
	for _, c := range changes {
		switch {
		case object == "whatsapp_business_account" && c.Field == "messages":
			each(r, c.Value, r.whatsApp)
		case object == "page" && (c.Field == "feed" || c.Field == "mention"):
			each(r, c.Value, r.facebook)
		case object == "instagram" && (c.Field == "comments" || c.Field == "live_comments"):
			each(r, c.Value, func(v *igComment) error { return r.igComment(e, v) })
		case object == "instagram" && c.Field == "mentions":
			each(r, c.Value, func(v *igMention) error { return r.igMention(e, v) })
		case object == "instagram" && c.Field == "messages":
			each(r, c.Value, func(v *talk) error { return r.talk(Instagram, v) })
		}
	}
	platform := map[string]string{"page": Messenger, "instagram": Instagram}[object]
	if platform == "" {
		return
	}
	for _, list := range [][]json.RawMessage{e.Talk, e.Standby} {
		for _, raw := range list {
			each(r, raw, func(v *talk) error { return r.talk(platform, v) })
		}
	}
}

// each reads one event; one that cannot be read does not hinder the others.
func each[T any](r *reading, raw json.RawMessage, take func(*T) error) {
	var v T
	err := json.Unmarshal(raw, &v)
	if err == nil {
		err = take(&v)
	}
	if err != nil {
		r.receipt.Reject(fault.New(fault.InvalidRequest, "read an event of Meta's: %w", err))
	}
}
