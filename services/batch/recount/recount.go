// Package recount counts a sealed round again from the archive alone and says
// whether its certificate is right.
//
// It shares the fold with the services, and nothing else of what led to the
// result: no views, no speed, no generations, no floor. It reads every segment
// from the first on, and only the ballots of the one round.
package recount

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/batch/certificate"
)

// Exit codes of Run.
const (
	Match      = 0
	Difference = 1
	Unknown    = 2
)

// flags are the command's.
type flags struct {
	archive, poll, certificate, key string
	round                           uint
}

// Run is `clamor recount`: --archive DIR --poll ID [--round N] [--certificate
// FILE] [--public-key KEY]. It returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return Match
	}
	if err != nil {
		return Unknown
	}
	found, err := recount(ctx, f, stdout)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "cannot tell:", err)
		return Unknown
	case len(found) > 0:
		for _, d := range found {
			fmt.Fprintln(stdout, "DIFFERENCE:", d)
		}
		return Difference
	}
	fmt.Fprintln(stdout, "MATCH")
	return Match
}

func parse(args []string, stderr io.Writer) (*flags, error) {
	var f flags
	set := flag.NewFlagSet("recount", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&f.archive, "archive", "", "the archive: a folder (DIR/archive of a data folder) or a bucket's address")
	set.StringVar(&f.poll, "poll", "", "the poll's id")
	set.UintVar(&f.round, "round", 0, "the round; the latest that has a certificate if not given")
	set.StringVar(&f.certificate, "certificate", "", "a file with the certificate; the archive's own if not given")
	set.StringVar(&f.key, "public-key", "", "the broadcaster's public key in base64, or a file with it; the certificate's own if not given")
	set.Usage = func() {
		fmt.Fprintln(stderr, "Counts a sealed round again from the archive alone. Exits 0 on MATCH, 1 on a difference, 2 when it cannot tell.")
		set.PrintDefaults()
	}
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	var wrong string
	switch {
	case f.archive == "":
		wrong = "--archive is missing"
	case !audience.IsSlug(f.poll):
		wrong = fmt.Sprintf("--poll: %q is not the id of a poll", f.poll)
	case f.round > 1<<32-1:
		wrong = "--round: out of range"
	case set.NArg() > 0:
		wrong = fmt.Sprintf("%q is not a flag", set.Arg(0))
	default:
		return &f, nil
	}
	fmt.Fprintln(stderr, "recount:", wrong)
	return nil, errors.New(wrong)
}

// recount lists how the archive differs from the certificate.
func recount(ctx context.Context, f *flags, stdout io.Writer) ([]string, error) {
	key, err := publicKey(f.key)
	if err != nil {
		return nil, err
	}
	a, err := archive.OpenExisting(ctx, f.archive)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Close() }()
	doc, err := document(ctx, a, f)
	if err != nil {
		return nil, err
	}
	s, signer, err := certificate.Open(doc, key)
	if errors.Is(err, certificate.ErrSignature) {
		return []string{"the certificate: " + err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	if s.Poll != f.poll || f.round != 0 && s.Round != uint32(f.round) {
		return nil, fmt.Errorf("the certificate is of round %d of %s", s.Round, s.Poll)
	}
	return compare(ctx, a, s, signer, key != nil, stdout)
}

func compare(ctx context.Context, a *archive.Archive, s *certificate.Statement, signer ed25519.PublicKey, trusted bool, stdout io.Writer) ([]string, error) {
	began := time.Now()
	found, err := files(ctx, a, s)
	if err != nil {
		return nil, err
	}
	definition, err := definition(ctx, a, s)
	if err != nil {
		return nil, err
	}
	found = append(found, redefined(&s.Definition, definition)...)
	c, err := count(ctx, a, s)
	if err != nil {
		return nil, err
	}
	var again certificate.Statement
	again.Count(*definition, c.round)
	found = append(found, c.found...)
	found = append(found, differ(s, &again)...)
	report(stdout, s, &again, signer, trusted)
	if err := mended(ctx, a, s, stdout); err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "read        %d segments, %d rows, %d ballots of this round, in %v\n",
		c.segments, c.rows, c.ballots, time.Since(began).Round(time.Millisecond))
	return found, nil
}

// mended tells which of the certified files were damaged and written again. What
// counts is that they are as certified now; whoever wants to know more finds what
// they had become.
func mended(ctx context.Context, a *archive.Archive, s *certificate.Statement, stdout io.Writer) error {
	for _, f := range s.Files {
		aside, err := a.Aside(ctx, f.Path)
		if err != nil {
			return err
		}
		for _, place := range aside {
			fmt.Fprintf(stdout, "mended      %s; as it was damaged: %s\n", f.Path, place)
		}
	}
	return nil
}

func publicKey(text string) (ed25519.PublicKey, error) {
	if text == "" {
		return nil, nil
	}
	if b, err := os.ReadFile(text); err == nil {
		text = string(b)
	}
	key, err := certificate.ParseKey(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("--public-key: %w", err)
	}
	return key, nil
}

// document finds the certificate.
func document(ctx context.Context, a *archive.Archive, f *flags) ([]byte, error) {
	if f.certificate != "" {
		return os.ReadFile(f.certificate)
	}
	if f.round != 0 {
		return sealed(ctx, a, f.poll, uint32(f.round))
	}
	latest, err := a.LatestCertificate(ctx, f.poll)
	if err != nil {
		return nil, err
	}
	if latest == 0 {
		return nil, fmt.Errorf("no round of %s has a certificate in %s: it gets one with the batch run after its close", f.poll, a)
	}
	return sealed(ctx, a, f.poll, latest)
}

func sealed(ctx context.Context, a *archive.Archive, poll string, round uint32) ([]byte, error) {
	doc, err := a.Certificate(ctx, audience.RoundKey{Poll: poll, Round: round})
	if errors.Is(err, archive.ErrNotFound) {
		return nil, fmt.Errorf("round %d of %s has no certificate in %s: it gets one with the batch run after its close", round, poll, a)
	}
	return doc, err
}

func report(w io.Writer, s, again *certificate.Statement, signer ed25519.PublicKey, trusted bool) {
	whose := "the key in the certificate; give --public-key to be sure whose it is"
	if trusted {
		whose = "the key given"
	}
	fmt.Fprintf(w, "poll        %s, round %d, show %s: %s\n", s.Poll, s.Round, s.Show, s.Definition.Question)
	fmt.Fprintf(w, "sealed      %s by cut %d\n", s.SealedAt, s.Cut)
	fmt.Fprintf(w, "signed by   %s (%s)\n", base64.StdEncoding.EncodeToString(signer), whose)
	fmt.Fprintf(w, "%-28s %14s %14s\n", "", "certified", "recounted")
	for i, o := range s.Options {
		var votes int64
		if i < len(again.Options) {
			votes = again.Options[i].Votes
		}
		fmt.Fprintf(w, "  %2d %-23s %14d %14d\n", o.Slot, o.ID, o.Votes, votes)
	}
	for _, t := range totals(s, again) {
		fmt.Fprintf(w, "  %-26s %14d %14d\n", t.name, t.certified, t.recounted)
	}
}
