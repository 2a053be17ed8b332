package bluesky

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// record is an app.bsky.feed.post. What only helps is read leniently: clients
// write records, and not all keep to the lexicon.
type record struct {
	Text      string          `json:"text"`
	CreatedAt string          `json:"createdAt"`
	Langs     json.RawMessage `json:"langs"`
	Reply     json.RawMessage `json:"reply"`
	Embed     json.RawMessage `json:"embed"`
	Facets    json.RawMessage `json:"facets"`
	Labels    json.RawMessage `json:"labels"`
}

type reference struct {
	URI string `json:"uri"`
}

// blob names a file in its author's repository.
type blob struct {
	Ref struct {
		Link string `json:"$link"`
	} `json:"ref"`
}

// embed is any of app.bsky.embed.images, video, external, record and
// recordWithMedia.
type embed struct {
	Images []struct {
		Image blob `json:"image"`
	} `json:"images"`
	Video    blob            `json:"video"`
	External reference       `json:"external"`
	Record   json.RawMessage `json:"record"`
	Media    json.RawMessage `json:"media"`
}

type facet struct {
	Features []struct {
		Type string `json:"$type"`
		URI  string `json:"uri"`
	} `json:"features"`
}

// labels are what the author says of the post.
type labels struct {
	Values []struct {
		Value string `json:"val"`
	} `json:"values"`
}

// fitting is what raw says, or nothing where it is of another shape.
func fitting[T any](raw json.RawMessage) T {
	var v, none T
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return none
	}
	return v
}

func (r *record) post(did string) audience.Post {
	p := audience.Post{Platform: platform, Author: audience.Author{ID: did}, Text: r.Text}
	if at, err := time.Parse(time.RFC3339, r.CreatedAt); err == nil {
		p.CreatedAt = audience.MillisOf(at)
	}
	if langs := fitting[[]string](r.Langs); len(langs) > 0 {
		p.Language = langs[0]
	}
	p.ReplyTo = fitting[struct{ Parent reference }](r.Reply).Parent.URI
	for _, f := range fitting[[]facet](r.Facets) {
		for _, feature := range f.Features {
			if feature.Type == "app.bsky.richtext.facet#link" {
				p.Links = append(p.Links, feature.URI)
			}
		}
	}
	for _, l := range fitting[labels](r.Labels).Values {
		switch l.Value {
		case "porn", "sexual", "nudity", "graphic-media":
			p.Sensitive = true
		}
	}
	fitting[embed](r.Embed).into(&p, did)
	return p
}

// into adds what is embedded to a post.
func (e embed) into(p *audience.Post, did string) {
	for _, i := range e.Images {
		if cid := i.Image.Ref.Link; cid != "" {
			p.Media = append(p.Media, "https://cdn.bsky.app/img/feed_fullsize/plain/"+did+"/"+cid+"@jpeg")
		}
	}
	if cid := e.Video.Ref.Link; cid != "" {
		p.Media = append(p.Media, "https://video.bsky.app/watch/"+did+"/"+cid+"/playlist.m3u8")
	}
	if e.External.URI != "" {
		p.Links = append(p.Links, e.External.URI)
	}
	// A quote is the record's address, with media one level deeper.
	quoted := fitting[struct {
		URI    string    `json:"uri"`
		Record reference `json:"record"`
	}](e.Record)
	for _, uri := range []string{quoted.URI, quoted.Record.URI} {
		if link := page(uri); link != "" {
			p.Links = append(p.Links, link)
		}
	}
	media := fitting[embed](e.Media)
	media.Record, media.Media = nil, nil // the lexicon nests no further
	if len(e.Media) > 0 {
		media.into(p, did)
	}
}

// page is where people see a record; "" if it is no post.
func page(uri string) string {
	did, rest, _ := strings.Cut(strings.TrimPrefix(uri, "at://"), "/")
	rkey, isPost := strings.CutPrefix(rest, collection+"/")
	if !isPost || did == "" || rkey == "" {
		return ""
	}
	return "https://bsky.app/profile/" + did + "/post/" + rkey
}
