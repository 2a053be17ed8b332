package flink

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"time"
)

// Config says where Flink is and how its task managers run our code.
type Config struct {
	// JobServer is Beam's job server for Flink, host:port.
	JobServer string `yaml:"job_server" doc:"Beam's job server for Flink, host:port"`
	// Command is the path of this program on every task manager, which starts it
	// as a worker. Empty: the workers run in this process, to which Flink
	// connects back; for a Flink on the same machine.
	Command string `yaml:"command" doc:"absolute path of this program on every task manager; empty runs the workers in this process"`
	// REST is the cluster's own API, for cancelling: the job server forgets to.
	REST string `yaml:"rest" doc:"the cluster's REST address, http://host:port, for cancelling jobs"`
	// Parallelism is how many partitions are folded at a time; 0: all.
	Parallelism int `yaml:"parallelism" doc:"partitions folded at a time; 0 is all of them"`
	// Patience is how long results are waited for after the job server has gone
	// away: the job goes on without it.
	Patience time.Duration `yaml:"patience" doc:"how long to wait for results after the job server is lost"`
}

// DefaultConfig is for a job server on this machine with an embedded Flink.
func DefaultConfig() Config {
	return Config{JobServer: "localhost:8099", Patience: 5 * time.Minute}
}

// Validate names every fault.
func (c Config) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.JobServer); err != nil {
		errs = append(errs, fmt.Errorf("flink.job_server: %q is not host:port", c.JobServer))
	}
	if c.Command != "" && !filepath.IsAbs(c.Command) {
		errs = append(errs, fmt.Errorf("flink.command: %q is not an absolute path", c.Command))
	}
	if u, err := url.Parse(c.REST); c.REST != "" && (err != nil || u.Host == "") {
		errs = append(errs, fmt.Errorf("flink.rest: %q is not an http address", c.REST))
	}
	if c.Parallelism < 0 {
		errs = append(errs, fmt.Errorf("flink.parallelism: %d is negative", c.Parallelism))
	}
	if c.Patience < 0 {
		errs = append(errs, fmt.Errorf("flink.patience: %v is negative", c.Patience))
	}
	return errors.Join(errs...)
}
