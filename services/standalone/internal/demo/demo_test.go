package demo

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

func TestEveryOptionLeadsNowAndThen(t *testing.T) {
	start := time.Unix(1_780_000_000, 0)
	led := map[int]bool{}
	for minute := range 4 {
		votes := make([]int, len(options))
		at := start.Add(time.Duration(minute) * time.Minute)
		for i := range int64(1000) {
			votes[preference(i, at)]++
		}
		lead := 0
		for o, n := range votes {
			if n > votes[lead] {
				lead = o
			}
		}
		led[lead] = true
	}
	if len(led) < 2 {
		t.Errorf("only %v led in four minutes", led)
	}
}

func TestPostsAreLines(t *testing.T) {
	seen := map[string]bool{}
	for i := range int64(200) {
		line := write(i, time.Unix(1_780_000_000, i))
		var post audience.Post
		if err := json.Unmarshal(line, &post); err != nil || bytes.Count(line, []byte("\n")) != 1 || seen[post.ID] || post.Text == "" || strings.Contains(post.Text, "KEY") {
			t.Errorf("%q: %v", line, err)
		}
		seen[post.ID] = true
	}
}

// TestPostsAreVaried: what a topic shares its posts out by has several parts.
func TestPostsAreVaried(t *testing.T) {
	texts, places, people, tags := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	votes := 0
	for i := range int64(3000) {
		at := time.Unix(1_780_000_000, 0).Add(time.Duration(i) * 300 * time.Millisecond)
		var post audience.Post
		if err := json.Unmarshal(write(i, at), &post); err != nil {
			t.Fatal(err)
		}
		texts[post.Text], places[post.Author.Location], people[post.Author.ID] = true, true, true
		named := 0
		for word := range strings.FieldsSeq(post.Text) {
			word = strings.TrimRight(word, "!,?.…")
			if slices.ContainsFunc(options, func(o option) bool { return o.keyword == word }) {
				named++
			} else if strings.HasPrefix(word, "#") {
				tags[word] = true
			}
		}
		if named > 1 {
			t.Errorf("%q names %d options", post.Text, named)
		}
		votes += named
	}
	if len(texts) < 150 || len(places) < 25 || len(people) < 1000 || len(tags) != len(moments)+1 || votes < 1000 || votes > 2000 {
		t.Errorf("%d texts, %d places, %d people, the tags %v, %d votes", len(texts), len(places), len(people), tags, votes)
	}
}

func TestAPersonStaysTheSame(t *testing.T) {
	byLanguage := make([]int, len(languages))
	for n := range crowd {
		p := personOf(n)
		if p != personOf(n) {
			t.Fatalf("%d is %+v, then %+v", n, p, personOf(n))
		}
		byLanguage[p.language]++
	}
	for i, n := range byLanguage {
		if n < crowd/5 {
			t.Errorf("%d of %d write %s", n, crowd, languages[i].code)
		}
	}
	for _, m := range moments {
		for i, lines := range m.lines {
			if len(lines) == 0 {
				t.Errorf("nobody says anything about %s in %s", m.tag, languages[i].code)
			}
		}
	}
}
