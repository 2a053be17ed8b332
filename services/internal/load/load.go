package load

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/internal/client"
)

// Outcome is what a run found.
type Outcome struct {
	Config  Config
	Options []string
	Took    time.Duration // of the sending
	Ballots *Tally
	Posts   *Tally // nil without posts
	Visible *Latencies
	Counted []int64       // by option: the system's totals minus those before
	Settled time.Duration // from the last answer until the totals were right
}

// Exit statuses of the command.
const (
	exitExact = iota
	exitDiffers
	exitNotRun
)

// Run is the command `clamor load`. It returns the exit status.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitExact
	case err != nil:
		fmt.Fprintln(stderr, "clamor load:", err)
		return exitNotRun
	}
	t, err := Prepare(ctx, c)
	if err != nil {
		fmt.Fprintln(stderr, "clamor load:", err)
		return exitNotRun
	}
	defer t.API.Close()
	o, err := Drive(ctx, c, t, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "clamor load:", err)
		return exitNotRun
	}
	o.Print(stdout)
	if !o.Exact() {
		return exitDiffers
	}
	return exitExact
}

// Drive runs the schedule against a prepared target and compares. A cancelled
// ctx ends the sending early, not the comparison. A nil progress shows none.
func Drive(ctx context.Context, c Config, t *Target, progress io.Writer) (*Outcome, error) {
	before, err := t.API.Results(ctx, t.Poll)
	if err != nil {
		return nil, err
	}
	after := context.WithoutCancel(ctx)
	watching, stopWatching := context.WithCancel(after)
	defer stopWatching()
	seen := make(chan []Sight, 1)
	go func() { seen <- watch(watching, t, c.Timeout) }()

	o := &Outcome{Config: c, Options: t.Options}
	var done atomic.Int64
	stopBar := show(progress, c, &done)
	o.drive(ctx, t, &done)
	stopBar()

	sent := time.Now()
	err = o.compare(after, t, before)
	o.Settled = time.Since(sent)
	stopWatching()
	acks := o.Ballots.Acks
	if o.Posts != nil {
		acks = append(acks, o.Posts.Acks...)
	}
	o.Visible = Visibility(acks, <-seen, before.Totals.Votes)
	return o, err
}

func (o *Outcome) drive(ctx context.Context, t *Target, done *atomic.Int64) {
	c := o.Config
	var wg sync.WaitGroup
	if c.PostRate > 0 {
		o.Posts = newTally(len(t.Options))
		posts := Pace{Rate: c.PostRate, Duration: c.Duration, Workers: min(c.Connections, 16)}
		if c.Ballots > 0 { // as long as the ballots take
			posts.Requests = int64(c.PostRate * float64(c.Ballots) / max(c.Rate, 1))
		}
		wg.Go(func() { o.pace(ctx, t, posts, o.Posts, done, (*worker).posts, 1) })
	}
	o.Ballots = newTally(len(t.Options))
	ballots := Pace{Rate: c.Rate, Duration: c.Duration, Requests: c.Ballots, Workers: c.Connections}
	step, size := (*worker).ballot, int64(1)
	if c.Door == DoorGateway {
		size = int64(c.Batch)
		ballots.Rate, ballots.Requests = c.Rate/float64(size), c.Ballots/size
		step = func(w *worker, ctx context.Context, i int64, intended time.Time) { w.batch(ctx, i, c.Batch, intended) }
	}
	o.Took = o.pace(ctx, t, ballots, o.Ballots, done, step, size)
	wg.Wait()
}

func (o *Outcome) pace(ctx context.Context, t *Target, p Pace, total *Tally, done *atomic.Int64,
	step func(*worker, context.Context, int64, time.Time), size int64,
) time.Duration {
	workers := make([]*worker, p.Workers)
	took := p.Run(ctx, func(n int) func(int64, time.Time) {
		w := newWorker(t, o.Config.Timeout)
		workers[n] = w
		return func(i int64, intended time.Time) {
			step(w, ctx, i, intended)
			done.Add(size)
		}
	})
	for _, w := range workers {
		w.conn.Close()
		total.add(w.tally)
	}
	return took
}

// compare waits until the system's totals are what was acknowledged, and a
// little longer: too many is as wrong as too few.
func (o *Outcome) compare(ctx context.Context, t *Target, before *client.Result) error {
	wait, cancel := context.WithTimeout(ctx, o.Config.Settle)
	defer cancel()
	var asked error
	ask := func() bool {
		var now *client.Result
		if now, asked = t.API.Results(ctx, t.Poll); asked != nil {
			return false
		}
		o.Counted = difference(t.Options, now, before)
		return o.Exact()
	}
	_ = client.WaitFor(wait, 50*time.Millisecond, ask) // Exact says how it ended
	if o.Exact() {
		const settled = 300 * time.Millisecond
		_ = sleep.For(ctx, settled)
		ask()
	}
	return asked
}

func difference(options []string, now, before *client.Result) []int64 {
	was, is := before.Votes(), now.Votes()
	d := make([]int64, len(options))
	for i, id := range options {
		d[i] = is[id] - was[id]
	}
	return d
}

// Bounds are the least and the most that may be counted for an option: what was
// acknowledged, and that plus what never got an answer.
func (o *Outcome) Bounds(option int) (least, most int64) {
	for _, t := range []*Tally{o.Ballots, o.Posts} {
		if t != nil {
			least += t.Acked[option]
			most += t.Acked[option] + t.Unknown[option]
		}
	}
	return least, most
}

// Exact says whether the system counted what it acknowledged, and nothing else.
func (o *Outcome) Exact() bool {
	for i, n := range o.Counted {
		if least, most := o.Bounds(i); n < least || n > most {
			return false
		}
	}
	return len(o.Counted) == len(o.Options)
}

// show draws a progress bar on a terminal until the function it returns is called.
func show(w io.Writer, c Config, done *atomic.Int64) (stop func()) {
	if !isTerminal(w) {
		return func() {}
	}
	total := c.Ballots
	if total == 0 && c.Rate > 0 {
		total = int64((c.Rate + c.PostRate) * c.Duration.Seconds())
	}
	if total == 0 {
		total = -1
	}
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("casting"),
		progressbar.OptionShowIts(), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	ended, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				_ = bar.Finish() // only the picture is at stake
				return
			case <-tick.C:
				_ = bar.Set64(done.Load())
			}
		}
	}()
	return func() { close(ended); <-drawn }
}
