// Package webhook reads posts from anybody who can send JSON: JSON pointers say
// where in the body each part of a post is.
//
// Settings, those of the signature beside them in package sign:
//
//	name        type             needed  secret
//	key         text             or      yes     a bearer key: Authorization: Bearer <key>
//	secret      text             this    yes     signs the calls (HMAC-SHA256 of the body)
//	signature_header, signature_prefix, signature_encoding, timestamp_header, tolerance_s
//	fields      object of texts  yes     no      a JSON pointer for each part of a post
//	items       text             no      no      pointer to the list of posts; the body is one, if missing, "" means the body is the list
//	platform    text             no      no      that of the posts; the source's id, if missing
//
// The fields: id and text must be named; author_id, author_name, author_handle,
// author_location, author_followers, author_created_at, created_at, language, lat,
// lon, links, media, reply_to and repost_of may be. Times are RFC 3339, Unix seconds
// or Unix milliseconds; links and media are a text or a list of texts. Pointers
// begin at the item.
//
// A body of which one item is no post gives the others; the answer says how many
// were and were not.
package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/pointer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
)

type hook struct {
	guard    *sign.Guard
	fields   map[string]pointer.Path
	items    pointer.Path
	single   bool
	platform string
	now      func() time.Time
}

// NewHook reads a source's settings.
func NewHook(settings map[string]any, env connect.Env) (connect.Hook, error) {
	s := connect.Read(settings)
	h := &hook{fields: fields(s), platform: strings.ToLower(s.String("platform", "")), now: env.Now}
	if settings["key"] != nil {
		h.guard = sign.ReadBearer(s) // beside it, all about signatures is too much
	} else {
		h.guard = sign.ReadHMAC(s, "")
	}
	h.single = settings["items"] == nil
	var err error
	if h.items, err = pointer.Parse(s.String("items", "")); err != nil {
		s.Fail("items", "%v", err)
	}
	if err := s.Done(); err != nil {
		return nil, err
	}
	return h, nil
}

// fields reads the pointers.
func fields(s *connect.Settings) map[string]pointer.Path {
	named := s.Map("fields")
	paths := make(map[string]pointer.Path, len(named))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		path, err := pointer.Parse(named[name])
		if err != nil {
			s.Fail("fields", "%s %v", name, err)
		}
		if !slices.Contains(parts(), name) {
			s.Fail("fields", "has %q, which is no part of a post; those are %s", name, strings.Join(parts(), ", "))
		}
		paths[name] = path
	}
	for _, name := range []string{"id", "text"} {
		if _, ok := paths[name]; !ok {
			s.Fail("fields", "does not say where %s is", name)
		}
	}
	return paths
}

// Receive reads the posts in a body.
func (h *hook) Receive(r *connect.Request) (connect.Receipt, error) {
	var receipt connect.Receipt
	now := h.now()
	if err := h.guard.Check(r.Header, r.Body, now); err != nil {
		return receipt, err
	}
	body, err := pointer.Read(r.Body)
	if err != nil {
		return receipt, err
	}
	items := []any{body}
	if !h.single {
		list, ok := h.items.In(body).([]any)
		switch {
		case !ok:
			return receipt, fault.New(fault.InvalidRequest, "there is no list where settings.items points to")
		case len(list) > connect.MaxMessages:
			return receipt, fault.New(fault.InvalidRequest, "the list has %d items; send at most %d in a call", len(list), connect.MaxMessages)
		}
		items = list
	}
	for _, item := range items {
		if _, ok := item.(map[string]any); !ok {
			receipt.Reject(fault.New(fault.InvalidRequest, "an item is no object"))
			continue
		}
		h.take(&receipt, item, audience.MillisOf(now))
	}
	receipt.ContentType = "application/json"
	receipt.Body = fmt.Appendf(nil, `{"accepted":%d,"rejected":%d}`+"\n", len(receipt.Posts), receipt.Malformed)
	return receipt, nil
}
