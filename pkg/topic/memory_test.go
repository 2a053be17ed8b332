package topic

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
)

// The memory against a list.
func TestMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := memory{limit: rapid.IntRange(1, 20).Draw(t, "limit")}
		var want []uint64
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			// Few homes, so that gaps are closed often.
			mark := rapid.Uint64Range(1, 30).Draw(t, "mark") << rapid.SampledFrom([]int{3, 20, 24, 40}).Draw(t, "shift")
			state := rapid.Uint64Range(0, stateBits).Draw(t, "state")
			m.put(mark, state)
			if at := slices.IndexFunc(want, func(e uint64) bool { return (e^mark)&^stateBits == 0 }); at >= 0 {
				want[at] = mark | state
			} else if want = append(want, mark|state); len(want) > m.limit {
				want = want[1:]
			}
			for _, e := range want {
				if got, ok := m.find(e &^ stateBits); !ok || got != e&stateBits {
					t.Fatalf("%x: have %d, %v", e, got, ok)
				}
			}
		}
		got := []uint64{}
		m.all(func(e uint64) { got = append(got, e) })
		if d := cmp.Diff(append([]uint64{}, want...), got); d != "" {
			t.Fatal(d)
		}
		for mark := uint64(1); mark < 40; mark++ {
			_, ok := m.find(mark << 3)
			if ok != slices.ContainsFunc(want, func(e uint64) bool { return e&^stateBits == mark<<3 }) {
				t.Fatalf("%x: found %v", mark<<3, ok)
			}
		}
	})
}

// A word on a post that was forgotten goes by what the record says of it, and is
// itself remembered.
func TestWordOnAForgottenPost(t *testing.T) {
	c, err := Compile([]Definition{{Topic: audience.Topic{ID: "all", Show: "s", Rule: "NOT zzz"}, Revision: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, p, out := NewListener(c), NewPartition(), NewOpen()
	p.recent.limit = 2
	hear := func(id string, held bool) *Understood {
		return l.HearPost(&Post{Platform: []byte("x"), ID: []byte(id), Show: []byte("s"), Held: held})
	}
	p.Post(hear("1", false), out)
	p.Post(hear("2", true), out)
	for _, id := range []string{"3", "4", "5"} {
		p.Post(hear(id, false), out)
	}
	for i, step := range []struct {
		id             string
		held, reject   bool
		changes        bool
		posts, rejects int64
	}{
		{"1", false, true, true, 3, 2}, {"1", false, true, false, 3, 2},
		{"2", true, true, false, 3, 2}, {"2", true, false, true, 4, 1}, {"2", true, false, false, 4, 1},
		{"1", false, false, true, 5, 0},
	} {
		if got := p.Moderate(hear(step.id, step.held), step.reject, out); got != step.changes {
			t.Errorf("step %d changes %v", i, got)
		}
		if m := out.View()[c.Subject(0)][0]; m.Posts != step.posts || m.Rejected != step.rejects {
			t.Errorf("step %d: %d posts, %d rejected", i, m.Posts, m.Rejected)
		}
	}
}

// Blobs that are well-formed and would count nonsense.
func TestDecodeRefuses(t *testing.T) {
	for name, change := range map[string]func(m *Minute){
		"an item without count":  func(m *Minute) { m.Words.items[0].n = 0 },
		"more error than floor":  func(m *Minute) { m.Words.items[0].n, m.Words.items[0].error = 9, 5 },
		"more votes than posts":  func(m *Minute) { m.Words.items[0].votes = 7 },
		"no room":                func(m *Minute) { m.Words.size = 0 },
		"a rank beyond all":      func(m *Minute) { m.Distinct = Sketch{regs: slices.Repeat([]uint8{30}, registers)} },
		"hashes out of order":    func(m *Minute) { m.Distinct.few = []uint32{5, 3} },
		"a count beyond all":     func(m *Minute) { m.Posts = 1 << 60 },
		"crowd out of order":     func(m *Minute) { m.Crowd.members = []member{{9, 1}, {3, 1}} },
		"a taken key of nothing": func(m *Minute) { m.Words.less = map[uint64]int64{4: 0} },
	} {
		m := NewMinute()
		m.Words.Count(7, []byte("gol"))
		if _, err := Decode(Encode(m)); err != nil {
			t.Fatal(err)
		}
		change(m)
		if _, err := Decode(Encode(m)); err == nil {
			t.Errorf("%s: is a minute", name)
		}
	}
}
