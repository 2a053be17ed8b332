package speedtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/google/go-cmp/cmp"
)

// minutes are encoded minutes by key, and view those of each epoch.
type (
	minutes = map[speed.MinuteKey][]byte
	view    = map[uint64]minutes
)

func minute(topic string, n int64) speed.MinuteKey {
	return speed.MinuteKey{Topic: topic, Revision: 3, Minute: n}
}

func blob(text string) []byte { return []byte(text) }

// mustPosts applies a step and gives the position behind it.
func (b bench) mustPosts(t *testing.T, s speed.PostStep) speed.Position {
	t.Helper()
	if err := b.store.AdvancePosts(t.Context(), b.topic, b.partition, s); err != nil {
		t.Fatal(err)
	}
	b.at(t, s.After())
	return s.After()
}

func (b bench) minutes(t *testing.T, from uint64, since speed.Position) speed.Minutes {
	t.Helper()
	m, err := b.store.ReadMinutes(t.Context(), b.topic, b.partition, from, since)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b bench) expectMinutes(t *testing.T, from uint64, since speed.Position, want view) {
	t.Helper()
	if diff := cmp.Diff(want, b.minutes(t, from, since).Epochs); diff != "" {
		t.Fatalf("minutes from epoch %d since %v (-want +got):\n%s", from, since, diff)
	}
}

