// Package budget paces sources that are paid for: by the post, by the unit of an
// API, or by what these cost.
//
// Its one trick: when four fifths of a budget are spent, the rest is stretched
// over the rest of the window. Posts are sampled at a rate that follows what
// arrives, units are spent one by one in even steps. So a budget is rarely spent
// to the end, and what was sampled can be extrapolated, for its rate is known.
package budget

import (
	"math"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Never is when a budget for a whole show is spent: no time makes it whole.
const Never = time.Duration(1<<63 - 1)

const (
	// warnAt is the share of a budget after which the rest is stretched.
	warnAt = 0.8
	// leastRate is the smallest share of posts that is taken, though nothing be
	// left: below it a sample says nothing. Ballots apart, it is how far a budget
	// may be exceeded.
	leastRate = 0.01
)

// Spent is what a source spent in the window that begins at Window, in Unix
// seconds; 0 is the whole show.
type Spent struct {
	Window int64
	Posts  int64
	Units  int64
}

// Book counts what sources spend in the hour, the day (UTC) or the show in hand.
// It is this process's memory; Restore goes on with another's. It is safe for
// concurrent use.
type Book struct {
	mu    sync.Mutex
	spent map[string]*account // by source; as many as there are with a budget
}

type account struct {
	Spent

	arrivals flow
	nextUnit time.Time // when the next unit may be spent, once they are paced
	warned   bool
}

// Restore goes on with what a source spent before, unless this process knows
// better already.
func (b *Book) Restore(source string, s Spent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.of(source); a.Window <= s.Window && a.Posts <= s.Posts && a.Units <= s.Units {
		a.Spent = s
	}
}

// Spent is what a source spent in the window that it last spent in.
func (b *Book) Spent(source string) Spent {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.spent[source]; a != nil {
		return a.Spent
	}
	return Spent{}
}

// Forget drops the account of a source that is no more.
func (b *Book) Forget(source string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.spent, source)
}

func (b *Book) of(source string) *account {
	a := b.spent[source]
	if a == nil {
		if b.spent == nil {
			b.spent = map[string]*account{}
		}
		a = &account{}
		b.spent[source] = a
	}
	return a
}

// enter is the source's account in the window of now, and what is left of it.
func (b *Book) enter(src *audience.Source, now time.Time) (*account, time.Duration) {
	a := b.of(src.ID)
	begins, left := windowOf(src.Budget.Per, now)
	window := int64(0)
	if left != Never {
		window = begins.Unix()
	}
	if a.Window != window {
		a.Spent, a.warned, a.nextUnit = Spent{Window: window}, false, time.Time{}
	}
	return a, left
}

