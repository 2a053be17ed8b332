// Package doctor checks a feed against what graphics engines can read. It asks
// as an engine does, over HTTP and without any knowledge of the system behind.
package doctor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/clamor-live/clamor/pkg/config"
)

// Exit statuses.
const (
	exitHealthy = iota
	exitFindings
	exitUnreachable
)

const about = `clamor doctor URL looks at a feed as graphics engines do and says, for each of
them, what it could trip over. URL is any address of a poll's or a topic's feed,
such as http://host/feeds/TOKEN/polls/POLL/feed.json or …/topics/TOPIC/trends.csv;
the other formats beside it are looked at too, unless --only is given.

Exit status: 0 healthy, 1 findings, 2 the feed cannot be reached.

Flags:
`

// Run is the command `clamor doctor`. It returns the exit status.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("clamor doctor", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, about); fs.PrintDefaults() }
	watch := fs.Duration("watch", 3*time.Second, "how long to watch the feed for changes of shape")
	only := fs.Bool("only", false, "look at that one address only")
	rest, err := config.ParseArgs(fs, args)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitHealthy
		}
		return exitUnreachable
	}
	if len(rest) != 1 {
		fs.Usage()
		return exitUnreachable
	}
	r, err := Examine(ctx, rest[0], *watch, *only)
	if err != nil {
		fmt.Fprintln(stderr, "clamor doctor:", err)
		return exitUnreachable
	}
	r.Print(stdout)
	if len(r.Findings) > 0 {
		return exitFindings
	}
	return exitHealthy
}

// Finding is something an engine could trip over.
type Finding struct {
	Format string // json, csv, …
	Rule   string
	Detail string

	kind string // of the format
}

// Report is what an examination found.
type Report struct {
	URL      string
	Looked   []string // formats
	Fetches  int
	Findings []Finding

	kinds []string // of the formats looked at
}

func (r *Report) find(in format, rule, detail string, args ...any) {
	f := Finding{in.name, rule, fmt.Sprintf(detail, args...), in.kind}
	for _, known := range r.Findings {
		if known.Format == f.Format && known.Rule == f.Rule { // once is enough
			return
		}
	}
	r.Findings = append(r.Findings, f)
}

// Examine looks at the feed of address and, unless only is set, at its other
// formats.
func Examine(ctx context.Context, address string, watch time.Duration, only bool) (*Report, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no URL", address)
	}
	e := &examiner{
		report: &Report{URL: address},
		http: &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport:     &http.Transport{DisableCompression: true},
		},
	}
	defer e.http.CloseIdleConnections()
	formats := addresses(u, only)
	for i, f := range formats {
		if err := e.look(ctx, f); err != nil && i == 0 {
			return nil, err
		} else if err != nil {
			e.report.find(f, "reachable", "%v", err)
		}
	}
	if formats[0].kind == "json" {
		e.watch(ctx, formats[0], watch)
	}
	return e.report, nil
}