func (b bench) fold(t *testing.T) (entries []string) {
	t.Helper()
	err := b.store.PostJournal(t.Context(), b.topic, b.partition, func(entry []byte) error {
		entries = append(entries, string(entry))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func post(n int) []byte {
	body, err := json.Marshal(speed.RecentPost{ID: fmt.Sprint(n), Platform: "test", Text: "post"})
	if err != nil {
		panic(err)
	}
	return body
}

// recents are the ids of the recent posts of a topic.
func (b bench) recents(t *testing.T, topic string, limit int) (ids []string) {
	t.Helper()
	posts, err := b.store.Recent(t.Context(), b.topic, b.partition, topic, limit)
	if err != nil {
		t.Fatal(err)
	}
	for i := range posts {
		ids = append(ids, posts[i].ID)
	}
	return ids
}

func (b bench) expectRecents(t *testing.T, topic string, limit int, want ...string) {
	t.Helper()
	if got := b.recents(t, topic, limit); !slices.Equal(got, want) {
		t.Fatalf("recent posts of %s: %q, want %q", topic, got, want)
	}
}

func emptyPosts(t *testing.T, b bench) {
	_, err := b.store.ReadMinutes(t.Context(), b.topic, b.partition, 0, speed.Position{})
	wantErr(t, err, speed.ErrEmpty)
	_, err = b.store.Recent(t.Context(), b.topic, b.partition, "news", 10)
	wantErr(t, err, speed.ErrEmpty)
	err = b.store.AdvancePosts(t.Context(), b.topic, b.partition, speed.PostStep{Expect: speed.Position{Incarnation: 7}, Next: 1})
	wantErr(t, err, speed.ErrEmpty)
	err = b.store.PostJournal(t.Context(), b.topic, b.partition, func([]byte) error { return nil })
	wantErr(t, err, speed.ErrDamaged)
}

func postSteps(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Next: 40, State: []byte("state")})
	b.expectMinutes(t, 0, speed.Position{}, view{})
	ready, first := true, minutes{minute("news", 5): blob("one"), minute("news", -6): blob("two"), minute("0-x", 5): {0, '\r', '\n', 0xff}}
	pos = b.mustPosts(t, speed.PostStep{
		Expect: pos, Next: 50, Minutes: first, Journal: blob("abc"), Ready: &ready,
		Recent: map[string][][]byte{"news": {post(1), post(2)}, "0-x": {post(2)}},
	})
	b.expectMinutes(t, 0, speed.Position{}, view{0: first})
	pos = b.mustPosts(t, speed.PostStep{
		Expect: pos, Next: 53, Minutes: minutes{minute("news", 5): blob("three")}, Journal: blob("def"),
		Recent: map[string][][]byte{"news": {post(3)}},
	})
	want := maps.Clone(first)
	want[minute("news", 5)] = blob("three")
	b.expectMinutes(t, 0, speed.Position{}, view{0: want})
	if got := b.minutes(t, 0, speed.Position{}); got.Position != pos || !got.Whole {
		t.Fatalf("whole %t at %v, want all at %v", got.Whole, got.Position, pos)
	}
	if diff := cmp.Diff([]string{"state", "abc", "def"}, b.fold(t)); diff != "" {
		t.Fatalf("journal (-want +got):\n%s", diff)
	}
	b.expectRecents(t, "news", 10, "3", "2", "1")
	b.expectRecents(t, "news", 2, "3", "2")
	b.expectRecents(t, "0-x", 10, "2")
	b.expectRecents(t, "none", 10)
	b.mustPosts(t, speed.PostStep{Expect: pos, Next: 54, Journal: blob("all"), Rewrite: true})
	if diff := cmp.Diff([]string{"all"}, b.fold(t)); diff != "" {
		t.Fatalf("journal (-want +got):\n%s", diff)
	}
}

func postsRetried(t *testing.T, b bench) {
	first := b.start(t, speed.Start{})
	step := speed.PostStep{
		Expect: first, Next: 10, Minutes: minutes{minute("news", 1): blob("one")}, Journal: blob("abc"),
		Recent: map[string][][]byte{"news": {post(1)}},
	}
	pos := b.mustPosts(t, step)
	for range 3 {
		if err := b.store.AdvancePosts(t.Context(), b.topic, b.partition, step); err != nil {
			t.Fatal(err)
		}
	}
	b.at(t, pos)
	b.expectRecents(t, "news", 10, "1")
	if got := b.fold(t); len(got) != 1 {
		t.Fatalf("%d entries in the journal, want 1", len(got))
	}
	other := speed.PostStep{Expect: first, Next: 7, Minutes: minutes{minute("news", 1): blob("other")}}
	wantFenced(t, b.store.AdvancePosts(t.Context(), b.topic, b.partition, other), pos)
	again, err := b.store.Reset(t.Context(), b.topic, b.partition, pos, speed.Start{Next: 10})
	if err != nil {
		t.Fatal(err)
	}
	other.Expect, other.Next = pos, 11
	wantFenced(t, b.store.AdvancePosts(t.Context(), b.topic, b.partition, other), again)
	b.expectMinutes(t, 0, pos, view{})
}

func postsChanged(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	first := b.mustPosts(t, speed.PostStep{Expect: pos, Next: 10, Minutes: minutes{minute("a", 1): blob("1"), minute("b", 1): blob("1")}})
	second := b.mustPosts(t, speed.PostStep{Expect: first, Next: 20, Minutes: minutes{minute("a", 1): blob("2"), minute("a", 2): blob("2")}})
	third := b.mustPosts(t, speed.PostStep{Expect: second, Next: 30, Epoch: 1, Minutes: minutes{minute("b", 2): blob("3")}})
	last := minutes{minute("b", 2): blob("3")}
	b.expectMinutes(t, 0, third, view{})
	b.expectMinutes(t, 0, second, view{1: last})
	b.expectMinutes(t, 0, first, view{0: {minute("a", 1): blob("2"), minute("a", 2): blob("2")}, 1: last})
	b.expectMinutes(t, 1, first, view{1: last})
	if m := b.minutes(t, 0, first); m.Whole || m.Position != third {
		t.Fatalf("whole %t at %v", m.Whole, m.Position)
	}
	// A later position, or one of another life, is where Redis was once.
	ahead := third
	ahead.Next = 40
	if m := b.minutes(t, 1, ahead); !m.Whole || len(m.Epochs[1]) != 1 {
		t.Fatalf("since %v: whole %t, %d minutes", ahead, m.Whole, len(m.Epochs[1]))
	}
	ahead = third
	ahead.Incarnation++
	if m := b.minutes(t, 0, ahead); !m.Whole || len(m.Epochs[0]) != 3 {
		t.Fatalf("since another life: whole %t, %d minutes", m.Whole, len(m.Epochs[0]))
	}
}

func postsPaged(t *testing.T, b bench) {
	pos, all := b.start(t, speed.Start{}), view{}
	var middle speed.Position
	for i, n := range []int{700, 3, 1, 600, 5_000, 0, 400, 400} {
		step := speed.PostStep{Expect: pos, Next: pos.Next + 5, Epoch: uint64(i / 3), Minutes: minutes{}}
		for j := range n {
			step.Minutes[minute("many", int64(1_000*(i%2)+j))] = blob(fmt.Sprint(i, j))
		}
		if n > 0 && all[step.Epoch] == nil {
			all[step.Epoch] = minutes{}
		}
		maps.Copy(all[step.Epoch], step.Minutes)
		pos = b.mustPosts(t, step)
		if i == 4 {
			middle = pos
		}
	}
	b.expectMinutes(t, 0, speed.Position{}, all)
	b.expectMinutes(t, 1, speed.Position{}, view{1: all[1], 2: all[2]})
	b.expectMinutes(t, 0, middle, view{2: all[2]})
}

func postEpochs(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Epoch: 4, Keep: 4})
	one := minutes{minute("a", 1): blob("1")}
	pos = b.mustPosts(t, speed.PostStep{Expect: pos, Next: 10, Epoch: 4, Minutes: one})
	pos = b.mustPosts(t, speed.PostStep{Expect: pos, Next: 20, Epoch: 5, Minutes: one})
	_, err := b.store.ReadMinutes(t.Context(), b.topic, b.partition, 3, speed.Position{})
	wantErr(t, err, speed.ErrExpired)
	if err := b.store.Expire(t.Context(), b.topic, b.partition, 7); err != nil {
		t.Fatal(err)
	}
	_, err = b.store.ReadMinutes(t.Context(), b.topic, b.partition, 5, speed.Position{})
	wantErr(t, err, speed.ErrExpired)
	// The worker has not seen the expiry yet: it goes on without counting.
	for epoch := uint64(5); epoch < 8; epoch++ {
		step := speed.PostStep{Expect: pos, Next: pos.Next + 5, Epoch: epoch, Minutes: one}
		if err := b.store.AdvancePosts(t.Context(), b.topic, b.partition, step); err != nil {
			t.Fatal(err)
		}
		pos = step.After()
	}
	b.expectMinutes(t, 7, speed.Position{}, view{7: one})
}

