package enrichcmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/rule"
)

// converter writes an object for every post.
type converter struct {
	e       *enrich.Enricher
	rules   *rule.Set
	country string
	topics  []string
}

// faulty are the lines of one fault.
type faulty struct{ lines, first int }

// run goes through all posts. Lines that are no post are counted and answered
// like a post that says nothing, and the rest goes on.
func (c *converter) run(ctx context.Context, in io.Reader, out *bufio.Writer, stderr io.Writer) error {
	w, l := c.e.Worker(), newLines(in)
	w.SetRules(c.rules)
	var p enrich.Post
	var buf []byte
	bad := map[string]*faulty{}
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		id, fault, err := l.next(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read posts: %w", err)
		}
		if fault != nil {
			b := bad[fault.Error()]
			if b == nil {
				b = &faulty{first: l.number}
				bad[fault.Error()] = b
			}
			b.lines++
		}
		buf = c.answer(buf[:0], w, &p, id)
		if _, err := out.Write(buf); err != nil {
			return fmt.Errorf("write answers: %w", err)
		}
		if l.in.Buffered() == 0 { // the reader may wait: let what is known go
			if err := out.Flush(); err != nil {
				return fmt.Errorf("write answers: %w", err)
			}
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(bad)) {
		fmt.Fprintf(stderr, "clamor enrich: %d lines: %s; the first is line %d\n", bad[reason].lines, reason, bad[reason].first)
	}
	return nil
}

// answer appends the line of one post.
func (c *converter) answer(buf []byte, w *enrich.Worker, p *enrich.Post, id []byte) []byte {
	var r enrich.Result
	w.Enrich(p, &r)
	c.topics = c.topics[:0]
	for _, t := range r.Topics {
		c.topics = append(c.topics, c.rules.ID(t))
	}
	a := answer{id: id, result: &r, topics: c.topics}
	a.female, a.named = c.e.Names().Female(r.Name, r.Place.CountryOr(c.country))
	return a.append(buf)
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
		if errors.Is(err, io.EOF) {
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
