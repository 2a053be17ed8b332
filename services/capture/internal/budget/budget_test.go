package budget

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

func TestSpend(t *testing.T) {
	var b Book
	now := time.Date(2026, 5, 1, 20, 15, 0, 0, time.UTC)
	spend := func(per string, n int, want int, wantWait time.Duration) {
		t.Helper()
		src := &audience.Source{ID: per, Budget: &audience.Budget{Posts: 10, Per: per}}
		if got, wait := b.Spend(src, n, now); got != want || wait != wantWait {
			t.Errorf("%d per %s: %d, wait %v; want %d, wait %v", n, per, got, wait, want, wantWait)
		}
	}
	spend("hour", 7, 7, 0)
	spend("hour", 7, 3, 45*time.Minute)
	spend("hour", 1, 0, 45*time.Minute)
	spend("day", 11, 10, 3*time.Hour+45*time.Minute)
	spend("show", 12, 10, Never)
	now = now.Add(45 * time.Minute)
	spend("hour", 10, 10, 0)
	spend("day", 1, 0, 3*time.Hour)
	now = now.Add(48 * time.Hour)
	spend("day", 1, 1, 0)
	spend("show", 1, 0, Never)
	src := &audience.Source{ID: "show", Budget: &audience.Budget{Posts: 10, Per: "show"}}
	b.Return(src, 2, now)
	spend("show", 3, 2, Never)
	src = &audience.Source{ID: "hour", Budget: &audience.Budget{Posts: 10, Per: "hour"}}
	b.Return(src, 5, now.Add(time.Hour)) // of the window before
	now = now.Add(time.Hour)
	spend("hour", 11, 10, time.Hour)
	if got, wait := b.Spend(&audience.Source{ID: "free"}, 1e6, now); got != 1e6 || wait != 0 {
		t.Error(got, wait)
	}
}

func TestASampleIsStableNestedAndOfItsRate(t *testing.T) {
	const posts = 100_000
	in := map[float64]int{}
	for n := range posts {
		name := fmt.Sprint("x:", 1790000000000000000+n)
		last := true
		for _, rate := range []float64{1, 0.5, 0.1, 0.01} {
			is := In(name, rate)
			if is && !last || is != In(name, rate) {
				t.Fatalf("%s at %v", name, rate)
			}
			if last = is; is {
				in[rate]++
			}
		}
	}
	for rate, n := range in {
		if off := math.Abs(float64(n) - rate*posts); off > 5*math.Sqrt(rate*posts) {
			t.Errorf("%d of %d are in a sample of %v", n, posts, rate)
		}
	}
}

// TestSamplingLastsForTheWindow: at a steady flow of several times what the
// budget allows, it is spent evenly to the end of the hour, and the estimate from
// the sample is near the truth.
func TestSamplingLastsForTheWindow(t *testing.T) {
	for of, flow := range map[int64]int{1000: 4, 20_000: 25} {
		var b Book
		begin := time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)
		src := &audience.Source{ID: "s", Connector: "x-v2", Budget: &audience.Budget{Posts: of, Per: "hour"}}
		taken, estimate, arrived, warned := 0, 0.0, 0, 0
		late := 0 // taken in the last ten minutes
		for second := range 3600 {
			now := begin.Add(time.Duration(second) * time.Second)
			rate := b.Rate(src, flow, now)
			kept := 0
			for range flow {
				if arrived++; In(fmt.Sprint("x:", arrived), rate) {
					kept++
					estimate += 1 / rate
				}
			}
			b.Charge(src, kept, now)
			if b.Warn(src, now) {
				warned++
			}
			if taken += kept; second >= 3000 {
				late += kept
			}
		}
		if over := float64(taken) / float64(of); over > 1.1 || over < 0.9 {
			t.Errorf("%d of %d posts were taken", taken, of)
		}
		if off := math.Abs(estimate/float64(arrived) - 1); off > 0.25 || warned != 1 {
			t.Errorf("of %d: the estimate is %.0f of %d; warned %d times", of, estimate, arrived, warned)
		}
		if late == 0 {
			t.Error("nothing was left for the end")
		}
		if s := b.Status(src, begin.Add(time.Hour-1)); !s.Warned || s.SampleRate >= 0.5 || s.Posts.Spent != int64(taken) {
			t.Errorf("%+v", s)
		}
		if s := b.Status(src, begin.Add(time.Hour)); s.Warned || s.SampleRate != 1 || s.Posts.Spent != 0 {
			t.Errorf("in the next hour: %+v", s)
		}
	}
}

func TestAShowsBudgetIsNeverGone(t *testing.T) {
	var b Book
	now := time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)
	src := &audience.Source{ID: "s", Connector: "x-v2", Budget: &audience.Budget{Money: 1000, CentsPerPost: 0.5, Per: "show"}}
	taken := 0
	for n := range 20_000 {
		if In(fmt.Sprint(n), b.Rate(src, 1, now)) {
			b.Charge(src, 1, now)
			taken++
		}
	}
	if taken < 1800 || taken > 2250 {
		t.Errorf("%d posts of half a cent from 1000 cents", taken)
	}
	if s := b.Status(src, now); s.Money.Of != 1000 || s.Money.Spent < 900 || s.Posts != nil || s.SampleRate < leastRate {
		t.Errorf("%+v %+v", s, s.Money)
	}
}

func TestUnitsArePaced(t *testing.T) {
	var b Book
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	src := &audience.Source{ID: "s", Connector: "youtube", Budget: &audience.Budget{Units: 1000, Per: "day"}}
	spent, last := 0, now
	for now.Before(time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)) {
		if wait := b.Units(src, 5, now); wait > 0 {
			now = now.Add(wait)
			continue
		}
		spent, last = spent+5, now
		now = now.Add(5 * time.Second)
	}
	if spent > 1000 || spent < 950 || last.Hour() < 20 {
		t.Errorf("%d of 1000 units, the last at %v", spent, last)
	}
	if wait := b.Units(src, 1001, now); wait != 24*time.Hour {
		t.Errorf("more than there are: %v", wait)
	}
	show := &audience.Source{ID: "t", Budget: &audience.Budget{Units: 3, Per: "show"}}
	if b.Units(show, 2, now) != 0 || b.Units(show, 1, now) != 0 || b.Units(show, 1, now) != Never || b.Units(&audience.Source{}, 9, now) != 0 {
		t.Error("units of a show")
	}
}

func TestRestore(t *testing.T) {
	var a, b Book
	now := time.Date(2026, 5, 1, 20, 15, 0, 0, time.UTC)
	src := &audience.Source{ID: "s", Connector: "x-v2", Budget: &audience.Budget{Posts: 10, Units: 10, Per: "hour"}}
	a.Charge(src, 9, now)
	a.Units(src, 2, now)
	b.Restore("s", a.Spent("s"))
	if s := b.Status(src, now); s.Posts.Spent != 9 || s.Units.Spent != 2 || !s.Warned {
		t.Errorf("%+v", s)
	}
	b.Charge(src, 1, now)
	b.Restore("s", a.Spent("s"))
	if s := b.Spent("s"); s.Posts != 10 {
		t.Errorf("an older account was taken: %+v", s)
	}
	b.Forget("s")
	if s := b.Spent("s"); s != (Spent{}) {
		t.Errorf("%+v", s)
	}
}