func postsForgotten(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	old, now := minute("a", 1), minute("a", 1)
	now.Revision = 31
	pos = b.mustPosts(t, speed.PostStep{
		Expect: pos, Next: 10, Minutes: minutes{old: blob("1"), minute("a", 2): blob("1"), now: blob("1"), minute("aa", 1): blob("1")},
		Recent: map[string][][]byte{"a": {post(1)}, "aa": {post(1)}},
	})
	pos = b.mustPosts(t, speed.PostStep{Expect: pos, Next: 20, Forget: []speed.MinuteKey{{Topic: "a", Revision: 3}}, Unlist: []string{"aa"}})
	b.expectMinutes(t, 0, speed.Position{}, view{0: {now: blob("1"), minute("aa", 1): blob("1")}})
	b.expectRecents(t, "a", 9, "1")
	b.expectRecents(t, "aa", 9)
	if listed, err := b.store.Listed(t.Context(), b.topic, b.partition); err != nil || !slices.Equal(listed, []string{"a"}) {
		t.Fatalf("listed %q, error %v", listed, err)
	}
	b.mustPosts(t, speed.PostStep{Expect: pos, Next: 30, Recent: map[string][][]byte{"aa": {post(2)}}})
	b.expectRecents(t, "aa", 9, "2")
}

