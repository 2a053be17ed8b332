// Package sources prints how the sources of a running system fare.
package sources

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/services/internal/client"
)

// Exit codes.
const (
	exitFine    = 0
	exitFailing = 1 // a source needs somebody
	exitNotRun  = 2
)

const about = `clamor sources prints how the sources of a running system fare: state, lag,
posts a minute, budget. It exits with 1 if one of them has failed.

    clamor sources --token-file data/admin.token
    clamor sources --token-file data/admin.token --show final http://10.0.0.5:8080

`

// source is the part of the API's answer that is printed.
type source struct {
	ID        string                 `json:"id"`
	Show      string                 `json:"show"`
	Connector string                 `json:"connector"`
	Status    *audience.SourceStatus `json:"status"`
}

// Run is the command.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("clamor sources", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, about); fs.PrintDefaults() }
	token := fs.String("token", os.Getenv("CLAMOR_TOKEN"), "API `token` (or CLAMOR_TOKEN)")
	tokenFile := fs.String("token-file", "", "`file` with the API token")
	show := fs.String("show", "", "sources of that `show` only")
	rest, err := config.ParseArgs(fs, args)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitFine
		}
		return exitNotRun
	}
	base := "http://127.0.0.1:8080"
	switch {
	case len(rest) > 1:
		fmt.Fprintf(stderr, "clamor sources: unexpected argument %q behind the URL\n", rest[1])
		return exitNotRun
	case len(rest) == 1:
		base = rest[0]
	}
	all, err := read(ctx, base, *token, *tokenFile, *show)
	if err != nil {
		fmt.Fprintln(stderr, "clamor sources:", err)
		return exitNotRun
	}
	if err := table(stdout, all); err != nil {
		fmt.Fprintln(stderr, "clamor sources:", err)
		return exitNotRun
	}
	for _, s := range all {
		if s.Status != nil && s.Status.State == audience.SourceFailed {
			return exitFailing
		}
	}
	return exitFine
}

// read fetches all pages.
func read(ctx context.Context, base, token, tokenFile, show string) (all []source, err error) {
	if tokenFile != "" {
		text, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the token: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	if token == "" {
		return nil, errors.New("an API token is needed; --token-file names the data folder's admin.token")
	}
	c := client.New(base, token)
	defer c.Close()
	after := ""
	for {
		var page struct {
			Items []source `json:"items"`
			Next  string   `json:"next"`
		}
		q := url.Values{"show": {show}, "after": {after}, "limit": {"500"}}
		if err := c.Get(ctx, "/v1/sources?"+q.Encode(), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		after = page.Next
	}
}

func table(w io.Writer, all []source) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SOURCE\tSHOW\tCONNECTOR\tSTATE\tSINCE\tLAG\tPOSTS\tA MINUTE\tLOST\tMALFORMED\tBUDGET\tDETAIL")
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.ID, s.Show, s.Connector, strings.Join(cells(s.Status), "\t"))
	}
	return t.Flush()
}

// none stands where nothing is known.
const none = "-"

func cells(s *audience.SourceStatus) []string {
	if s == nil {
		return []string{none, none, none, none, none, none, none, none, ""}
	}
	since, lag := none, none
	if s.Since != 0 {
		since = s.Since.Time().Format("15:04:05")
	}
	if s.LastPostAt != 0 {
		lag = short(time.Duration(s.LagMillis) * time.Millisecond)
	}
	return []string{
		string(s.State), since, lag, fmt.Sprint(s.Posts), fmt.Sprintf("%.1f", s.PerMinute), fmt.Sprint(s.Lost), fmt.Sprint(s.Malformed),
		money(s.Budget), strings.Join(strings.Fields(s.Detail), " "),
	}
}

// short is a duration as precise as somebody looks at it.
func short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < 48*time.Hour:
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

func money(b *audience.BudgetStatus) string {
	if b == nil {
		return none
	}
	var parts []string
	for _, l := range []struct {
		name string
		line *audience.BudgetLine
	}{{"posts", b.Posts}, {"units", b.Units}, {"cents", b.Money}} {
		if l.line != nil {
			parts = append(parts, fmt.Sprintf("%d/%d %s", l.line.Spent, l.line.Of, l.name))
		}
	}
	text := strings.Join(parts, ", ") + " per " + b.Per
	if b.SampleRate < 1 {
		text += fmt.Sprintf(", sampling %.1f%%", b.SampleRate*100)
	} else if b.Warned {
		text += ", nearly spent"
	}
	return text
}
