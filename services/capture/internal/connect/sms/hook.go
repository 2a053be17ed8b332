// Package sms reads the webhooks of SMS aggregators: Twilio's form, and a generic
// one in JSON. A message is a post, so it votes by the keywords of the polls; the
// answer to the aggregator carries the one message back that says whether it did.
//
// Settings:
//
//	name           type             needed    secret
//	form           twilio or json   no        no      twilio, if missing
//	author_key     text             yes       yes     makes pseudonyms of phone numbers; another key makes everybody a new author
//	reply_counted  text             no        no      what is sent back for a vote; nothing, if missing
//	reply_unknown  text             no        no      what is sent back for anything else; nothing, if missing
//	service_words  list of texts    no        no      words that are between the sender and the aggregator
//	auth_token     text             twilio    yes     the account's, which signs every call
//	url            address          no        no      twilio: the webhook's address as Twilio has it, where a proxy changes it
//	fields         object of texts  no        no      json: pointers to id, from, text, created_at, location, media
//	secret, signature_header, signature_prefix, signature_encoding, timestamp_header, tolerance_s: json; see package sign
//
// No number is in a post or a log: an author's id is a keyed hash of it. A
// message's id is the aggregator's, so what it sends again is the same post.
//
// A message that is nothing but a service word (STOP and START in their usual
// forms, HELP and INFO) is no post and gets no reply from here: it ends or renews
// consent. To send nothing more to a number after STOP is the aggregator's duty,
// for it knows who said so; all aggregators do it, most by law.
//
// In the json form the signature is the HMAC-SHA256 of "timestamp.body", with the
// timestamp in the header X-Timestamp, and the answer is {"reply":"…"}, or {}.
// Twilio's calls, forms or the same in JSON, have no time; one that is sent again is
// the same post.
package sms

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
)

// Platform is that of all posts from here.
const Platform = "sms"

// maxReply is what aggregators take as one message, in characters.
const maxReply = 1600

// text is one message as an aggregator's form has it.
type text struct {
	id, from, words string
	at              audience.Millis
	location        string
	media           []string
	// none marks a call that is about no message; service one that the aggregator
	// itself takes for a service word.
	none, service bool
}

// form is an aggregator's way to speak.
type form interface {
	// read checks who calls and reads the message.
	read(r *connect.Request, now time.Time) (text, error)
	// answer is the body that sends words back, or nothing.
	answer(words string) (contentType string, body []byte)
}

type hook struct {
	form             form
	authorKey        string
	counted, unknown string
	service          []string
	now              func() time.Time
}

// NewHook reads a source's settings.
func NewHook(settings map[string]any, env connect.Env) (connect.Hook, error) {
	s := connect.Read(settings)
	h := &hook{
		authorKey: s.Need("author_key"), counted: reply(s, "reply_counted"), unknown: reply(s, "reply_unknown"),
		service: s.Strings("service_words"), now: env.Now,
	}
	if h.service == nil {
		// YES, which renews consent with some aggregators, is left out: it is an
		// option of many polls.
		h.service = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "START", "UNSTOP", "HELP", "INFO"}
	}
	if s.OneOf("form", "twilio", "json") == "json" {
		h.form = newGeneric(s)
	} else {
		h.form = newTwilio(s)
	}
	if err := s.Done(); err != nil {
		return nil, err
	}
	return h, nil
}

func reply(s *connect.Settings, name string) string {
	words := s.String(name, "")
	if n := utf8.RuneCountInString(words); n > maxReply {
		s.Fail(name, "has %d characters; a message takes %d", n, maxReply)
	}
	return words
}

// Receive reads a message.
func (h *hook) Receive(r *connect.Request) (connect.Receipt, error) {
	var receipt connect.Receipt
	if r.Method != http.MethodPost {
		return receipt, fault.New(fault.MethodNotAllowed, "messages come by POST")
	}
	now := h.now()
	m, err := h.form.read(r, now)
	if err != nil {
		return receipt, err
	}
	receipt.ContentType, receipt.Body = h.form.answer("")
	if m.none || m.service || h.isService(m.words) {
		return receipt, nil
	}
	number := digits(m.from)
	if number == "" {
		receipt.Reject(fault.New(fault.InvalidRequest, "the message has no sender"))
		return receipt, nil
	}
	receipt.Add(audience.Post{
		ID: m.id, Platform: Platform, Text: m.words, CreatedAt: m.at, Media: m.media,
		Author: audience.Author{ID: sign.Pseudonym(h.authorKey, number), Location: m.location},
	}, audience.MillisOf(now))
	if len(receipt.Posts) > 0 {
		receipt.Reply = func(voted bool) (string, []byte) {
			if voted {
				return h.form.answer(h.counted)
			}
			return h.form.answer(h.unknown)
		}
	}
	return receipt, nil
}

func (h *hook) isService(words string) bool {
	words = strings.TrimSpace(words)
	return slices.ContainsFunc(h.service, func(w string) bool { return strings.EqualFold(w, words) })
}

// digits are those of a number, however it is written, so that one person is one
// author. A sender that is a name stays as it is.
func digits(from string) string {
	number := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, from)
	if number == "" {
		return strings.ToLower(strings.TrimSpace(from))
	}
	return strings.TrimPrefix(number, "00")
}
