package speed

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
)

const (
	postMetaKey    = "clamor:{posts:0}:meta"
	postIndexKey   = "clamor:{posts:0}:rounds"
	postMinutesKey = "clamor:{posts:0}:e:0"
	postMarksKey   = "clamor:{posts:0}:s:0"
	postJournalKey = "clamor:{posts:0}:j:fold"
	postRecentKey  = "clamor:{posts:0}:j:recent:news"
)

// The same of posts: lost keys are noticed where they are used, and nothing of a
// step is applied then.
func TestDamageOfPosts(t *testing.T) {
	for name, c := range map[string]struct {
		harm                func(m *miniredis.Miniredis)
		load, advance, read bool
	}{
		"minutes gone":     {harm: func(m *miniredis.Miniredis) { m.Del(postMinutesKey) }, advance: true, read: true},
		"minutes foreign":  {harm: func(m *miniredis.Miniredis) { replace(m, postMinutesKey) }, advance: true, read: true},
		"marks gone":       {harm: func(m *miniredis.Miniredis) { m.Del(postMarksKey) }, advance: true, read: true},
		"marks foreign":    {harm: func(m *miniredis.Miniredis) { replace(m, postMarksKey) }, advance: true, read: true},
		"one minute gone":  {harm: func(m *miniredis.Miniredis) { m.HDel(postMinutesKey, "news@1:7") }, read: true},
		"an unknown field": {harm: func(m *miniredis.Miniredis) { harm(m.ZAdd(postMarksKey, 1, "x")); m.HSet(postMinutesKey, "x", "1") }, read: true},
		"journal gone":     {harm: func(m *miniredis.Miniredis) { m.Del(postJournalKey) }, load: true, advance: true},
		"journal foreign":  {harm: func(m *miniredis.Miniredis) { replace(m, postJournalKey) }, load: true, advance: true},
		"index gone":       {harm: func(m *miniredis.Miniredis) { m.Del(postIndexKey) }, load: true, advance: true},
		"index foreign":    {harm: func(m *miniredis.Miniredis) { replace(m, postIndexKey) }, load: true, advance: true},
		"recents foreign":  {harm: func(m *miniredis.Miniredis) { replace(m, postRecentKey) }, advance: true},
		"meta foreign":     {harm: func(m *miniredis.Miniredis) { replace(m, postMetaKey) }, advance: true, read: true},
	} {
		t.Run(name, func(t *testing.T) {
			m, store := stored(t)
			pos := fillPosts(t, store, Position{})
			c.harm(m)
			check(t, "load", store.PostJournal(t.Context(), "posts", 0, func([]byte) error { return nil }), c.load)
			_, err := store.ReadMinutes(t.Context(), "posts", 0, 0, Position{})
			check(t, "read", err, c.read)
			check(t, "advance", store.AdvancePosts(t.Context(), "posts", 0, postStep(pos)), c.advance)

			seen, err := store.Position(t.Context(), "posts", 0)
			if err != nil {
				seen = Position{}
			}
			if c.advance && err == nil && seen.Next != pos.Next {
				t.Errorf("a refused step moved the partition to %v", seen)
			}
			fillPosts(t, store, seen)
			after, err := store.ReadMinutes(t.Context(), "posts", 0, 0, Position{})
			if err != nil || len(after.Epochs[0]) != 1 {
				t.Errorf("after a reset: %v, error %v", after.Epochs, err)
			}
		})
	}
}

func harm(_ bool, err error) {
	if err != nil {
		panic(err)
	}
}

func postStep(from Position) PostStep {
	return PostStep{
		Expect: from, Next: from.Next + 1, Journal: []byte("abc"),
		Minutes: map[MinuteKey][]byte{{Topic: "news", Revision: 1, Minute: 7}: []byte("one")},
		Recent:  map[string][][]byte{"news": {[]byte("{}")}},
	}
}

func fillPosts(t *testing.T, store *Store, seen Position) Position {
	t.Helper()
	pos, err := store.Reset(t.Context(), "posts", 0, seen, Start{})
	if err != nil {
		t.Fatal(err)
	}
	step := postStep(pos)
	if err := store.AdvancePosts(t.Context(), "posts", 0, step); err != nil {
		t.Fatal(err)
	}
	return step.After()
}
