package topic_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

func no() *bool { return new(bool) }

// define is a topic of the show "s".
func define(id, rule string, filters *audience.TopicFilters) topic.Definition {
	return topic.Definition{
		Topic:    audience.Topic{ID: id, Show: "s", Title: id, Rule: rule, Filters: filters},
		Revision: 1, Languages: []string{"pt", "es", "en"},
	}
}

func compile(t testing.TB, topics ...topic.Definition) *topic.Catalog {
	t.Helper()
	c, err := topic.Compile(topics, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Faults() {
		t.Fatalf("%s: %v", f.Subject, f.Err)
	}
	return c
}

// say is a post of the show "s" in minute 100.
func say(id, text string) *clamorv1.Post {
	return &clamorv1.Post{
		Platform: "x", Id: id, Show: "s", Source: "main", Text: text, ReceivedAt: 100 * 60_000,
		Author: &clamorv1.Author{Id: "a" + id, Handle: "handle" + id, Name: "Maria " + id},
	}
}

// tape gives posts out of lines of JSON without an end: each time round they have
// other ids and authors.
type tape struct {
	lines   [][]byte
	decoder enrich.Decoder
	at      int
	post    topic.Post
	id      []byte
	author  []byte

	platform, show, source []byte
}

func newTape(lines [][]byte) *tape {
	return &tape{lines: lines, platform: []byte("x"), show: []byte("s"), source: []byte("main")}
}

func (p *tape) next(t testing.TB) *topic.Post {
	if _, err := p.decoder.Decode(p.lines[p.at%len(p.lines)], &p.post.Post); err != nil {
		t.Fatal(err)
	}
	p.id = strconv.AppendInt(append(p.id[:0], "wc22-"...), int64(p.at), 10)
	p.author = strconv.AppendInt(append(p.author[:0], "fan"...), int64(p.at*7919%100_000), 10)
	post := &p.post
	post.Platform, post.ID, post.Show, post.AuthorID = p.platform, p.id, p.show, p.author
	post.Handle, post.Source = p.author, p.source
	post.ReceivedAt = audience.Millis(1_000_000*60_000 + int64(p.at)/4*60_000/10_000)
	p.at++
	return post
}

// many are n rules over the words that the posts themselves are full of, so that
// every post wakes some.
func many(lines [][]byte, n int) []topic.Definition {
	counts := map[string]int{}
	for _, word := range strings.FieldsFunc(strings.ToLower(string(bytes.Join(lines, nil))), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(word) > 3 {
			counts[word]++
		}
	}
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	var list []topic.Definition
	for i := range n {
		a, b := words[i%1000], words[(i*7+13)%3000]
		list = append(list, define(fmt.Sprintf("t%04d", i), fmt.Sprintf("(%s %s) OR #%s OR %q NOT spam", a, b, b, b+" "+a), nil))
	}
	return list
}
