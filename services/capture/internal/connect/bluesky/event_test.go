package bluesky

import (
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/google/go-cmp/cmp"
)

const did = "did:plc:eygmaihciaxprqvxpfvl6flk"

func at() time.Time { return time.UnixMilli(1777665600000) }

func TestEvents(t *testing.T) {
	plain := audience.Post{ID: "at://" + did + "/app.bsky.feed.post/3l3", Platform: "bluesky", Author: audience.Author{ID: did}, Text: "hi", CreatedAt: 1725911162102}
	with := func(change func(*audience.Post)) *audience.Post {
		p := plain
		change(&p)
		return &p
	}
	for name, c := range map[string]struct {
		record map[string]any
		want   *audience.Post
	}{
		"plain": {map[string]any{"text": "hi"}, &plain},
		"language": {map[string]any{"text": "hi", "langs": []string{"pt", "en"}},
			with(func(p *audience.Post) { p.Language = "pt" })},
		"reply": {map[string]any{"text": "hi", "reply": map[string]any{"parent": map[string]any{"uri": "at://did:plc:a/app.bsky.feed.post/1", "cid": "c"}}},
			with(func(p *audience.Post) { p.ReplyTo = "at://did:plc:a/app.bsky.feed.post/1" })},
		"images": {map[string]any{"text": "hi", "embed": map[string]any{"$type": "app.bsky.embed.images", "images": []any{
			map[string]any{"alt": "a", "image": map[string]any{"$type": "blob", "ref": map[string]any{"$link": "bafk1"}, "mimeType": "image/jpeg", "size": 5}}}}},
			with(func(p *audience.Post) {
				p.Media = []string{"https://cdn.bsky.app/img/feed_fullsize/plain/" + did + "/bafk1@jpeg"}
			})},
		"video": {map[string]any{"text": "hi", "embed": map[string]any{"$type": "app.bsky.embed.video", "video": map[string]any{"$type": "blob", "ref": map[string]any{"$link": "bafk2"}}}},
			with(func(p *audience.Post) {
				p.Media = []string{"https://video.bsky.app/watch/" + did + "/bafk2/playlist.m3u8"}
			})},
		"links": {map[string]any{"text": "hi", "facets": []any{map[string]any{"index": map[string]any{"byteStart": 0, "byteEnd": 2}, "features": []any{
			map[string]any{"$type": "app.bsky.richtext.facet#link", "uri": "https://a.test"}, map[string]any{"$type": "app.bsky.richtext.facet#tag", "tag": "x"}}}},
			"embed": map[string]any{"$type": "app.bsky.embed.external", "external": map[string]any{"uri": "https://b.test", "title": "t", "description": ""}}},
			with(func(p *audience.Post) { p.Links = []string{"https://a.test", "https://b.test"} })},
		"quote": {map[string]any{"text": "hi", "embed": map[string]any{"$type": "app.bsky.embed.record", "record": map[string]any{"uri": "at://did:plc:a/app.bsky.feed.post/1"}}},
			with(func(p *audience.Post) { p.Links = []string{"https://bsky.app/profile/did:plc:a/post/1"} })},
		"quote with media": {map[string]any{"text": "hi", "embed": map[string]any{"$type": "app.bsky.embed.recordWithMedia",
			"record": map[string]any{"record": map[string]any{"uri": "at://did:plc:a/app.bsky.feed.post/1"}},
			"media":  map[string]any{"$type": "app.bsky.embed.external", "external": map[string]any{"uri": "https://b.test"}}}},
			with(func(p *audience.Post) {
				p.Links = []string{"https://bsky.app/profile/did:plc:a/post/1", "https://b.test"}
			})},
		"sensitive": {map[string]any{"text": "hi", "labels": map[string]any{"$type": "com.atproto.label.defs#selfLabels", "values": []any{map[string]any{"val": "graphic-media"}}}},
			with(func(p *audience.Post) { p.Sensitive = true })},
		"labelled":   {map[string]any{"text": "hi", "labels": map[string]any{"values": []any{map[string]any{"val": "!no-unauthenticated"}}}}, &plain},
		"odd shapes": {map[string]any{"text": "hi", "langs": "pt", "reply": 7, "embed": []any{}, "facets": map[string]any{}}, &plain},
		"NUL":        {map[string]any{"text": "h\x00i"}, &plain},
		"1970":       {map[string]any{"text": "hi", "createdAt": "1970-01-01T00:00:01Z"}, with(func(p *audience.Post) { p.CreatedAt = 1000 })},
		"the future": {map[string]any{"text": "hi", "createdAt": "2999-01-01T00:00:00Z"}, with(func(p *audience.Post) { p.CreatedAt = 32472144000000 })},
		"no time":    {map[string]any{"text": "hi", "createdAt": "soon"}, with(func(p *audience.Post) { p.CreatedAt = 1777665600000 })},
		"no text":    {map[string]any{"text": []any{}}, nil},
	} {
		if c.record["createdAt"] == nil {
			c.record["createdAt"] = "2024-09-09T19:46:02.102Z"
		}
		l, b := listener{now: at, said: &recall.Memory{}}, connect.Batch{}
		l.take([]byte(eventAt(5, did, "commit", create("3l3", c.record))), &b)
		var want []audience.Post
		if c.want != nil {
			want = append(want, *c.want)
		}
		if diff := cmp.Diff(want, b.Posts); diff != "" || (b.Malformed > 0) != (c.want == nil) || l.newest != 5 {
			t.Errorf("%s: %v %s", name, b.First, diff)
		}
	}
}

