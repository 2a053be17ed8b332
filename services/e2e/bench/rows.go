package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/clamor-live/clamor/services/internal/client"
	"github.com/clamor-live/clamor/services/internal/load"
)

// drive runs a load against a fresh system, and fails unless the totals then are
// those acknowledged.
func (s settings) drive(ctx context.Context, name string, change func(*load.Config)) (*load.Outcome, error) {
	c, cfg, err := s.fresh(ctx, name)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	change(&cfg)
	return driven(ctx, cfg)
}

// fresh starts a system on a folder of its own, and says how it is loaded.
func (s settings) fresh(ctx context.Context, name string, more ...string) (*child, load.Config, error) {
	c, err := s.startClamor(ctx, filepath.Join(s.dir, name), more...)
	if err != nil {
		return nil, load.Config{}, err
	}
	cfg, err := c.load(s)
	if err != nil {
		c.stop()
		return nil, load.Config{}, err
	}
	return c, cfg, nil
}

func driven(ctx context.Context, cfg load.Config) (*load.Outcome, error) {
	t, err := load.Prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer t.API.Close()
	o, err := load.Drive(ctx, cfg, t, nil)
	if err != nil {
		return nil, err
	}
	if !o.Exact() {
		return o, fmt.Errorf("the totals differ: acknowledged %v, counted %v", o.Ballots.Acked, o.Counted)
	}
	return o, nil
}

func perSecond(n int64, d time.Duration) float64 { return float64(n) / d.Seconds() }

// ballots: one ballot a request, as fast as the connections go. Clamor and the
// yardstick take turns, so that what else the machine does falls on both.
func ballots(ctx context.Context, s settings) ([]row, error) {
	c, cfg, err := s.fresh(ctx, "ballots")
	if err != nil {
		return nil, err
	}
	defer c.stop()
	bare, err := startBare(ctx)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	const turns = 5
	cfg.Duration = s.duration / turns
	all := turn{latency: load.NewLatencies(), visible: load.NewLatencies()}
	for range turns {
		if err := all.take(ctx, s, cfg, bare.url); err != nil {
			return nil, err
		}
	}
	rate, yardstick := perSecond(all.ours, all.oursTook), perSecond(all.bare, all.bareTook)
	ratio := rate / yardstick
	return []row{{
		what:  fmt.Sprintf("ballots acknowledged over HTTP and counted, standalone, %d connections", s.connections),
		least: "0.5 × bare Gin", goal: "0.75 ×", got: fmt.Sprintf("%.0f/s = %.2f × bare Gin's %.0f/s", rate, ratio, yardstick), ok: ratio >= 0.5,
		note: fmt.Sprintf("in %d turns; ack %s; visible %s; exact at most %v after the last answer", turns,
			load.Percentiles(all.latency), load.Percentiles(all.visible), all.settled.Round(time.Millisecond)),
	}}, nil
}

// turn adds up what Clamor and the yardstick did.
type turn struct {
	ours, bare         int64
	oursTook, bareTook time.Duration
	latency, visible   *load.Latencies
	settled            time.Duration
}

// take lets each have a turn, of the same length and by the same generator.
func (t *turn) take(ctx context.Context, s settings, cfg load.Config, bare string) error {
	u, err := url.Parse(bare)
	if err != nil {
		return err
	}
	const voter = "v1.0123456789abcdef0123456789abcdef.0123456789.0123456789abcdef0123456789abcdef0123456789a"
	yardstick := &load.Target{URL: u, Poll: "load-bench", Options: []string{"a", "b", "c", "d"}, Voters: []string{voter}}
	acked, took := load.Hammer(ctx, yardstick, s.connections, cfg.Duration)
	t.bare, t.bareTook = t.bare+acked, t.bareTook+took
	o, err := driven(ctx, cfg)
	if err != nil {
		return err
	}
	t.ours, t.oursTook = t.ours+load.Sum(o.Ballots.Acked), t.oursTook+o.Took
	t.latency.Merge(o.Ballots.Latency)
	t.visible.Merge(o.Visible)
	t.settled = max(t.settled, o.Settled)
	return nil
}

// steady: an open loop at a fixed rate.
func steady(ctx context.Context, s settings) ([]row, error) {
	o, err := s.drive(ctx, "steady", func(c *load.Config) { c.Rate, c.Voters = s.steady, 5000 })
	if err != nil {
		return nil, err
	}
	ms := func(h *load.Latencies) float64 { return float64(h.ValueAtQuantile(99)) / 1000 }
	ack, visible := ms(o.Ballots.Latency), ms(o.Visible)
	return []row{{
		what: fmt.Sprintf("the same at a steady %.0f/s: ack p99", s.steady), least: "50 ms", goal: "10 ms",
		got: fmt.Sprintf("%.1f ms", ack), ok: ack <= 50,
		note: fmt.Sprintf("%.0f/s got through; ack %s", perSecond(load.Sum(o.Ballots.Acked), o.Took), load.Percentiles(o.Ballots.Latency)),
	}, {
		what: "ack → visible in the feed, p99", least: "500 ms", goal: "250 ms", got: fmt.Sprintf("%.0f ms", visible), ok: visible <= 500,
		note: load.Percentiles(o.Visible),
	}}, nil
}

