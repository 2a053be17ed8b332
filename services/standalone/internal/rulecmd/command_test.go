package rulecmd

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestExplain(t *testing.T) {
	cases := []struct {
		stdin string
		args  []string
		code  int
		says  []string
	}{
		{"", []string{"explain", "gol AND (brasil OR #copa)", "Que GÓL! #Copa"}, 0, []string{"match  Que", "✓ AND", "✓ word gol  at word 2", "✗ word brasil", "✓ tag copa"}},
		{"", []string{"explain", "gol NOT penalti", "gol de penalti"}, 1, []string{"no match", "✗ NOT", "✓ word penalti"}},
		{"nothing\nthe goal\n", []string{"explain", "goal"}, 0, []string{"no match  nothing", "match  the goal"}},
		{`{"id":"1","text":"hi","author":{"id":"a","handle":"ana"}}`, []string{"explain", "from:ana"}, 0, []string{"match", "from ana"}},
		{"", []string{"explain", "--from", "bia", "from:ana", "hi"}, 1, []string{"✗ from ana"}},
		{"", []string{"explain", "--location", "Rio de Janeiro, Brasil", "country:br", "hi"}, 0, []string{"country BR"}},
		{"", []string{"--help"}, 0, []string{"clamor rule explain"}},
	}
	for _, c := range cases {
		code, out, errs := run(t, c.stdin, c.args...)
		if code != c.code {
			t.Errorf("%v: exit %d, want %d\n%s%s", c.args, code, c.code, out, errs)
		}
		for _, want := range c.says {
			if !strings.Contains(out+errs, want) {
				t.Errorf("%v: want %q in\n%s%s", c.args, want, out, errs)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	code, out, _ := run(t, "a goal\nno\n", "explain", "--json", "goal")
	if code != 1 {
		t.Errorf("exit %d", code)
	}
	var matches []bool
	for line := range strings.Lines(out) {
		var a struct {
			Matches bool           `json:"matches"`
			Tree    map[string]any `json:"tree"`
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Tree["op"] != "term" {
			t.Fatalf("%v: %s", err, line)
		}
		matches = append(matches, a.Matches)
	}
	if len(matches) != 2 || !matches[0] || matches[1] {
		t.Errorf("%v", matches)
	}
}

func TestWhatIsWrong(t *testing.T) {
	for _, args := range [][]string{{}, {"nonsense"}, {"explain"}, {"explain", "gol AND ("}, {"explain", `"open`, "x"}, {"explain", "--nonsense", "x"}, {"explain", "x", `{"text":`}} {
		if code, out, errs := run(t, "", args...); code != 2 || errs == "" {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errs)
		}
	}
	if _, _, errs := run(t, "", "explain", "gol AND (brasil", "x"); !strings.Contains(errs, "at ") {
		t.Errorf("the place in the rule is missing: %s", errs)
	}
}
