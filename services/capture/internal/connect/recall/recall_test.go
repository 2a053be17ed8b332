package recall

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMemory(t *testing.T) {
	var m Memory
	if m.Of("ana") != nil {
		t.Error("nobody spoke yet")
	}
	for _, n := range [][2]string{{"ana", "1"}, {"ben", "2"}, {"ana", "3"}, {"ana", "3"}, {"", "4"}, {"ana", ""}, {strings.Repeat("x", maxText+1), "5"}} {
		m.Note(n[0], n[1])
	}
	if diff := cmp.Diff([]string{"1", "3"}, m.Of("ana")); diff != "" || len(m.ring) != 3 {
		t.Error(diff, m.ring)
	}
}

// TestTheOldestGoFirst: what is remembered is the last posts, whoever's they are.
func TestTheOldestGoFirst(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := Memory{most: rapid.IntRange(1, 20).Draw(rt, "most")}
		var all []noted
		authors := rapid.IntRange(1, 5).Draw(rt, "authors")
		for n := range m.most + rapid.IntRange(0, 60).Draw(rt, "more") {
			all = append(all, noted{fmt.Sprint("a", (n*7)%authors), fmt.Sprint(n)})
			m.Note(all[n].key, all[n].id)
		}
		want := map[string][]string{}
		for _, n := range all[len(all)-m.most:] {
			want[n.key] = append(want[n.key], n.id)
		}
		if diff := cmp.Diff(want, m.by); diff != "" || len(m.ring) != m.most {
			rt.Fatal(len(m.ring), diff)
		}
	})
}
