// Package plain reads the text that people see from the HTML that platforms and
// feeds send.
package plain

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxLinks is more than a post keeps.
const maxLinks = 100

// Text is the text of HTML, with an empty line between paragraphs and a new line
// for a break; and the addresses that it links to, but for those of hashtags and
// mentions, whose text says it all. What Mastodon writes before a quote for those
// who cannot show one, "RE:" and its address, nobody said: it is a link alone.
// Whatever is not well-formed reads as well as
// it would in a browser. Its time grows with the length of the HTML only.
func Text(markup string) (text string, links []string) {
	var r reader
	z := html.NewTokenizer(strings.NewReader(markup))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end: a string cannot fail
			return strings.TrimSpace(r.text.String()), r.links
		case html.TextToken:
			if r.hidden == 0 && r.quote == 0 {
				r.write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			r.begin(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(atom.Lookup(name))
		}
	}
}

// reader writes text with the breaks that tags ask for.
type reader struct {
	text   strings.Builder
	links  []string
	breaks int  // new lines that are due before the next word
	space  bool // a space is
	hidden atom.Atom
	// A fallback of a quote is an element of this name, so many deep.
	quoted atom.Atom
	quote  int
}

func (r *reader) begin(z *html.Tokenizer) {
	name, more := z.TagName()
	tag := atom.Lookup(name)
	switch {
	case r.quote > 0 && tag == r.quoted:
		r.quote++
	case r.quote == 0 && (tag == atom.P || tag == atom.Span):
		if more && fallback(z) {
			r.quoted, r.quote = tag, 1
		}
		more = false // its attributes are read
	}
	switch tag {
	case atom.Br:
		r.breaks = min(r.breaks+1, 2)
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Noscript, atom.Iframe:
		// The tokenizer gives what is in them as one text.
		r.hidden = tag
	case atom.A:
		if href := link(z, more); href != "" && len(r.links) < maxLinks && !slices.Contains(r.links, href) {
			r.links = append(r.links, href)
		}
	default:
		r.part(tag)
	}
}

func (r *reader) end(tag atom.Atom) {
	if tag == r.hidden {
		r.hidden = 0
		return
	}
	if tag == r.quoted && r.quote > 0 {
		r.quote--
	}
	r.part(tag)
}

// part parts paragraphs and lines.
func (r *reader) part(tag atom.Atom) {
	switch tag {
	case atom.P, atom.Blockquote, atom.Ul, atom.Ol, atom.Pre, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Article, atom.Section, atom.Figure:
		r.breaks = 2
	case atom.Div, atom.Li, atom.Tr, atom.Dt, atom.Dd, atom.Figcaption:
		r.breaks = max(r.breaks, 1)
	case atom.Td, atom.Th:
		r.space = true
	}
}

// write adds words, with one space where there were any.
func (r *reader) write(text []byte) {
	for _, c := range string(text) {
		switch c {
		case ' ', '\t', '\n', '\r', '\f':
			r.space = true
			continue
		}
		switch {
		case r.text.Len() == 0:
		case r.breaks > 0:
			r.text.WriteString("\n\n"[:r.breaks])
		case r.space:
			r.text.WriteByte(' ')
		}
		r.breaks, r.space = 0, false
		r.text.WriteRune(c)
	}
}

// fallback says whether an element is one of a quote.
func fallback(z *html.Tokenizer) bool {
	is := false
	for more := true; more; {
		var key, value []byte
		key, value, more = z.TagAttr()
		is = is || string(key) == "class" && slices.Contains(strings.Fields(string(value)), "quote-inline")
	}
	return is
}

// link is the address of an anchor, if it is one that people follow.
func link(z *html.Tokenizer, more bool) (href string) {
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "href":
			href = strings.TrimSpace(string(value))
		case "class":
			for class := range strings.FieldsSeq(string(value)) {
				if class == "mention" || class == "hashtag" {
					return ""
				}
			}
		}
	}
	if u, err := url.Parse(href); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return href
}
