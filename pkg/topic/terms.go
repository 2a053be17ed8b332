package topic

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// Bounds on what one post adds, whatever it says: the rest is not counted.
const (
	maxHashtags = 32
	maxWords    = 64
	maxLinks    = 16
)

// term is something a post is counted by once: its key, and where its text
// stands in the buffer.
type term struct {
	key        uint64
	start, end int32
}

// terms are those of one post. They are scratch space.
type terms struct {
	hashtags, words, links []term
	text                   []byte
}

func (t *terms) reset() {
	t.hashtags, t.words, t.links, t.text = t.hashtags[:0], t.words[:0], t.links[:0], t.text[:0]
}

func (t *terms) of(x term) []byte { return t.text[x.start:x.end] }

// collect finds the terms of the post that was just scanned.
func (t *terms) collect(p *Post, r *enrich.Result, s *scan.Scanner, stop *stopSet) {
	t.reset()
	for i := range r.Hashtags {
		if len(t.hashtags) == maxHashtags {
			break
		}
		t.hashtags = t.add(t.hashtags, r.Hashtags[i].Hash, r.Hashtags[i].Text)
	}
	t.collectWords(s, stop.counting(r.Language), stop)
	for _, link := range p.Links {
		t.link([]byte(link[:min(len(link), maxLink)]))
	}
	if len(p.Links) > 0 {
		return
	}
	for i := range s.Tokens {
		if k := &s.Tokens[i]; k.Kind == scan.Link {
			t.link(s.Text[k.Start:min(k.End, k.Start+maxLink)])
		}
	}
}

// collectWords takes each word once, but those in hashtags, single letters and
// stop words.
func (t *terms) collectWords(s *scan.Scanner, bits uint8, stop *stopSet) {
	for i := range s.Tokens {
		k := &s.Tokens[i]
		if k.Kind != scan.Word || k.Flags&scan.InTag != 0 || k.Runes < 2 || contains(t.words, k.Folded) || stop.has(k.Folded, bits) {
			continue
		}
		if len(t.words) == maxWords {
			return
		}
		start := len(t.text)
		for _, r := range s.Letters[k.First : k.First+k.Runes] {
			if len(t.text)-start > maxText-utf8.UTFMax {
				break
			}
			t.text = utf8.AppendRune(t.text, r)
		}
		t.words = append(t.words, term{k.Folded, int32(start), int32(len(t.text))})
	}
}

func contains(list []term, key uint64) bool {
	for i := range list {
		if list[i].key == key {
			return true
		}
	}
	return false
}

// add takes a term with its text as people may see it.
func (t *terms) add(list []term, key uint64, text []byte) []term {
	start := len(t.text)
	t.text = appendShown(t.text, text)
	return append(list, term{key, int32(start), int32(len(t.text))})
}

// maxLink bounds what is read of a link, in bytes.
const maxLink = 2048

// link takes an address without its scheme, its www., its fragment and the slash
// at its end, so that ways of writing one page are one. Case counts behind the
// host only.
func (t *terms) link(address []byte) {
	if at := bytes.Index(address, []byte("://")); at >= 0 && at < 8 {
		address = address[at+3:]
	}
	if len(address) > 4 && bytes.EqualFold(address[:4], []byte("www.")) {
		address = address[4:]
	}
	if at := bytes.IndexByte(address, '#'); at >= 0 {
		address = address[:at]
	}
	address = bytes.TrimRight(address, "/.,;:!?)]}'*") // and what a sentence puts behind it
	if len(address) < 4 || len(t.links) == maxLinks || bytes.ContainsFunc(address, unfit) {
		return
	}
	host := bytes.IndexAny(address, "/?")
	if host < 0 {
		host = len(address)
	}
	h := uint64(hashStart)
	for i, c := range address {
		if i < host && c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * hashPrime
	}
	if h = finish(h); !contains(t.links, h) {
		t.links = t.add(t.links, h, address)
	}
}

// unfit runes make an address something else.
func unfit(r rune) bool { return r <= ' ' || r == utf8.RuneError || hidden(r) }

// appendShown appends a text as people may see it: without bytes that are no
// UTF-8, control characters and marks without width, at most maxText bytes.
func appendShown(dst, text []byte) []byte {
	limit, last := len(dst)+maxText, rune(0)
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(text[i:])
		}
		if len(dst)+n > limit {
			break
		}
		broken := r == utf8.RuneError && n == 1
		if !broken && r >= ' ' && r != 0x7F && (!hidden(r) || joins(r, last)) {
			dst = append(dst, text[i:i+n]...)
			last = r
		}
		i += n
	}
	return dst
}

// hidden runes have no width: direction marks, joiners, selectors.
func hidden(r rune) bool {
	return r >= 0x80 && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) || r >= 0xFE00 && r <= 0xFE0F || r == 0x34F)
}

// joins says whether r is a joiner that the scripts from Arabic on, and emoji,
// are written with.
func joins(r, last rune) bool { return (r == 0x200C || r == 0x200D) && last >= 0x600 }
