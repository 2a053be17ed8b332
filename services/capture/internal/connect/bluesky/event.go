package bluesky

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
)

const (
	platform   = "bluesky"
	collection = "app.bsky.feed.post"
)

// event is what Jetstream sends.
type event struct {
	DID    string `json:"did"`
	TimeUS int64  `json:"time_us"`
	Kind   string `json:"kind"`
	Commit *struct {
		Operation  string          `json:"operation"`
		Collection string          `json:"collection"`
		RKey       string          `json:"rkey"`
		Record     json.RawMessage `json:"record"`
	} `json:"commit"`
	Identity *struct {
		Handle string `json:"handle"`
	} `json:"identity"`
	Account *struct {
		Active bool   `json:"active"`
		Status string `json:"status"`
	} `json:"account"`
}

// listener understands events, one after another.
type listener struct {
	now     func() time.Time
	filter  *filter // nil: every post passes
	handles handles
	newest  int64 // time_us
	said    *recall.Memory
}

func (l *listener) take(message []byte, b *connect.Batch) {
	if len(message) > maxMessage {
		stream.Malformed(b, fmt.Errorf("the event is larger than %d bytes", maxMessage))
		return
	}
	var e event
	if err := json.Unmarshal(message, &e); err != nil {
		stream.Malformed(b, fmt.Errorf("the event is no JSON: %w", err))
		return
	}
	l.newest = max(l.newest, e.TimeUS)
	switch {
	case e.Kind == "identity" && e.Identity != nil:
		l.handles.put(e.DID, e.Identity.Handle)
	case e.Kind == "account":
		l.account(&e, b)
	case e.Kind == "commit" && e.Commit != nil && e.Commit.Collection == collection:
		l.commit(&e, b)
	}
}

// account takes back what an account said that is closed. One whose server is
// only late (desynchronized, throttled) is not.
func (l *listener) account(e *event, b *connect.Batch) {
	if e.Account == nil || !strings.HasPrefix(e.DID, "did:") {
		stream.Malformed(b, fault.New(fault.InvalidRequest, "the event names no account"))
		return
	}
	switch e.Account.Status {
	case "deactivated", "deleted", "suspended", "takendown":
		if !e.Account.Active {
			stream.TakeBack(b, platform, l.said.Of(e.DID)...)
		}
	}
}

func (l *listener) commit(e *event, b *connect.Batch) {
	if !strings.HasPrefix(e.DID, "did:") || e.Commit.RKey == "" {
		stream.Malformed(b, fault.New(fault.InvalidRequest, "the commit has no did or rkey"))
		return
	}
	id := "at://" + e.DID + "/" + collection + "/" + e.Commit.RKey
	switch e.Commit.Operation {
	case "delete":
		stream.TakeBack(b, platform, id)
		return
	case "create", "update":
	default:
		stream.Malformed(b, fmt.Errorf("the commit's operation is %.20q", e.Commit.Operation))
		return
	}
	var r record
	if err := json.Unmarshal(e.Commit.Record, &r); err != nil {
		stream.Malformed(b, fmt.Errorf("the record is no post: %w", err))
		return
	}
	if l.filter != nil && !l.filter.passes(r.Text) {
		return
	}
	p := r.post(e.DID)
	p.ID, p.Author.Handle = id, l.handles.get(e.DID)
	l.said.Note(e.DID, id)
	stream.Add(b, &p, l.now())
}
