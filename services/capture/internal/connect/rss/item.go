package rss

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/plain"
	"github.com/clamor-live/clamor/services/capture/internal/connect/stream"
	"github.com/mmcdole/gofeed"
)

const (
	platform = "rss"
	maxID    = 256 // of a post's id
)

// item is a post of a feed, and the hash of its guid.
type item struct {
	hash uint64 // of hashBytes
	post audience.Post
}

// parse reads a feed's items, the oldest first. An item without guid and link is
// counted.
func parse(body []byte, host string, b *connect.Batch, now time.Time) (items []item, err error) {
	defer func() {
		if p := recover(); p != nil { // feeds are the wildest input there is
			items, err = nil, fmt.Errorf("the parser panics: %.100s", fmt.Sprint(p))
		}
	}()
	if err := shallow(body); err != nil {
		return nil, err
	}
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, i := range slices.Backward(feed.Items) { // feeds begin with the newest
		guid := cmp.Or(strings.TrimSpace(i.GUID), strings.TrimSpace(i.Link))
		if guid == "" {
			stream.Malformed(b, errors.New("an item has no guid and no link"))
			continue
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(guid)) // never fails
		items = append(items, item{hash: h.Sum64() >> (64 - 8*hashBytes), post: post(feed, i, guid, host)})
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(timeOf(&a, now), timeOf(&b, now)) })
	return items, nil
}

// timeOf sorts items without a time behind those that have one.
func timeOf(i *item, now time.Time) audience.Millis {
	return cmp.Or(i.post.CreatedAt, audience.MillisOf(now))
}

func post(feed *gofeed.Feed, i *gofeed.Item, guid, host string) audience.Post {
	p := audience.Post{ID: name(guid, host), Platform: platform, Language: feed.Language, Author: author(feed, i, host)}
	for _, at := range []*time.Time{i.PublishedParsed, i.UpdatedParsed} {
		if at != nil && p.CreatedAt == 0 {
			p.CreatedAt = audience.MillisOf(*at)
		}
	}
	if i.Link != "" {
		p.Links = append(p.Links, i.Link)
	}
	title, _ := plain.Text(i.Title)
	text, links := plain.Text(cmp.Or(i.Description, i.Content))
	p.Links = append(p.Links, links...)
	if p.Text = text; !strings.HasPrefix(text, title) { // short posts have their text for a title
		p.Text = strings.TrimSpace(title + "\n\n" + text)
	}
	for _, e := range i.Enclosures {
		p.Media = append(p.Media, e.URL)
	}
	if i.Image != nil && !slices.Contains(p.Media, i.Image.URL) {
		p.Media = append(p.Media, i.Image.URL)
	}
	return p
}

// name is an id that no other feed has: a guid that is no address is a feed's
// own. One that is too long becomes its hash.
func name(guid, host string) string {
	if !strings.Contains(guid, "://") && !strings.HasPrefix(guid, "urn:") && !strings.HasPrefix(guid, "tag:") {
		guid = host + "/" + guid
	}
	if len(guid) > maxID {
		sum := sha256.Sum256([]byte(guid))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return guid
}

// author is the item's, or the feed itself.
func author(feed *gofeed.Feed, i *gofeed.Item, host string) audience.Author {
	for _, people := range [][]*gofeed.Person{i.Authors, feed.Authors} {
		for _, who := range people {
			if n := cmp.Or(strings.TrimSpace(who.Name), strings.TrimSpace(who.Email)); n != "" {
				return audience.Author{ID: name(strings.ToLower(n), host), Name: n}
			}
		}
	}
	title, _ := plain.Text(feed.Title)
	return audience.Author{ID: host, Name: title}
}
