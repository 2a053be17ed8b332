package mastodon

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func clock() time.Time { return time.UnixMilli(1777665600000) }

func newListener() *listener { return &listener{now: clock, host: "m.test", said: &recall.Memory{}} }

func TestStatuses(t *testing.T) {
	plain := audience.Post{
		ID: "https://m.test/users/ana/statuses/7", Platform: "mastodon", Text: "hi", CreatedAt: 1777665600123, Language: "en",
		Author: audience.Author{ID: "ana@m.test", Name: "Ana", Handle: "ana@m.test", Followers: 12, CreatedAt: 1667606400000},
	}
	account, _ := status(7, "", nil)["account"].(map[string]any)
	for name, c := range map[string]struct {
		more map[string]any
		want func(p *audience.Post)
	}{
		"plain":    {nil, func(*audience.Post) {}},
		"unlisted": {map[string]any{"visibility": "unlisted"}, func(*audience.Post) {}},
		"private":  {map[string]any{"visibility": "private"}, nil},
		"direct":   {map[string]any{"visibility": "direct"}, nil},
		"reply":    {map[string]any{"in_reply_to_id": "6"}, func(p *audience.Post) { p.ReplyTo = "m.test/6" }},
		"html": {map[string]any{"content": `<p>Vai <a href="https://m.test/tags/Brasil" class="mention hashtag" rel="tag">#<span>Brasil</span></a><br>&lt;3</p><p><a href="https://x.test/a"><span class="invisible">https://</span><span>x.test/a</span></a></p>`},
			func(p *audience.Post) {
				p.Text = "Vai #Brasil\n<3\n\nhttps://x.test/a"
				p.Links = []string{"https://x.test/a"}
			}},
		"sensitive": {map[string]any{"sensitive": true}, func(p *audience.Post) { p.Sensitive = true }},
		"a warning": {map[string]any{"spoiler_text": "fim"}, func(p *audience.Post) { p.Text = "fim\n\nhi" }},
		"media and card": {map[string]any{"media_attachments": []any{map[string]any{"id": "1", "type": "image", "url": "https://m.test/1.png"}},
			"card": map[string]any{"url": "https://x.test", "title": "X"}},
			func(p *audience.Post) {
				p.Media, p.Links = []string{"https://m.test/1.png"}, []string{"https://x.test"}
			}},
		"another server": {map[string]any{"account": map[string]any{"id": "1", "acct": "Bia@other.test", "display_name": "", "created_at": "2022-11-05T00:00:00.000Z"}},
			func(p *audience.Post) {
				p.Author = audience.Author{ID: "bia@other.test", Handle: "Bia@other.test", CreatedAt: 1667606400000}
			}},
		"a name with pictures": {map[string]any{"account": map[string]any{"id": "109", "acct": "ana", "display_name": "Ana 🇧🇷 :verified: :-:", "followers_count": 12,
			"created_at": "2022-11-05T00:00:00.000Z", "emojis": []any{map[string]any{"shortcode": "verified", "url": "https://m.test/v.png"}}}},
			func(p *audience.Post) { p.Author.Name = "Ana 🇧🇷  :-:" }},
		"a quote": {map[string]any{"content": `<p class="quote-inline">RE: <a href="https://m.test/@bia/5">https://m.test/@bia/5</a></p><p>so true</p>`,
			"quote": map[string]any{"state": "accepted", "quoted_status": status(5, "quoted", nil)}},
			func(p *audience.Post) { p.Text, p.Links = "so true", []string{"https://m.test/@bia/5"} }},
		"a time zone": {map[string]any{"created_at": "2026-05-01T17:00:00.123-03:00"}, func(*audience.Post) {}},
		"boost": {map[string]any{"content": "", "reblog": status(5, "said", map[string]any{"account": account, "language": "pt"})},
			func(p *audience.Post) {
				p.Text, p.Language, p.RepostOf = "said", "pt", "https://m.test/users/ana/statuses/5"
			}},
		"a long address": {map[string]any{"uri": "https://m.test/" + strings.Repeat("x", 300)}, func(p *audience.Post) { p.ID = "m.test/7" }},
		"NUL":            {map[string]any{"content": "h\x00i"}, func(*audience.Post) {}},
		"1970":           {map[string]any{"created_at": "1970-01-01T00:00:01.000Z"}, func(p *audience.Post) { p.CreatedAt = 1000 }},
		"the future":     {map[string]any{"created_at": "2999-01-01T00:00:00.000Z"}, func(p *audience.Post) { p.CreatedAt = 32472144000000 }},
	} {
		l, b := newListener(), connect.Batch{}
		l.take([]byte("update\n"+strings.TrimSuffix(strings.TrimPrefix(sse("update", status(7, "hi", c.more)), "event: update\ndata: "), "\n\n")), &b)
		var want []audience.Post
		if c.want != nil {
			p := plain
			c.want(&p)
			want = append(want, p)
		}
		if diff := cmp.Diff(want, b.Posts); diff != "" || b.Malformed != 0 || l.newest != "7" {
			t.Errorf("%s: %v %s", name, b.First, diff)
		}
	}
}

