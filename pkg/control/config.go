package control

import (
	"errors"
	"fmt"
	"time"
)

// Config says how patient a Client is.
type Config struct {
	// SubmitTimeout is the longest that Submit waits for its own event to come
	// back out of the log.
	SubmitTimeout time.Duration `yaml:"submit_timeout"`
	// RetryMin and RetryMax bound the pause before the log is tried again.
	RetryMin time.Duration `yaml:"retry_min"`
	RetryMax time.Duration `yaml:"retry_max"`
}

// DefaultConfig is right for all but tests.
func DefaultConfig() Config {
	return Config{SubmitTimeout: 5 * time.Second, RetryMin: 50 * time.Millisecond, RetryMax: 2 * time.Second}
}

// Validate names every fault.
func (c Config) Validate() error {
	var errs []error
	if c.SubmitTimeout <= 0 {
		errs = append(errs, fmt.Errorf("submit_timeout: %s is not positive", c.SubmitTimeout))
	}
	if c.RetryMin <= 0 || c.RetryMax < c.RetryMin {
		errs = append(errs, fmt.Errorf("retry_min, retry_max: %s, %s are not a range", c.RetryMin, c.RetryMax))
	}
	return errors.Join(errs...)
}