// TestOtherEvents: from Jetstream's documentation.
func TestOtherEvents(t *testing.T) {
	l, b := listener{now: at, said: &recall.Memory{}}, connect.Batch{}
	for _, m := range []string{
		`{"did":"did:plc:eygmaihciaxprqvxpfvl6flk","time_us":1725911162329308,"kind":"commit","commit":{"rev":"3l3qo2vutsw2b","operation":"create",
			"collection":"app.bsky.feed.like","rkey":"3l3qo2vuowo2b","record":{"$type":"app.bsky.feed.like","createdAt":"2024-09-09T19:46:02.102Z",
			"subject":{"cid":"bafyreidc6","uri":"at://did:plc:wa7b/app.bsky.feed.post/3l3pte3p2e325"}},"cid":"bafyreidwa"}}`,
		`{"did":"did:plc:rfov6bpyztcnedeyyzgfq42k","time_us":1725516666833633,"kind":"commit","commit":{"rev":"3l3f6nzl3cv2s","operation":"delete",
			"collection":"app.bsky.graph.follow","rkey":"3l3dn7tku762u"}}`,
		`{"did":"did:plc:ufbl4k27gp6kzas5glhz7fim","time_us":1725516665333808,"kind":"account","account":{"active":true,
			"did":"did:plc:ufbl4k27gp6kzas5glhz7fim","seq":1409753013,"time":"2024-09-05T06:11:04.870Z"}}`,
		`{"did":"did:plc:ufbl4k27gp6kzas5glhz7fim","time_us":1725516665234703,"kind":"identity","identity":{"did":"did:plc:ufbl4k27gp6kzas5glhz7fim",
			"handle":"yohenrique.bsky.social","seq":1409752997,"time":"2024-09-05T06:11:04.870Z"}}`,
	} {
		l.take([]byte(m), &b)
	}
	if len(b.Posts) != 0 || b.Malformed != 0 || l.newest != 1725911162329308 {
		t.Error(b, l.newest)
	}
	l.take([]byte(eventAt(1, "did:plc:ufbl4k27gp6kzas5glhz7fim", "commit", create("a", map[string]any{"text": "t"}))), &b)
	if len(b.Posts) != 1 || b.Posts[0].Author.Handle != "yohenrique.bsky.social" || l.newest != 1725911162329308 {
		t.Error(b, l.newest)
	}
	// A deletion takes back what is not yet delivered.
	l.take([]byte(eventAt(1, "did:plc:ufbl4k27gp6kzas5glhz7fim", "commit", map[string]any{"operation": "delete", "collection": collection, "rkey": "a"})), &b)
	if diff := cmp.Diff([]string{"bluesky:at://did:plc:ufbl4k27gp6kzas5glhz7fim/app.bsky.feed.post/a"}, b.Gone); diff != "" || len(b.Posts) != 0 || b.Malformed != 0 {
		t.Error(diff, b)
	}
}

