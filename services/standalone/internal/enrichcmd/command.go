// Package enrichcmd is the command "clamor enrich": it reads posts from
// standard input, one a line, and writes what they were understood to be, one
// JSON object a line in the same order.
package enrichcmd

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/place"
)

// Exit codes.
const (
	exitOK    = 0
	exitFault = 1
	exitUsage = 2
)

type settings struct {
	prior     string
	languages string
	country   string
	addresses string
	rules     string
	crowd     bool
	bench     bool
}

// Run carries out the command and returns its exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	e, err := s.enricher()
	if err != nil {
		fmt.Fprintln(stderr, "clamor enrich:", err)
		return exitUsage
	}
	rules, err := readRules(s.rules)
	if err != nil {
		fmt.Fprintln(stderr, "clamor enrich:", err)
		return exitUsage
	}
	out := bufio.NewWriterSize(stdout, 1<<16)
	switch {
	case s.bench:
		err = bench(ctx, e, rules, stdin, out)
	case s.crowd:
		err = crowd(ctx, e, s.country, stdin, out)
	default:
		c := converter{e: e, rules: rules, country: s.country}
		err = c.run(ctx, stdin, out, stderr)
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintln(stderr, "clamor enrich:", err)
		return exitFault
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (*settings, error) {
	s := &settings{}
	f := flag.NewFlagSet("clamor enrich", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.prior, "prior", "", "languages that are likely, such as es,pt,en")
	f.StringVar(&s.languages, "languages", "", "answer with these languages only")
	f.StringVar(&s.country, "country", "", "country of the audience, for the meaning of first names; empty: a crowd's own names tell it")
	f.StringVar(&s.addresses, "addresses", "", "MaxMind database that tells the country of an address, instead of the built-in one")
	f.StringVar(&s.rules, "rules", "", "file of topics, one \"name: rule\" a line")
	f.BoolVar(&s.crowd, "crowd", false, "print only the crowd's shares of gender and age, with intervals")
	f.BoolVar(&s.bench, "bench", false, "print how many posts a second one core takes")
	f.Usage = func() {
		fmt.Fprintln(stderr, "usage: clamor enrich [flags] < posts\n\nReads NDJSON posts or plain lines, writes one JSON object a line.")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		err := fmt.Errorf("clamor enrich: unexpected argument %q", f.Arg(0))
		fmt.Fprintln(stderr, err)
		return nil, err
	}
	s.country = strings.ToUpper(s.country)
	return s, nil
}

func (s *settings) enricher() (*enrich.Enricher, error) {
	o := enrich.Options{Likely: list(s.prior), Only: list(s.languages)}
	var err error
	if s.addresses != "" {
		o.Addresses, err = place.OpenAddresses(s.addresses)
	} else {
		o.Addresses, err = place.DefaultAddresses()
	}
	if err != nil {
		return nil, err
	}
	return enrich.New(o)
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
