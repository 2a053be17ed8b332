package realtime

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/topic"
)

// catalogs keeps the topics compiled, for all workers, as control changes.
type catalogs struct {
	topics  Topics
	log     *slog.Logger
	metrics *postMetrics

	mu      sync.Mutex
	state   *control.State
	mark    string // of what was compiled
	catalog *topic.Catalog
}

func newCatalogs(topics Topics, log *slog.Logger, m *postMetrics) *catalogs {
	return &catalogs{topics: topics, log: log, metrics: m}
}

// ready waits until the control log is replayed: before, topics are missing.
func (c *catalogs) ready(ctx context.Context) error {
	select {
	case <-c.topics.Ready():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// latest is the catalog of what control knows now. Those who ask while it is
// compiled wait: they need it too.
func (c *catalogs) latest() (*topic.Catalog, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.topics.State()
	if state == c.state && c.catalog != nil {
		return c.catalog, nil
	}
	defined := definitions(state)
	if mark := fingerprint(defined); c.catalog == nil || mark != c.mark {
		catalog, err := topic.Compile(defined, nil)
		if err != nil {
			return nil, err
		}
		c.catalog, c.mark = catalog, mark
		c.compiled()
	}
	c.state = state
	return c.catalog, nil
}

func (c *catalogs) compiled() {
	c.metrics.recompiles.Inc()
	c.metrics.topics.Set(float64(c.catalog.Len()))
	c.metrics.faults.Set(float64(len(c.catalog.Faults())))
	for _, f := range c.catalog.Faults() {
		c.log.Warn("nobody listens to a topic whose definition does not compile", "subject", f.Subject.String(), "error", f.Err)
	}
}

// definitions are the topics with what their shows say.
func definitions(s *control.State) []topic.Definition {
	var all []topic.Definition
	for _, t := range s.Topics("") {
		d := topic.Definition{Topic: t.Topic, Revision: t.Counted}
		if show, ok := s.Show(t.Show); ok {
			d.Languages = show.Languages
		}
		all = append(all, d)
	}
	return all
}

// fingerprint tells definitions apart: a revision stands for all else of it.
func fingerprint(defined []topic.Definition) string {
	var b strings.Builder
	for i := range defined {
		fmt.Fprintf(&b, "%s %q\n", defined[i].Subject(), defined[i].Languages)
	}
	return b.String()
}

// behind waits until control knows a cut, so that what stands behind it in the
// log is counted by topics at least as new as the cut. Control decides a cut
// before it is written, so this is the blink by which one log is read ahead of
// the other, unless control cannot be read.
func (c *catalogs) behind(ctx context.Context, cut uint64, patience time.Duration) error {
	if c.knows(cut) {
		return nil
	}
	c.metrics.waits.Inc()
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		changed := c.topics.Changed()
		if c.knows(cut) {
			return nil
		}
		select {
		case <-changed:
		case <-limit.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("cut %d stands in the log and is not known to control after %s", cut, patience)
		}
	}
}

func (c *catalogs) knows(cut uint64) bool {
	last, ok := c.topics.State().LastCut()
	return ok && last.Number >= cut
}