// batchDoor: NDJSON of a gateway.
func batchDoor(ctx context.Context, s settings) ([]row, error) {
	o, err := s.drive(ctx, "batch", func(c *load.Config) {
		c.Door, c.Ballots, c.Duration, c.Connections = load.DoorGateway, s.batch, 0, 8
	})
	if err != nil {
		return nil, err
	}
	rate := perSecond(load.Sum(o.Ballots.Acked), o.Took)
	counted := perSecond(load.Sum(o.Ballots.Acked), o.Took+o.Settled)
	return []row{{
		what: "batch door (`ballots:batch`), ballots/s", least: "200,000", goal: "400,000", got: fmt.Sprintf("%.0f", rate), ok: rate >= 200_000,
		note: fmt.Sprintf("%.0f/s until all are counted", counted),
	}}, nil
}

// reads: the feed, whole and not modified.
func reads(ctx context.Context, s settings) ([]row, error) {
	// No batch run meanwhile: it would change the body, rightly.
	c, cfg, err := s.fresh(ctx, "reads", "--batch-interval", "0")
	if err != nil {
		return nil, err
	}
	defer c.stop()
	cfg.Rate, cfg.Ballots, cfg.Duration = 500, 500, 0
	t, err := load.Prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer t.API.Close()
	if _, err := load.Drive(ctx, cfg, t, nil); err != nil {
		return nil, err
	}
	bare, err := startBare(ctx)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	return s.compareReads(ctx, c.url+t.Feed, bare.url+"/feed.json")
}

// compareReads takes turns, so that what else the machine does falls on both.
func (s settings) compareReads(ctx context.Context, ours, bare string) (rows []row, err error) {
	for _, kind := range []string{"200", "304"} {
		const turns = 4
		var rate [2]float64
		var size int
		for range turns {
			feed, err := fetch(ctx, ours)
			if err != nil {
				return rows, err
			}
			if err := feed.give(ctx, bare); err != nil {
				return rows, err
			}
			etag := ""
			if kind == "304" {
				etag = feed.etag
			}
			size = len(feed.body)
			for i, address := range []string{ours, bare} {
				n, took, err := load.Read(ctx, address, etag, s.connections, s.duration/turns/2)
				if err != nil {
					return rows, err
				}
				rate[i] += perSecond(n, took) / turns
			}
		}
		ratio := rate[0] / rate[1]
		rows = append(rows, row{
			what: fmt.Sprintf("feed reads: %s (%d bytes)", kind, size), least: "0.9 × bare Gin", goal: "0.97 ×",
			got: fmt.Sprintf("%.0f/s = %.2f × bare Gin's %.0f/s", rate[0], ratio, rate[1]), ok: ratio >= 0.9,
		})
	}
	return rows, nil
}

// restart: how long until the program is of use again.
func restart(ctx context.Context, s settings) ([]row, error) {
	c, cfg, err := s.fresh(ctx, "restart")
	if err != nil {
		return nil, err
	}
	data := c.data
	cfg.Door, cfg.Ballots, cfg.Duration, cfg.Connections = load.DoorGateway, s.restart, 0, 8
	if _, err := driven(ctx, cfg); err != nil {
		c.stop()
		return nil, err
	}
	var took [2]time.Duration
	for i, end := range []func(){c.stop, func() { c.kill() }} {
		end()
		began := time.Now()
		if c, err = s.startClamor(ctx, data); err != nil {
			return nil, err
		}
		took[i] = time.Since(began)
	}
	c.stop()
	worst := max(took[0], took[1])
	return []row{{
		what: fmt.Sprintf("restart with %d ballots in the log to ready", s.restart), least: "10 s", goal: "3 s",
		got: fmt.Sprintf("%.1f s", worst.Seconds()), ok: worst <= 10*time.Second,
		note: fmt.Sprintf("%.1f s after a clean stop, %.1f s after kill -9; no batch run in between, so all is folded again", took[0].Seconds(), took[1].Seconds()),
	}}, nil
}

// feedBody is what a feed answered.
type feedBody struct {
	body   []byte
	header http.Header
	etag   string
}

func fetch(ctx context.Context, address string) (*feedBody, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	plain := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	resp, err := plain.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %d", address, resp.StatusCode)
	}
	return &feedBody{body, resp.Header, resp.Header.Get("ETag")}, err
}

// give makes the yardstick serve the same bytes.
func (f *feedBody) give(ctx context.Context, address string) error {
	var given []string
	for name := range f.header {
		if name != "Date" && name != "Content-Length" && name != "Content-Type" {
			given = append(given, givenPrefix+name, f.header.Get(name))
		}
	}
	return client.New(address, "").Put(ctx, "", f.body, given...)
}
