package realtime

import (
	"errors"
	"fmt"
	"time"
)

// Config sets how the workers batch and when they are of use.
type Config struct {
	// MaxBatch bounds the ballots of one step into Redis, MaxFold the time spent
	// gathering them.
	MaxBatch int           `yaml:"max_batch"`
	MaxFold  time.Duration `yaml:"max_fold"`
	// Pace is the least time between two steps of a partition that keeps up. The
	// first ballot after a pause is not held back; those behind it share a step.
	Pace time.Duration `yaml:"pace"`
	// Heartbeat is how often a partition without traffic looks at Redis, which
	// may have been emptied.
	Heartbeat time.Duration `yaml:"heartbeat"`
	// RetryMin and RetryMax bound the pause after Redis or the log failed.
	RetryMin time.Duration `yaml:"retry_min"`
	RetryMax time.Duration `yaml:"retry_max"`
	// AheadPatience is how long the log may end before what was folded of it until
	// it is believed to be another: a leader just elected may not know its end yet.
	AheadPatience time.Duration `yaml:"ahead_patience"`
	// ReadyLag is how many records behind the log a partition may be and still
	// count as ready.
	ReadyLag int64 `yaml:"ready_lag"`
	// RewriteBytes is the size below which a journal is left as it is.
	RewriteBytes int `yaml:"rewrite_bytes"`
	// Posts are set apart: a step of theirs writes whole minutes of every topic.
	Posts PostsConfig `yaml:"posts"`
}

// PostsConfig sets how the workers of posts batch; see Config.
type PostsConfig struct {
	MaxBatch int           `yaml:"max_batch"`
	MaxFold  time.Duration `yaml:"max_fold"`
	Pace     time.Duration `yaml:"pace"`
	// CutPatience is how long a cut in the log may be unknown to control, which
	// decided it, before that counts as a failure.
	CutPatience time.Duration `yaml:"cut_patience"`
	// Ears are how many goroutines of a partition understand posts; 0: one a core.
	Ears int `yaml:"ears"`
}

// DefaultConfig shows a ballot within a few milliseconds of its fold.
func DefaultConfig() Config {
	return Config{
		MaxBatch:      20_000,
		MaxFold:       50 * time.Millisecond,
		Pace:          10 * time.Millisecond,
		Heartbeat:     500 * time.Millisecond,
		RetryMin:      50 * time.Millisecond,
		RetryMax:      2 * time.Second,
		ReadyLag:      100_000,
		AheadPatience: 15 * time.Second,
		RewriteBytes:  1 << 20,
		Posts: PostsConfig{
			MaxBatch: 20_000, MaxFold: 100 * time.Millisecond, Pace: 100 * time.Millisecond, CutPatience: 15 * time.Second,
		},
	}
}

// Validate names every fault.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("realtime."+format, args...))
		}
	}
	check(c.MaxBatch > 0 && c.MaxBatch <= 1_000_000, "max_batch: %d is not in 1..1000000", c.MaxBatch)
	check(c.MaxFold > 0, "max_fold: %s is not positive", c.MaxFold)
	check(c.Pace >= 0 && c.Pace <= time.Second, "pace: %s is not in 0..1s", c.Pace)
	check(c.Heartbeat > 0, "heartbeat: %s is not positive", c.Heartbeat)
	check(c.RetryMin > 0 && c.RetryMax >= c.RetryMin, "retry_min, retry_max: %s and %s are not a range", c.RetryMin, c.RetryMax)
	check(c.AheadPatience >= 0, "ahead_patience: %s is negative", c.AheadPatience)
	check(c.ReadyLag >= 0, "ready_lag: %d is negative", c.ReadyLag)
	check(c.RewriteBytes > 0, "rewrite_bytes: %d is not positive", c.RewriteBytes)
	p := c.Posts
	check(p.MaxBatch > 0 && p.MaxBatch <= 1_000_000, "posts.max_batch: %d is not in 1..1000000", p.MaxBatch)
	check(p.MaxFold > 0, "posts.max_fold: %s is not positive", p.MaxFold)
	check(p.Pace >= 0 && p.Pace <= 10*time.Second, "posts.pace: %s is not in 0..10s", p.Pace)
	check(p.CutPatience > 0, "posts.cut_patience: %s is not positive", p.CutPatience)
	check(p.Ears >= 0 && p.Ears <= 256, "posts.ears: %d is not in 0..256", p.Ears)
	return errors.Join(errs...)
}
