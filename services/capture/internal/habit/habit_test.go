package habit_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/clamor-live/clamor/pkg/enrich/lang"
	"github.com/clamor-live/clamor/services/capture/internal/habit"
)

const (
	portuguese = "não acredito que ele perdeu esse pênalti, que jogo horrível"
	spanish    = "no me lo puedo creer, qué partido tan malo están jugando los nuestros"
	doubtful   = "gol"
)

func newMemory(t testing.TB) *habit.Memory {
	t.Helper()
	model, err := lang.Default()
	if err != nil {
		t.Fatal(err)
	}
	return habit.New(model)
}

func TestHabits(t *testing.T) {
	type post struct{ declared, text string }
	say := func(n int, p post) (all []post) {
		for range n {
			all = append(all, p)
		}
		return all
	}
	pt, es, nothing := post{"", portuguese}, post{"", spanish}, post{"", doubtful}
	for _, test := range []struct {
		name  string
		posts []post
		want  string
	}{
		{"nobody yet", nil, ""},
		{"once is no habit", say(1, pt), ""},
		{"twice is", say(2, pt), "pt"},
		{"doubt teaches nothing", say(9, nothing), ""},
		{"doubt unlearns nothing", append(say(2, pt), say(9, nothing)...), "pt"},
		{"what the source declares goes before the text", say(2, post{"es", portuguese}), "es"},
		{"a region counts for its language", say(2, post{"pt-BR", "oi"}), "pt"},
		{"a declaration of no language leaves it to the text", say(2, post{"und", portuguese}), "pt"},
		{"the majority", append(say(5, pt), say(2, es)...), "pt"},
		{"as many of each", append(say(3, pt), say(3, es)...), ""},
		{"whoever changes over is followed, however long it was", append(say(1000, pt), say(9, es)...), "es"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(t)
			for _, p := range test.posts {
				m.Learn("twitch", "ana", p.declared, p.text)
			}
			if got := m.Language("twitch", "ana"); got != test.want {
				t.Errorf("have %q, want %q", got, test.want)
			}
			if got := m.Language("youtube", "ana"); got != "" {
				t.Errorf("of another platform's author of that id: %q", got)
			}
		})
	}
}

func TestWhoHasNoIDHasNoHabit(t *testing.T) {
	m := newMemory(t)
	for range 3 {
		m.Learn("twitch", "", "", portuguese)
	}
	if got := m.Language("twitch", ""); got != "" {
		t.Errorf("have %q", got)
	}
}

// TestTheNewestAreRemembered fills a memory many times over: those heard of last
// are in it, and most of those before are not.
func TestTheNewestAreRemembered(t *testing.T) {
	m := newMemory(t)
	const all, last = 300_000, 1000
	for i := range all {
		for range 2 {
			m.Learn("x", strconv.Itoa(i), "en", "")
		}
	}
	known := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			if m.Language("x", strconv.Itoa(i)) == "en" {
				n++
			}
		}
		return n
	}
	if n := known(all-last, all); n != last {
		t.Errorf("%d of the last %d are known", n, last)
	}
	if n := known(0, all); n > 1<<17 {
		t.Errorf("%d are remembered, more than there is room for", n)
	}
}

func TestManyAtATime(t *testing.T) {
	m := newMemory(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				m.Learn("x", strconv.Itoa(i), "", portuguese)
				m.Language("x", strconv.Itoa(i))
			}
		})
	}
	all.Wait()
	for i := range 200 {
		if got := m.Language("x", strconv.Itoa(i)); got != "pt" {
			t.Fatalf("author %d: %q", i, got)
		}
	}
}

func BenchmarkLearn(b *testing.B) {
	m := newMemory(b)
	b.ReportAllocs()
	for i := range b.N {
		m.Learn("x", strconv.Itoa(i%1000), "", portuguese)
	}
}