func TestEditsAndDeletions(t *testing.T) {
	l, b := newListener(), connect.Batch{}
	take := func(name string, data any) {
		raw, err := json.Marshal(data)
		if s, ok := data.(string); ok {
			raw = []byte(s)
		}
		if err != nil {
			t.Fatal(err)
		}
		l.take([]byte(name+"\n"+string(raw)), &b)
	}
	take("update", status(7, "one", nil))
	take("update", status(8, "two", nil))
	take("delete", "7")
	take("delete", "99")
	take("status.update", status(8, "two, edited", nil))
	take("notification", `{"id":"1"}`)
	take("filters_changed", "")
	if len(b.Posts) != 2 || b.Posts[0].Text != "two" || b.Posts[1].Text != "two, edited" || b.Posts[0].ID != b.Posts[1].ID || b.Malformed != 0 {
		t.Errorf("%+v", b)
	}
	if diff := cmp.Diff([]string{"mastodon:https://m.test/users/ana/statuses/7", "mastodon:m.test/99"}, b.Gone); diff != "" {
		t.Error(diff)
	}
	b = connect.Batch{}
	take("update", status(9, "three", nil))
	take("delete", "8") // was delivered
	if diff := cmp.Diff([]string{"mastodon:https://m.test/users/ana/statuses/8"}, b.Gone); diff != "" || len(b.Posts) != 1 {
		t.Error(diff, b.Posts)
	}
	take("delete", "")
	take("delete", `{"id":"9"}`)
	if b.Malformed != 2 || len(b.Gone) != 1 || len(b.Posts) != 1 {
		t.Errorf("%+v", b)
	}
}

// TestAnotherConnectorKnowsTheServersOwnPosts by the ids in their addresses.
func TestAnotherConnectorKnowsTheServersOwnPosts(t *testing.T) {
	c, err := open(map[string]any{"url": "https://m.test"}, connect.Env{})
	if err != nil {
		t.Fatal(err)
	}
	own, boost, other := "https://m.test/users/ana/statuses/7", "https://m.test/users/ana/statuses/8/activity", "https://other.test/users/ana/statuses/9"
	for _, id := range []string{own, boost, other, "m.test/10", "::"} {
		c.Recall(connect.Delivered{ID: id})
	}
	l, b := &listener{now: clock, host: "m.test", said: &c.said}, connect.Batch{}
	for _, id := range []string{"7", "8", "9", "10"} {
		l.take([]byte("delete\n"+id), &b)
	}
	want := []string{"mastodon:" + own, "mastodon:" + boost, "mastodon:m.test/9", "mastodon:m.test/10"}
	if diff := cmp.Diff(want, b.Gone); diff != "" {
		t.Error(diff)
	}
}

func TestIds(t *testing.T) {
	if !newer("10", "9") || newer("9", "10") || newer("7", "7") || !newer("9kCP6", "9kCP5") || !newer("1", "") {
		t.Error("ids are sorted wrongly")
	}
	if got := before("114500000000000000"); got != "114499996067840000" {
		t.Error(got)
	}
	if before("12") != "12" || before("01F7J9S6QX9J2") != "01F7J9S6QX9J2" {
		t.Error("an id without a time is changed")
	}
	for place, want := range map[connect.Place]string{"12": "12", "~?/": "", "": "", connect.Place(strings.Repeat("1", 65)): ""} {
		if idOf(place) != want {
			t.Errorf("%q is %q", place, idOf(place))
		}
	}
}

func TestEvents(t *testing.T) {
	long := strings.Repeat("x", maxData+100)
	in := ":)\nevent: update\ndata: {\n:thump\ndata: }\n\n\n:thump\r\nevent:delete\r\ndata:7\r\n\r\nevent: x\n\ndata: y\r\revent: update\ndata: " + long + "\n\nevent: update\ndata: cut off"
	want := []string{"", "update\n{\n}", "", "delete\n7", "\ny", "update\n" + long[:maxData]}
	for name, r := range map[string]io.Reader{"at once": strings.NewReader(in), "by bytes": iotest.OneByteReader(strings.NewReader(in))} {
		e := newEvents(r)
		for i, w := range want {
			got, err := e.next()
			if err != nil || string(got) != w {
				t.Errorf("%s, %d: %.50q %v, want %.50q", name, i, got, err, w)
			}
		}
		if got, err := e.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

// TestEventsAreReadAsWritten: however the network cuts them.
func TestEventsAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[a-z{}": ]{1,20}`)
		var in strings.Builder
		var want []string
		for range rapid.IntRange(0, 5).Draw(rt, "events") {
			end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(rt, "end")
			name, data := rapid.StringMatching(`[a-z.]{1,10}`).Draw(rt, "name"), strings.TrimLeft(word.Draw(rt, "data"), " ")
			in.WriteString("event: " + name + end + "data: " + data + end + end)
			want = append(want, name+"\n"+data)
		}
		e := newEvents(iotest.HalfReader(strings.NewReader(in.String())))
		for _, w := range want {
			if got, err := e.next(); err != nil || string(got) != w {
				rt.Fatalf("%q %v, want %q in %q", got, err, w, in.String())
			}
		}
	})
}

func FuzzStream(f *testing.F) {
	f.Add(":)\n" + sse("update", status(7, "hi", nil)) + sse("delete", "7"))
	f.Add("event: status.update\ndata: {\"id\":\"1\",\"account\":{\"acct\":\"a\"},\"reblog\":{}}\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		e, l, b := newEvents(strings.NewReader(in)), newListener(), connect.Batch{}
		for {
			m, err := e.next()
			if err != nil {
				break
			}
			if len(m) > maxData+maxName+1 {
				t.Fatalf("an event of %d bytes", len(m))
			}
			if len(m) > 0 {
				l.take(m, &b)
			}
		}
		for _, p := range b.Posts {
			if p.ID == "" || p.Author.ID == "" || strings.Contains(p.Text, "\x00") {
				t.Fatalf("%+v", p)
			}
		}
		if len(l.newest) > 64 {
			t.Fatal(l.newest)
		}
	})
}
