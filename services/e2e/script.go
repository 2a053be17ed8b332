package e2e

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Step is one line of a scenario: a word, what follows it, and name=value pairs.
type Step struct {
	Line int
	Word string
	Args []string
	Set  map[string]string
}

// Has says how an argument beyond the end reads: empty.
func (s Step) arg(i int) string {
	if i < len(s.Args) {
		return s.Args[i]
	}
	return ""
}

// ParseScript reads a scenario. One step a line; # alone begins a comment, with a
// word behind it, it is a hashtag.
//
//	poll final a b kind=choice per=1 repeat=reject max=1
//	open final                      (any command)
//	ballot final v1 a               (the same line again is the same ballot)
//	ballot final v1 a id=2          (another ballot of the same voter)
//	refuse final v1 a poll-not-open (a ballot the door turns away, and its code)
//	expect final a=1 b=0 late=0     (within a few seconds)
//	poll best ana bea social=authors (posts vote in it, by the options' names)
//	topic goals goal OR #final      (and its rule)
//	post p1 mia what a goal #final  (the same line again is the same post)
//	reject p1                       (or approve, or feature; as soon as it is listed)
//	expect topic goals posts=1 rejected=0 hashtag.final=1 language.en=1
//	batch                           (a batch run, to its end)
//	kill capture                    (kill -9 and start again)
//	empty redis
//
// The show rejects posts with the word spamword until a moderator approves them.
func ParseScript(text string) ([]Step, error) {
	var steps []Step
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if i := slices.Index(fields, "#"); i >= 0 {
			fields = fields[:i]
		}
		if len(fields) == 0 {
			continue
		}
		s := Step{Line: n, Word: fields[0], Set: map[string]string{}}
		for _, f := range fields[1:] {
			if name, value, ok := strings.Cut(f, "="); ok {
				s.Set[name] = value
			} else {
				s.Args = append(s.Args, f)
			}
		}
		if want, ok := leastArgs[s.Word]; !ok {
			return nil, fmt.Errorf("line %d: no step is called %q", n, s.Word)
		} else if len(s.Args) < want {
			return nil, fmt.Errorf("line %d: %s needs %d words more", n, s.Word, want-len(s.Args))
		}
		steps = append(steps, s)
	}
	return steps, lines.Err()
}

var leastArgs = map[string]int{
	"poll": 3, "ballot": 3, "refuse": 4, "expect": 1, "batch": 0, "kill": 0, "empty": 1,
	"open": 1, "close": 1, "pause": 1, "resume": 1, "freeze": 1, "unfreeze": 1, "reset": 1,
	"reveal": 1, "hide": 1, "extend": 1,
	"topic": 2, "post": 3, "reject": 1, "approve": 1, "feature": 1,
}

// number reads a setting, or its default.
func (s Step) number(name string, otherwise int) (int, error) {
	v, ok := s.Set[name]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, fmt.Errorf("line %d: %s is no number: %q", s.Line, name, v)
	}
	return n, nil
}