// Spend takes up to n posts from a budget that stops when it is spent: how many
// it allows, and, if that is not all, how long until it allows more.
func (b *Book) Spend(src *audience.Source, n int, now time.Time) (allowed int, wait time.Duration) {
	if src.Budget == nil {
		return n, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, left := b.enter(src, now)
	allowed = int(min(int64(n), max(0, a.postsLeft(src.Budget))))
	a.Posts += int64(allowed)
	if allowed == n {
		return n, 0
	}
	return allowed, left
}

// Return gives back posts that Spend took and that were not taken in after all.
func (b *Book) Return(src *audience.Source, posts int, now time.Time) {
	if src.Budget == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, _ := b.enter(src, now)
	a.Posts = max(0, a.Posts-int64(posts)) // of a window that is over, nothing is left
}

// Rate is the share of n posts that just arrived which a budget that samples
// takes in, in (0, 1].
func (b *Book) Rate(src *audience.Source, n int, now time.Time) float64 {
	if src.Budget == nil {
		return 1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, left := b.enter(src, now)
	a.arrivals.add(n, now)
	return a.rate(src.Budget, float64(n), left)
}

// Charge counts posts that were taken in.
func (b *Book) Charge(src *audience.Source, posts int, now time.Time) {
	if src.Budget == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, _ := b.enter(src, now)
	a.Posts += int64(posts)
}

// Units takes n units; if it must not yet, it takes none and says how long to
// wait before asking again.
func (b *Book) Units(src *audience.Source, n int64, now time.Time) (wait time.Duration) {
	if src.Budget == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, left := b.enter(src, now)
	remaining := a.unitsLeft(src.Budget)
	switch {
	case n > remaining:
		return left
	case now.Before(a.nextUnit):
		return a.nextUnit.Sub(now)
	}
	a.Units += n
	if a.share(src.Budget) >= warnAt && left != Never {
		a.nextUnit = now.Add(time.Duration(float64(left) * float64(n) / float64(remaining)))
	}
	return 0
}

// Warn says, once a window, that a budget is nearly spent.
func (b *Book) Warn(src *audience.Source, now time.Time) bool {
	if src.Budget == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, _ := b.enter(src, now)
	if a.warned || a.share(src.Budget) < warnAt {
		return false
	}
	a.warned = true
	return true
}

// Status is what people are told; nil for a source without a budget.
func (b *Book) Status(src *audience.Source, now time.Time) *audience.BudgetStatus {
	if src.Budget == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, left := b.enter(src, now)
	s := &audience.BudgetStatus{Per: src.Budget.Per, Warned: a.share(src.Budget) >= warnAt, SampleRate: 1}
	if Samples(src) {
		s.SampleRate = a.rate(src.Budget, 1, left)
	}
	line := func(spent, of int64) *audience.BudgetLine {
		if of == 0 {
			return nil
		}
		return &audience.BudgetLine{Spent: spent, Of: of}
	}
	s.Posts, s.Units = line(a.Posts, src.Budget.Posts), line(a.Units, src.Budget.Units)
	s.Money = line(int64(math.Round(a.cents(src.Budget))), src.Budget.Money)
	return s
}

// Samples says whether a source samples when its budget runs out; what is pushed
// is refused unless it says otherwise.
func Samples(src *audience.Source) bool {
	switch {
	case src.Budget == nil:
		return false
	case src.Budget.Overflow != "":
		return src.Budget.Overflow == audience.OverflowSample
	}
	return src.Connector != audience.ConnectorPush
}

func (a *account) cents(b *audience.Budget) float64 {
	return float64(a.Posts)*b.CentsPerPost + float64(a.Units)*b.CentsPerUnit
}

// share is how much of its tightest limit a budget has spent.
func (a *account) share(b *audience.Budget) (most float64) {
	for _, l := range [][2]float64{
		{float64(a.Posts), float64(b.Posts)}, {float64(a.Units), float64(b.Units)}, {a.cents(b), float64(b.Money)},
	} {
		if l[1] > 0 {
			most = max(most, l[0]/l[1])
		}
	}
	return most
}

// postsLeft and unitsLeft are how many of them the budget still allows.
func (a *account) postsLeft(b *audience.Budget) int64 {
	return left(b.Posts, a.Posts, float64(b.Money)-a.cents(b), b.CentsPerPost, b.Money > 0)
}

func (a *account) unitsLeft(b *audience.Budget) int64 {
	return left(b.Units, a.Units, float64(b.Money)-a.cents(b), b.CentsPerUnit, b.Money > 0)
}

func left(of, spent int64, money, price float64, bounded bool) int64 {
	n := int64(math.MaxInt64)
	if of > 0 {
		n = of - spent
	}
	if bounded && price > 0 {
		n = min(n, int64(math.Floor(money/price+1e-9)))
	}
	return n
}

// rate is the share of posts that lets the rest of the budget last for the rest
// of the window. The end of a show is not known: there, what is left shrinks ever
// more slowly.
func (a *account) rate(b *audience.Budget, arrived float64, left time.Duration) float64 {
	remaining, of := a.postsLeft(b), a.postsOf(b)
	if remaining == math.MaxInt64 || float64(remaining) > (1-warnAt)*of {
		return 1
	}
	rest := float64(max(0, remaining))
	rate := rest / max(a.arrivals.perSecond()*left.Seconds(), arrived)
	if left == Never {
		part := rest / ((1 - warnAt) * of)
		rate = part * part
	}
	return min(1, max(leastRate, rate))
}

// postsOf is how many posts the budget allows in all.
func (a *account) postsOf(b *audience.Budget) float64 {
	return float64(left(b.Posts, 0, float64(b.Money)-float64(a.Units)*b.CentsPerUnit, b.CentsPerPost, b.Money > 0))
}

func windowOf(per string, now time.Time) (begins time.Time, left time.Duration) {
	length := time.Hour
	switch per {
	case "day":
		length = 24 * time.Hour
	case "show":
		return time.Time{}, Never
	}
	begins = now.UTC().Truncate(length)
	return begins, begins.Add(length).Sub(now)
}
