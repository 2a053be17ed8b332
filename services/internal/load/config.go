// Package load drives ballots and posts at a running system and then holds the
// system to what it acknowledged.
//
// Its one trick: latency counts from the moment a request was meant to leave,
// so a system that stalls cannot hide it by slowing its clients down
// (coordinated omission).
package load

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/config"
)

// Doors that ballots can go through.
const (
	DoorVoters  = "voters"  // one ballot a request, each with a voter's token
	DoorGateway = "gateway" // many ballots a request, with a source's key
)

// Config is one run.
type Config struct {
	URL   string
	Token string // an API token with the role producer
	// Poll to vote in; empty makes one of its own without limits.
	Poll  string
	Show  string
	Door  string
	Batch int // ballots a request at the gateway's door
	// Rate is ballots a second; 0: as fast as the connections go.
	Rate     float64
	Duration time.Duration
	Ballots  int64 // how many in all; 0: until Duration has passed
	// PostRate is posts a second besides, through a push source; they vote by keyword.
	PostRate    float64
	Connections int
	// Voters is how many voters share the ballots; 0: enough for the door's limit
	// of 5 a second each.
	Voters  int
	Timeout time.Duration // of one request
	Settle  time.Duration // how long the totals may take to get there
}

// DefaultConfig is a short, moderate run.
func DefaultConfig() Config {
	return Config{
		URL: "http://127.0.0.1:8080", Door: DoorVoters, Show: "load", Batch: 1000, Rate: 1000,
		Duration: 10 * time.Second, Connections: 64, Timeout: 10 * time.Second, Settle: 30 * time.Second,
	}
}

// Validate names every fault at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	u, err := url.Parse(c.URL)
	check(err == nil && u.Host != "" && strings.HasPrefix(u.Scheme, "http"), "url: %q is no http URL", c.URL)
	check(c.Token != "", "token: an API token is needed; --token-file names the data folder's admin.token")
	check(c.Door == DoorVoters || c.Door == DoorGateway, "door: %q is neither %s nor %s", c.Door, DoorVoters, DoorGateway)
	check(c.Batch > 0 && c.Batch <= 20_000, "batch: %d is not from 1 to 20000", c.Batch)
	check(c.Rate >= 0 && c.PostRate >= 0, "rate: it is negative")
	check(c.Duration > 0 || c.Ballots > 0, "duration or ballots: one must be given")
	check(c.Connections > 0 && c.Connections <= 4096, "connections: %d is not from 1 to 4096", c.Connections)
	check(c.Voters >= 0, "voters: it is negative")
	return errors.Join(errs...)
}

// voters is how many voters the run needs.
func (c Config) voters() int {
	switch {
	case c.Voters > 0:
		return c.Voters
	case c.Rate == 0:
		return 20_000
	}
	return max(int(c.Rate/2), 64)
}

const about = `clamor load drives ballots and posts at a running system at a steady rate and
then compares the system's totals with what it acknowledged.

It needs a producer's token: it makes a show, a poll without limits, and sources
of its own. Exit status: 0 exact, 1 the totals differ, 2 it could not be run.

    clamor load --token-file data/admin.token --rate 2000 --duration 30s
    clamor load --token-file data/admin.token --door gateway --rate 0 --ballots 1000000

Flags:
`

// parse reads the command line; the URL may also be its only argument.
func parse(args []string, stderr io.Writer) (Config, error) {
	c := DefaultConfig()
	fs := flag.NewFlagSet("clamor load", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, about); fs.PrintDefaults() }
	var tokenFile string
	fs.StringVar(&c.URL, "url", c.URL, "the system's `address`")
	fs.StringVar(&c.Token, "token", os.Getenv("CLAMOR_TOKEN"), "API `token` (or CLAMOR_TOKEN)")
	fs.StringVar(&tokenFile, "token-file", "", "`file` with the API token")
	fs.StringVar(&c.Poll, "poll", "", "`id` of an open poll to vote in; each of its voters must be allowed every ballot (default: a new one)")
	fs.StringVar(&c.Show, "show", c.Show, "`id` of the show of the new poll")
	fs.StringVar(&c.Door, "door", c.Door, "voters (one ballot a request) or gateway (batches)")
	fs.IntVar(&c.Batch, "batch", c.Batch, "ballots a request at the gateway's door")
	fs.Float64Var(&c.Rate, "rate", c.Rate, "ballots a second; 0 as fast as the connections go")
	fs.DurationVar(&c.Duration, "duration", c.Duration, "how long")
	fs.Int64Var(&c.Ballots, "ballots", 0, "how many ballots in all, instead of --duration")
	fs.Float64Var(&c.PostRate, "posts", 0, "posts a second besides")
	fs.IntVar(&c.Connections, "connections", c.Connections, "connections")
	fs.IntVar(&c.Voters, "voters", 0, "voters who share the ballots (default: as many as the limit of 5 a second each needs)")
	fs.DurationVar(&c.Timeout, "timeout", c.Timeout, "how long one request may take")
	fs.DurationVar(&c.Settle, "settle", c.Settle, "how long the totals may take to get there")
	rest, err := config.ParseArgs(fs, args)
	switch {
	case err != nil:
		return c, err
	case len(rest) > 1:
		return c, fmt.Errorf("unexpected argument %q behind the URL", rest[1])
	case len(rest) == 1:
		c.URL = rest[0]
	}
	if c.Ballots > 0 {
		c.Duration = 0
	}
	if tokenFile != "" {
		text, err := os.ReadFile(tokenFile)
		if err != nil {
			return c, fmt.Errorf("read the token: %w", err)
		}
		c.Token = strings.TrimSpace(string(text))
	}
	return c, c.Validate()
}
