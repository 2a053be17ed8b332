package api

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Config says how fresh answers are and how much is held for them.
type Config struct {
	// Refresh is how often the speed view is looked at.
	Refresh time.Duration `yaml:"refresh"`
	// ReadTimeout bounds one look at the stores; after it, answers are stale.
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// SeriesRefresh is how often the curves are read again.
	SeriesRefresh time.Duration `yaml:"series_refresh"`
	// PublicURL stands before the paths of feeds in replies, like
	// https://vote.example; empty: the address the request came to.
	PublicURL string `yaml:"public_url"`
	// TrustedProxies are the addresses and networks (CIDR) whose
	// X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Streams bounds the event streams and WebSockets open at a time.
	Streams int `yaml:"streams"`
	// Heartbeat is the pause between pings of a quiet stream, Coalesce the least
	// between two of its events.
	Heartbeat time.Duration `yaml:"heartbeat"`
	Coalesce  time.Duration `yaml:"coalesce"`
	// Rendered bounds the rendered forms kept of one answer.
	Rendered int `yaml:"rendered"`
	// ReceiptRounds bounds the partitions of rounds whose ballots are held in
	// memory to answer receipts.
	ReceiptRounds int `yaml:"receipt_rounds"`
	// TopicRefresh is how often the speed view of posts is looked at.
	TopicRefresh time.Duration `yaml:"topic_refresh"`
	// TopicHorizon is how far back the minutes of topics are held in memory, and
	// so the longest window of a feed. A busy topic's minute takes up to about 100 kB.
	TopicHorizon time.Duration `yaml:"topic_horizon"`
	// TopicPast is how much from before that one answer to a producer may reach
	// back over: it is read from the batch view, a piece a minute. TopicPastBytes
	// bounds what is kept of it, TopicPastTimeout how long an answer may take: a week
	// of busy minutes takes seconds of a core the first time.
	TopicPast        time.Duration `yaml:"topic_past"`
	TopicPastBytes   int           `yaml:"topic_past_bytes"`
	TopicPastTimeout time.Duration `yaml:"topic_past_timeout"`
	// TopicMinutes bounds the minutes held of all topics together.
	TopicMinutes int `yaml:"topic_minutes"`
	// ShownFor is how long a post that was listed to somebody can be commanded,
	// though it is no longer among the recent ones nor yet found by search; it
	// should be longer than the pause between batch runs. ShownBytes bounds the
	// memory for them, which the latest get.
	ShownFor   time.Duration `yaml:"shown_for"`
	ShownBytes int           `yaml:"shown_bytes"`
}

// DefaultConfig suits one process with a few hundred polls.
func DefaultConfig() Config {
	return Config{
		Refresh:          100 * time.Millisecond,
		ReadTimeout:      time.Second,
		SeriesRefresh:    time.Second,
		Streams:          20_000,
		Heartbeat:        15 * time.Second,
		Coalesce:         250 * time.Millisecond,
		Rendered:         256,
		ReceiptRounds:    64,
		TopicRefresh:     250 * time.Millisecond,
		TopicHorizon:     24 * time.Hour,
		TopicPast:        7 * 24 * time.Hour,
		TopicPastBytes:   64 << 20,
		TopicPastTimeout: 30 * time.Second,
		TopicMinutes:     50_000,
		ShownFor:         15 * time.Minute,
		ShownBytes:       128 << 20,
	}
}

// Validate names every fault at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("api."+format, args...))
		}
	}
	check(c.Refresh >= 10*time.Millisecond, "refresh: %v is below 10ms", c.Refresh)
	check(c.ReadTimeout > 0, "read_timeout: %v is not positive", c.ReadTimeout)
	check(c.SeriesRefresh > 0, "series_refresh: %v is not positive", c.SeriesRefresh)
	check(c.Streams > 0, "streams: %d is not positive", c.Streams)
	check(c.Heartbeat >= time.Second, "heartbeat: %v is below 1s", c.Heartbeat)
	check(c.Coalesce >= 0 && c.Coalesce < c.Heartbeat, "coalesce: %v is not between 0 and the heartbeat", c.Coalesce)
	check(c.Rendered > 0, "rendered: %d is not positive", c.Rendered)
	check(c.ReceiptRounds > 0, "receipt_rounds: %d is not positive", c.ReceiptRounds)
	check(c.TopicRefresh >= 10*time.Millisecond, "topic_refresh: %v is below 10ms", c.TopicRefresh)
	check(c.TopicHorizon >= 2*time.Hour && c.TopicHorizon <= 7*24*time.Hour, "topic_horizon: %v is not in 2h..168h", c.TopicHorizon)
	check(c.TopicPast >= time.Hour && c.TopicPast <= 366*24*time.Hour, "topic_past: %v is not in 1h..8784h", c.TopicPast)
	check(c.TopicPastBytes >= 1<<20, "topic_past_bytes: %d is below 1 MiB", c.TopicPastBytes)
	check(c.TopicPastTimeout > 0, "topic_past_timeout: %v is not positive", c.TopicPastTimeout)
	check(c.TopicMinutes >= 1000, "topic_minutes: %d is below 1000", c.TopicMinutes)
	check(c.ShownFor >= time.Minute, "shown_for: %v is below 1m", c.ShownFor)
	check(c.ShownBytes >= 1<<20, "shown_bytes: %d is below 1 MiB", c.ShownBytes)
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		check(err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.RawQuery == "",
			"public_url: %q is not like https://host", c.PublicURL)
	}
	return errors.Join(errs...)
}
