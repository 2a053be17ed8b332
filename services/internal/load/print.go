package load

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/term"
)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Print is the report.
func (o *Outcome) Print(w io.Writer) {
	o.printTally(w, "ballots", o.Ballots)
	if o.Posts != nil {
		o.printTally(w, "posts", o.Posts)
	}
	if o.Visible != nil && o.Visible.TotalCount() > 0 {
		fmt.Fprintf(w, "visible     %s after the acknowledgement, in feed.json\n", Percentiles(o.Visible))
	}
	fmt.Fprintf(w, "\n%-12s %12s %12s %12s\n", "option", "acknowledged", "unanswered", "counted")
	for i, id := range o.Options {
		least, most := o.Bounds(i)
		counted := int64(-1)
		if i < len(o.Counted) {
			counted = o.Counted[i]
		}
		mark := ""
		if counted < least || counted > most {
			mark = "  <-- differs"
		}
		fmt.Fprintf(w, "%-12s %12d %12d %12d%s\n", id, least, most-least, counted, mark)
	}
	if o.Exact() {
		fmt.Fprintf(w, "\nEXACT: every ballot acknowledged is counted once, and nothing else (%v after the last answer)\n",
			o.Settled.Round(time.Millisecond))
		return
	}
	least, counted := int64(0), Sum(o.Counted)
	for i := range o.Options {
		l, _ := o.Bounds(i)
		least += l
	}
	fmt.Fprintf(w, "\nDIFFERS: acknowledged %d, counted %d (%+d) after %v\n", least, counted, counted-least, o.Settled.Round(time.Millisecond))
}

func (o *Outcome) printTally(w io.Writer, what string, t *Tally) {
	acked := Sum(t.Acked)
	fmt.Fprintf(w, "%-11s %d acknowledged in %v: %.0f/s; %d sent again\n", what, acked, o.Took.Round(time.Millisecond),
		float64(acked)/o.Took.Seconds(), t.Retries)
	if t.Latency.TotalCount() > 0 {
		fmt.Fprintf(w, "latency     %s from the intended send time\n", Percentiles(t.Latency))
	}
	for _, code := range slices.Sorted(maps.Keys(t.Refused)) {
		fmt.Fprintf(w, "refused     %d × %s\n", t.Refused[code], code)
	}
}

// Percentiles is a histogram in one line.
func Percentiles(h *Latencies) string {
	at := func(q float64) time.Duration {
		d := time.Duration(h.ValueAtQuantile(q)) * time.Microsecond
		if d > 10*time.Millisecond {
			return d.Round(100 * time.Microsecond)
		}
		return d.Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v  p90 %v  p99 %v  p99.9 %v  max %v", at(50), at(90), at(99), at(99.9), at(100))
}
