package speed

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Config says how Redis is used; its address goes to Open.
type Config struct {
	// Prefix stands before every key, so that several Clamors may share a Redis.
	Prefix string `yaml:"prefix"`
	// Timeout bounds a connect, a write and a read.
	Timeout time.Duration `yaml:"timeout"`
	// Connections bound the pool, per node of a cluster.
	Connections int `yaml:"connections"`
}

// DefaultConfig suits one process with a few dozen partitions.
func DefaultConfig() Config {
	return Config{Prefix: "clamor", Timeout: 3 * time.Second, Connections: 32}
}

// Braces would move the hash tag.
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Validate names every fault.
func (c Config) Validate() error {
	var errs []error
	if !prefixForm.MatchString(c.Prefix) {
		errs = append(errs, fmt.Errorf("prefix: %q is not 1 to 64 of letters, digits, '.', '_' and '-'", c.Prefix))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: %s is not positive", c.Timeout))
	}
	if c.Connections < 1 {
		errs = append(errs, fmt.Errorf("connections: %d is not positive", c.Connections))
	}
	return errors.Join(errs...)
}
