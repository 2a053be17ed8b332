//go:build unix

package enrichcmd

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used of all cores: on a busy machine the
// honest measure of what a post costs.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
