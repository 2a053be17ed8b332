package rss

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const (
	maxETag = 96 // that a place holds
	// grace is how much older than the newest item one may be that is published
	// late; older ones are taken for known after a resume.
	grace = audience.Millis(time.Hour / time.Millisecond)
	// version begins a place.
	version   = "1"
	hashBytes = 6
)

// memory is what is known of a feed: what the last fetch brought.
type memory struct {
	etag     string
	modified time.Time
	newest   audience.Millis
	// hashes are of the items' guids, the newest last. A whole feed's are known
	// while it is read; a place holds the last few.
	hashes []uint64
	seen   map[uint64]bool
	whole  bool
}

// isNew says whether an item was not there before.
func (m *memory) isNew(i *item) bool {
	if m.seen[i.hash] {
		return false
	}
	return m.whole || m.seen == nil || i.post.CreatedAt == 0 || i.post.CreatedAt >= m.newest-grace
}

// behind is the memory of a fetched feed. An item from the future is not its
// newest: after a resume all others would be too old.
func (m *memory) behind(items []item, f *fetched, now time.Time) *memory {
	next := &memory{etag: f.etag, modified: f.modified, newest: m.newest, seen: make(map[uint64]bool, len(items)), whole: true}
	for i := range items {
		if !next.seen[items[i].hash] {
			next.seen[items[i].hash] = true
			next.hashes = append(next.hashes, items[i].hash)
		}
		if at := items[i].post.CreatedAt; at <= audience.MillisOf(now) {
			next.newest = max(next.newest, at)
		}
	}
	return next
}

// place is "1 ETag Last-Modified newest hashes": seconds and milliseconds to the
// base of 36, hashes in six bytes each, as many as there is room for.
func (m *memory) place() connect.Place {
	if m.seen == nil {
		return "" // nothing is known
	}
	etag := m.etag
	if len(etag) > maxETag || strings.ContainsAny(etag, " \t") {
		etag = ""
	}
	modified := ""
	if !m.modified.IsZero() {
		modified = strconv.FormatInt(m.modified.Unix(), 36)
	}
	text := strings.Join([]string{version, etag, modified, strconv.FormatInt(int64(m.newest), 36), ""}, " ")
	room := base64.RawURLEncoding.DecodedLen(connect.MaxPlace-len(text)) / hashBytes
	var raw []byte
	for _, h := range m.hashes[max(0, len(m.hashes)-room):] {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], h)
		raw = append(raw, b[8-hashBytes:]...)
	}
	return connect.Place(text + base64.RawURLEncoding.EncodeToString(raw))
}

// parsePlace reads what place wrote; anything else is a feed not known yet.
func parsePlace(p connect.Place) *memory {
	fields := strings.Split(string(p), " ")
	if len(fields) != 5 || fields[0] != version {
		return &memory{}
	}
	m := &memory{etag: fields[1], seen: map[uint64]bool{}}
	if s, err := strconv.ParseInt(fields[2], 36, 64); err == nil {
		m.modified = time.Unix(s, 0)
	}
	newest, err := strconv.ParseInt(fields[3], 36, 64)
	raw, rawErr := base64.RawURLEncoding.DecodeString(fields[4])
	if err != nil || rawErr != nil || len(raw)%hashBytes != 0 || !printable(m.etag) {
		return &memory{}
	}
	m.newest = audience.Millis(newest)
	for ; len(raw) > 0; raw = raw[hashBytes:] {
		var b [8]byte
		copy(b[8-hashBytes:], raw)
		h := binary.BigEndian.Uint64(b[:])
		m.hashes, m.seen[h] = append(m.hashes, h), true
	}
	return m
}

// printable says whether a text may stand in a header.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
