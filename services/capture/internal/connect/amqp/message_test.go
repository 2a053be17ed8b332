package amqp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/google/go-cmp/cmp"
	broker "github.com/rabbitmq/amqp091-go"
)

const now audience.Millis = 1777665600000

func TestMessages(t *testing.T) {
	at := time.UnixMilli(1777665599000)
	me := func(id, text string, at audience.Millis) audience.Post {
		return audience.Post{ID: id, Author: audience.Author{ID: id}, Text: text, CreatedAt: at}
	}
	for name, c := range map[string]struct {
		m         broker.Delivery
		want      []audience.Post
		malformed int
	}{
		"a post":          {broker.Delivery{Body: []byte(`{"id":7,"text":"t","created_at":1777665000,"more":1}`)}, []audience.Post{me("7", "t", 1777665000000)}, 0},
		"written largely": {broker.Delivery{Body: []byte("{\n \"id\": \"7\",\n \"text\": \"t\"\n}\n")}, []audience.Post{me("7", "t", now)}, 0},
		"beside it":       {broker.Delivery{MessageId: "m", Timestamp: at, Body: []byte(`{"text":"t"}`)}, []audience.Post{me("m", "t", 1777665599000)}, 0},
		"lines": {broker.Delivery{MessageId: "m", Body: []byte("{\"text\":\"a\"}\r\n\n{\"id\":\"2\",\"text\":\"b\"}\n{\"text\":\"c\"}\nnonsense")},
			[]audience.Post{me("m", "a", now), me("2", "b", now), me("m/3", "c", now)}, 1},
		"empty": {broker.Delivery{Body: []byte(" \n")}, nil, 1},
		"long":  {broker.Delivery{Body: []byte(`{"text":"` + strings.Repeat("x", 100<<10) + `"}`)}, nil, 1},
		"huge":  {broker.Delivery{Body: make([]byte, 9<<20)}, nil, 1},
		"NUL":   {broker.Delivery{Body: []byte(`{"id":"1","text":"\u0000"}`)}, nil, 1},
		"UTF-8": {broker.Delivery{Body: []byte("{\"id\":\"1\",\"text\":\"\xff\"}")}, nil, 1},
	} {
		got, malformed, first := read(&c.m, now, nil)
		if diff := cmp.Diff(c.want, got); diff != "" || malformed != c.malformed {
			t.Errorf("%s: %d %v %s", name, malformed, first, diff)
		}
		if _, ok := fault.As(first); ok != (c.malformed > 0) {
			t.Errorf("%s: %v", name, first)
		}
	}
}

// TestAHashIsAnID: the same whenever the message comes again, another for another.
func TestAHashIsAnID(t *testing.T) {
	id := func(body string, now audience.Millis) string {
		posts, _, _ := read(&broker.Delivery{MessageId: strings.Repeat("m", 201), Body: []byte(body)}, now, nil)
		if len(posts) != 1 {
			t.Fatal(posts)
		}
		return posts[0].ID
	}
	one, again, other := id(`{"text":"t"}`, now), id(`{"text":"t"}`, now+1), id(`{"text":"u"}`, now)
	if len(one) != 32 || one != again || one == other {
		t.Error(one, again, other)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("m", int64(5), []byte(`{"id":1,"text":"t"}`+"\n{"))
	f.Fuzz(func(t *testing.T, id string, at int64, body []byte) {
		m := broker.Delivery{MessageId: id, Timestamp: time.Unix(at, 0), Body: body}
		posts, malformed, first := read(&m, now, nil)
		if malformed+len(posts) == 0 || (malformed > 0) != (first != nil) {
			t.Fatal(len(posts), malformed, first)
		}
		again, _, _ := read(&m, now, nil)
		name := func(p audience.Post) string { return fmt.Sprint(p.ID, p.CreatedAt) }
		if !slices.EqualFunc(posts, again, func(a, b audience.Post) bool { return name(a) == name(b) }) {
			t.Fatal("the same message has other posts")
		}
		for _, p := range posts {
			if p.ID == "" || p.Author.ID == "" || p.CreatedAt <= 0 {
				t.Fatalf("%+v", p)
			}
		}
	})
}
