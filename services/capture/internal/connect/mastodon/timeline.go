package mastodon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/mattn/go-mastodon"
)

const (
	pageLimit = 40  // the most that the API gives
	maxPages  = 100 // of one gap
	rewind    = time.Minute
)

// idOf is the status id that a place says; ids are short and of letters and
// digits.
func idOf(p connect.Place) string {
	if len(p) > 64 {
		return ""
	}
	for i := range len(p) {
		if c := p[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return ""
		}
	}
	return string(p)
}

// newer says whether one status id is of a later status than another: ids are
// numbers, or of the same length and sorted as texts are.
func newer(id, other string) bool {
	if len(id) != len(other) {
		return len(id) > len(other)
	}
	return id > other
}

// before is an id of some time before. Mastodon's ids are milliseconds and 16
// bits more; those of other servers stay as they are.
func before(id string) string {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || len(id) < 15 {
		return id
	}
	return strconv.FormatInt(max(0, n-rewind.Milliseconds()<<16), 10)
}

// catchUp delivers what the timeline has behind the listener's place, oldest
// first, so that the place can follow page by page.
func (c *Connector) catchUp(ctx context.Context, client *mastodon.Client, l *listener, out connect.Outlet) error {
	if l.newest == "" {
		return nil
	}
	from := before(l.newest)
	for range maxPages {
		var b connect.Batch
		statuses, err := c.page(ctx, client, from)
		if err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
		last := from
		for _, s := range statuses {
			l.status(s, &b)
			if id := statusID(s); newer(id, last) {
				last = id
			}
		}
		b.Behind = l.place()
		if len(b.Posts) > 0 || b.Malformed > 0 {
			if err := out.Deliver(ctx, b); err != nil {
				return err
			}
		}
		if last == from { // an empty page, or a server that cannot go forward
			return nil
		}
		from = last
	}
	c.env.Logger.Warn("the gap is too long to be closed", "pages", maxPages)
	return nil
}

func statusID(status json.RawMessage) string {
	var s struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(status, &s) != nil {
		return ""
	}
	return idOf(connect.Place(s.ID))
}

// page is the page of statuses that follow one, each of them by itself: one that
// go-mastodon cannot read does not take the others with it. min_id asks for those
// that follow at once; servers that do not know it take since_id, and give the
// newest.
func (c *Connector) page(ctx context.Context, client *mastodon.Client, from string) (statuses []json.RawMessage, err error) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	pg := &mastodon.Pagination{MinID: mastodon.ID(from), SinceID: mastodon.ID(from), Limit: pageLimit}
	raw := new(bytes.Buffer)
	client.JSONWriter = raw
	switch c.stream {
	case "user":
		_, err = client.GetTimelineHome(ctx, pg)
	case "hashtag":
		_, err = client.GetTimelineHashtag(ctx, c.hashtag, false, pg)
	default:
		_, err = client.GetTimelinePublic(ctx, c.stream == "local", pg)
	}
	if raw.Len() == 0 {
		if err == nil {
			err = errors.New("the answer is empty")
		}
		return nil, err
	}
	if jsonErr := json.NewDecoder(raw).Decode(&statuses); jsonErr != nil {
		return nil, errors.Join(err, jsonErr)
	}
	return statuses, nil
}
