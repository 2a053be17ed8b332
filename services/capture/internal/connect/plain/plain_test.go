package plain

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for markup, want := range map[string]string{
		"":                                       "",
		"plain &amp; simple":                     "plain & simple",
		"<p>one</p><p>two<br>three</p>":          "one\n\ntwo\nthree",
		"a<br/><br /><br>b":                      "a\n\nb",
		"  a \n\t b  ":                           "a b",
		"<ul><li>x</li><li>y</li></ul>z":         "x\ny\n\nz",
		"a<script>if (1 < 2) {}</script>b":       "ab",
		"a<style>b{}</style> c<!-- d -->":        "a c",
		"2 < 3 & 4":                              "2 < 3 & 4",
		"<b>bo<i>ld":                             "bold",
		"a&nbsp;b":                               "a\u00a0b",
		"<table><tr><td>1<td>2<tr><td>3</table>": "1 2\n3",
		`<p>vai <a href="https://m.test/tags/Brasil" class="mention hashtag" rel="tag">#<span>Brasil</span></a> ` +
			`<span class="h-card"><a href="https://m.test/@ana" class="u-url mention">@<span>ana</span></a></span></p>`: "vai #Brasil @ana",
		`<a href="https://example.com/a/long/path"><span class="invisible">https://</span><span class="ellipsis">example.com/a/lo</span><span class="invisible">ng/path</span></a>`: "https://example.com/a/long/path",
		`<p class="quote-inline">RE: <a href="https://m.test/@bia/9"><span class="invisible">https://</span>m.test/@bia/9</a></p><p>so <span>true</span></p>`:                       "so true",
		`<p>so true<span class="x quote-inline"><br><br>RE: <span>https://m.test/@bia/9</span></span>!</p>`:                                                                         "so true\n\n!",
		`<p class="quote-inline">never closed`: "",
	} {
		if got, _ := Text(markup); got != want {
			t.Errorf("%q reads %q, want %q", markup, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	_, links := Text(`<a href="https://a.test/1">x</a><a href="/relative">x</a><a href="javascript:1">x</a><a href=" https://b.test ">y</a>` +
		`<a href="https://a.test/1">x</a><a class="u-url mention" href="https://c.test">@c</a><a href="https://d.test" class="hashtag">#d</a><a>z</a>`)
	if want := []string{"https://a.test/1", "https://b.test"}; !slices.Equal(links, want) {
		t.Errorf("%q, want %q", links, want)
	}
	_, links = Text(`<p class="quote-inline">RE: <a href="https://m.test/@bia/9">m.test/@bia/9</a></p>`)
	if want := []string{"https://m.test/@bia/9"}; !slices.Equal(links, want) {
		t.Errorf("%q, want %q", links, want)
	}
	_, links = Text(strings.Repeat(`<a href="https://a.test/`, 1000))
	if len(links) > maxLinks {
		t.Error(len(links))
	}
}

func FuzzText(f *testing.F) {
	f.Add(`<p>one<br>two</p><a href="https://a.test">x</a><script>y</script>`)
	f.Add("<p\x00\xff&#0;&amp")
	f.Fuzz(func(t *testing.T, markup string) {
		text, links := Text(markup)
		if text != strings.TrimSpace(text) || strings.Contains(text, "\n\n\n") && !strings.Contains(markup, "&") || len(links) > maxLinks {
			t.Fatalf("%q %q", text, links)
		}
		if utf8.ValidString(markup) && !utf8.ValidString(text) {
			t.Fatalf("%q", text)
		}
	})
}
