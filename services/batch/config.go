package batch

import (
	"errors"
	"fmt"
	"time"
)

// Config sets when runs start and how long they wait.
type Config struct {
	// Interval is how often a run starts when something is new; 0: only on
	// demand.
	Interval time.Duration `yaml:"interval" doc:"how often a run starts when something is new; 0: only on demand"`
	// SealGrace is how long after its close a round is sealed at the earliest:
	// by then the log has every ballot that capture acknowledged.
	SealGrace time.Duration `yaml:"seal_grace" doc:"how long after its close a round is sealed at the earliest"`
	// SealWait is how far ahead of a round's close plus SealGrace a run waits
	// for it, so that one run after the close verifies it.
	SealWait time.Duration `yaml:"seal_wait" doc:"how far ahead of that a run waits for it"`
	// CompareWait bounds the wait for the speed view to pass the cut; after it
	// the comparison is unknown.
	CompareWait time.Duration `yaml:"compare_wait" doc:"how long the speed view is waited for to be compared"`
	// Parallel is how many partitions are archived and folded at a time; 0: one
	// a processor.
	Parallel int `yaml:"parallel" doc:"partitions archived and folded at a time; 0 is one a processor"`
	// SearchWait bounds one call to the search engine: one that takes longer is
	// away, and filled later.
	SearchWait time.Duration `yaml:"search_wait" doc:"how long one call to the search engine may take before it counts as away"`
	// RetryDelay is how long after a run that failed it is tried again.
	RetryDelay time.Duration `yaml:"retry_delay" doc:"how long after a failed run it is tried again"`
}

// DefaultConfig suits an AckDeadline of 2 s.
func DefaultConfig() Config {
	return Config{
		Interval:    time.Minute,
		SealGrace:   2500 * time.Millisecond,
		SealWait:    4 * time.Second,
		CompareWait: 5 * time.Second,
		SearchWait:  20 * time.Second,
		RetryDelay:  2 * time.Second,
	}
}

// Validate names every fault at once.
func (c Config) Validate() error {
	var errs []error
	for _, d := range []struct {
		name string
		d    time.Duration
	}{{"interval", c.Interval}, {"seal_grace", c.SealGrace}, {"seal_wait", c.SealWait}, {"compare_wait", c.CompareWait}, {"search_wait", c.SearchWait}, {"retry_delay", c.RetryDelay}} {
		if d.d < 0 {
			errs = append(errs, fmt.Errorf("batch.%s: %v is negative", d.name, d.d))
		}
	}
	if c.Interval != 0 && c.Interval < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("batch.interval: %v is below 100ms", c.Interval))
	}
	if c.Parallel < 0 {
		errs = append(errs, fmt.Errorf("batch.parallel: %d is negative", c.Parallel))
	}
	return errors.Join(errs...)
}
