package doctor

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// watch reads the rows again and again, as an engine does, and finds what
// changes that never may.
func (e *examiner) watch(ctx context.Context, f format, long time.Duration) {
	const interval = 250 * time.Millisecond
	deadline := time.Now().Add(long)
	var before *sight
	for time.Now().Before(deadline) && ctx.Err() == nil {
		a, err := e.ask(ctx, http.MethodGet, f.url)
		if err != nil || a.status != http.StatusOK {
			e.report.find(f, "always answers", "after %d fetches it did not: %v", e.report.Fetches, statusOf(a, err))
			return
		}
		rows, err := readRows(a.body)
		if err == nil && len(rows) > 0 {
			now := &sight{a.header.Get("ETag"), a.body, rows}
			if before != nil {
				now.after(before, func(rule, detail string, args ...any) { e.report.find(f, rule, detail, args...) })
			}
			before = now
		}
		_ = sleep.For(ctx, interval)
	}
}

func statusOf(a *answer, err error) any {
	if err != nil {
		return err
	}
	return a.status
}

// sight is the feed at one instant.
type sight struct {
	etag string
	body []byte
	rows []object
}

func (s *sight) after(b *sight, find finder) {
	same := bytes.Equal(s.body, b.body)
	if same != (s.etag == b.etag) {
		find("strong ETag", "the ETag and the body do not change together")
	}
	if s.rows[0].keys() != b.rows[0].keys() {
		find("same columns", "the columns changed while it was watched")
		return
	}
	for i, m := range s.rows[0] {
		if was := b.rows[0][i].value; kindOf(was) != kindOf(m.value) {
			find("types never change", "%s was %s and is %s", m.key, kindOf(was), kindOf(m.value))
		}
	}
	grows := func(key, rule string, strictly bool) {
		was, ok1 := b.rows[0].get(key).(float64)
		is, ok2 := s.rows[0].get(key).(float64)
		if ok1 && ok2 && (is < was || strictly && !same && is == was) {
			find(rule, "%s went from %v to %v", key, was, is)
		}
	}
	grows("seq", "seq grows", true)
	if s.rows[0].get("instance_id") == b.rows[0].get("instance_id") && s.rows[0].get("reveal") == b.rows[0].get("reveal") {
		grows("total_votes", "totals never fall", false)
	}
}
