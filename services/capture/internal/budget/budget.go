// Package budget paces sources that are paid for by the post.
package budget

import (
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Never is when a budget for a whole show is spent: no time makes it whole.
const Never = time.Duration(1<<63 - 1)

// Book counts the posts of sources in the hour, the day (UTC) or the show in
// hand. It is this process's memory: after a restart, and on the instance that
// takes a source over, counting begins again.
type Book struct {
	mu    sync.Mutex
	spent map[string]account // by source; as many as there are with a budget
}

type account struct {
	window time.Time
	posts  int64
}

// Spend takes up to n posts from a source's budget: how many it allows, and, if
// that is not all, how long until it allows more.
func (b *Book) Spend(src *audience.Source, n int, now time.Time) (allowed int, wait time.Duration) {
	if src.Budget == nil {
		return n, 0
	}
	window, wait := windowOf(src.Budget.Per, now)
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.spent[src.ID]
	if !a.window.Equal(window) {
		a = account{window: window}
	}
	allowed = int(min(int64(n), max(0, src.Budget.Posts-a.posts)))
	a.posts += int64(allowed)
	if b.spent == nil {
		b.spent = map[string]account{}
	}
	b.spent[src.ID] = a
	if allowed == n {
		return n, 0
	}
	return allowed, wait
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