func recentsBounded(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{})
	var all [][]byte
	for i := range 3*speed.RecentMax + 7 {
		all = append(all, post(i))
	}
	pos = b.mustPosts(t, speed.PostStep{Expect: pos, Next: 1, Recent: map[string][][]byte{"a": all[:5]}})
	pos = b.mustPosts(t, speed.PostStep{Expect: pos, Next: 2, Recent: map[string][][]byte{"a": all[5 : len(all)-1]}})
	b.mustPosts(t, speed.PostStep{Expect: pos, Next: 3, Recent: map[string][][]byte{"a": all[len(all)-1:]}})
	got := b.recents(t, "a", 10_000)
	if len(got) != speed.RecentMax || got[0] != fmt.Sprint(len(all)-1) || got[len(got)-1] != fmt.Sprint(len(all)-speed.RecentMax) {
		t.Fatalf("%d posts, from %s to %s", len(got), got[0], got[len(got)-1])
	}
}

func postsReset(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{State: bytes.Repeat([]byte{1}, 100_000)})
	pos = b.mustPosts(t, speed.PostStep{
		Expect: pos, Next: 5, Minutes: minutes{minute("a", 1): blob("1")}, Journal: blob("abc"), Recent: map[string][][]byte{"a": {post(1)}},
	})
	again, err := b.store.Reset(t.Context(), b.topic, b.partition, pos, speed.Start{State: []byte("new")})
	if err != nil {
		t.Fatal(err)
	}
	b.expectMinutes(t, 0, pos, view{})
	b.expectRecents(t, "a", 9)
	if diff := cmp.Diff([]string{"new"}, b.fold(t)); diff != "" {
		t.Fatalf("journal (-want +got):\n%s", diff)
	}
	b.mustPosts(t, speed.PostStep{Expect: again, Next: 3, Minutes: minutes{minute("a", 2): blob("2")}})
	b.expectMinutes(t, 0, pos, view{0: {minute("a", 2): blob("2")}})
}

func postsInvalid(t *testing.T, b bench) {
	pos := b.start(t, speed.Start{Next: 5, Epoch: 3})
	many := minutes{}
	for i := range speed.MaxStepMinutes + 1 {
		many[minute("a", int64(i))] = nil
	}
	for _, step := range []speed.PostStep{
		{Expect: speed.Position{Next: 5, Epoch: 3}, Next: 6, Epoch: 3},
		{Expect: pos, Next: 4, Epoch: 3},
		{Expect: pos, Next: 6, Epoch: 2},
		{Expect: pos, Next: 5, Epoch: 4},
		{Expect: pos, Next: 5, Epoch: 3, Minutes: minutes{minute("a", 1): nil}},
		{Expect: pos, Next: 5, Epoch: 3, Journal: blob("abc")},
		{Expect: pos, Next: 5, Epoch: 3, Recent: map[string][][]byte{"a": {post(1)}}},
		{Expect: pos, Next: 6, Epoch: 3, Rewrite: true},
		{Expect: pos, Next: 6, Epoch: 3, Minutes: minutes{minute("a:b", 1): nil}},
		{Expect: pos, Next: 6, Epoch: 3, Minutes: many},
		{Expect: pos, Next: 6, Epoch: 3, Recent: map[string][][]byte{"": {post(1)}}},
		{Expect: pos, Next: 6, Epoch: 3, Forget: []speed.MinuteKey{{Topic: "*"}}},
		{Expect: pos, Next: 6, Epoch: 3, Unlist: []string{"fold:"}},
	} {
		wantErr(t, b.store.AdvancePosts(t.Context(), b.topic, b.partition, step), speed.ErrInvalid)
	}
	b.at(t, pos)
}
