package enrichcmd

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/names"
)

// convert writes an object for every post. Lines that are no post are counted,
// answered with an error, and the rest goes on.
func convert(ctx context.Context, e *enrich.Enricher, country string, in io.Reader, out *bufio.Writer, stderr io.Writer) error {
	w, l := e.Worker(), newLines(in)
	var p enrich.Post
	var r enrich.Result
	var buf []byte
	bad := map[string]int{}
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		id, fault, err := l.next(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read posts: %w", err)
		}
		w.Enrich(&p, &r)
		a := answer{id: id, result: &r, fault: fault}
		a.female, a.named = e.Names().Female(r.Name, r.Place.CountryOr(country))
		buf = a.append(buf[:0])
		if _, err := out.Write(buf); err != nil {
			return fmt.Errorf("write answers: %w", err)
		}
		if fault != nil {
			bad[fault.Error()]++
		}
		if l.in.Buffered() == 0 { // the reader may wait: let what is known go
			if err := out.Flush(); err != nil {
				return fmt.Errorf("write answers: %w", err)
			}
		}
	}
	for reason, n := range bad {
		fmt.Fprintf(stderr, "clamor enrich: %d lines: %s\n", n, reason)
	}
	return nil
}

// crowd prints the shares of all posts' authors together.
func crowd(ctx context.Context, e *enrich.Enricher, country string, in io.Reader, out io.Writer) error {
	w, l := e.Worker(), newLines(in)
	c := names.NewCrowd(e.Names(), country)
	var p enrich.Post
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		_, fault, err := l.next(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read posts: %w", err)
		}
		if fault == nil {
			c.Add(w.Name(p.AuthorName))
		}
	}
	enc := json.NewEncoder(out)
	return enc.Encode(c.Estimate())
}
