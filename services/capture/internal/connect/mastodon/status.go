package mastodon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/plain"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/mattn/go-mastodon"
)

const platform = "mastodon"

// listener understands events, one after another.
type listener struct {
	now    func() time.Time
	host   string // of the server
	newest string // status id
	// said are the posts of the last runs, by their status ids.
	said *recall.Memory
}

func (l *listener) place() connect.Place { return connect.Place(l.newest) }

func (l *listener) take(message []byte, b *connect.Batch) {
	name, data, _ := bytes.Cut(message, []byte("\n"))
	switch string(name) {
	case "update", "status.update":
		l.status(data, b)
	case "delete":
		l.deleted(strings.TrimSpace(string(data)), b)
	}
}

// deleted takes back a post by its status id, which is all that the server says.
// One that is not remembered may have been without an address.
func (l *listener) deleted(id string, b *connect.Batch) {
	if idOf(connect.Place(id)) == "" {
		stream.Malformed(b, fault.New(fault.InvalidRequest, "the deletion names no status"))
		return
	}
	names := l.said.Of(id)
	if len(names) == 0 {
		names = []string{l.local(id)}
	}
	stream.TakeBack(b, platform, names...)
}

// status takes a status as the API writes it.
func (l *listener) status(data []byte, b *connect.Batch) {
	var s mastodon.Status
	err := json.Unmarshal(data, &s)
	// A server that writes some field in another way is understood all the same.
	if odd := (*json.UnmarshalTypeError)(nil); errors.As(err, &odd) && s.ID != "" && s.Account.Acct != "" {
		err = nil
	}
	if err == nil && (s.ID == "" || s.Account.Acct == "") {
		err = errors.New("it has no id or account")
	}
	if err != nil {
		stream.Malformed(b, fmt.Errorf("the event is no status: %w", err))
		return
	}
	if newer(string(s.ID), l.newest) && idOf(connect.Place(s.ID)) != "" {
		l.newest = string(s.ID)
	}
	switch s.Visibility {
	case "private", "direct": // a home timeline has what was not said to all
		return
	}
	p := l.post(&s)
	l.said.Note(string(s.ID), p.ID)
	stream.Add(b, &p, l.now())
}

func (l *listener) post(s *mastodon.Status) audience.Post {
	said := s
	p := audience.Post{ID: l.name(s), Platform: platform, Author: l.author(&s.Account), CreatedAt: audience.MillisOf(s.CreatedAt)}
	if s.Reblog != nil {
		said = s.Reblog
		p.RepostOf = l.name(said)
	}
	p.Language, p.Sensitive = said.Language, said.Sensitive
	if id, ok := said.InReplyToID.(string); ok && id != "" {
		p.ReplyTo = l.local(id)
	}
	p.Text, p.Links = plain.Text(said.Content)
	if said.SpoilerText != "" {
		p.Text = strings.TrimSpace(said.SpoilerText + "\n\n" + p.Text)
	}
	for _, m := range said.MediaAttachments {
		if m.URL == "" {
			m.URL = m.RemoteURL
		}
		p.Media = append(p.Media, m.URL)
	}
	if said.Card != nil && !slices.Contains(p.Links, said.Card.URL) {
		p.Links = append(p.Links, said.Card.URL)
	}
	return p
}

// name is the same on every server, if it is not too long for an id.
func (l *listener) name(s *mastodon.Status) string {
	if s.URI != "" && len(s.URI) <= maxURI {
		return s.URI
	}
	return l.local(string(s.ID))
}

// maxURI is what the id of a post may have.
const maxURI = 256

// local names a status that only the server knows.
func (l *listener) local(id string) string { return l.host + "/" + id }

func (l *listener) author(a *mastodon.Account) audience.Author {
	handle := a.Acct
	if !strings.Contains(handle, "@") {
		handle += "@" + l.host
	}
	author := audience.Author{ID: strings.ToLower(handle), Name: nameOf(a), Handle: handle, CreatedAt: audience.MillisOf(a.CreatedAt)}
	if a.FollowersCount > 0 {
		author.Followers = uint64(a.FollowersCount)
	}
	return author
}

// nameOf is the name that people see, less the pictures that a server has of its
// own, which are no part of a name.
func nameOf(a *mastodon.Account) string {
	name := a.DisplayName
	for _, e := range a.Emojis {
		if e.ShortCode != "" {
			name = strings.ReplaceAll(name, ":"+e.ShortCode+":", "")
		}
	}
	return strings.TrimSpace(name)
}
