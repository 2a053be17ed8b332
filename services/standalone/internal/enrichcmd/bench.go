package enrichcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/rule"
)

const (
	benchTime  = 3 * time.Second
	benchPosts = 200_000 // posts held in memory at most
)

// figures is what the benchmark prints.
type figures struct {
	Posts         int     `json:"posts"`
	Bytes         int     `json:"bytes_a_post"`
	PerCore       int     `json:"posts_per_second_core"` // by processor time
	PerSecond     int     `json:"posts_per_second"`      // by the clock on the wall
	Nanoseconds   int     `json:"ns_a_post"`             // of processor time
	AllocsPerPost float64 `json:"allocs_a_post"`
}

// bench takes the posts of the input, or made-up ones when there are none,
// from their bytes to the result over and over, on one goroutine.
func bench(ctx context.Context, e *enrich.Enricher, rules *rule.Set, in io.Reader, out io.Writer) error {
	posts, size, err := readPosts(in)
	if err != nil {
		return err
	}
	w := e.Worker()
	w.SetRules(rules)
	var d enrich.Decoder
	var p enrich.Post
	var r enrich.Result
	pass := func() {
		for _, line := range posts {
			if line[0] != '{' {
				p = enrich.Post{Text: line}
			} else if _, err := d.Decode(line, &p); err != nil {
				p = enrich.Post{}
			}
			w.Enrich(&p, &r)
		}
	}
	pass() // buffers grow and memories fill
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, used, passes := time.Now(), cpuTime(), 0
	for time.Since(start) < benchTime && ctx.Err() == nil {
		pass()
		passes++
	}
	taken := time.Since(start)
	if used = cpuTime() - used; used <= 0 {
		used = taken
	}
	runtime.ReadMemStats(&after)
	done := float64(max(passes*len(posts), 1))
	return json.NewEncoder(out).Encode(figures{
		Posts: len(posts), Bytes: size / len(posts),
		PerCore:       int(done / used.Seconds()),
		PerSecond:     int(done / taken.Seconds()),
		Nanoseconds:   int(float64(used.Nanoseconds()) / done),
		AllocsPerPost: float64(after.Mallocs-before.Mallocs) / done,
	})
}

func readPosts(in io.Reader) (posts [][]byte, size int, err error) {
	l := newLines(in)
	for len(posts) < benchPosts {
		line, err := l.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, errLong) {
			return nil, 0, fmt.Errorf("read posts: %w", err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			posts = append(posts, bytes.Clone(line))
			size += len(line)
		}
	}
	for i := 0; len(posts) < 100; i++ {
		line := madeUp(i)
		posts, size = append(posts, line), size+len(line)
	}
	return posts, size, nil
}

func madeUp(i int) []byte {
	texts := []string{"que partidazo!! vamos con todo #final 🔥", "não acredito nesse resultado kkkk @show", "I love this song so much, voting for her again"}
	return fmt.Appendf(nil, `{"id":"%d","text":%q,"author_name":"Ana %d","author_location":"São Paulo","lang":"pt"}`, i, texts[i%len(texts)], i%50)
}
