// Package rulecmd is the command "clamor rule": it says why a rule holds for a
// post or does not, without a running system. The rule comes from the arguments,
// posts from them too or from standard input, a line each.
package rulecmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/internal/explain"
)

// Exit codes, as grep has them.
const (
	exitMatch   = 0
	exitNoMatch = 1
	exitUsage   = 2
)

// longest is the longest line of a post.
const longest = 1 << 20

const usage = `usage: clamor rule explain [flags] RULE [TEXT …]

Says term by term why RULE holds for a post. Without TEXT it reads posts from
standard input, one a line: plain text, or JSON as push sources take it
({"id", "text", "author":{"handle", "location", "followers"}, "language"}).
Exit code: 0 when it matches (the last of several), 1 when not, 2 for a rule or
flags that are wrong.
`

type settings struct {
	rule      string
	texts     []string
	languages []string
	json      bool
	post      audience.Post
	source    string
}

// Run carries out the command and returns its exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitMatch
	}
	if err != nil {
		fmt.Fprintln(stderr, "clamor rule:", err)
		return exitUsage
	}
	matched, err := s.run(ctx, stdin, stdout)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "clamor rule:", said(err))
		return exitUsage
	case !matched:
		return exitNoMatch
	}
	return exitMatch
}

// said is the reason without the words of the API around it.
func said(err error) string {
	if e, ok := fault.As(err); ok && len(e.Fields) > 0 {
		return "the rule: " + e.Fields[0].Detail
	}
	return err.Error()
}

func parse(args []string, stderr io.Writer) (*settings, error) {
	s := &settings{}
	var languages string
	f := flag.NewFlagSet("clamor rule", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&languages, "languages", "", "the show's languages, such as pt,es")
	f.StringVar(&s.post.Language, "language", "", "what the source says the language is")
	f.StringVar(&s.post.Author.Handle, "from", "", "the author's handle")
	f.StringVar(&s.post.Author.Location, "location", "", "what the author's profile says")
	f.StringVar(&s.source, "source", "", "the source's id")
	f.BoolVar(&s.json, "json", false, "print JSON, a line a post")
	f.Usage = func() {
		fmt.Fprint(stderr, usage, "\n")
		f.PrintDefaults()
	}
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		f.Usage()
		return nil, flag.ErrHelp
	}
	if len(args) == 0 || args[0] != "explain" {
		return nil, errors.New("the commands are: explain (clamor rule --help)")
	}
	if err := f.Parse(args[1:]); err != nil {
		return nil, err
	}
	if f.NArg() == 0 {
		return nil, errors.New("give a rule: clamor rule explain 'gol AND brasil' 'que gol!'")
	}
	s.rule, s.texts = f.Arg(0), f.Args()[1:]
	s.languages = strings.FieldsFunc(languages, func(r rune) bool { return r == ',' || r == ' ' })
	return s, nil
}

// run explains every post and says whether the last of them matched.
func (s *settings) run(ctx context.Context, stdin io.Reader, stdout io.Writer) (matched bool, err error) {
	if _, err := s.explain(""); err != nil { // a wrong rule is said before posts are waited for
		return false, err
	}
	if len(s.texts) > 0 {
		for _, text := range s.texts {
			if matched, err = s.one(text, stdout); err != nil {
				return false, err
			}
		}
		return matched, nil
	}
	lines := bufio.NewScanner(stdin)
	lines.Buffer(make([]byte, 0, 64<<10), longest)
	for lines.Scan() && ctx.Err() == nil {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			continue
		}
		if matched, err = s.one(line, stdout); err != nil {
			return false, err
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("read posts: %w", err)
	}
	return matched, ctx.Err()
}

func (s *settings) one(line string, stdout io.Writer) (bool, error) {
	a, err := s.explain(line)
	if err != nil {
		return false, err
	}
	if s.json {
		body, err := json.Marshal(a)
		if err != nil {
			return false, fmt.Errorf("write the answer: %w", err)
		}
		_, err = fmt.Fprintf(stdout, "%s\n", body)
		return a.Matches, err
	}
	return a.Matches, printed(stdout, line, a)
}

func (s *settings) explain(line string) (*explain.Answer, error) {
	post, err := s.read(line)
	if err != nil {
		return nil, err
	}
	return explain.Post(audience.Topic{ID: "rule", Show: "show", Title: "rule", Rule: s.rule}, s.languages, post)
}

// read makes a post of a line. What the flags say holds where the line says
// nothing.
func (s *settings) read(line string) (*clamorv1.Post, error) {
	p := s.post
	if trimmed := bytes.TrimSpace([]byte(line)); len(trimmed) > 0 && trimmed[0] == '{' {
		if err := json.Unmarshal(trimmed, &p); err != nil {
			return nil, fmt.Errorf("read a post: %w", err)
		}
	} else {
		p.Text = line
	}
	post := eventlog.PostOf(&p)
	post.Show, post.Source = "show", s.source
	return post, nil
}
