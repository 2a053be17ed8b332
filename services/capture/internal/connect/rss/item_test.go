package rss

import (
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func clock() time.Time { return time.UnixMilli(1777665600000) }

func posts(t *testing.T, body string) ([]audience.Post, connect.Batch) {
	t.Helper()
	var b connect.Batch
	items, err := parse([]byte(body), "site.test", &b, clock())
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var all []audience.Post
	for _, i := range items {
		all = append(all, i.post)
	}
	return all, b
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want audience.Post
	}{
		"RSS": {`<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title><language>pt-BR</language><item>
			<title>Gol &amp;amp; festa</title><link>https://site.test/1</link><guid>https://site.test/?p=1</guid><dc:creator>Ana Lima</dc:creator>
			<description><![CDATA[<p>Foi <b>gol</b>.<br>De novo: <a href="https://x.test/">aqui</a></p>]]></description>
			<enclosure url="https://site.test/1.mp3" length="5" type="audio/mpeg"/><pubDate>Fri, 01 May 2026 17:00:00 -0300</pubDate></item></channel></rss>`,
			audience.Post{ID: "https://site.test/?p=1", Platform: "rss", Author: audience.Author{ID: "site.test/ana lima", Name: "Ana Lima"},
				Text: "Gol & festa\n\nFoi gol.\nDe novo: aqui", CreatedAt: 1777665600000, Language: "pt-BR",
				Links: []string{"https://site.test/1", "https://x.test/"}, Media: []string{"https://site.test/1.mp3"}}},
		"Atom": {`<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Blog</title><author><name>Bo</name></author><entry><id>tag:site.test,2026:1</id>
			<title>Hello</title><link rel="alternate" href="https://site.test/1"/><updated>2026-05-01T20:00:00Z</updated><content type="html">&lt;p&gt;Hello, all&lt;/p&gt;</content></entry></feed>`,
			audience.Post{ID: "tag:site.test,2026:1", Platform: "rss", Author: audience.Author{ID: "site.test/bo", Name: "Bo"}, Text: "Hello, all",
				CreatedAt: 1777665600000, Language: "en", Links: []string{"https://site.test/1"}}},
		"JSON": {`{"version":"https://jsonfeed.org/version/1.1","title":"J","items":[{"id":"7","url":"https://site.test/7","content_text":"seven","date_published":"1970-01-01T00:00:01Z"}]}`,
			audience.Post{ID: "site.test/7", Platform: "rss", Author: audience.Author{ID: "site.test", Name: "J"}, Text: "seven", CreatedAt: 1000, Links: []string{"https://site.test/7"}}},
		"Latin 1": {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss version=\"2.0\"><channel><title>T</title><item><guid>1</guid><title>S\xe3o Paulo</title></item></channel></rss>",
			audience.Post{ID: "site.test/1", Platform: "rss", Author: audience.Author{ID: "site.test", Name: "T"}, Text: "São Paulo"}},
	} {
		got, b := posts(t, c.body)
		if diff := cmp.Diff([]audience.Post{c.want}, got); diff != "" || b.Malformed != 0 {
			t.Errorf("%s: %v %s", name, b.First, diff)
		}
	}
}

func TestItems(t *testing.T) {
	got, b := posts(t, `<rss version="2.0"><channel><title>T</title>
		<item><title>undated</title><guid>u</guid></item>
		<item><title>future</title><guid>f</guid><pubDate>Tue, 01 Jan 2999 00:00:00 GMT</pubDate></item>
		<item><title>newest</title><guid>n</guid><pubDate>Fri, 01 May 2026 20:00:00 GMT</pubDate></item>
		<item><title>by link</title><link>https://site.test/l</link><pubDate>Fri, 01 May 2026 19:00:00 GMT</pubDate></item>
		<item><title>nothing</title></item>
		<item><title>long</title><guid>`+strings.Repeat("x", 300)+`</guid><pubDate>Fri, 01 May 2026 18:00:00 GMT</pubDate></item></channel></rss>`)
	var order []string
	for _, p := range got {
		order = append(order, p.Text)
	}
	if strings.Join(order, " ") != "long by link newest undated future" || b.Malformed != 1 {
		t.Error(order, b)
	}
	if got[1].ID != "https://site.test/l" || len(got[0].ID) != len("sha256:")+64 || got[4].CreatedAt != 32472144000000 {
		t.Error(got)
	}
}

// TestDeepFeedsEnd: elements within elements do not exhaust the stack.
func TestDeepFeedsEnd(t *testing.T) {
	var b connect.Batch
	if _, err := parse([]byte(`<rss version="2.0"><channel><item>`+strings.Repeat("<x>", 50_000)), "h", &b, clock()); err == nil {
		t.Error("a feed that is cut off is read")
	}
}

func TestPlaces(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &memory{
			etag: rapid.StringMatching(`(W/)?"[!#-~]{0,120}"`).Draw(rt, "etag"), newest: audience.Millis(rapid.Int64().Draw(rt, "newest")), seen: map[uint64]bool{},
			modified: time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(rt, "modified"), 0),
			hashes:   rapid.SliceOfN(rapid.Uint64Max(1<<(8*hashBytes)-1), 0, 60).Draw(rt, "hashes"),
		}
		p := m.place()
		got := parsePlace(p)
		if len(p) > connect.MaxPlace || got.newest != m.newest || !got.modified.Equal(m.modified) {
			rt.Fatalf("%q is %+v, want %+v", p, got, m)
		}
		if len(m.etag) <= maxETag && got.etag != m.etag || len(m.hashes) > 0 && len(got.hashes) == 0 {
			rt.Fatalf("%q is %+v, want %+v", p, got, m)
		}
		for i, h := range got.hashes {
			if h != m.hashes[len(m.hashes)-len(got.hashes)+i] || !got.seen[h] {
				rt.Fatalf("%v, want the end of %v", got.hashes, m.hashes)
			}
		}
	})
	for _, p := range []connect.Place{"", "1", "1    ", "2 a b c d", "1 a b 0 !", "1 a\r\nb  0 ", "1 a  0 AAAA"} {
		if m := parsePlace(p); m.seen != nil || m.etag != "" {
			t.Errorf("%q is %+v", p, m)
		}
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(`<rss version="2.0"><channel><item><guid>1</guid><title>t</title><description>&lt;p&gt;</description></item></channel></rss>`))
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><content type="xhtml"><div>x</div></content></entry></feed>`))
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1","items":[{"id":"1"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var b connect.Batch
		items, err := parse(body, "h", &b, clock())
		for i := range items {
			if p := &items[i].post; err != nil || p.ID == "" || len(p.ID) > maxID || p.Author.ID == "" {
				t.Fatalf("%v %+v", err, p)
			}
		}
	})
}

func TestDeepFeedsAreRefused(t *testing.T) {
	for body, deep := range map[string]bool{
		strings.Repeat("<a>", 300_000):                                              true,
		strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1):      true,
		"<a><![CDATA[" + strings.Repeat("<b>", maxDepth) + "]]></a>":                false,
		"<a><!--" + strings.Repeat("<b>", maxDepth) + "--></a>":                     false,
		strings.Repeat("<b/>", 2*maxDepth) + strings.Repeat("<i>x</i>", 2*maxDepth): false,
		`{"content_html":"` + strings.Repeat("<br>", 2*maxDepth):                    false,
		"<": false,
		"":  false,
	} {
		if err := shallow([]byte(body)); (err != nil) != deep {
			t.Errorf("%.40s… (%d bytes): %v", body, len(body), err)
		}
	}
}