// TestAnAccountThatClosesTakesItsPostsBack: not so one whose server is late, and
// one that opens.
func TestAnAccountThatClosesTakesItsPostsBack(t *testing.T) {
	for account, want := range map[string]int{
		`{"active":false,"did":"` + did + `","seq":1409753013,"status":"deactivated","time":"2024-09-05T06:11:04.870Z"}`: 2,
		`{"active":false,"status":"deleted"}`: 2, `{"active":false,"status":"takendown"}`: 2, `{"active":false,"status":"suspended"}`: 2,
		`{"active":false,"status":"desynchronized"}`: 0, `{"active":false}`: 0, `{"active":true}`: 0,
	} {
		l, b := listener{now: at, said: &recall.Memory{}}, connect.Batch{}
		for _, rkey := range []string{"a", "b"} {
			l.take([]byte(eventAt(1, did, "commit", create(rkey, map[string]any{"text": "t"}))), &b)
		}
		l.take([]byte(eventAt(1, "did:plc:other", "commit", create("c", map[string]any{"text": "t"}))), &b)
		l.take([]byte(`{"did":"`+did+`","time_us":1725516665333808,"kind":"account","account":`+account+`}`), &b)
		if len(b.Gone) != want || len(b.Posts) != 3-want || b.Malformed != 0 {
			t.Errorf("%s: %+v", account, b)
		}
	}
	l, b := listener{now: at, said: &recall.Memory{}}, connect.Batch{}
	l.take([]byte(`{"did":"`+did+`","time_us":1725516665333808,"kind":"account"}`), &b)
	if b.Malformed != 1 {
		t.Errorf("%+v", b)
	}
}

func TestAnAccountTakesBackWhatWasDeliveredBefore(t *testing.T) {
	c := &Connector{}
	c.Recall(connect.Delivered{ID: "at://" + did + "/app.bsky.feed.post/a", Author: did})
	l, b := listener{now: at, said: &c.said}, connect.Batch{}
	l.take([]byte(`{"did":"`+did+`","time_us":1,"kind":"account","account":{"active":false,"status":"takendown"}}`), &b)
	if diff := cmp.Diff([]string{"bluesky:at://" + did + "/app.bsky.feed.post/a"}, b.Gone); diff != "" {
		t.Error(diff)
	}
}

func TestHandlesAreBounded(t *testing.T) {
	var h handles
	for n := range 3 * maxHandles {
		h.put(strings.Repeat("x", n%7)+string(rune('a'+n%26))+time.Duration(n).String(), "h")
	}
	h.put("did:plc:last", "last")
	if len(h.newer)+len(h.older) > 2*maxHandles || h.get("did:plc:last") != "last" || h.get("did:plc:none") != "" {
		t.Error(len(h.newer), len(h.older))
	}
}

func TestFilter(t *testing.T) {
	wants := connecttest.NewWants(connecttest.Topic("a", `gol AND lang:pt`), connecttest.Topic("b", `"fora de jogo" OR #Copa2026 OR @globo`))
	f := newFilter(wants.Env(t))
	for text, want := range map[string]bool{
		"GÓL do Brasil": true, "golaço": false, "jogo de dentro e fora": true, "fora do jogo": false, "a #copa2026!": true, "copa2026": false,
		"via @Globo": true, "globo": false, "": false,
	} {
		if f.passes(text) != want {
			t.Errorf("%q passes: %v", text, !want)
		}
	}
	wants.Set(connecttest.Topic("a", "gol"), connecttest.Topic("c", "lang:pt"))
	if !f.passes("anything") {
		t.Error("a topic without words loses posts")
	}
	wants.Set(connecttest.Topic("a", "gol ("))
	if f.passes("gol") {
		t.Error("a rule that is none lets posts pass")
	}
	wants.Set()
	if !f.passes("anything") {
		t.Error("a source without topics loses posts")
	}
}

func FuzzEvent(f *testing.F) {
	words := newFilter(connecttest.Env(f))
	f.Add(eventAt(5, did, "commit", create("3l3", map[string]any{"text": "clamor", "embed": map[string]any{"media": map[string]any{"media": map[string]any{}}}})))
	f.Add(eventAt(5, did, "identity", map[string]any{"handle": "h"}))
	f.Add(`{"kind":"commit","commit":{"collection":"app.bsky.feed.post"}}`)
	f.Fuzz(func(t *testing.T, message string) {
		l, b := listener{now: at, filter: words, said: &recall.Memory{}}, connect.Batch{}
		l.take([]byte(message), &b)
		if len(b.Posts)+b.Malformed > 1 || (b.Malformed > 0) != (b.First != nil) {
			t.Fatalf("%+v", b)
		}
		for _, p := range b.Posts {
			if p.ID == "" || p.Author.ID == "" || p.CreatedAt == 0 || strings.Contains(p.Text, "\x00") {
				t.Fatalf("%+v", p)
			}
		}
	})
}
