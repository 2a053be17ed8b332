//go:build !unix

package enrichcmd

import "time"

// cpuTime is not known here; the clock on the wall stands in for it.
func cpuTime() time.Duration { return 0 }
