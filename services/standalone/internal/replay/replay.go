// Package replay counts a file of posts by keywords: it starts everything in one
// process over a data folder of its own, lets a replay source read the file, and
// prints the poll's result. Nothing but the posts' origin differs from a show.
package replay

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/services/internal/client"
	"github.com/clamor-live/clamor/services/standalone"
)

const about = `clamor replay FILE counts a file of posts (NDJSON, one post a line) by keywords,
and shows what they talk about.

Each --option is an option of the poll with the words that name it:

    clamor replay --option qatar=qatar,qat --option ecuador=ecuador,ecu posts.ndjson

A post that names exactly one option is one vote for it.

Flags:
`

type options []option

type option struct {
	id    string
	words []string
}

// String is the option list as it is given.
func (o *options) String() string { return "" }

// Set reads id=word,word.
func (o *options) Set(text string) error {
	id, words, ok := strings.Cut(text, "=")
	if !ok || id == "" || words == "" {
		return errors.New("want id=word,word")
	}
	*o = append(*o, option{id, strings.Split(words, ",")})
	return nil
}

type settings struct {
	file, data string
	options    options
	speed      float64
	count      string
	match      string
}

func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{}
	fs := flag.NewFlagSet("clamor replay", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, about); fs.PrintDefaults() }
	fs.Var(&s.options, "option", "`id=word,word` (default: the teams of the sample file, qatar and ecuador)")
	fs.StringVar(&s.data, "data", "", "data folder to use and keep (default: a temporary one)")
	fs.Float64Var(&s.speed, "speed", 1e6, "how many times faster than the posts' own pace")
	fs.StringVar(&s.count, "count", "posts", "posts (each once) or authors (by the poll's limits)")
	fs.StringVar(&s.match, "match", "anywhere", "anywhere, or exact: nothing else in the text")
	rest, err := config.ParseArgs(fs, args)
	if err != nil {
		return s, err
	}
	if len(rest) != 1 {
		fs.Usage()
		return s, errors.New("which file?")
	}
	s.file = rest[0]
	if len(s.options) == 0 {
		s.options = options{{"qatar", []string{"qatar", "#qat"}}, {"ecuador", []string{"ecuador", "#ecu"}}}
	}
	return s, nil
}

// Run is the command `clamor replay`. It returns the exit status.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = s.run(ctx, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "clamor replay:", err)
		return 1
	}
	return 0
}

func (s settings) run(ctx context.Context, stdout, stderr io.Writer) error {
	if s.data == "" {
		dir, err := os.MkdirTemp("", "clamor-replay-")
		if err != nil {
			return fmt.Errorf("make a data folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }() // the system clears it too
		s.data = dir
	}
	posts, err := s.copyFile()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	started, ended := make(chan string, 1), make(chan error, 1)
	cfg := standalone.DefaultConfig()
	cfg.Data, cfg.Listen, cfg.AdminListen, cfg.Log.Level = s.data, "127.0.0.1:0", "", "warn"
	cfg.Started = func(url string) { started <- url }
	go func() { ended <- standalone.Run(ctx, cfg, "replay", io.Discard, stderr) }()
	select {
	case err := <-ended:
		return err
	case url := <-started:
		err = s.tell(ctx, url, posts, stdout)
	}
	stop()
	return errors.Join(err, <-ended)
}

// copyFile puts the posts where replay sources read, and counts the lines.
func (s settings) copyFile() (lines int, err error) {
	text, err := os.ReadFile(s.file)
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(s.data, "replay")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	return lines, os.WriteFile(filepath.Join(dir, "posts.ndjson"), text, 0o600) //nolint:gosec // the folder is the user's choice
}

const poll, show = "replay", "replay"

func (s settings) tell(ctx context.Context, url string, posts int, stdout io.Writer) error {
	token, err := os.ReadFile(filepath.Join(s.data, "admin.token"))
	if err != nil {
		return fmt.Errorf("read the admin's token: %w", err)
	}
	api := client.New(url, strings.TrimSpace(string(token)))
	defer api.Close()
	began := time.Now()
	if err := s.prepare(ctx, api); err != nil {
		return err
	}
	result, err := settled(ctx, api)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d posts read in %v\n\n", posts, time.Since(began).Round(time.Millisecond))
	for _, o := range result.Options {
		fmt.Fprintf(stdout, "%-16s %8d\n", o.ID, o.Votes)
	}
	fmt.Fprintf(stdout, "%-16s %8d   (%d by %d voters, status %s)\n", "total", result.Totals.Votes, result.Totals.Votes, result.Totals.Voters, result.Status)
	return understood(ctx, api, stdout)
}

func (s settings) prepare(ctx context.Context, api *client.Client) error {
	var list []client.Object
	for _, o := range s.options {
		list = append(list, client.Object{"id": o.id, "label": o.id, "keywords": o.words})
	}
	limits := client.Object{"ballots_per_voter": 1, "on_repeat": "reject"}
	steps := []func() error{
		func() error {
			_, err := api.Create(ctx, "/v1/shows", client.Object{"id": show, "title": "Replay", "timezone": "UTC", "locale": "en"}, nil)
			return err
		},
		func() error {
			_, err := api.Create(ctx, "/v1/polls", client.Object{
				"id": poll, "show": show, "kind": "choice", "question": "Who do they name?", "options": list, "limits": limits,
				"reveal": "open", "social": client.Object{"count": s.count, "match": s.match},
			}, nil)
			return err
		},
		func() error { return api.Post(ctx, "/v1/topics", topicOf(), nil) },
		func() error { return api.Command(ctx, poll, "open") },
		func() error { return waitOpen(ctx, api) },
		func() error {
			return api.Post(ctx, "/v1/sources", client.Object{
				"show": show, "connector": "replay", "enabled": true, "polls": []string{poll},
				"settings": client.Object{"file": "posts.ndjson", "speed": s.speed, "loop": false},
			}, nil)
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func waitOpen(ctx context.Context, api *client.Client) error {
	return client.WaitFor(ctx, 20*time.Millisecond, func() bool {
		r, err := api.Results(ctx, poll)
		return err == nil && r.Phase == "open"
	})
}

// settled waits until the result has come and then stood still for a while.
func settled(ctx context.Context, api *client.Client) (*client.Result, error) {
	const quiet, most = 3 * time.Second, 10 * time.Minute
	ctx, cancel := context.WithTimeoutCause(ctx, most, errors.New("the result does not settle"))
	defer cancel()
	var last *client.Result
	since := time.Now()
	err := client.WaitFor(ctx, 100*time.Millisecond, func() bool {
		now, err := api.Results(ctx, poll)
		if err != nil {
			return false
		}
		if last == nil || now.Totals.Votes != last.Totals.Votes {
			since = time.Now()
		}
		last = now
		return time.Since(since) > quiet && (now.Totals.Votes > 0 || time.Since(since) > 10*quiet)
	})
	return last, err
}
