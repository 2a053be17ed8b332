package budget

import (
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
	if got, wait := b.Spend(&audience.Source{ID: "free"}, 1e6, now); got != 1e6 || wait != 0 {
		t.Error(got, wait)
	}
}
