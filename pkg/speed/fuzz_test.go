package speed

import (
	"testing"

	"github.com/clamor-live/clamor/pkg/tally"
)

// What stands in Redis may be anybody's: a field is read as what a step would
// have written, or refused.
func FuzzFields(f *testing.F) {
	for _, field := range []string{"final:1:v3", "final:1:s65535", "final:1:voters", "final:1:176:3", ":1:v1", "a:b", "", "final:1:v0", "final:1:"} {
		f.Add(field, int64(7))
	}
	f.Fuzz(func(t *testing.T, field string, n int64) {
		for _, add := range []adder{addCounter, addBucket} {
			view := tally.View{}
			if !add(view, field, n) {
				continue
			}
			step := Step{Delta: view}
			counters, series := step.counts()
			written := append(counters, series...)
			if n == 0 && len(written) == 0 {
				continue
			}
			again := tally.View{}
			if len(written) != 2 || !add(again, written[0].(string), written[1].(int64)) || !again.Equal(view) {
				t.Errorf("%q %d was read as %v and is written as %v", field, n, view, written)
			}
		}
	})
}

func FuzzRounds(f *testing.F) {
	f.Add("final:1")
	f.Add("a:b:1")
	f.Fuzz(func(t *testing.T, name string) {
		round, err := parseRound(name)
		if err != nil {
			return
		}
		if again, err := parseRound(roundName(round)); err != nil || again != round {
			t.Errorf("%q was read as %v, and its name as %v, error %v", name, round, again, err)
		}
	})
}

func FuzzMinutes(f *testing.F) {
	for _, name := range []string{"news@3:29400000", "a@0:-1", "a@01:1", "@1:1", "a:1@2:3", "a@1:", "from"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key, err := parseMinute(name)
		if err == nil && key.name() != name {
			t.Errorf("%q was read as %+v, whose name is %q", name, key, key.name())
		}
	})
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"redis://h:1", "rediss+sentinel://u:p@a:1,b:2/main/3", "redis+cluster://a:1", "redis://@:1", "redis://[::1]:1/0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseAddress(s)
		if err == nil && (len(a.hosts) == 0 || a.form == "sentinel" && a.master == "") {
			t.Errorf("%q was read as %+v", s, a)
		}
	})
}
